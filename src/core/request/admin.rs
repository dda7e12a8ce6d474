//! Requests from outside of sessions, and their results: those of the administration, and the redemption of invites.
//!
//! The command line, the control socket and the core use the same types.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::access_tokens::{AccessTokenError, NewAccessToken};
use super::channels::{ChannelChange, ChannelError};
use super::export::{Import, ImportError};
use super::files::{FileChange, FileError};
use super::hooks::{HookChange, HookError, NewHook};
use super::json;
use super::maintenance::Maintenance;
use super::people::groups::{GroupChange, GroupError};
use super::people::{ErasedAccount, ImportedUser, NewUser};
use crate::core::model::audience::SessionId;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{Account, Conversation, InviteId, Preference, Role, TokenHash};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// A request from outside of sessions to change the core's state. It is an input of the core. Sessions send commands
/// instead, and the command line reads the state by the queries of its own request type.
#[derive(Clone, Debug)]
pub enum ChangeRequest {
    /// A change that the command line on the server's machine requests.
    Admin(Change),
    /// The redemption of an invite.
    Redeem(Redemption),
    /// A change of files.
    Files(FileChange),
    /// A post of a program, or the delivery to one.
    Hooks(HookChange),
    /// A change that the server itself makes.
    Maintenance(Maintenance),
}

impl ChangeRequest {
    /// Returns whether it may send a message, which needs an id.
    pub fn sends_message(&self) -> bool {
        matches!(self, Self::Hooks(HookChange::Post(_)))
    }
}

/// Number of a [`ChangeRequest`], by which the requester recognizes its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A change that the administration requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Change {
    /// Make an account.
    UserAdd {
        /// Name, password hash and role.
        user: NewUser,
        /// Restore the removed account of that name, instead of making a new one.
        again: bool,
    },
    /// Make many accounts. The result lists those that could not be made; the others are kept.
    UserImport(Vec<ImportedUser>),
    /// Add what is not there yet. The result lists what was left out.
    Import(Import),
    /// Change accounts: all of them, or none if one of them cannot be changed.
    UserChanges(Vec<AccountChange>),
    /// Erase an account, also a removed one, and give what remains of it a pseudonym.
    UserErase {
        /// Name of the account.
        #[serde(with = "json::text")]
        name: Nick,
    },
    /// Erase messages of an account that is erased.
    MessagesErase(Vec<(Conversation, MessageId)>),
    /// Make an invite.
    InviteCreate(NewInvite),
    /// Make the invite for the first admin. It ends when there is an admin, or another such invite.
    FirstInviteCreate(NewInvite),
    /// Make several invites, or none if one of them cannot be made.
    InvitesCreate(Vec<NewInvite>),
    /// Revoke an invite.
    InviteRevoke {
        /// Id of the invite.
        id: i64,
    },
    /// Make a hook.
    HookCreate(NewHook),
    /// Revoke a hook.
    HookRevoke {
        /// Name of the hook.
        #[serde(with = "json::text")]
        name: Nick,
    },
    /// Make an access token.
    TokenCreate(NewAccessToken),
    /// Revoke an access token.
    TokenRevoke {
        /// Name of the token.
        #[serde(with = "json::text")]
        name: Nick,
    },
    /// Make or change a group.
    Group(GroupChange),
    /// Accept the machine's clock although it jumped.
    ClockAccept,
    /// End a session.
    SessionClose {
        /// Id of the session.
        #[serde(with = "json::text")]
        id: SessionId,
        /// Reason, which its client and those who see it quit are shown.
        reason: Arc<str>,
    },
    /// Make or change a channel.
    Channel {
        /// Name of the channel.
        #[serde(with = "json::text")]
        name: ChannelName,
        /// Change to make.
        change: ChannelChange,
    },
}

impl Change {
    /// Returns the change of one account.
    pub fn account(name: Nick, change: UserChange) -> Self {
        Self::UserChanges(vec![AccountChange { name, change }])
    }

    /// Returns the command of `parlour` that makes such a change, for the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UserAdd { .. } => "user add",
            Self::UserImport(_) => "user import",
            Self::Import(_) => "import",
            Self::UserChanges(changes) => changes.first().map_or("user", |change| change.change.name()),
            Self::UserErase { .. } => "user erase",
            Self::MessagesErase(_) => "user erase --messages",
            Self::InviteCreate(_) | Self::FirstInviteCreate(_) | Self::InvitesCreate(_) => "invite create",
            Self::InviteRevoke { .. } => "invite revoke",
            Self::HookCreate(_) => "hook create",
            Self::HookRevoke { .. } => "hook revoke",
            Self::TokenCreate(_) => "token create",
            Self::TokenRevoke { .. } => "token revoke",
            Self::Group(_) => "group",
            Self::ClockAccept => "clock accept",
            Self::SessionClose { .. } => "session close",
            Self::Channel { .. } => "channel",
        }
    }
}

/// A change of the account with a name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountChange {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Change to make.
    pub change: UserChange,
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

impl UserChange {
    fn name(&self) -> &'static str {
        match self {
            Self::Password(_) => "user passwd",
            Self::Role(_) => "user role",
            Self::Set(_) => "user set",
            Self::Disable => "user disable",
            Self::Enable => "user enable",
            Self::Remove => "user remove",
        }
    }
}

/// An invite to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewInvite {
    /// Hash of the token. The token itself stays with the requester.
    pub token: TokenHash,
    /// Effect of redeeming the invite.
    pub purpose: Purpose,
    /// Time until the invite expires, in milliseconds.
    pub lasts_ms: u64,
}

