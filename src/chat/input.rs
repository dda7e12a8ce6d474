//! What drives the chat.

use std::sync::Arc;

use super::ask::Answer;
use super::audience::SessionId;
use super::commands::Command;
use super::login::Login;
use super::record::{AccountChange, StoredMessage};
use super::settings::Settings;
use crate::wire::{Millis, Reply};

/// Something that happened, and when.
#[derive(Debug)]
pub struct Input {
    /// The server's time. The chat has no clock of its own.
    pub at: Millis,
    /// The steady clock, which is never set: milliseconds since some moment.
    pub steady: Millis,
    /// What happened.
    pub kind: InputKind,
}

/// What can happen.
#[derive(Debug)]
pub enum InputKind {
    /// A connection has logged in. Only the login machine can make a [`Login`].
    Opened(SessionId, Login),
    /// A session said something, or something that is answered with an error.
    Said {
        /// Which session.
        session: SessionId,
        /// The label of its answer (labeled-response), as it stood on the wire.
        label: Option<Box<str>>,
        /// What it said.
        command: Result<Command, Reply>,
    },
    /// What a session waited for was found out.
    Answered {
        /// Which session.
        session: SessionId,
        /// The label of the answer.
        label: Option<Box<str>>,
        /// What was found out.
        answer: Answer,
    },
    /// The time came that [`Chat::next_deadline`](super::Chat::next_deadline) said.
    Tick,
    /// A connection ended, or its client will say no more.
    Closed(SessionId, Arc<str>),
    /// The administration changed an account.
    Account(AccountChange),
    /// The administration changed the settings.
    Settings(Box<Settings>),
    /// The store refused messages: their senders hear of it.
    NotStored {
        /// Who said it.
        session: SessionId,
        /// The label of the command.
        label: Option<Box<str>>,
        /// What could not be kept.
        messages: Vec<StoredMessage>,
    },
    /// The store refused a change that is in force already: whoever asked for it hears that it is tried again.
    Deferred {
        /// Whose command it was.
        session: SessionId,
        /// The command.
        command: &'static str,
    },
    /// The server stops, and sends what it owes first.
    Stopping,
    /// The store began to fail, or works again. While it fails, what would have to be kept is refused.
    Writable(bool),
}

impl InputKind {
    /// The session that it is about, if it is about one.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Opened(session, _)
            | Self::Closed(session, _)
            | Self::Said { session, .. }
            | Self::Answered { session, .. }
            | Self::NotStored { session, .. }
            | Self::Deferred { session, .. } => Some(*session),
            Self::Tick | Self::Account(_) | Self::Settings(_) | Self::Stopping | Self::Writable(_) => None,
        }
    }
}
