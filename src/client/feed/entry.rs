//! Feed entries: messages, and events in a conversation.

use std::collections::BTreeMap;

use crate::client::model::{Heard, Target};
use crate::wire::{ChannelName, Millis, Nick};

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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
    pub kind: Kind,
    /// The server's time stamp.
    pub time: Millis,
    /// The conversation. For a direct message this is the other account, for both directions.
    pub target: Target,
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
const OWN: &[&str] =
    &["time", "msgid", "account", "label", "batch", "draft/multiline-concat", "draft/chathistory-context"];

impl Kind {
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
    pub fn is_said(self) -> bool {
        matches!(self, Self::Message | Self::Notice | Self::Action)
    }
}

impl Entry {
    /// Parses a line. Returns `None` for one that belongs to no conversation, or that describes a passing state.
    pub(super) fn of(line: &Heard, me: Option<&Nick>, history: bool) -> Option<Self> {
        // The start of a multiline batch has its target after the type.
        let long = line.command == "BATCH";
        let from = line.nick()?;
        let mine = me.is_some_and(|me| me.as_str().eq_ignore_ascii_case(from));
        let place = line.param(if long { 2 } else { 0 });
        let target = Target::heard(place.trim_start_matches(['~', '&', '@', '%', '+'])).ok()?;
        let target = match target {
            Target::Person(_) if !mine => Target::Person(Nick::heard(from).ok()?),
            target => target,
        };
        let mut entry = Self {
            kind: Kind::Message,
            time: line.tag("time").and_then(|time| Millis::parse(&time)).unwrap_or(line.now),
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
                .filter(|(key, _)| !OWN.contains(key))
                .map(|(key, _)| (key.to_owned(), line.tag(key).unwrap_or_default()))
                .collect(),
            history,
        };
        entry.fill(line, long)?;
        let is_channel = matches!(entry.target, Target::Channel(_));
        let is_event = matches!(
            entry.kind,
            Kind::Join | Kind::Part | Kind::Kick | Kind::Topic | Kind::Mode | Kind::Rename
        );
        (is_channel || !is_event).then_some(entry)
    }

    fn fill(&mut self, line: &Heard, long: bool) -> Option<()> {
        let text = line.param(1);
        let (kind, text) = match line.command.as_str() {
            _ if long => (Kind::Message, ""),
            "PRIVMSG" => return self.says(text, false),
            "NOTICE" => return self.says(text, true),
            "TAGMSG" => {
                if let Some(emoji) = line.tag("+draft/react") {
                    self.text = emoji;
                    self.kind = Kind::React;
                } else if let Some(emoji) = line.tag("+draft/unreact") {
                    self.text = emoji;
                    self.kind = Kind::Unreact;
                } else {
                    // Typing status ends before a script could do anything with it.
                    self.kind = Kind::Tags;
                    return line.tag("+typing").is_none().then_some(());
                }
                return Some(());
            }
            "REDACT" => {
                self.refers_to = Some(text.to_owned());
                (Kind::Redact, line.param(2))
            }
            "JOIN" => (Kind::Join, ""),
            "PART" => (Kind::Part, text),
            "KICK" => {
                self.object = Some(text.to_owned());
                (Kind::Kick, line.param(2))
            }
            "TOPIC" => (Kind::Topic, text),
            "MODE" => {
                self.kind = Kind::Mode;
                self.text = line.params.get(1..)?.join(" ");
                return Some(());
            }
            "RENAME" => {
                self.object = Some(ChannelName::heard(text).ok()?.to_string());
                (Kind::Rename, line.param(2))
            }
            _ => return None,
        };
        self.kind = kind;
        text.clone_into(&mut self.text);
        Some(())
    }

    /// Sets kind and text from the text of a PRIVMSG or NOTICE. Never returns `None`.
    #[expect(clippy::unnecessary_wraps, reason = "the end of `fill`")]
    pub(super) fn says(&mut self, text: &str, notice: bool) -> Option<()> {
        let action = text.strip_prefix("\u{1}ACTION ").filter(|_| !notice);
        (self.kind, self.text) = match action {
            _ if notice => (Kind::Notice, text.to_owned()),
            Some(action) => (Kind::Action, action.strip_suffix('\u{1}').unwrap_or(action).to_owned()),
            None => (Kind::Message, text.to_owned()),
        };
        Some(())
    }
}
