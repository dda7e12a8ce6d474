//! Requests of admins about server invites, and their results. Tokens are made and stored elsewhere.

use super::record::Role;
use super::secret::Secret;
use crate::wire::{ChannelName, Millis, Nick};

/// A request of an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteRequest {
    /// Create an invite.
    Create(Wish),
    /// List the open invites.
    List,
    /// Revoke the invite of this number.
    Revoke(i64),
}

/// Parameters of a new invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Purpose of the invite.
    pub purpose: Purpose,
    /// Duration of its validity.
    pub lasts: Millis,
}

/// Effect of redeeming an invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It creates accounts.
    Accounts {
        /// Role of the new accounts.
        role: Role,
        /// Channel that they join.
        channel: ChannelName,
        /// Maximum number of uses.
        uses: u32,
    },
    /// It sets a new password for an account. The account's devices are revoked and its sessions end.
    Reset(Nick),
}

/// An invite that can still be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvite {
    /// Number that names it in commands.
    pub number: i64,
    /// Uses so far, and the maximum.
    pub spent: (u32, u32),
    /// Time at which it expires.
    pub expires: Millis,
    /// Role of the accounts that it creates.
    pub role: Role,
    /// Channel that these accounts join.
    pub channel: Option<ChannelName>,
    /// The account whose password it resets, if it is for that.
    pub resets: Option<Nick>,
    /// The admin who made it; `None` for the command line.
    pub by: Option<Nick>,
}

/// Result of an [`InviteRequest`].
#[derive(Debug)]
pub enum InviteOutcome {
    /// An invite was created.
    Made {
        /// Number that names it in commands.
        number: i64,
        /// Purpose of the invite.
        purpose: Purpose,
        /// Time at which it expires.
        expires: Millis,
        /// The invite link, which only the session that asked for it gets.
        link: Secret,
    },
    /// The open invites, and the number of those no longer open.
    Open(Vec<OpenInvite>, usize),
    /// The invite of this number was revoked.
    Revoked(i64),
}
