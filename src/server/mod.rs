//! IO: the listener, connections, the password pool, the hub that owns the core.
//!
//! [`Server::run`] is the whole server; the command line and the tests both call it.

pub mod admin;
pub mod auth;
pub mod clock;
pub mod config;
pub mod http;
mod hub;
pub mod lan;
mod limits;
pub mod maintenance;
mod net;
mod reading;
mod sessions;
mod settings;
mod tasks;
pub mod telemetry;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{error, info, warn};

use crate::core::effects::playback::MAX_RESULT_BYTES;
use crate::core::model::daily_usage::start_of_day;
use crate::core::record::Snapshot;
use crate::core::request::admin::{ChangeRequest, RequestError, RequestOutcome};
use crate::core::request::maintenance::Maintenance;
use crate::core::{Core, Settings};
use crate::platform::process;
use crate::store::search::Index;
use crate::store::{Store, StoreError, history};
use crate::trust::web_identity::WebIdentity;
use crate::wire::Timestamp;
use admin::running::RunningAnswers;
use auth::login_checker::LoginChecker;
use auth::passwords::PasswordPool;
use clock::Clock;
use config::Config;
use config::changes::ValuesInForce;
use http::files;
use http::files::folder::FileFolder;
use http::files::service::FileService;
use http::outgoing::Outgoing;
use hub::account_queries::AccountQueryRunner;
use hub::queries::QueryRunner;
use lan::advertised_addresses::AdvertisedAddresses;
use limits::fair_scheduler::FairScheduler;
use limits::incidents::IncidentLog;
use limits::pre_login_connections::PreLoginConnections;
use limits::token_bucket::RateLimit;
use maintenance::certificates::LiveCertificates;
use maintenance::reload::Reloader;
use maintenance::service_reports::BeforeReady;
use net::context::{ConnectionContext, ConnectionLimits};
use net::handshake::{ListenerKind, Protocols};
use net::new_sessions::SessionThreads;
use reading::AccountReader;
use sessions::hub_handle::HubHandle;
use sessions::send_queue_limits::SendQueueLimits;
use settings::{as_usize, settings_from_config};
use tasks::supervisor::SupervisedTasks;
use telemetry::metrics::Metrics;

pub use clock::now;
pub use net::listener::bind;
pub use tasks::stop::StopReason;
pub use tasks::supervisor::TaskEnded;

/// Time limit for the last commits of a server that shuts down. A disk may be slow, so it is long.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_mins(1);

/// Time limit for the last commits of a server that has failed.
const FAILED_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limit for sessions to end after the shutdown began.
const SESSION_END_TIMEOUT: Duration = Duration::from_secs(6);

/// A server that is set up and does not run yet.
pub struct Server {
    hub: hub::Hub,
    handle: HubHandle,
    connection_context: ConnectionContext,
    stopping: watch::Sender<Option<StopReason>>,
    pre_login_connections: Arc<PreLoginConnections>,
    /// The store, and the configured retention.
    retention: (Store, watch::Receiver<config::History>),
    reloader: Arc<Reloader>,
    metrics: Arc<Metrics>,
    /// Kept beside the hub: otherwise a failure of the hub would end the index's thread and be reported as a failure of
    /// that thread.
    index: Option<Arc<Index>>,
    files: FileService,
    /// Tasks beside the hub that run as long as the server does.
    supervised_tasks: SupervisedTasks,
    before_ready: Option<BeforeReady>,
}

