//! Connections that have logged in, on their way to the threads for sessions.

use std::net::SocketAddr;

use tokio::runtime::Handle;

use super::client_stream::ClientStream;
use crate::core::Login;
use crate::server::tasks::gathering::Gathering;
use crate::server::telemetry::metrics::OpenConnection;
use crate::wire::Nick;
use crate::wire::framing::{BadLine, LineFramer};

/// A connection that has logged in.
pub(in crate::server) struct LoggedIn {
    pub stream: ClientStream,
    pub login: Login,
    pub nick: Nick,
    /// Framing of the lines to come; may hold a part of one.
    pub framing: LineFramer,
    /// Lines received after the login.
    pub pending_lines: Vec<Result<String, BadLine>>,
}

/// A connection that has logged in, on its way to the threads for sessions.
pub(in crate::server) struct NewSession {
    pub logged_in: Box<LoggedIn>,
    pub peer: SocketAddr,
    pub open_connection: OpenConnection,
}

/// The threads for sessions, and the connections on their way there.
pub(in crate::server) struct SessionThreads {
    pub runtime: Handle,
    pub new_sessions: Gathering<NewSession>,
}

impl SessionThreads {
    /// Returns the threads of the calling runtime.
    pub fn of_current_runtime() -> Self {
        Self { runtime: Handle::current(), new_sessions: Gathering::default() }
    }
}
