//! Inputs: everything that enters the core.

use std::sync::Arc;

use super::commands::Command;
use super::effects::query::QueryResult;
use super::login::Login;
use super::model::audience::SessionId;
use super::record::secret::PasswordHash;
use super::record::{AccountId, StoredMessage};
use super::request::admin::{ChangeRequest, RequestId};
use super::settings::Settings;
use crate::wire::{Label, Reply, Timestamp};

/// One input with its time.
#[derive(Debug)]
pub struct Input {
    /// The server's time. The core has no clock of its own.
    pub at: Timestamp,
    /// The monotonic clock, in milliseconds since an arbitrary start. Setting the clock does not change it.
    pub monotonic: Timestamp,
    /// Kind of the input, with its data.
    pub kind: InputKind,
}

/// The kinds of input.
#[derive(Debug)]
pub enum InputKind {
    /// A connection has logged in and becomes a session. Only the login machine can make a [`Login`].
    SessionOpened(SessionId, Login),
    /// A session sent a command, or a line that did not parse as one.
    Command {
        /// The session that sent it.
        session: SessionId,
        /// Label of the reply (labeled-response), escaped as on the wire.
        label: Option<Label>,
        /// The command, or the error reply that parsing it gave.
        command: Result<Command, Reply>,
    },
    /// The result of a session's query arrived.
    QueryDone {
        /// The session that waits for it.
        session: SessionId,
        /// Label of the reply.
        label: Option<Label>,
        /// The result of the query.
        result: QueryResult,
    },
    /// The deadline of [`Core::next_deadline`](super::Core::next_deadline) has passed.
    Tick,
    /// A connection ended, or its client closed its sending side. With the reason for the QUIT.
    SessionClosed(SessionId, Arc<str>),
    /// A request from outside of sessions. Its result is an [`Output::RequestDone`](super::Output::RequestDone).
    Request(RequestId, ChangeRequest),
    /// A login found that the hash of its password has old parameters, and made another one.
    PasswordRenewed {
        /// Account whose password it is.
        account: AccountId,
        /// The hash that was verified.
        old: PasswordHash,
        /// The hash that replaces it.
        new: PasswordHash,
    },
    /// The administration changed the settings.
    Settings(Box<Settings>),
    /// The store refused messages. Their sender gets an error reply.
    MessagesNotStored {
        /// The sender's session.
        session: SessionId,
        /// Label of the command.
        label: Option<Label>,
        /// The messages that were not stored.
        messages: Vec<StoredMessage>,
    },
    /// The store refused messages that programs posted. They learn it from the results of their requests.
    PostsNotStored(Vec<StoredMessage>),
    /// The store refused a change that is in force already. The session that caused it learns that storing it is tried
    /// again.
    StoreDeferred {
        /// The session that sent the command.
        session: SessionId,
        /// Name of the command, for the reply.
        command: &'static str,
    },
    /// The server is stopping. The core records how far each session has received messages.
    Stopping,
    /// The store began to fail (false) or works again (true). While it fails, commands that write are refused.
    Writable(bool),
    /// The disk has little room left (true), so that only admins may write, or enough again (false).
    DiskIsLow(bool),
}

impl InputKind {
    /// Returns the session that the input concerns, if there is one.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::SessionOpened(session, _)
            | Self::SessionClosed(session, _)
            | Self::Command { session, .. }
            | Self::QueryDone { session, .. }
            | Self::MessagesNotStored { session, .. }
            | Self::StoreDeferred { session, .. } => Some(*session),
            Self::Tick
            | Self::Request(..)
            | Self::PostsNotStored(_)
            | Self::PasswordRenewed { .. }
            | Self::Settings(_)
            | Self::Stopping
            | Self::Writable(_)
            | Self::DiskIsLow(_) => None,
        }
    }
}
