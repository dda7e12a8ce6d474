//! The data that the server keeps of a person, for its export and its erasure.

use serde::{Deserialize, Serialize};

use crate::core::record::Conversation;
use crate::core::request::json;
use crate::wire::{MessageId, Timestamp};

/// A message or event of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMessage {
    /// Its id, in the form of the tag `msgid`.
    #[serde(with = "json::text")]
    pub id: MessageId,
    /// Its conversation, by ids.
    pub conversation: Conversation,
    /// The channel, or the other account of a direct conversation.
    pub to: String,
    /// Time at which it was sent.
    #[serde(with = "json::text")]
    pub time: Timestamp,
    /// Name of its command, such as PRIVMSG.
    pub command: String,
    /// Text of the message.
    pub text: String,
    /// Its client-only tags, as on the wire.
    pub tags: String,
}

/// A page of the messages of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePage {
    /// The messages, in order, without those that were redacted.
    pub messages: Vec<AccountMessage>,
    /// The last message, of anybody, that was looked at; `None` at the end of the history.
    #[serde(with = "json::option")]
    pub looked_up_to: Option<MessageId>,
}
