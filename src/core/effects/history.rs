//! Query types of the history and the search, shared by the core and the store.

use std::sync::Arc;

use crate::core::record::file::StoredFile;
use crate::core::record::{AccountId, ChannelId, Conversation, MessageKind, StoredMessage};
use crate::wire::{ChannelName, MessageId, Nick};

/// A range of a conversation's messages, with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Lower bound, exclusive.
    pub after: MessageId,
    /// Upper bound, exclusive.
    pub before: MessageId,
    /// If more than `limit` match: true for the latest of them, false for the earliest.
    pub newest: bool,
    /// Maximum number of messages.
    pub limit: usize,
}

impl Window {
    /// Returns the window of the latest `limit` messages.
    pub fn latest(limit: usize) -> Self {
        Self { after: MessageId::default(), before: MessageId::LAST, newest: true, limit }
    }
}

/// Selection of the kinds of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageFilter {
    /// Include events such as JOIN, not only messages (`draft/event-playback`).
    pub events: bool,
    /// Include redactions. They do not count towards the limit
    /// ([message-redaction](https://ircv3.net/specs/extensions/message-redaction#chat-history)).
    pub redactions: bool,
}

/// A message or event as the history returns it, in ascending order. Redacted messages are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryMessage {
    /// The stored message, without its send id.
    pub message: StoredMessage,
    /// Name of the sending account.
    pub from: Nick,
    /// The account is a bot ([bot mode](https://ircv3.net/specs/extensions/bot-mode)) today, if not when it sent this.
    pub is_bot: bool,
    /// The message is not part of the page but accompanies the one before it
    /// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag)).
    pub is_context: bool,
    /// The files that it shares.
    pub files: Vec<StoredFile>,
}

impl HistoryMessage {
    /// Returns whether it counts towards the number of messages that a client asks for. Context messages and redactions
    /// do not.
    pub fn counts_towards_limit(&self) -> bool {
        !self.is_context && self.message.kind != MessageKind::Redact
    }
}

/// The facts about a message that decide if it may be redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedactionTarget {
    /// The sending account.
    pub from: AccountId,
    /// Kind of the message.
    pub kind: MessageKind,
    /// The message was redacted before.
    pub redacted: bool,
}

/// A search ([soju.im/search](https://soju.im/search)). All given conditions must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The account that searches.
    pub account: AccountId,
    /// Includes its direct conversations, where `conversation` names none.
    pub includes_direct: bool,
    /// The channels that it may search, with their names.
    pub channels: Vec<(ChannelId, ChannelName)>,
    /// Restriction to one conversation: one of the channels, or a direct conversation of the account.
    pub conversation: Option<Conversation>,
    /// Restriction to messages of this account.
    pub from: Option<AccountId>,
    /// Words that the text must all contain, in any case.
    pub text: Option<Arc<str>>,
    /// The range of messages, and the limit.
    pub window: Window,
}
