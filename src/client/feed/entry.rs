//! Feed entries: messages, and events in a conversation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::client::model::Conversation;
use crate::client::model::event::{MessageKind, Received, ServerEvent};
use crate::wire::{ChannelName, Timestamp};

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A PRIVMSG with ordinary text.
    Message,
    /// A NOTICE, as programs send it.
    Notice,
    /// `/me`: a CTCP ACTION.
    Action,
    /// A reaction to a message.
    React,
    /// The removal of a reaction.
    Unreact,
    /// Client tags without a text that are no reaction.
    Tags,
    /// The redaction of a message.
    Redact,
    /// An account joined the channel.
    Join,
    /// An account left the channel.
    Part,
    /// An account was kicked from the channel.
    Kick,
    /// The topic was set, or cleared.
    Topic,
    /// The modes of the channel changed.
    Mode,
    /// The channel was renamed.
    Rename,
    /// An account went offline.
    Quit,
}

/// A message or event in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The kind, which determines the use of the other fields.
    pub kind: EntryKind,
    /// The server's time stamp.
    pub time: Timestamp,
    /// The conversation. For a direct message this is the other account, for both directions.
    pub target: Conversation,
    /// The nick that sent or did it.
    pub from: String,
    /// The account of that nick, if the server states it.
    pub account: Option<String>,
    /// Set if this account sent or did it, from this session or another one.
    pub mine: bool,
    /// The server's message id, if the history contains the entry.
    pub msgid: Option<String>,
    /// The text, with line ends between the lines of a multiline message. For events it is the reaction, the topic, the
    /// reason or the change of modes.
    pub text: String,
    /// The id of the message that this one replies to, reacts to or redacts.
    pub refers_to: Option<String>,
    /// The account that was kicked, or the channel's new name.
    pub object: Option<String>,
    /// All tags except those that have a field of their own.
    pub tags: BTreeMap<String, String>,
    /// Set for entries of the history, unset for live ones.
    pub history: bool,
}

impl EntryKind {
    /// Returns the name that JSON output uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Notice => "notice",
            Self::Action => "action",
            Self::React => "react",
            Self::Unreact => "unreact",
            Self::Tags => "tags",
            Self::Redact => "redact",
            Self::Join => "join",
            Self::Part => "part",
            Self::Kick => "kick",
            Self::Topic => "topic",
            Self::Mode => "mode",
            Self::Rename => "rename",
            Self::Quit => "quit",
        }
    }

    /// Returns whether the entry is a message, as opposed to an event.
    pub fn is_message(self) -> bool {
        matches!(self, Self::Message | Self::Notice | Self::Action)
    }
}

impl Entry {
    /// Converts a line. Returns `None` for one that belongs to no conversation, or that describes a passing state.
    /// `history` is set for a line in a result.
    pub fn from_received(received: &Received, history: bool) -> Option<Self> {
        let origin = &received.origin;
        let from = origin.nick().filter(|_| origin.is_from_user())?.to_owned();
        let Content { kind, target, text, refers_to, object } = Content::of(&received.event)?;
        Some(Self {
            kind,
            time: origin.time(),
            target,
            from,
            account: origin.account.clone(),
            mine: origin.mine,
            msgid: origin.msgid.clone(),
            text: text.into_owned(),
            refers_to: refers_to.or(origin.reply_to.as_deref()).map(str::to_owned),
            object: object.map(str::to_owned),
            tags: origin.tags.clone(),
            history,
        })
    }
}

/// The fields of an entry that depend on the kind.
struct Content<'a> {
    kind: EntryKind,
    target: Conversation,
    text: Cow<'a, str>,
    refers_to: Option<&'a str>,
    object: Option<&'a str>,
}

impl<'a> Content<'a> {
    fn of(event: &'a ServerEvent) -> Option<Self> {
        let new = |kind, target: &Conversation, text: &'a str| Self {
            kind,
            target: target.clone(),
            text: Cow::Borrowed(text),
            refers_to: None,
            object: None,
        };
        let in_channel = |kind, channel: &ChannelName, text: &'a str| {
            new(kind, &Conversation::Channel(channel.clone()), text)
        };
        Some(match event {
            ServerEvent::Message(message) => {
                let kind = match message.kind {
                    MessageKind::Text => EntryKind::Message,
                    MessageKind::Notice => EntryKind::Notice,
                    MessageKind::Action => EntryKind::Action,
                };
                new(kind, &message.conversation, &message.text)
            }
            ServerEvent::Reaction(reaction) => {
                let kind = if reaction.removed { EntryKind::Unreact } else { EntryKind::React };
                new(kind, &reaction.conversation, &reaction.emoji)
            }
            ServerEvent::Tags(conversation) => new(EntryKind::Tags, conversation, ""),
            ServerEvent::Redaction(redaction) => Self {
                refers_to: Some(&redaction.msgid),
                ..new(EntryKind::Redact, &redaction.conversation, &redaction.reason)
            },
            ServerEvent::Join(join) => in_channel(EntryKind::Join, &join.channel, ""),
            ServerEvent::Part(part) => in_channel(EntryKind::Part, &part.channel, &part.reason),
            ServerEvent::Kick(kick) => Self {
                object: Some(kick.nick.as_str()),
                ..in_channel(EntryKind::Kick, &kick.channel, &kick.reason)
            },
            ServerEvent::TopicChange(topic) => in_channel(EntryKind::Topic, &topic.channel, &topic.text),
            ServerEvent::ModeChange(change) => {
                Self { text: Cow::Owned(change.text()), ..in_channel(EntryKind::Mode, &change.channel, "") }
            }
            ServerEvent::ChannelRename(rename) => Self {
                object: Some(rename.to.as_str()),
                ..in_channel(EntryKind::Rename, &rename.from, &rename.reason)
            },
            // Typing status ends before a script could do anything with it.
            _ => return None,
        })
    }
}
