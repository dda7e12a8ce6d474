//! State that the listener and all connections share.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::handle::HubHandle;
use super::limits::incidents::Incidents;
use super::limits::paced::Rounds;
use super::limits::subject::Subject;
use super::logins::Logins;
use super::metrics::Metrics;
use crate::chat::Settings;

/// State of the server as connections see it.
pub(super) struct Shared {
    pub tls: TlsAcceptor,
    pub hub: HubHandle,
    pub logins: Arc<Logins>,
    pub limits: Limits,
    /// Present settings of the server.
    pub settings: watch::Receiver<Arc<Settings>>,
    /// Becomes true when the server stops.
    pub stopping: watch::Receiver<bool>,
    pub metrics: Arc<Metrics>,
    pub incidents: Arc<Incidents>,
    /// Turns on the threads for connections before their login.
    pub rounds: Arc<Rounds<Subject>>,
    /// Runtime of the connections that have logged in.
    pub members: Handle,
    /// Tracks the tasks of all connections, for the end of the server.
    pub tasks: TaskTracker,
}

/// Limits of one connection.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Time limit of the TLS handshake.
    pub handshake: Duration,
    /// Time limit from the handshake to the login.
    pub login: Duration,
    /// Maximum length of a line after its tags, in bytes.
    pub line_bytes: usize,
}
