//! Messages and events as they are stored.

mod command_name;
mod forgotten;
mod send;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AccountId, Conversation};
use crate::wire::{MessageId, Tags};

pub use forgotten::{ForgottenAudit, ForgottenHistory, KeptFrom, RetentionLimits};
pub use send::{ContentHash, SendId, StoredSend};

/// Kind of a stored message or event, which defines the content of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MessageKind {
    /// A PRIVMSG. Text: the message, with [`LINE_BREAK`] between the lines of a multiline message and [`LINE_CONCAT`]
    /// before a line that continues the one before it.
    Privmsg,
    /// A NOTICE. Text: as for a PRIVMSG.
    Notice,
    /// A TAGMSG, such as a reaction. No text, only tags.
    Tagmsg,
    /// A JOIN of a channel. No text.
    Join,
    /// A PART. Text: the reason.
    Part,
    /// A KICK. Text: the nick and, after a space, the reason.
    Kick,
    /// A TOPIC change. Text: the topic, empty if it was cleared.
    Topic,
    /// A MODE change. Text: the modes with their values.
    Mode,
    /// A RENAME. Text: the old name, the new name and the reason, separated by spaces.
    Rename,
    /// A REDACT. Text: the msgid of the redacted message and, after a space, the reason.
    Redact,
}

/// Separator between two lines of a multiline message.
pub const LINE_BREAK: char = '\n';

/// Separator before a line that continues the one before it (`draft/multiline-concat`).
pub const LINE_CONCAT: char = '\r';

impl MessageKind {
    /// Every kind. The index is the stored form, so the order must not change.
    pub const ALL: [Self; 10] = [
        Self::Privmsg,
        Self::Notice,
        Self::Tagmsg,
        Self::Join,
        Self::Part,
        Self::Kick,
        Self::Topic,
        Self::Mode,
        Self::Rename,
        Self::Redact,
    ];

    /// Returns whether it is a message and not an event.
    pub fn is_text_message(self) -> bool {
        matches!(self, Self::Privmsg | Self::Notice)
    }
}

/// A message or an event of a channel, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Message id: its position in the order, its time and its msgid.
    pub id: MessageId,
    /// The conversation it belongs to.
    pub conversation: Conversation,
    /// The account that sent it.
    pub from: AccountId,
    /// Its kind, which defines the content of `text`.
    pub kind: MessageKind,
    /// Its text, as [`MessageKind`] defines it.
    pub text: Arc<str>,
    /// Client-only tags as on the wire (`+a=b;+c`); empty if there are none.
    pub tags: Arc<str>,
    /// The send id, if the sender gave one.
    pub send_id: Option<SendId>,
}

impl StoredMessage {
    /// Client-only tags that make a TAGMSG a reaction, the one kind of TAGMSG that people send knowingly
    /// ([react](https://ircv3.net/specs/client-tags/react)).
    const REACTION_TAGS: [&str; 2] = ["+draft/react", "+draft/unreact"];

    /// Client-only tags that name the message that another one refers to
    /// ([reply](https://ircv3.net/specs/client-tags/reply)).
    const REPLY_TAGS: [&str; 2] = ["+reply", "+draft/reply"];

    /// Returns whether a TAGMSG with these client-only tags is a reaction.
    pub fn is_reaction(tags: &str) -> bool {
        Tags(tags).iter().any(|(key, _)| Self::REACTION_TAGS.contains(&key))
    }

    /// Returns the msgid of the message that this one refers to.
    pub fn parent(&self) -> Option<&str> {
        let parent =
            Tags(&self.tags).iter().find(|(key, _)| Self::REPLY_TAGS.contains(key)).map(|(_, id)| id);
        parent.filter(|id| id.parse::<MessageId>().is_ok())
    }

    /// Returns the msgid of the message that this is a reaction to.
    pub fn reaction_target(&self) -> Option<&str> {
        let reacts = self.kind == MessageKind::Tagmsg && Self::is_reaction(&self.tags);
        self.parent().filter(|_| reacts)
    }
}
