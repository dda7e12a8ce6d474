//! IO: the listener, connections and their pumps, the password pool, the hub that owns the core.
//!
//! [`Server::run`] is the whole server; the command line and the tests both call it.

pub mod admin;
pub mod auth;
pub mod clock;
mod commit;
pub mod config;
pub mod control;
mod handle;
mod hub;
pub mod lan;
mod limits;
pub mod log;
pub mod metrics;
mod net;
mod priority;
mod sessions;
mod supervise;
mod turns;
pub mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{error, info, warn};

use crate::core::request::admin::{Done, Request, RequestError};
use crate::core::{Chat, Settings};
use crate::store::search::Index;
use crate::store::{Store, StoreError};
use crate::trust::{Address, tls};
use crate::wire::Millis;
use auth::passwords::Passwords;
use clock::Clock;
use config::Config;
use hub::queries::Asks;
use hub::requests::Manager;
use limits::incidents::Incidents;
use limits::paced::Rounds;
use limits::strangers::Strangers;
use metrics::Metrics;
use supervise::Tasks;
use upkeep::certificates::Certificates;
use upkeep::reload::Reloader;

pub use clock::now;
pub use net::listener::bind;
pub use supervise::Ended;

/// Time limit for the last commits of a server that is told to stop. A disk may be slow, so it is long.
const LAST_COMMITS: Duration = Duration::from_mins(1);

/// Time limit for the last commits of a server that has failed.
const LAST_TRY: Duration = Duration::from_secs(5);

/// Time limit for sessions to end after they were told to.
const FAREWELL: Duration = Duration::from_secs(6);

/// A server that is set up and does not run yet.
pub struct Server {
    hub: hub::Hub,
    handle: handle::HubHandle,
    shared: net::shared::Shared,
    stopping: watch::Sender<bool>,
    strangers: Arc<Strangers>,
    /// The store, and the configured retention.
    retention: (Store, watch::Receiver<config::History>),
    reloader: Arc<Reloader>,
    metrics: Arc<Metrics>,
    /// Kept beside the hub: otherwise a failure of the hub would end the index's thread and be reported as a failure of
    /// that thread.
    index: Option<Arc<Index>>,
    /// Tasks beside the hub that run as long as the server does.
    tasks: Tasks,
}

impl Server {
    /// Makes a server over a store and certificates. The core continues from the records in the store; `reload` reads
    /// the configuration again on request; `addresses` are those by which clients reach the server, for invites.
    pub async fn new(
        config: &Config,
        store: Store,
        certificates: Arc<Certificates>,
        passwords: Arc<Passwords>,
        reload: impl Fn() -> Result<Config, String> + Send + Sync + 'static,
        addresses: Vec<Address>,
    ) -> Result<Self, StoreError> {
        let kept = store.snapshot().await?;
        let limits = &config.limits;
        let clock = Arc::new(Clock::start(&store).await?);
        let started = clock.now();
        let settings = Settings { certificate: Some(certificates.note()), ..settings(config, started) };
        let line_bytes = settings.line_bytes;
        let send_queue = as_usize(limits.send_queue_bytes);
        let index = match Index::start(&store) {
            Ok(index) => Some(Arc::new(index)),
            Err(error) => {
                warn!(%error, "there is no search: its index cannot be opened");
                None
            }
        };
        let mut tasks = Tasks::default();
        tasks.spawn("the writer of the database", store.writer_ended());
        if let Some(index) = &index {
            tasks.spawn("the search index", index.ended());
        }
        let (handle, orders) = handle::HubHandle::new(clock);
        let incidents: Arc<Incidents> = Arc::default();
        let logins = auth::logins::Logins::new(passwords.clone(), handle.clone(), incidents.clone());
        let logins = Arc::new(logins);
        let (history, kept_history) = watch::channel(config.history.clone());
        let (announce, announced) = watch::channel(Arc::new(settings.clone()));
        let live = certificates.live();
        let reloader = Arc::new(Reloader {
            config: Box::new(reload),
            certificates,
            started,
            line_bytes,
            history,
            settings: announce,
            hub: handle.clone(),
            store: store.clone(),
        });
        let manager = Manager { logins: logins.clone(), passwords, reloader: reloader.clone(), addresses };
        let manager = Arc::new(manager);
        let blocks = sessions::blocks::Blocks::default();
        let asks = Asks::new(
            store.clone(),
            handle.ready.clone(),
            manager,
            index.clone(),
            (send_queue, blocks.clone()),
        );
        let chat = Chat::new(settings, kept);
        let retention = (store.clone(), kept_history);
        let metrics = Arc::new(Metrics::new(started, store.status().clone()));
        let queues = sessions::queues::Queues::new(send_queue, blocks, metrics.too_slow.clone());
        let rate = limits.flood.then(|| hub::budget::Rate::new(limits.messages_per_second, limits.burst));
        let hub = hub::Hub::new(chat, store, (&handle, orders), asks, (queues, rate, metrics.clone()));
        let (stopping, stop) = watch::channel(false);
        let shared = net::shared::Shared {
            tls: TlsAcceptor::from(tls::live_server_config(live)),
            hub: handle.clone(),
            logins,
            limits: net::shared::Limits {
                handshake: limits.handshake_timeout(),
                login: limits.login_timeout(),
                line_bytes: as_usize(limits.line_bytes),
            },
            settings: announced,
            stopping: stop,
            metrics: metrics.clone(),
            incidents,
            rounds: Rounds::new(net::threads::count()),
            members: Handle::current(),
            tasks: TaskTracker::new(),
        };
        // The other half of the file descriptors is for sessions, the store and other files.
        let files = rlimit::Resource::NOFILE
            .get_soft()
            .map_or(usize::MAX, |files| usize::try_from(files / 2).unwrap_or(usize::MAX));
        let strangers = Strangers::new(
            as_usize(limits.connections_per_address),
            as_usize(limits.connections_before_login).min(files),
        );
        Ok(Self { hub, handle, shared, stopping, strangers, retention, reloader, metrics, index, tasks })
    }

