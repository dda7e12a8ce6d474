//! Administration requests of `parlour user`, `parlour invite` and others, carried out on the store.
//!
//! The command line calls [`run`] itself when no server runs, and sends the request over the [control
//! socket](super::control) when one does; the requests are the same. They carry hashes, never a password or a token.

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

/// An administration request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Make an account.
    UserAdd {
        /// Name, password hash and role.
        user: NewUser,
        /// Restore the removed account of that name, instead of making a new one.
        again: bool,
    },
    /// Make many accounts. The reply lists those that could not be made; the others are kept.
    UserImport(Vec<NewUser>),
    /// List the accounts by name, [`PAGE`] at a time, after the given name.
    UserList {
        /// Last name of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<Nick>,
    },
    /// Change one account.
    UserChange {
        /// Name of the account.
        #[serde(with = "json::text")]
        name: Nick,
        /// Change to make.
        change: UserChange,
    },
    /// Make an invite.
    InviteCreate(InviteOrder),
    /// List the invites by id, [`PAGE`] at a time, after the given id.
    InviteList {
        /// Last id of the previous page, 0 for the first page.
        after: i64,
    },
    /// Revoke an invite.
    InviteRevoke {
        /// Id of the invite.
        id: i64,
    },
    /// Return the server's addresses and its pin. Needs a running server.
    Server,
    /// Load the certificates again. Needs a running server.
    Certificates,
    /// Return the metrics. Needs a running server.
    Metrics,
    /// Accept the machine's clock although it jumped.
    ClockAccept,
    /// List the devices that have not logged in since the server shows the root with this pin, [`PAGE`] at a time,
    /// after the given fingerprint; and count the open invites that were made before.
    Absent {
        /// Pin of the present root.
        #[serde(with = "json::text")]
        pin: Pin,
        /// Last certificate fingerprint of the previous page.
        #[serde(with = "json::option")]
        after: Option<DeviceKey>,
    },
}

/// An account to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUser {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Hash of the password.
    #[serde(with = "json::text")]
    pub password: PasswordHash,
    /// Role of the account.
    #[serde(with = "json::text")]
    pub role: Role,
}

/// A change of one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum UserChange {
    /// Set a new password. Ends all devices and the sessions that logged in with the old password.
    Password(#[serde(with = "json::text")] PasswordHash),
    /// Set the role.
    Role(#[serde(with = "json::text")] Role),
    /// Set one preference.
    Set(#[serde(with = "json::text")] Preference),
    /// Forbid logins and end the account's sessions.
    Disable,
    /// Allow logins again.
    Enable,
    /// Remove the account and end its sessions. Its name stays taken.
    Remove,
}

/// An invite to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InviteOrder {
    /// Hash of the token. The token itself stays with the requester.
    pub token: TokenHash,
    /// Effect of redeeming the invite.
    pub purpose: Purpose,
    /// Time until the invite expires, in milliseconds.
    pub lasts_ms: u64,
}

/// Effect of redeeming an invite.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Purpose {
    /// Makes new accounts.
    Accounts {
        /// Role of the new accounts.
        #[serde(with = "json::text")]
        role: Role,
        /// Channel that the new accounts join.
        #[serde(with = "json::text")]
        channel: ChannelName,
        /// Count of accounts that it can make.
        uses: u32,
    },
    /// Sets a new password for the account of this name, and ends its devices and sessions.
    Reset(#[serde(with = "json::text")] Nick),
}

/// Reply to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The request was carried out.
    Done,
    /// The users that could not be added: index in the request, and reason.
    Imported(Vec<(usize, Failure)>),
    /// A page of accounts.
    Users(Vec<User>),
    /// Id of the invite that was made.
    InviteCreated(i64),
    /// A page of invites.
    Invites(Vec<Invite>),
    /// Addresses and pin by which clients find the server.
    Server {
        /// Addresses, the likeliest first.
        #[serde(with = "json::list")]
        addresses: Vec<Address>,
        /// The server's pin.
        #[serde(with = "json::text")]
        pin: Pin,
    },
    /// SHA-256 of the leaf that the running server shows now, in hexadecimal digits.
    Certificates(String),
    /// Metrics of the running server, in Prometheus' text format.
    Metrics(String),
    /// The clock was accepted and shows this time.
    Clock(#[serde(with = "json::text")] Millis),
    /// A page of devices, and the count of open invites.
    Absent {
        /// Devices that have not logged in since.
        devices: Vec<AbsentDevice>,
        /// Count of invites from before that can still be redeemed.
        invites: u32,
    },
}

/// A device that has not logged in since the present root is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentDevice {
    /// Account of the device.
    #[serde(with = "json::text")]
    pub account: Nick,
    /// Certificate fingerprint of the device.
    #[serde(with = "json::text")]
    pub key: DeviceKey,
    /// Time of its last login, or of its addition to the account if it never logged in.
    #[serde(with = "json::text")]
    pub last: Millis,
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Role of the account.
    #[serde(with = "json::text")]
    pub role: Role,
    /// True if the account may not log in.
    pub disabled: bool,
    /// Time at which the account was made.
    #[serde(with = "json::text")]
    pub created: Millis,
    /// Most messages that are replayed to its clients; `None` for as many as the server is configured to.
    pub replay: Option<u8>,
    /// It is a program, to which nothing is replayed.
    pub bot: bool,
}

/// An invite in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Id of the invite.
    pub id: i64,
    /// Role of the accounts that it makes.
    #[serde(with = "json::text")]
    pub role: Role,
    /// Channel that its accounts join.
    #[serde(with = "json::option")]
    pub channel: Option<ChannelName>,
    /// Count of accounts that it can make.
    pub uses: u32,
    /// Count of accounts that it has made.
    pub spent: u32,
    /// Time until which it can be redeemed.
    #[serde(with = "json::text")]
    pub expires: Millis,
    /// Usable, or the reason why not.
    pub state: State,
    /// Account that made it; `None` for the command line.
    #[serde(with = "json::option")]
    pub created_by: Option<Nick>,
    /// Account whose password and devices it resets, instead of making accounts.
    #[serde(with = "json::option")]
    pub resets: Option<Nick>,
}

/// Error of a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// Kind of the failure, for programs.
    pub kind: FailureKind,
    /// Message for people, one line.
    pub text: String,
}

/// Kind of a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The name is taken.
    Taken,
    /// The name belonged to a removed account.
    Removed,
    /// The name is reserved.
    Reserved,
    /// No account has this name.
    UnknownUser,
    /// The account may not log in.
    Disabled,
    /// The account is not a removed one.
    NotRemoved,
    /// No invite has this id.
    UnknownInvite,
    /// The request makes no sense.
    Invalid,
    /// Only a running server could answer.
    NoServer,
    /// The running server cannot use the certificates.
    Certificates,
    /// The account is not an admin, or not any more.
    NotAdmin,
    /// The store failed.
    Store,
}

/// Result of a request: the reply, and the changes that the core must follow.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Reply for the requester.
    pub reply: Reply,
    /// Changes for the core, in order.
    pub changes: Vec<AccountChange>,
}

/// Maximum count of entries in a page of a list.
pub const PAGE: u32 = 500;

/// Carries out a request and notes in the audit log that `actor` did it.
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
    /// Makes a failure for a request that makes no sense.
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
