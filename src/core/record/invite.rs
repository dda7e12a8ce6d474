//! Invites: admissions to make an account, or to give one a new password.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AccountId, Role};
use crate::wire::{ChannelName, Millis};

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
    pub expires: Millis,
    /// Time at which it was revoked.
    pub revoked: Option<Millis>,
    /// Time at which it was made.
    pub created: Millis,
    /// The account that made it; `None` for the command line.
    pub created_by: Option<AccountId>,
    /// The account whose password and devices it resets, instead of making accounts.
    pub resets: Option<AccountId>,
    /// The admin whose rights made it, if these are not its maker's own.
    pub power: Option<AccountId>,
}

/// State of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It can be redeemed.
    Open,
    /// It made as many accounts as it can.
    Spent,
    /// It is too old.
    Expired,
    /// An admin revoked it.
    Revoked,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Spent => "spent",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}

impl Invite {
    /// Returns its state at a time.
    pub fn state(&self, now: Millis) -> State {
        if self.revoked.is_some() {
            State::Revoked
        } else if self.spent >= self.uses {
            State::Spent
        } else if self.expires <= now {
            State::Expired
        } else {
            State::Open
        }
    }
}