    /// Returns the metrics.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// Returns the handle by which the core is sent requests.
    pub fn requests(&self) -> Requests {
        Requests(self.handle.clone())
    }

    /// Carries out a request before the server [runs](Self::run), and returns the result when it is durable.
    pub async fn request(&mut self, request: Request) -> Result<Done, RequestError> {
        self.hub.carry_out(request).await
    }

    /// Returns the handle by which changed files are loaded.
    pub fn reloader(&self) -> Arc<Reloader> {
        self.reloader.clone()
    }

    /// Starts a task that must not end before the server does. Its name is a noun with its article.
    pub fn supervise(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(name, task);
    }

    /// Serves the listeners until `stop` is ready. Then ends every session with an ERROR line, after everything
    /// confirmed or pending is durable. Does the same if a task fails without which the server cannot continue, but
    /// then waits only some seconds.
    ///
    /// # Errors
    /// The task that has ended.
    pub async fn run(self, listeners: Vec<TcpListener>, stop: impl Future<Output = ()>) -> Result<(), Ended> {
        let Self { hub, handle, shared, stopping, strangers, retention, reloader, index, mut tasks, .. } =
            self;
        let (store, history) = retention;
        let sums = tokio::spawn(fill_checksums(store.clone()));
        tasks.spawn(
            "the task that removes old messages",
            upkeep::retention::run(store.clone(), history, handle.clock.clone()),
        );
        let (clock, noting) = (handle.clock.clone(), store.clone());
        tasks.spawn("the task that notes the time", async move { clock.keep(&noting).await });
        reloader.note_root().await;
        let certificates = reloader.certificates.clone();
        let upkeep = upkeep::certificates::run(certificates, move || {
            let reloader = reloader.clone();
            async move { reloader.tell_of_certificate().await }
        });
        tasks.spawn("the task that renews the certificate", upkeep);
        let connections = shared.tasks.clone();
        let shared = Arc::new(shared);
        let entrance = net::threads::Threads::start();
        let noted = shared.incidents.clone();
        let incidents = AbortOnDropHandle::new(entrance.spawn(async move { noted.run().await }));
        tasks.spawn("the task that logs what strangers do", async move { drop(incidents.await) });
        for listener in listeners {
            let (shared, strangers) = (shared.clone(), strangers.clone());
            let acceptor = entrance.spawn(async move {
                match net::threads::move_here(listener) {
                    Ok(listener) => net::listener::accept(listener, shared, strangers).await,
                    Err(error) => warn!(%error, "cannot accept connections"),
                }
            });
            let acceptor = AbortOnDropHandle::new(acceptor);
            tasks.spawn("the task that accepts connections", async move { drop(acceptor.await) });
        }
        let mut hub = tokio::spawn(hub.run());
        let result = tokio::select! {
            () = stop => Ok(()),
            ended = tasks.ended() => Err(ended),
            ended = &mut hub => Err(Ended::of("the chat", &ended)),
        };
        match &result {
            Ok(()) => info!("shutting down"),
            Err(ended) => error!("{ended}: shutting down"),
        }
        let patience = if result.is_ok() { LAST_COMMITS } else { LAST_TRY };
        let last_commits = async {
            tasks.shut_down().await;
            sums.abort();
            stopping.send_replace(true);
            handle.shut_down().await;
            if !hub.is_finished() {
                // The hub ends after it has told every session to end.
                let _ = (&mut hub).await;
            }
            handle.clock.note(&store).await;
        };
        if tokio::time::timeout(patience, last_commits).await.is_err() {
            error!("the last messages are not kept within {patience:?}; not waiting any longer");
        }
        connections.close();
        if tokio::time::timeout(FAREWELL, connections.wait()).await.is_err() {
            info!(connections = connections.len(), "some clients did not read their last lines");
        }
        drop(index);
        result
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
pub struct Requests(handle::HubHandle);

impl Requests {
    /// Returns the server's clock.
    pub fn clock(&self) -> Arc<Clock> {
        self.0.clock.clone()
    }

    /// Sends the core a request, and returns the result when it is durable.
    pub async fn request(&self, request: Request) -> Result<Done, RequestError> {
        self.0.request(request).await
    }
}

/// Returns the part of the configuration that the core uses.
fn settings(config: &Config, started: Millis) -> Settings {
    Settings {
        server_name: config.server_name.clone(),
        network: config.name.as_str().into(),
        icon: Some(config.icon.as_str()).filter(|icon| !icon.is_empty()).map(Into::into),
        motd: config.motd_lines(),
        channels_per_account: as_usize(config.limits.channels_per_account),
        line_bytes: as_usize(config.limits.line_bytes),
        sessions_per_account: as_usize(config.limits.sessions_per_account),
        started,
        grace: Millis(u64::from(config.sessions.grace_s) * 1000),
        replay: as_usize(config.history.replay),
        certificate: None,
    }
}

fn as_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
