//! The administration: what `parlour user` and `parlour invite` ask for, done on the store.
//!
//! The command line calls [`run`] itself when no server runs, and asks the server by its
//! [control socket](super::control) when one does; the requests are the same. They carry hashes, never a password
//! or a token.

mod absent;
mod invites;
mod json;
mod users;

use serde::{Deserialize, Serialize};

use crate::chat::account::DeviceKey;
use crate::chat::record::{AccountChange, Preference, Role};
use crate::store::accounts::{AccountError, PasswordHash};
use crate::store::audit::Actor;
use crate::store::invites::{State, TokenHash};
use crate::store::{Store, StoreError, audit, time};
use crate::trust::{Address, Pin};
use crate::wire::{ChannelName, Millis, Nick};

pub use invites::create as create_invite;

/// What can be asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Make an account.
    UserAdd {
        /// Name, password and role.
        user: NewUser,
        /// Give a removed account of that name back, instead of making a new one.
        again: bool,
    },
    /// Make many accounts. Those that cannot be made are answered, the others kept.
    UserImport(Vec<NewUser>),
    /// The accounts by name, [`PAGE`] at a time, after the given name.
    UserList {
        /// The last name of the page before.
        #[serde(with = "json::option")]
        after: Option<Nick>,
    },
    /// Change one account.
    UserChange {
        /// Which.
        #[serde(with = "json::text")]
        name: Nick,
        /// How.
        change: UserChange,
    },
    /// Make an invite.
    InviteCreate(InviteOrder),
    /// The invites by number, [`PAGE`] at a time, after the given number.
    InviteList {
        /// The last number of the page before, 0 for the first page.
        after: i64,
    },
    /// Take an invite back.
    InviteRevoke {
        /// Its number.
        id: i64,
    },
    /// Where the server can be reached, and its pin. Only a running server knows.
    Server,
    /// Read the certificates again. Only a running server can.
    Certificates,
    /// What it counts. Only a running server does.
    Metrics,
    /// Take the machine's clock as it is, although it jumped.
    ClockAccept,
    /// The devices that have not been there since the server shows the root with this pin, [`PAGE`] at a time, after the
    /// given key, and how many invites of before are open.
    Absent {
        /// The pin.
        #[serde(with = "json::text")]
        pin: Pin,
        /// The last key of the page before.
        #[serde(with = "json::option")]
        after: Option<DeviceKey>,
    },
}

/// An account to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUser {
    /// Its name.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// The hash of its password.
    #[serde(with = "json::text")]
    pub password: PasswordHash,
    /// What it may do.
    #[serde(with = "json::text")]
    pub role: Role,
}

