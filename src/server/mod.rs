//! IO: the listener, connections and their pumps, the password pool, the hub that owns the chat.
//!
//! [`Server::run`] is the whole server; the command line and the tests call it alike.

mod addresses;
pub mod admin;
pub mod advertise;
pub mod announce;
mod asks;
pub mod certificates;
mod commit;
pub mod config;
mod connection;
pub mod control;
mod deliver;
mod flood;
mod handle;
mod hub;
mod invites;
mod listener;
mod logins;
mod manage;
pub mod metrics;
mod outbox;
mod overtake;
pub mod passwords;
mod pump;
pub mod reload;
mod retention;
mod session;
pub mod throttle;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::chat::record::AccountChange;
use crate::chat::{Chat, Settings};
use crate::store::search::Index;
use crate::store::{Store, StoreError};
use crate::trust::{Address, tls};
use crate::wire::Millis;
use asks::Asks;
use certificates::Certificates;
use config::Config;
use manage::Manager;
use metrics::Metrics;
use passwords::Passwords;
use reload::Reloader;

pub use handle::now;
pub use listener::bind;

/// Connections that may be between their arrival and their login at one time.
const STRANGERS: usize = 4096;

/// How long sessions that are told to end may take to do so.
const FAREWELL: Duration = Duration::from_secs(6);

/// A server that is set up and not yet running.
pub struct Server {
    hub: hub::Hub,
    handle: handle::HubHandle,
    shared: Arc<connection::Shared>,
    stopping: watch::Sender<bool>,
    addresses: Arc<addresses::Addresses>,
    /// The store, and what of it is to be kept.
    retention: (Store, watch::Receiver<config::History>),
    reloader: Arc<Reloader>,
    metrics: Arc<Metrics>,
}

impl Server {
    /// A server over a store and certificates. The chat goes on from what the store kept; `reload` reads the
    /// configuration again when somebody asks for that; `addresses` is where clients reach it, for invites.
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
        let started = handle::now();
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
        let (handle, orders) = handle::HubHandle::new();
        let logins = Arc::new(logins::Logins::new(store.clone(), passwords.clone(), handle.clone()));
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
        let manager = Manager {
            store: store.clone(),
            logins: logins.clone(),
            passwords,
            password_changes: handle.password_changes.clone(),
            reloader: reloader.clone(),
            addresses,
        };
        let manager = Arc::new(manager);
        let asks = Asks::new(store.clone(), handle.ready.clone(), manager, index, send_queue);
        let chat = Chat::new(settings, kept);
        let retention = (store.clone(), kept_history);
        let metrics = Arc::new(Metrics::new(started, store.status().clone()));
        let hub = hub::Hub::new(chat, store, (&handle, orders), asks, (send_queue, metrics.clone()));
        let (stopping, stop) = watch::channel(false);
        let shared = Arc::new(connection::Shared {
            tls: TlsAcceptor::from(tls::live_server_config(live)),
            hub: handle.clone(),
            logins,
            limits: connection::Limits {
                handshake: limits.handshake_timeout(),
                login: limits.login_timeout(),
                line_bytes: as_usize(limits.line_bytes),
                lines_per_second: limits.flood.then_some(limits.messages_per_second),
                burst: limits.burst,
            },
            settings: announced,
            stopping: stop,
            metrics: metrics.clone(),
        });
        let addresses = addresses::Addresses::new(limits.connections_per_address);
        Ok(Self { hub, handle, shared, stopping, addresses, retention, reloader, metrics })
    }

    /// What it counts.
    pub fn metrics(&self) -> Arc<Metrics> {
        self.metrics.clone()
    }

    /// How the administration tells the chat what it changed.
    pub fn accounts(&self) -> AccountChanges {
        AccountChanges(self.handle.clone())
    }

    /// How changed files are taken in.
    pub fn reloader(&self) -> Arc<Reloader> {
        self.reloader.clone()
    }

    /// Serves the listeners until `stop` is ready, then ends every session with an ERROR line, after all that was
    /// confirmed or is on its way was kept.
    pub async fn run(self, listeners: Vec<TcpListener>, stop: impl Future<Output = ()>) {
        let Self { hub, handle, shared, stopping, addresses, retention: (store, history), reloader, .. } =
            self;
        let sums = tokio::spawn(fill_checksums(store.clone()));
        let retention = tokio::spawn(retention::run(store, history));
        reloader.note_root().await;
        let certificates = reloader.certificates.clone();
        let upkeep = tokio::spawn(certificates::run(certificates, move || {
            let reloader = reloader.clone();
            async move { reloader.tell_of_certificate().await }
        }));
        let tasks = TaskTracker::new();
        let strangers = Arc::new(Semaphore::new(STRANGERS));
        let acceptors: Vec<_> = listeners
            .into_iter()
            .map(|listener| {
                tokio::spawn(listener::accept(
                    listener,
                    shared.clone(),
                    strangers.clone(),
                    addresses.clone(),
                    tasks.clone(),
                ))
            })
            .collect();
        let hub = tokio::spawn(hub.run());
        stop.await;
        info!("shutting down");
        for acceptor in acceptors {
            acceptor.abort();
        }
        retention.abort();
        sums.abort();
        upkeep.abort();
        stopping.send_replace(true);
        handle.shut_down().await;
        // The hub ends after it has told every session to end; a panic in it was reported by the panic hook.
        let _ = hub.await;
        tasks.close();
        if tokio::time::timeout(FAREWELL, tasks.wait()).await.is_err() {
            info!(connections = tasks.len(), "some clients did not read their last lines");
        }
    }
}

/// Gives rows of before there were checksums theirs, and tries again what fails.
async fn fill_checksums(store: Store) {
    while let Err(error) = store.fill_checksums().await {
        warn!(%error, "cannot give old messages their checksums yet");
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
}

/// Where the administration tells the chat what it changed.
#[derive(Clone)]
pub struct AccountChanges(handle::HubHandle);

impl AccountChanges {
    /// Has the chat follow a change, and returns when it does.
    pub async fn tell(&self, change: AccountChange) {
        self.0.account_changed(change).await;
    }
}

/// What of the configuration the chat goes by.
fn settings(config: &Config, started: Millis) -> Settings {
    Settings {
        server_name: config.server_name.clone(),
        network: config.name.as_str().into(),
        icon: Some(config.icon.as_str()).filter(|icon| !icon.is_empty()).map(Into::into),
        motd: config.motd_lines(),
        channels_per_account: as_usize(config.limits.channels_per_account),
        line_bytes: as_usize(config.limits.line_bytes),
        started,
        grace: Millis(u64::from(config.sessions.grace_s) * 1000),
        replay: as_usize(config.history.replay),
        certificate: None,
    }
}

fn as_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
