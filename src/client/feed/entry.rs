//! Feed entries: messages, and events in a conversation.

use std::collections::BTreeMap;

use crate::client::model::{Conversation, ReceivedLine};
use crate::wire::{ChannelName, Nick, Timestamp};

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

/// Tags that have a field in the entry, or that are about the transport.
const HANDLED_TAGS: &[&str] =
    &["time", "msgid", "account", "label", "batch", "draft/multiline-concat", "draft/chathistory-context"];

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
    /// Parses a line. Returns `None` for one that belongs to no conversation, or that describes a passing state.
    pub(super) fn from_line(line: &ReceivedLine, me: Option<&Nick>, history: bool) -> Option<Self> {
        // The start of a multiline batch has its target after the type.
        let long = line.command == "BATCH";
        let from = line.nick()?;
        let mine = me.is_some_and(|me| me.as_str().eq_ignore_ascii_case(from));
        let target_param = line.param(if long { 2 } else { 0 });
        let target =
            Conversation::from_server(target_param.trim_start_matches(['~', '&', '@', '%', '+'])).ok()?;
        let target = match target {
            Conversation::Direct(_) if !mine => Conversation::Direct(Nick::parse_foreign(from).ok()?),
            target => target,
        };
        let mut entry = Self {
            kind: EntryKind::Message,
            time: line.tag("time").and_then(|time| Timestamp::parse(&time)).unwrap_or(line.received_at),
            target,
            from: from.to_owned(),
            account: line.tag("account"),
            mine,
            msgid: line.tag("msgid"),
            text: String::new(),
            refers_to: line.tag("+draft/reply").or_else(|| line.tag("+reply")).filter(|id| !id.is_empty()),
            object: None,
            tags: line
                .tags()
                .iter()
                .filter(|(key, _)| !HANDLED_TAGS.contains(key))
                .map(|(key, _)| (key.to_owned(), line.tag(key).unwrap_or_default()))
                .collect(),
            history,
        };
        entry.fill_from_line(line, long)?;
        let is_channel = matches!(entry.target, Conversation::Channel(_));
        let is_event = matches!(
            entry.kind,
            EntryKind::Join
                | EntryKind::Part
                | EntryKind::Kick
                | EntryKind::Topic
                | EntryKind::Mode
                | EntryKind::Rename
        );
        (is_channel || !is_event).then_some(entry)
    }

    fn fill_from_line(&mut self, line: &ReceivedLine, long: bool) -> Option<()> {
        let text = line.param(1);
        let (kind, text) = match line.command.as_str() {
            _ if long => (EntryKind::Message, ""),
            "PRIVMSG" => return self.set_message_text(text, false),
            "NOTICE" => return self.set_message_text(text, true),
            "TAGMSG" => {
                if let Some(emoji) = line.tag("+draft/react") {
                    self.text = emoji;
                    self.kind = EntryKind::React;
                } else if let Some(emoji) = line.tag("+draft/unreact") {
                    self.text = emoji;
                    self.kind = EntryKind::Unreact;
                } else {
                    // Typing status ends before a script could do anything with it.
                    self.kind = EntryKind::Tags;
                    return line.tag("+typing").is_none().then_some(());
                }
                return Some(());
            }
            "REDACT" => {
                self.refers_to = Some(text.to_owned());
                (EntryKind::Redact, line.param(2))
            }
            "JOIN" => (EntryKind::Join, ""),
            "PART" => (EntryKind::Part, text),
            "KICK" => {
                self.object = Some(text.to_owned());
                (EntryKind::Kick, line.param(2))
            }
            "TOPIC" => (EntryKind::Topic, text),
            "MODE" => {
                self.kind = EntryKind::Mode;
                self.text = line.params.get(1..)?.join(" ");
                return Some(());
            }
            "RENAME" => {
                self.object = Some(ChannelName::parse_foreign(text).ok()?.to_string());
                (EntryKind::Rename, line.param(2))
            }
            _ => return None,
        };
        self.kind = kind;
        text.clone_into(&mut self.text);
        Some(())
    }

    /// Sets kind and text from the text of a PRIVMSG or NOTICE. Never returns `None`.
    #[expect(clippy::unnecessary_wraps, reason = "the end of `fill`")]
    pub(super) fn set_message_text(&mut self, text: &str, notice: bool) -> Option<()> {
        let action = text.strip_prefix("\u{1}ACTION ").filter(|_| !notice);
        (self.kind, self.text) = match action {
            _ if notice => (EntryKind::Notice, text.to_owned()),
            Some(action) => (EntryKind::Action, action.strip_suffix('\u{1}').unwrap_or(action).to_owned()),
            None => (EntryKind::Message, text.to_owned()),
        };
        Some(())
    }
}