/// A change of one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum UserChange {
    /// A new password. Sessions that logged in with the old one end.
    Password(#[serde(with = "json::text")] PasswordHash),
    /// What it may do.
    Role(#[serde(with = "json::text")] Role),
    /// One of its preferences.
    Set(#[serde(with = "json::text")] Preference),
    /// It may not log in; its sessions end.
    Disable,
    /// It may log in again.
    Enable,
    /// It is gone, its sessions end. Its name stays taken.
    Remove,
}

/// An invite to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InviteOrder {
    /// Hash of the token, which stays with the one who asks.
    pub token: TokenHash,
    /// What it is for.
    pub purpose: Purpose,
    /// How long it can be redeemed, in milliseconds.
    pub lasts_ms: u64,
}

/// What an invite is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Purpose {
    /// New accounts.
    Accounts {
        /// What they may do.
        #[serde(with = "json::text")]
        role: Role,
        /// Where they land.
        #[serde(with = "json::text")]
        channel: ChannelName,
        /// How many it makes.
        uses: u32,
    },
    /// A new password for the account of this name, whose devices and sessions end.
    Reset(#[serde(with = "json::text")] Nick),
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It is done.
    Done,
    /// Which of the users, by their place in the request, could not be added, and why.
    Imported(Vec<(usize, Failure)>),
    /// A page of accounts.
    Users(Vec<User>),
    /// The invite was made and has this number.
    InviteCreated(i64),
    /// A page of invites.
    Invites(Vec<Invite>),
    /// How clients find the server.
    Server {
        /// Its addresses, the likeliest first.
        #[serde(with = "json::list")]
        addresses: Vec<Address>,
        /// Its pin.
        #[serde(with = "json::text")]
        pin: Pin,
    },
    /// The certificate that the running server shows now: SHA-256, in hexadecimal digits.
    Certificates(String),
    /// What the running server counted, in Prometheus' text format.
    Metrics(String),
    /// The clock was accepted; what it says.
    Clock(#[serde(with = "json::text")] Millis),
    /// A page of devices, and how many invites are open.
    Absent {
        /// The devices.
        devices: Vec<AbsentDevice>,
        /// Invites of before that can still be redeemed.
        invites: u32,
    },
}

/// A device that has not been there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentDevice {
    /// Whose.
    #[serde(with = "json::text")]
    pub account: Nick,
    /// Its key.
    #[serde(with = "json::text")]
    pub key: DeviceKey,
    /// When it was there the last time: it logged in, or was made one of the account's.
    #[serde(with = "json::text")]
    pub last: Millis,
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// What it may do.
    #[serde(with = "json::text")]
    pub role: Role,
    /// It may not log in.
    pub disabled: bool,
    /// When it was made.
    #[serde(with = "json::text")]
    pub created: Millis,
}

/// An invite in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Its number.
    pub id: i64,
    /// What its accounts may do.
    #[serde(with = "json::text")]
    pub role: Role,
    /// Where its accounts land.
    #[serde(with = "json::option")]
    pub channel: Option<ChannelName>,
    /// How many accounts it makes.
    pub uses: u32,
    /// How many it has made.
    pub spent: u32,
    /// Until when it can be redeemed.
    #[serde(with = "json::text")]
    pub expires: Millis,
    /// Whether it can be redeemed now, and if not, why not.
    pub state: State,
    /// By whom it was made; nobody for the command line.
    #[serde(with = "json::option")]
    pub created_by: Option<Nick>,
    /// The account whose password and devices it resets, instead of making accounts.
    #[serde(with = "json::option")]
    pub resets: Option<Nick>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// The kind, for programs.
    pub kind: FailureKind,
    /// One line for people.
    pub text: String,
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The name is taken.
    Taken,
    /// The name belonged to a removed account.
    Removed,
    /// The name is reserved.
    Reserved,
    /// There is no such account.
    UnknownUser,
    /// The account may not log in.
    Disabled,
    /// The account is not a removed one.
    NotRemoved,
    /// There is no such invite.
    UnknownInvite,
    /// The request makes no sense.
    Invalid,
    /// Only a running server could answer.
    NoServer,
    /// The running server cannot take the certificates.
    Certificates,
    /// The account is no admin, or no more.
    NotAdmin,
    /// The store failed.
    Store,
}

/// What was done: the answer, and what the chat must follow.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// For the one who asked.
    pub reply: Reply,
    /// For the chat, in order.
    pub changes: Vec<AccountChange>,
}

/// Entries of a page of a list.
pub const PAGE: u32 = 500;

/// Does what is asked, and notes in the audit that `actor` did it.
pub async fn run(store: &Store, request: Request, actor: Actor, now: Millis) -> Result<Outcome, Failure> {
    let by = (now, actor);
    match request {
        Request::UserAdd { user, again } => store.write(move |tx| users::add(tx, &user, again, by)).await,
        Request::UserImport(new) => store.write(move |tx| users::import(tx, &new, by)).await,
        Request::UserChange { name, change } => {
            store.write(move |tx| users::change(tx, &name, &change, by)).await
        }
        Request::UserList { after } => {
            store.read(move |conn| users::list(conn, after.as_ref())).await.map(Into::into)
        }
        Request::InviteCreate(order) => {
            let number = invites::create(store, order, by, None).await?;
            Ok(Reply::InviteCreated(number).into())
        }
        Request::InviteList { after } => invites::list(store, after, now).await.map(Into::into),
        Request::InviteRevoke { id } => invites::revoke(store, id, by).await.map(Into::into),
        Request::Absent { pin, after } => {
            store.read(move |conn| absent::list(conn, pin, after, now)).await.map(Into::into)
        }
        Request::ClockAccept => {
            let note = move |tx: &rusqlite::Connection| {
                time::note(tx, now)?;
                audit::note(tx, by, "clock accept", &now.to_string(), "")?;
                Ok(Reply::Clock(now).into())
            };
            store.write(note).await
        }
        Request::Server | Request::Certificates | Request::Metrics => {
            let text = "no server runs on this data folder".to_owned();
            Err(Failure { kind: FailureKind::NoServer, text })
        }
    }
}

impl Failure {
    /// For requests that make no sense.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Invalid, text: text.into() }
    }
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self { reply, changes: Vec::new() }
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        let kind = match error {
            AccountError::Taken(_) => FailureKind::Taken,
            AccountError::Removed(_) => FailureKind::Removed,
            AccountError::Reserved(..) => FailureKind::Reserved,
            AccountError::Unknown(_) => FailureKind::UnknownUser,
            AccountError::Disabled(_) => FailureKind::Disabled,
            AccountError::NotRemoved(_) => FailureKind::NotRemoved,
            AccountError::Store(_) => FailureKind::Store,
        };
        Self { kind, text: error.to_string() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        AccountError::from(error).into()
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

#[cfg(test)]
mod tests;