impl Server {
    /// Makes a server over a store and certificates. The core continues from the records in the store; `reload` reads
    /// the configuration again on request; `addresses` are those by which clients reach the server, for invites; `web`
    /// is the identity for browsers, if the page is enabled.
    pub async fn new(
        config: &Config,
        store: Store,
        certificates: Arc<LiveCertificates>,
        passwords: Arc<PasswordPool>,
        read_config: impl Fn() -> Result<Config, String> + Send + Sync + 'static,
        addresses: AdvertisedAddresses,
        web: Option<Arc<WebIdentity>>,
    ) -> Result<Self, StoreError> {
        let snapshot = store.snapshot().await?;
        let limits = &config.limits;
        let clock = Arc::new(Clock::start(&store).await?);
        let started = clock.now();
        let http_url = addresses.http_url().await;
        let settings = Settings {
            certificate: Some(certificates.certificate_dates()),
            ..settings_from_config(config, started, http_url.as_deref())
        };
        let send_queue = as_usize(limits.send_queue_bytes);
        let index = start_index(&store);
        let (handle, receiver) = HubHandle::new(clock);
        let mut tasks = supervise_store(&store, index.as_ref(), (limits.disk_reserve_mib, &handle));
        let incidents: Arc<IncidentLog> = Arc::default();
        let login_checker = Arc::new(LoginChecker::new(passwords.clone(), handle.clone(), incidents.clone()));
        let (history, history_receiver) = watch::channel(config.history.clone());
        let (settings_sender, settings_receiver) = watch::channel(Arc::new(settings.clone()));
        let folder = FileFolder::of_data_folder(store.folder());
        let files =
            FileService::new(folder, login_checker.clone(), handle.clone(), settings_receiver.clone());
        let reloader = Arc::new(Reloader {
            read_config: Box::new(read_config),
            in_force: Mutex::new(ValuesInForce::of(config)),
            certificates,
            web: web.clone(),
            started,
            http_url: http_url.clone(),
            line_bytes: settings.line_bytes,
            history_sender: history,
            log_sender: watch::Sender::new(config.log.clone()),
            settings_sender,
            hub: handle.clone(),
            reports: Arc::default(),
        });
        let account_queries = Arc::new(AccountQueryRunner {
            login_checker: login_checker.clone(),
            password_pool: passwords.clone(),
            reloader: reloader.clone(),
            file_tokens: files.tokens.clone(),
            http_url,
            addresses,
        });
        let blocks = sessions::blocks::BlockMemory::default();
        let rate_limit = limits.flood.then(|| RateLimit::new(limits.messages_per_second, limits.burst));
        // A quarter of the send queue, so that a result alone never overflows it.
        let piece_bytes = MAX_RESULT_BYTES.min(send_queue / 4);
        let reader = AccountReader::new(store.clone(), index.clone(), piece_bytes);
        let routes = http::routes(config, &files, &reader, rate_limit);
        let query_runner =
            QueryRunner::new(reader, handle.ready.clone(), account_queries, piece_bytes, blocks.clone());
        let retention = (store.clone(), history_receiver);
        let stored = Arc::<Notify>::default();
        let metrics = Arc::new(Metrics::new(started, &store, passwords.computed_hashes()));
        let send_queue_limits = SendQueueLimits::new(send_queue, blocks, metrics.slow_clients_closed.clone());
        let outgoing = Outgoing::new(handle.clone(), store.clone(), &config.hooks);
        tasks.spawn("the task that sends messages to programs", outgoing.run(stored.clone()));
        let core = core_of_today(settings, snapshot, (&store, limits, started)).await?;
        let hub = hub::Hub::new(
            core,
            store,
            hub::HubParts {
                handle: &handle,
                receiver,
                query_runner,
                send_queue_limits,
                files: files.folder.clone(),
                stored,
                rate_limit,
                metrics: metrics.clone(),
            },
        );
        let (stopping, stopping_receiver) = watch::channel(None);
        let shared = ConnectionContext {
            protocols: Protocols::new(config, reloader.certificates.live_identity(), web, &routes),
            hub_handle: handle.clone(),
            login_checker,
            limits: connection_limits(limits),
            settings: settings_receiver,
            stopping: stopping_receiver,
            metrics: metrics.clone(),
            incidents,
            scheduler: FairScheduler::new(net::pre_login_runtime::thread_count()),
            session_threads: SessionThreads::of_current_runtime(),
            connection_tasks: TaskTracker::new(),
        };
        Ok(Self {
            hub,
            handle,
            connection_context: shared,
            stopping,
            pre_login_connections: pre_login_connections(limits),
            retention,
            reloader,
            metrics,
            index,
            files,
            supervised_tasks: tasks,
            before_ready: None,
        })
    }

    /// Returns the metrics.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// Returns the handle by which the core is sent requests.
    pub fn request_handle(&self) -> RequestHandle {
        RequestHandle(self.handle.clone())
    }

    /// Carries out a request before the server [runs](Self::run), and returns the result when it is durable.
    pub async fn request(&mut self, request: ChangeRequest) -> Result<RequestOutcome, RequestError> {
        self.hub.run_request(request).await
    }

    /// Returns what answers the queries about the running server.
    pub fn running_answers(&self) -> RunningAnswers {
        RunningAnswers {
            hub: self.handle.clone(),
            reloader: self.reloader.clone(),
            metrics: self.metrics.clone(),
            folder: self.retention.0.folder().to_owned(),
        }
    }

    /// Returns the handle by which changed files are loaded.
    pub fn reloader(&self) -> Arc<Reloader> {
        self.reloader.clone()
    }

    /// Calls this once the server answers, and before a service manager is told.
    pub fn before_ready(&mut self, call: impl FnOnce() + Send + 'static) {
        self.before_ready = Some(Box::new(call));
    }

    /// Starts a task that must not end before the server does. Its name is a noun with its article.
    pub fn supervise(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.supervised_tasks.spawn(name, task);
    }

