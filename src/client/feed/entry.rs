//! One thing that happened.

use std::collections::BTreeMap;

use crate::client::model::{Heard, Target};
use crate::wire::{ChannelName, Millis, Nick};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ordinary text.
    Message,
    /// What programs say.
    Notice,
    /// `/me`.
    Action,
    /// A reaction to a message.
    React,
    /// A reaction taken back.
    Unreact,
    /// Client tags without a text that are no reaction.
    Tags,
    /// A message taken back.
    Redact,
    /// Somebody came to the channel.
    Join,
    /// Somebody left the channel.
    Part,
    /// Somebody was thrown out of the channel.
    Kick,
    /// The topic was set, or cleared.
    Topic,
    /// Modes of the channel were changed.
    Mode,
    /// The channel has another name.
    Rename,
    /// Somebody went offline.
    Quit,
}

/// One thing that happened somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What.
    pub kind: Kind,
    /// When the server took it.
    pub time: Millis,
    /// Where; for a direct message the other one, whoever spoke.
    pub target: Target,
    /// Who said or did it.
    pub from: String,
    /// The account of who did it, as the server tells it.
    pub account: Option<String>,
    /// It was oneself, here or elsewhere.
    pub mine: bool,
    /// The server's id of it, where the history has it.
    pub msgid: Option<String>,
    /// What was said: the lines of a message of several lines with line ends between them; the reaction, the topic, the
    /// reason, the change of modes.
    pub text: String,
    /// The message that is answered, reacted to or taken back.
    pub refers_to: Option<String>,
    /// Who was thrown out, or the channel's new name.
    pub object: Option<String>,
    /// All tags but those that stand in a field of their own.
    pub tags: BTreeMap<String, String>,
    /// It comes from the history; else it happened just now.
    pub history: bool,
}

/// Tags that are fields of an entry, or are about the transport.
const OWN: &[&str] =
    &["time", "msgid", "account", "label", "batch", "draft/multiline-concat", "draft/chathistory-context"];

impl Kind {
    /// As it stands in JSON.
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

    /// Is it something that was said, and no event?
    pub fn is_said(self) -> bool {
        matches!(self, Self::Message | Self::Notice | Self::Action)
    }
}

impl Entry {
    /// What a line tells; `None` for what happened nowhere, or only for a moment.
    pub(super) fn of(line: &Heard, me: Option<&Nick>, history: bool) -> Option<Self> {
        // A message of several lines begins with its batch, and has its target behind the type.
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
                    // Who types is over before a script could do anything with it.
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

    /// Takes a text for what is said.
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
