//! What the model tells about: everything that a user or a script may want to see.

use std::fmt;

use super::heard::Heard;
use crate::wire::names::NameError;
use crate::wire::{ChannelName, Millis, Nick};

/// Where something is said: a channel, or the talk with one person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A channel.
    Channel(ChannelName),
    /// The talk with this person.
    Person(Nick),
}

/// A point in the past of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// This message.
    Id(String),
    /// This moment.
    Time(Millis),
}

impl Point {
    /// As CHATHISTORY and MARKREAD want it.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Id(id) => format!("msgid={id}"),
            Self::Time(time) => format!("timestamp={time}"),
        }
    }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Ordinary text.
    Text,
    /// A NOTICE: what programs say.
    Notice,
    /// `/me`: a CTCP ACTION.
    Action,
}

/// The number that the model gave to something that is sent. Never used twice by one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A message that somebody said, oneself included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Where; for a direct message the other one, whoever spoke.
    pub place: Target,
    /// Who.
    pub from: Nick,
    /// Oneself, from here or from another session.
    pub mine: bool,
    /// What it is.
    pub kind: Kind,
    /// What was said, as it came: not fit for a terminal.
    pub text: String,
    /// When the server took it.
    pub time: Millis,
    /// The server's id of it, where it gave one.
    pub msgid: Option<String>,
    /// The id of the message that it answers.
    pub reply: Option<String>,
    /// It is the one that was sent from here under this ticket.
    pub ticket: Option<Ticket>,
}

/// A part of the past, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The question that it answers.
    pub ticket: Ticket,
    /// Of which place.
    pub place: Target,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// How many lines, and bytes, the answer had.
    pub lines: usize,
    /// See `lines`.
    pub bytes: usize,
    /// The first line and the last, of whatever kind they are: there the next question begins.
    pub ends: Option<(Point, Point)>,
}

/// What somebody does at the keyboard ([typing](https://ircv3.net/specs/client-tags/typing)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// Typing.
    Active,
    /// Has stopped, with text there.
    Paused,
    /// Has sent or removed it.
    Done,
}