    /// Returns the connections, which end after the server where another one takes over.
    pub fn connections(&self) -> TaskTracker {
        self.connection_context.connection_tasks.clone()
    }

    /// Serves the listeners, and those for browsers alone, until `stop` is ready. Then ends every session with an ERROR
    /// line, after everything confirmed or pending is durable, and returns the reason of `stop`. Does the same if a task
    /// fails without which the server cannot continue, but then waits only some seconds. Where another server takes over, the
    /// [connections](Self::connections) still send their last lines.
    ///
    /// # Errors
    /// The task that has ended.
    pub async fn run(
        self,
        listeners: Vec<TcpListener>,
        web_listeners: Vec<TcpListener>,
        stop: impl Future<Output = StopReason>,
    ) -> Result<StopReason, TaskEnded> {
        let Self {
            mut hub,
            handle,
            connection_context: shared,
            stopping,
            pre_login_connections,
            retention,
            reloader,
            index,
            files,
            supervised_tasks: mut tasks,
            before_ready,
            ..
        } = self;
        let (store, history) = retention;
        let checksum_task = tokio::spawn(fill_checksums(store.clone()));
        tasks.spawn(
            "the task that removes old messages",
            maintenance::retention::run(store.clone(), history, handle.clone()),
        );
        tasks.spawn(
            "the task that removes files that nobody shares",
            files::maintenance::run(files.folder, files.resumable, handle.clone()),
        );
        let (clock, clock_store) = (handle.clock.clone(), handle.clone());
        tasks.spawn("the task that notes the time", async move {
            let note = |settled| {
                let request = clock_store.request(ChangeRequest::Maintenance(Maintenance::NoteTime(settled)));
                async move { request.await.map(drop) }
            };
            clock.run(note).await;
        });
        if let Err(error) = hub.run_request(reloader.showing()).await {
            warn!(%error, "cannot note which root is shown");
        }
        let running = format!("Listening on {}", list_addresses(listeners.iter().chain(&web_listeners)));
        let report = reloader.reports.clone().run(handle.clone(), running, before_ready);
        tasks.spawn("the task that reports to the service manager", report);
        let certificates = reloader.certificates.clone();
        let web = reloader.web.clone();
        let renewal = maintenance::certificates::run(certificates, web, move || {
            let reloader = reloader.clone();
            async move { reloader.update_certificate_dates().await }
        });
        tasks.spawn("the task that renews the certificate", renewal);
        let connections = shared.connection_tasks.clone();
        let shared = Arc::new(shared);
        let pre_login_runtime = net::pre_login_runtime::PreLoginRuntime::start();
        let incident_log = shared.incidents.clone();
        let incidents =
            AbortOnDropHandle::new(pre_login_runtime.spawn(async move { incident_log.run().await }));
        tasks.spawn("the task that logs incidents before the login", async move { drop(incidents.await) });
        let of_kind = |kind| move |listener| (listener, kind);
        let listeners = listeners.into_iter().map(of_kind(ListenerKind::All));
        for (listener, kind) in listeners.chain(web_listeners.into_iter().map(of_kind(ListenerKind::Web))) {
            let (shared, pre_login_connections) = (shared.clone(), pre_login_connections.clone());
            let listener_task = pre_login_runtime.spawn(async move {
                match net::pre_login_runtime::move_to_current_runtime(listener) {
                    Ok(listener) => {
                        net::listener::accept_connections(listener, kind, shared, pre_login_connections)
                            .await;
                    }
                    Err(error) => warn!(%error, "cannot accept connections"),
                }
            });
            let listener_task = AbortOnDropHandle::new(listener_task);
            tasks.spawn("the task that accepts connections", async move { drop(listener_task.await) });
        }
        let mut hub = tokio::spawn(hub.run());
        let result = tokio::select! {
            reason = stop => Ok(reason),
            ended = tasks.next_ended() => Err(ended),
            ended = &mut hub => Err(TaskEnded::from_result("the chat", &ended)),
        };
        let reason = result.unwrap_or(StopReason::ShutDown);
        report_end(&result, reason);
        let time_limit = if result.is_ok() { SHUTDOWN_TIMEOUT } else { FAILED_SHUTDOWN_TIMEOUT };
        let last_commits = async {
            tasks.shut_down().await;
            checksum_task.abort();
            stopping.send_replace(Some(reason));
            handle.shut_down(reason).await;
            if !hub.is_finished() {
                // The hub ends after it has ended every session.
                let _ = (&mut hub).await;
            }
        };
        if tokio::time::timeout(time_limit, last_commits).await.is_err() {
            error!("the last messages are not kept within {time_limit:?}; not waiting any longer");
        }
        connections.close();
        drop(index);
        if reason == StopReason::ShutDown {
            wait_for_last_lines(&connections).await;
        }
        result
    }
}

