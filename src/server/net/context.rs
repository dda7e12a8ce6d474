//! State that the listener and all connections share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::handshake::Protocols;
use super::new_sessions::SessionThreads;
use crate::core::Settings;
use crate::server::auth::login_checker::LoginChecker;
use crate::server::limits::fair_scheduler::FairScheduler;
use crate::server::limits::incidents::IncidentLog;
use crate::server::limits::subject::Subject;
use crate::server::sessions::hub_handle::HubHandle;
use crate::server::tasks::stop::StopReason;
use crate::server::telemetry::metrics::Metrics;

/// State of the server as connections see it.
pub(in crate::server) struct ConnectionContext {
    pub protocols: Protocols,
    pub hub_handle: HubHandle,
    pub login_checker: Arc<LoginChecker>,
    pub limits: ConnectionLimits,
    /// Present settings of the server.
    pub settings: watch::Receiver<Arc<Settings>>,
    /// Gets its reason when the server stops.
    pub stopping: watch::Receiver<Option<StopReason>>,
    pub metrics: Arc<Metrics>,
    pub incidents: Arc<IncidentLog>,
    /// Turns on the threads for connections before their login.
    pub scheduler: Arc<FairScheduler<Subject>>,
    /// Threads of the connections that have logged in.
    pub session_threads: SessionThreads,
    /// Tracks the tasks of all connections, for the end of the server.
    pub connection_tasks: TaskTracker,
}

/// Limits of one connection.
#[derive(Clone, Debug)]
pub(in crate::server) struct ConnectionLimits {
    /// Time limit of the TLS handshake.
    pub handshake_timeout: Duration,
    /// Time limit from the handshake to the login.
    pub login_timeout: Duration,
    /// Maximum length of a line after its tags, in bytes.
    pub line_bytes: usize,
}
