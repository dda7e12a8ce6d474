//! Threads for connections before their login.

use std::io;
use std::thread::available_parallelism;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::server::priority;

/// Count of steps between two polls for socket events.
const EVENT_INTERVAL: u32 = 8;

/// Maximum count of the threads, each of which makes a thousand handshakes a second.
const MOST: usize = 4;

/// Threads for connections before their login. They have a low priority, so that sessions wait for no handshake.
pub(in crate::server) struct Threads(Option<Runtime>);

impl Threads {
    pub fn start() -> Self {
        let threads = Builder::new_multi_thread()
            .worker_threads(count())
            .thread_name("strangers")
            .on_thread_start(priority::lower)
            // Socket events wait behind only a few steps, so that turns go round all ready connections.
            .event_interval(EVENT_INTERVAL)
            .enable_all()
            .build();
        if let Err(error) = &threads {
            warn!(%error, "cannot start threads for strangers, they share those of members");
        }
        Self(threads.ok())
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        match &self.0 {
            Some(threads) => threads.spawn(task),
            None => tokio::spawn(task),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// Moves a listener to the calling runtime.
pub(in crate::server) fn move_here(listener: TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.into_std()?)
}

/// Returns the count of the threads: half of the cores, so that sessions have the others.
pub(in crate::server) fn count() -> usize {
    (available_parallelism().map_or(1, usize::from) / 2).clamp(1, MOST)
}