/// Makes the core. Where accounts have quotas, it counts what they have sent on the present day.
async fn core_of_today(
    settings: Settings,
    snapshot: Snapshot,
    (store, limits, now): (&Store, &config::Limits, Timestamp),
) -> Result<Core, StoreError> {
    let mut core = Core::new(settings, snapshot);
    if limits.have_quotas() {
        let since = start_of_day(now);
        let sent = store.read(move |conn| Ok::<_, StoreError>(history::sent_since(conn, since)?)).await?;
        core.set_daily_usage(now, sent);
    }
    Ok(core)
}

/// Reports that the server begins to end, and why.
fn report_end(result: &Result<StopReason, TaskEnded>, reason: StopReason) {
    match (result, reason) {
        (Err(ended), _) => error!("{ended}: shutting down"),
        (Ok(_), StopReason::ShutDown) => info!("shutting down"),
        (Ok(_), StopReason::Restart) => info!("another server takes over"),
    }
    // For the service manager a server that is taken over goes on.
    if reason == StopReason::ShutDown {
        maintenance::service_reports::report_stopping();
    }
}

/// Waits until all connections have ended, but no longer than some seconds.
pub async fn wait_for_last_lines(connections: &TaskTracker) {
    if tokio::time::timeout(SESSION_END_TIMEOUT, connections.wait()).await.is_err() {
        info!(connections = connections.len(), "some clients did not read their last lines");
    }
}

/// Fills in the checksums of rows from before checksums existed, and retries after errors.
async fn fill_checksums(store: Store) {
    while let Err(error) = store.fill_checksums().await {
        warn!(%error, "cannot give old messages their checksums yet");
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
}

/// Handle by which the core of a running server is sent requests.
#[derive(Clone)]
pub struct RequestHandle(HubHandle);

impl RequestHandle {
    /// Sends the core a request, and returns the result when it is durable.
    pub async fn request(&self, request: ChangeRequest) -> Result<RequestOutcome, RequestError> {
        self.0.request(request).await
    }

    /// Runs a query of the administration on the core's state.
    pub async fn query(&self, query: admin::AdminQuery) -> Result<admin::AdminReply, admin::Failure> {
        let now = self.0.clock.now();
        let answer = self.0.inspect(move |core| admin::answer(core, query, now)).await;
        answer.unwrap_or_else(|_| Err(RequestError::ShuttingDown.into()))
    }
}

/// Starts the search index. Without one the server has no search, which is logged.
fn start_index(store: &Store) -> Option<Arc<Index>> {
    match Index::start(store) {
        Ok(index) => Some(Arc::new(index)),
        Err(error) => {
            warn!(%error, "there is no search: its index cannot be opened");
            None
        }
    }
}

/// Returns the supervision of the threads below the store, and of its reserve on the disk in MiB.
fn supervise_store(
    store: &Store,
    index: Option<&Arc<Index>>,
    (disk_reserve_mib, handle): (u32, &HubHandle),
) -> SupervisedTasks {
    let mut tasks = SupervisedTasks::default();
    tasks.spawn("the writer of the database", store.wait_until_writer_ends());
    tasks.spawn("the thread that copies the write-ahead log", store.checkpoints_ended());
    if let Some(index) = index {
        tasks.spawn("the search index", index.wait_until_ended());
    }
    let disk = maintenance::disk_reserve::run(store.folder().to_owned(), disk_reserve_mib, handle.clone());
    tasks.spawn("the task that watches the free space", disk);
    tasks
}

fn pre_login_connections(limits: &config::Limits) -> Arc<PreLoginConnections> {
    PreLoginConnections::new(
        as_usize(limits.connections_per_address),
        as_usize(limits.connections_before_login).min(half_of_file_descriptors()),
    )
}

fn connection_limits(limits: &config::Limits) -> ConnectionLimits {
    ConnectionLimits {
        handshake_timeout: limits.handshake_timeout(),
        login_timeout: limits.login_timeout(),
        line_bytes: as_usize(limits.line_bytes),
    }
}

/// Returns half of the file descriptors that the process may open, for connections before their login. The other half is
/// for sessions, the store and other files.
fn half_of_file_descriptors() -> usize {
    let limit = process::open_files_limit();
    limit.map_or(usize::MAX, |files| usize::try_from(files / 2).unwrap_or(usize::MAX))
}

/// Lists the addresses of listeners, for people.
fn list_addresses<'a>(listeners: impl Iterator<Item = &'a TcpListener>) -> String {
    let addresses = listeners.filter_map(|listener| listener.local_addr().ok());
    addresses.map(|address| address.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
