//! Message for a list of messages.

use crate::client::message_secrets::display_text;
use crate::client::model::{ChatMessage, Conversation};
use crate::client::screen::text::markup::strip_marks;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::BufferKey;
use crate::client::screen::workspace::buffer::loading::JumpTarget;
use crate::client::screen::workspace::entry::{Entry, format_text};
use crate::wire::{Nick, Timestamp};

/// Limit of the text, in bytes.
const MAX_TEXT_BYTES: usize = 1000;

/// Message for a list. Its text is safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMessage {
    /// Index of the server.
    pub server: usize,
    /// Conversation that contains the message.
    pub conversation: Conversation,
    /// Nick of the sender.
    pub from: Nick,
    /// Text of the message, in one line and without marks.
    pub text: String,
    /// Time stamp of the server.
    pub time: Timestamp,
    /// Id of the message, if the server gave one.
    pub msgid: Option<String>,
}

impl ListedMessage {
    /// Converts a message from the server with this index.
    pub fn new(server: usize, message: ChatMessage) -> Self {
        let (text, markup) = format_text(&display_text(&message));
        Self {
            server,
            text: sanitize_line(&strip_marks(&text, &markup), MAX_TEXT_BYTES),
            conversation: message.conversation,
            from: message.from,
            time: message.time,
            msgid: message.msgid,
        }
    }

    /// Converts an entry of a buffer, if it is a message that was not redacted.
    pub fn from_entry(key: &BufferKey, entry: &Entry) -> Option<Self> {
        let message = entry.message().filter(|message| message.redacted.is_none())?;
        Some(Self {
            server: key.0,
            conversation: key.1.clone(),
            from: message.from.clone(),
            text: sanitize_line(&strip_marks(&message.text, &message.markup), MAX_TEXT_BYTES),
            time: entry.time,
            msgid: entry.id.as_deref().map(str::to_owned),
        })
    }

    /// Returns the point of the history to jump to.
    pub fn jump_target(&self) -> JumpTarget {
        match &self.msgid {
            Some(id) => JumpTarget::Id(id.clone()),
            None => JumpTarget::After(Timestamp(self.time.0.saturating_sub(1))),
        }
    }
}
