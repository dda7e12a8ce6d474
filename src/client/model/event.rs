//! What the model tells about: everything that a user or a script may want to see.

use std::fmt;

use crate::wire::{ChannelName, Millis, Nick};

/// Where something is said: a channel, or the talk with one person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A channel.
    Channel(ChannelName),
    /// The talk with this person.
    Person(Nick),
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
    /// The server says something for people to read.
    Info(String),
    /// The server refuses something.
    Error(String),
    /// The answer to [`barrier`](super::Model::barrier): all that was sent before it has been handled.
    Barrier(Ticket),
    /// The server ends the connection and says why.
    Closing(String),
}

/// A text that is neither a channel's nor a person's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is neither a channel (#name) nor a person: {why}")]
pub struct BadTarget {
    name: String,
    why: crate::wire::names::NameError,
}

impl Target {
    /// Takes `#name` for a channel, anything else for a person.
    pub fn parse(text: &str) -> Result<Self, BadTarget> {
        let parsed = if text.starts_with('#') {
            ChannelName::parse(text).map(Self::Channel)
        } else {
            Nick::parse(text).map(Self::Person)
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
