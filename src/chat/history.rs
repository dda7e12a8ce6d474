//! What is asked of the history: the vocabulary that the chat shares with the store.

use std::sync::Arc;

use super::record::{AccountId, ChannelId, MessageKind, Place, StoredMessage};
use crate::wire::{ChannelName, MessageId, Nick};

/// A stretch of what was said at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Later than this message.
    pub after: MessageId,
    /// Earlier than this message.
    pub before: MessageId,
    /// Where there is more than `limit`: the latest of it, else the earliest.
    pub newest: bool,
    /// Most messages.
    pub limit: usize,
}

impl Window {
    /// The latest messages, all others being older.
    pub fn latest(limit: usize) -> Self {
        Self { after: MessageId::default(), before: MessageId::LAST, newest: true, limit }
    }
}

/// Which kinds of messages are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// Events too, and not only what was said (`draft/event-playback`).
    pub events: bool,
    /// Redactions too. They do not count towards the limit
    /// ([message-redaction](https://ircv3.net/specs/extensions/message-redaction#chat-history)).
    pub redactions: bool,
}

/// A message or event as the history has it, the earliest first. What was redacted is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The message; without its send id.
    pub message: StoredMessage,
    /// The name of who said it.
    pub from: Nick,
    /// It is not of the page but comes with the message before it
    /// ([chathistory](https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag)).
    pub is_context: bool,
}

/// Which message is asked about, to judge whether it may be redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who said it.
    pub from: AccountId,
    /// What it is.
    pub kind: MessageKind,
    /// It was redacted already.
    pub redacted: bool,
}

/// A search ([soju.im/search](https://soju.im/search)). All that is given must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Who asks: talks with others are searched for this account.
    pub me: AccountId,
    /// The channels that may be searched.
    pub channels: Vec<(ChannelId, ChannelName)>,
    /// Only here; it is one of the channels, or a talk of the asker.
    pub place: Option<Place>,
    /// Only from this account.
    pub from: Option<AccountId>,
    /// Words that are all in the text, in any case.
    pub text: Option<Arc<str>>,
    /// The stretch of time, and how many.
    pub window: Window,
}
