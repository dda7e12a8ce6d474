//! Invites: admissions to make an account, or to give one a new password.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AccountId, Role};
use crate::wire::{ChannelName, Timestamp};

/// Id of an invite, for listing and revoking. It is not secret and redeems nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InviteId(pub i64);

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256 of a token. The token itself is never stored.
pub type TokenHash = [u8; 32];

/// An invite as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Id of the invite.
    pub id: InviteId,
    /// Hash of its token.
    pub token: TokenHash,
    /// Role of its accounts.
    pub role: Role,
    /// Channel that its accounts join.
    pub channel: Option<ChannelName>,
    /// Count of accounts that it can make.
    pub uses: u32,
    /// Count of accounts that it has made.
    pub spent: u32,
    /// Time until which it can be redeemed.
    pub expires: Timestamp,
    /// Time at which it was revoked.
    pub revoked: Option<Timestamp>,
    /// Time at which it was made.
    pub created: Timestamp,
    /// The account that made it; `None` for the command line.
    pub created_by: Option<AccountId>,
    /// The account whose password and devices it resets, instead of making accounts.
    pub resets: Option<AccountId>,
    /// The admin whose rights made it, if these are not its maker's own.
    pub admin_account: Option<AccountId>,
}

/// State of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InviteState {
    /// It can be redeemed.
    Open,
    /// It made as many accounts as it can.
    UsedUp,
    /// It is too old.
    Expired,
    /// An admin revoked it.
    Revoked,
}

impl fmt::Display for InviteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::UsedUp => "spent",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}

impl Invite {
    /// Returns its state at a time.
    pub fn state(&self, now: Timestamp) -> InviteState {
        if self.revoked.is_some() {
            InviteState::Revoked
        } else if self.spent >= self.uses {
            InviteState::UsedUp
        } else if self.expires <= now {
            InviteState::Expired
        } else {
            InviteState::Open
        }
    }
}
