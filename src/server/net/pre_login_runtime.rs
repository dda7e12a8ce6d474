//! Threads for connections before their login.

use std::io;
use std::thread::available_parallelism;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::server::tasks::lower_thread_priority;

/// Count of steps between two polls for socket events.
const EVENT_INTERVAL: u32 = 8;

/// Maximum count of the threads, each of which makes a thousand handshakes a second.
const MAX_THREADS: usize = 4;

/// Threads for connections before their login. They have a low priority, so that sessions wait for no handshake.
pub(in crate::server) struct PreLoginRuntime(Option<Runtime>);

impl PreLoginRuntime {
    pub fn start() -> Self {
        let threads = Builder::new_multi_thread()
            .worker_threads(thread_count())
            .thread_name("pre-login")
            .on_thread_start(lower_thread_priority)
            // Socket events wait behind only a few steps, so that turns go round all ready connections.
            .event_interval(EVENT_INTERVAL)
            .enable_all()
            .build();
        if let Err(error) = &threads {
            warn!(%error, "cannot start threads for connections before their login, so these share the threads of sessions");
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

impl Drop for PreLoginRuntime {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// Moves a listener to the calling runtime.
pub(in crate::server) fn move_to_current_runtime(listener: TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.into_std()?)
}

/// Returns the count of the threads: half of the cores, so that sessions have the others.
pub(in crate::server) fn thread_count() -> usize {
    (available_parallelism().map_or(1, usize::from) / 2).clamp(1, MAX_THREADS)
}
