//! The threads for connections that are not logged in.

use std::io;
use std::thread::available_parallelism;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tracing::warn;

use super::priority;

/// Steps of strangers between two looks for news of their sockets.
const EVENT_INTERVAL: u32 = 8;

/// Most threads for connections that are not logged in: each makes a thousand handshakes a second.
const MOST: usize = 4;

/// The threads for connections that are not logged in. They have a low priority, so that members wait for no handshake.
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub fn start() -> Self {
        let threads = Builder::new_multi_thread()
            .worker_threads(count())
            .thread_name("strangers")
            .on_thread_start(priority::lower)
            // News of a socket waits behind few steps of others, so that turns go round all who are ready.
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

/// Moves a listener to the runtime that calls.
pub(super) fn move_here(listener: TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.into_std()?)
}

/// Number of the threads: half of the cores, so that members have the others.
pub(super) fn count() -> usize {
    (available_parallelism().map_or(1, usize::from) / 2).clamp(1, MOST)
}
