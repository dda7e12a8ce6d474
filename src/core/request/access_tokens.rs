//! Requests about access tokens.

use serde::{Deserialize, Serialize};

use super::json;
use crate::core::record::TokenHash;
use crate::core::record::access_token::{AccessScope, StoredAccessToken};
use crate::wire::{Nick, Timestamp};

/// An access token to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewAccessToken {
    /// Hash of the token. The token itself stays with the requester.
    pub hash: TokenHash,
    /// Name of the token.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Name of the account as which programs use it.
    #[serde(with = "json::text")]
    pub account: Nick,
    /// Requests that it permits.
    pub scope: AccessScope,
    /// Time until it expires, in milliseconds; `None` if it does not.
    pub lasts_ms: Option<u64>,
}

/// An access token in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccessToken {
    /// The token as it is stored.
    pub token: StoredAccessToken,
    /// Name of its account.
    pub account: Nick,
    /// The account may not log in, so the token is not valid either.
    pub is_disabled: bool,
}

/// The account as which a program reads, and the token by which it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHolder {
    /// Access token that the program sent.
    pub token: StoredAccessToken,
    /// Name of its account.
    pub account: Nick,
}

/// Reason why an access token cannot be made or used. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// No token has this name.
    #[error("there is no token {0}")]
    Unknown(Nick),
    /// Another token has this name, or this hash.
    #[error("there is a token {0} already")]
    Taken(Nick),
    /// There are as many tokens as there may be.
    #[error("there are {0} tokens already, the maximum")]
    TooMany(usize),
    /// It would be valid for no time.
    #[error("a token needs some time")]
    NoTime,
    /// No token has the hash of a request.
    #[error("the token is wrong, or was revoked")]
    Wrong,
    /// It is too old.
    #[error("the token expired on {0}")]
    Expired(Timestamp),
    /// The account of the token may not log in.
    #[error("the account {0} of this token is disabled")]
    Disabled(Nick),
}
