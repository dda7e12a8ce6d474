//! Access tokens: secrets with which programs read what an account may read.

use serde::{Deserialize, Serialize};

use super::{AccountId, TokenHash};
use crate::wire::{Nick, Timestamp};

/// An access token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAccessToken {
    /// Hash of the token.
    pub hash: TokenHash,
    /// Name of the token, by which it is revoked. No two tokens have the same, and it follows the rules of nicks.
    pub name: Nick,
    /// Account as which programs use it.
    pub account: AccountId,
    /// Requests that it permits.
    pub scope: AccessScope,
    /// Time at which it was made.
    pub created: Timestamp,
    /// Time from which it is not valid any more; `None` for one that lasts until it is revoked.
    pub expires: Option<Timestamp>,
}

/// Requests that an access token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessScope {
    /// Reading of channels, their history, and people. Not of direct messages.
    Read,
}

impl AccessScope {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
        }
    }

    /// Finds a scope by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Read].into_iter().find(|scope| scope.as_str() == name)
    }
}
