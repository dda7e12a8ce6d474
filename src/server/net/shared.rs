//! State that the listener and all connections share.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::core::Settings;
use crate::server::auth::logins::Logins;
use crate::server::handle::HubHandle;
use crate::server::limits::incidents::Incidents;
use crate::server::limits::paced::Rounds;
use crate::server::limits::subject::Subject;
use crate::server::metrics::Metrics;

/// State of the server as connections see it.
pub(in crate::server) struct Shared {
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
pub(in crate::server) struct Limits {
    /// Time limit of the TLS handshake.
    pub handshake: Duration,
    /// Time limit from the handshake to the login.
    pub login: Duration,
    /// Maximum length of a line after its tags, in bytes.
    pub line_bytes: usize,
}