/// Effect of redeeming an invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// An invite that an admin requests in a session, which has no token yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteSpec {
    /// Effect of redeeming the invite.
    pub purpose: Purpose,
    /// Duration of its validity.
    pub validity: Duration,
}

/// The redemption of an invite.
#[derive(Clone, Debug)]
pub struct Redemption {
    /// Hash of the invite's token.
    pub token: TokenHash,
    /// Name of the new account, or of the account that the invite resets.
    pub name: Nick,
    /// Hash of the new password.
    pub password: PasswordHash,
}

/// Result of a [`ChangeRequest`] that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// The change was made.
    Changed,
    /// The users or items that could not be added: index in the request, and reason.
    Imported(Vec<(usize, RequestError)>),
    /// The account was erased.
    Erased(ErasedAccount),
    /// The invite was made.
    InviteCreated(InviteId),
    /// The invites were made, in this order.
    InvitesCreated(Vec<InviteId>),
    /// The clock was accepted and shows this time.
    ClockAccepted(Timestamp),
    /// The message was posted, or was posted before.
    Posted(MessageId),
    /// The invite was redeemed.
    Redeemed {
        /// The account that was made, or has a new password.
        account: Account,
        /// True if the account was made.
        is_new: bool,
    },
}

/// Reason why a [`ChangeRequest`] was not carried out. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The account cannot be made or changed.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The invite cannot be redeemed.
    #[error(transparent)]
    Redeem(#[from] RedeemError),
    /// The file cannot be added or changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The hook cannot be made or used.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The group cannot be made or changed.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The access token cannot be made or used.
    #[error(transparent)]
    AccessToken(#[from] AccessTokenError),
    /// The channel cannot be made or changed.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// No session has this id.
    #[error("there is no session {0}")]
    UnknownSession(SessionId),
    /// The item of an import is left out.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// No invite has this id.
    #[error("there is no invite {0}")]
    UnknownInvite(i64),
    /// The account is not an admin, or not any more.
    #[error("only an admin may do that")]
    NotAdmin,
    /// There is an admin, so that no invite for the first one is made.
    #[error("there is an admin already")]
    HasAdmin,
    /// The invite would have no use or no time.
    #[error("an invite needs at least one use and some time")]
    UselessInvite,
    /// Another invite has this token.
    #[error("another invite has this token")]
    TokenTaken,
    /// The store fails. Nothing was done.
    #[error("the server cannot store anything right now, so this was not done")]
    Unavailable,
    /// The store has failed at this change, which is in force and stored as soon as the store works.
    #[error(
        "the server cannot store this right now; it is in force and tried again, but a restart before that undoes it"
    )]
    Deferred,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// Reason why an account cannot be made or changed. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// An account has that name, in this or another case.
    #[error("the name {0} is taken")]
    Taken(Nick),
    /// A removed account had that name.
    #[error("the name {0} belonged to an account that was removed, and names do not pass to others")]
    Removed(Nick),
    /// The name is reserved.
    #[error("the name {0} is reserved: {1}")]
    Reserved(Nick, &'static str),
    /// No account has that name.
    #[error("there is no account {0}")]
    Unknown(Nick),
    /// The account is disabled, and so has no use for a new password.
    #[error("the account {0} is disabled")]
    Disabled(Nick),
    /// It is the account of a hook, which `parlour hook` manages.
    #[error("{0} is or was the name of a hook, which `parlour hook` manages")]
    Hook(Nick),
    /// All names that could stand for an erased account are taken.
    #[error("the names that could stand for the erased account are taken")]
    NoPseudonym,
    /// Without this account nobody could administer the server in a session.
    #[error("{0} is the last admin")]
    LastAdmin(Nick),
    /// The account is not removed, so it cannot be restored.
    #[error("the account {0} was not removed")]
    NotRemoved(Nick),
}

/// Reason why an invite cannot be redeemed. The texts are for the requester.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// No invite has this token.
    #[error("this invite is not known here")]
    Unknown,
    /// It made as many accounts as it can.
    #[error("this invite was used already")]
    UsedUp,
    /// It is too old.
    #[error("this invite has expired")]
    Expired,
    /// An admin revoked it.
    #[error("this invite was revoked")]
    Revoked,
    /// It resets the password of one account, and another was named.
    #[error("this invite is for the account {0} and for no other")]
    WrongAccount(Nick),
    /// The account that it resets is disabled.
    #[error("the account {0}, which this invite is for, is disabled")]
    Disabled(Nick),
    /// The account that it resets was removed.
    #[error("the account {0}, which this invite was for, was removed")]
    AccountRemoved(Nick),
    /// The invite is valid, but the account cannot be made.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// Reserved names, each with the reason that the requester gets.
const RESERVED: &[(&str, &str)] = &[
    ("echo", "it is the built-in account that answers what it is sent"),
    ("server", "it would be taken for the server"),
    ("system", "it would be taken for the server"),
    ("parlour", "it would be taken for the server"),
    // Users type passwords to these, because the guides of other networks tell them to.
    ("NickServ", "it is a service"),
    ("ChanServ", "it is a service"),
    ("SaslServ", "it is a service"),
    ("MemoServ", "it is a service"),
    ("OperServ", "it is a service"),
    ("HostServ", "it is a service"),
    ("BotServ", "it is a service"),
    ("HistServ", "it is a service"),
];

/// Returns the reason why the name is reserved, if it is.
pub fn reserved_reason(name: &Nick) -> Option<&'static str> {
    RESERVED
        .iter()
        .find(|(reserved, _)| name.as_str().eq_ignore_ascii_case(reserved))
        .map(|&(_, reason)| reason)
}
