//! Hooks and access tokens in lists.

use serde::{Deserialize, Serialize};

use crate::core::record::access_token::AccessScope;
use crate::core::request::json;
use crate::wire::{ChannelName, Nick, Timestamp};

/// A hook in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Name of the hook.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Direction of the hook.
    pub direction: HookDirection,
    /// Channel of the hook; `None` if it was removed.
    #[serde(with = "json::option")]
    pub channel: Option<ChannelName>,
    /// Usable, or the reason why not.
    pub state: HookState,
    /// Time at which it was made.
    #[serde(with = "json::text")]
    pub created: Timestamp,
    /// URL that messages are sent to.
    pub url: Option<String>,
    /// Text that a message must contain to be sent.
    #[serde(rename = "match")]
    pub pattern: Option<String>,
    /// Time since which it cannot send.
    #[serde(with = "json::option")]
    pub failing_since: Option<Timestamp>,
    /// Reason of the latest failure.
    pub failing_reason: Option<String>,
}

/// Direction of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookDirection {
    /// Programs post to the channel.
    Incoming,
    /// A program is sent the messages of the channel.
    Outgoing,
}

/// State of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookState {
    /// It can be used.
    Active,
    /// It was removed from its channel.
    Kicked,
    /// Its channel was removed.
    Homeless,
    /// It cannot send, and tries again.
    Failing,
}

/// An access token in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Name of the token.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Account as which programs use it.
    #[serde(with = "json::text")]
    pub account: Nick,
    /// Requests that it permits.
    pub scope: AccessScope,
    /// Valid, or the reason why not.
    pub state: TokenState,
    /// Time at which it was made.
    #[serde(with = "json::text")]
    pub created: Timestamp,
    /// Time from which it is not valid any more.
    #[serde(with = "json::option")]
    pub expires: Option<Timestamp>,
}

/// State of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenState {
    /// It can be used.
    Valid,
    /// It is too old.
    Expired,
    /// Its account may not log in.
    Disabled,
}