/// Something happened. Texts are as they came: not fit for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server has told all that it tells at login; `again` after a connection that broke.
    Ready {
        /// Not for the first time.
        again: bool,
    },
    /// Somebody said something.
    Said(Said),
    /// The server has it, for good.
    Confirmed(Ticket),
    /// The server refused it, or nobody can know what became of it.
    Failed {
        /// Which.
        ticket: Ticket,
        /// Where it should have gone.
        target: Target,
        /// Why.
        reason: String,
    },
    /// Somebody came to a channel.
    Joined {
        /// Where.
        channel: ChannelName,
        /// Who.
        who: Nick,
        /// Oneself.
        me: bool,
        /// When.
        time: Millis,
    },
    /// A channel could not be joined.
    JoinFailed {
        /// Which.
        channel: ChannelName,
        /// Why.
        reason: String,
    },
    /// One is not in this channel any more: it was left from elsewhere while there was no connection.
    Dropped {
        /// Which channel.
        channel: ChannelName,
    },
    /// Somebody left a channel, or was made to.
    Left {
        /// Which channel.
        channel: ChannelName,
        /// Who.
        who: Nick,
        /// Oneself.
        me: bool,
        /// Who threw them out.
        by: Option<String>,
        /// Their words.
        reason: String,
        /// When.
        time: Millis,
    },
    /// Somebody went offline.
    Quit {
        /// Who.
        who: Nick,
        /// The channels of one's own that they were in.
        channels: Vec<ChannelName>,
        /// Their words.
        reason: String,
        /// When.
        time: Millis,
    },
    /// A channel's topic, new or asked for. Empty for none.
    Topic {
        /// Which channel.
        channel: ChannelName,
        /// Who set it just now.
        by: Option<String>,
        /// What it is.
        text: String,
        /// When it was set or told.
        time: Millis,
    },
    /// Who is in a channel, with the signs of their rank.
    Names {
        /// Which channel.
        channel: ChannelName,
        /// In the order of the alphabet.
        names: Vec<String>,
    },
    /// What was asked of the past.
    History(Page),
    /// It could not be answered.
    NoHistory {
        /// The question.
        ticket: Ticket,
        /// Why.
        reason: String,
    },
    /// What a search found, in the order of time.
    Found(Ticket, Vec<Said>),
    /// Where somebody said something lately, and when it was said last.
    Targets(Ticket, Vec<(Target, Millis)>),
    /// Somebody reacted to a message, or took it back.
    Reaction {
        /// Where.
        place: Target,
        /// To which message.
        msgid: String,
        /// Who.
        from: Nick,
        /// Oneself.
        mine: bool,
        /// With what.
        emoji: String,
        /// Taken back.
        off: bool,
    },
    /// A message was taken back; nobody has its text any more.
    Redacted {
        /// Where.
        place: Target,
        /// Which message.
        msgid: String,
        /// By whom.
        by: String,
        /// Their words.
        reason: String,
    },
    /// Somebody types.
    Typing {
        /// Where.
        place: Target,
        /// Who.
        who: Nick,
        /// What.
        what: Typing,
    },
    /// Up to when a place is read, on all of one's devices. `None` for never.
    Marker {
        /// Where.
        place: Target,
        /// Up to this, included.
        time: Option<Millis>,
    },
    /// Somebody went away, with these words, or came back.
    Away {
        /// Who.
        who: Nick,
        /// Their words.
        words: Option<String>,
    },
    /// Somebody is online now, or is not any more.
    Online {
        /// Who.
        who: Nick,
        /// Is.
        here: bool,
    },
    /// What one noted about a place or what a place says about itself
    /// ([metadata](https://ircv3.net/specs/extensions/metadata)).
    Noted {
        /// Which place.
        target: String,
        /// What.
        key: String,
        /// Nothing any more.
        value: Option<String>,
    },
    /// A channel has another name now.
    Renamed {
        /// The old one.
        from: ChannelName,
        /// The new one.
        to: ChannelName,
        /// Who did it.
        by: String,
        /// When.
        time: Millis,
    },
    /// The modes of a channel were changed.
    Mode {
        /// Which channel.
        channel: ChannelName,
        /// By whom.
        by: String,
        /// How: `+o bob`.
        text: String,
        /// When.
        time: Millis,
    },
    /// One is invited to a channel.
    Invited {
        /// Which.
        channel: ChannelName,
        /// By whom.
        by: String,
    },
    /// The server says something for people to read.
    Info(String),
    /// The server refuses something.
    Error(String),
    /// The answer to [`barrier`](super::Model::barrier): all that was sent before it has been handled.
    Barrier(Ticket),
    /// A line as it came, where they were [asked for](super::Model::tap).
    Line(Box<Heard>),
    /// The server ends the connection and says why.
    Closing(String),
}

/// A text that is neither a channel's nor a person's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is neither a channel (#name) nor a person: {why}")]
pub struct BadTarget {
    name: String,
    why: NameError,
}

impl Target {
    /// Takes `#name` for a channel, anything else for a person.
    pub fn parse(text: &str) -> Result<Self, BadTarget> {
        Self::read(text, Nick::parse)
    }

    /// The same of what a server says, whose people may have [other names](Nick::heard).
    pub fn heard(text: &str) -> Result<Self, BadTarget> {
        Self::read(text, Nick::heard)
    }

    fn read(text: &str, nick: impl Fn(&str) -> Result<Nick, NameError>) -> Result<Self, BadTarget> {
        let parsed = if text.starts_with('#') {
            ChannelName::heard(text).map(Self::Channel)
        } else {
            nick(text).map(Self::Person)
        };
        parsed.map_err(|why| BadTarget { name: text.chars().take(80).collect(), why })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Channel(name) => name.as_str(),
            Self::Person(nick) => nick.as_str(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
