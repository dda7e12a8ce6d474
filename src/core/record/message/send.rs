//! Send ids: what makes sending a message twice have the effect of sending it once.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::MessageKind;
use crate::core::record::{AccountId, Conversation};
use crate::wire::{MessageId, Tags};

/// Send id: the id that a client gives to a message of its own, so that sending it twice has the effect of sending it
/// once. At most [`SendId::MAX`] bytes; unique per account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SendId(pub Arc<str>);

impl SendId {
    /// Limit of a send id, in bytes. A UUID has 36.
    pub const MAX: usize = 64;
}

/// Hash of a message, to tell it from another that a client sends under the same id by mistake. It is the same only
/// within one process, so it is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(u64);

impl ContentHash {
    /// Hashes a message. A message to members of a status has no conversation; its target counts instead. The order of
    /// the tags does not count.
    pub fn of(conversation: Result<Conversation, &str>, kind: MessageKind, text: &str, tags: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        let tags: BTreeSet<_> = Tags(tags).iter().collect();
        (conversation, kind, text, tags).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// A stored send id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSend {
    /// The account that sent the message.
    pub account: AccountId,
    /// Its id for the message.
    pub id: SendId,
    /// The stored message.
    pub message: MessageId,
    /// Hash of the message; `None` if it cannot be read any more, because it was redacted or removed since.
    pub content: Option<ContentHash>,
}
