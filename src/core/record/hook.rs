//! Hooks: accounts without a login, by which programs post to a channel or are sent what is posted there.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AccountId, ChannelId, TokenHash};
use crate::wire::{MessageId, Timestamp};

/// A hook as it is stored. Its account has its name, which no other account can take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredHook {
    /// Account of the hook, which no password and no device opens.
    pub account: AccountId,
    /// Channel of the hook.
    pub channel: ChannelId,
    /// Time at which it was made.
    pub created: Timestamp,
    /// Direction of the hook, with its data.
    pub kind: HookKind,
}

/// Direction of a hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HookKind {
    /// It was revoked. Its account is removed; a new hook may have its name.
    Revoked,
    /// Programs post to the channel with the token of this hash.
    Incoming(TokenHash),
    /// A program is sent the messages of the channel.
    Outgoing(OutgoingHook),
}

/// Data of a hook that sends messages to a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingHook {
    /// URL that messages are sent to.
    pub url: Arc<str>,
    /// Text that a message must contain to be sent, whatever its case; `None` sends all.
    pub pattern: Option<Arc<str>>,
    /// Key that requests are signed with.
    pub key: HookKey,
    /// The last message that was sent, or will not be sent any more. Later ones are due.
    pub delivered: MessageId,
}

/// Key of the signatures of a hook, 256 random bits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookKey(pub [u8; 32]);

impl fmt::Debug for HookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookKey(…)")
    }
}
