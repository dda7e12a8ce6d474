//! Reports to the service manager: that the server answers, reloads its files, is ending.

use std::fmt::Display;
use std::io;
use std::sync::{Arc, OnceLock};

use tokio::task::{JoinHandle, spawn_blocking};
use tracing::warn;

use crate::platform::service_manager;
use crate::server::sessions::hub_handle::HubHandle;

/// Action between the moment when a server answers and the report of that.
pub(in crate::server) type BeforeReady = Box<dyn FnOnce() + Send>;

/// Reports of one server to the service manager.
#[derive(Debug, Default)]
pub(in crate::server) struct ServiceReports {
    /// Sentence about a server that runs, from when its listeners accept.
    running: OnceLock<String>,
}

impl ServiceReports {
    /// Reports as soon as the hub answers and `before_ready` has run that the server is ready, then that it still answers as
    /// often as the service manager expects. `running` is a sentence about the server for people.
    pub async fn run(self: Arc<Self>, hub: HubHandle, running: String, before_ready: Option<BeforeReady>) {
        // It starts after the listeners.
        if hub.inspect(|_| ()).await.is_ok() {
            if let Some(before_ready) = before_ready {
                let _ = spawn_blocking(before_ready).await;
            }
            let running = self.running.get_or_init(|| running).clone();
            let _ = report(move || service_manager::notify_ready(&running)).await;
        }
        if let Some(timeout) = service_manager::watchdog_timeout() {
            while hub.inspect(|_| ()).await.is_ok() {
                let _ = report(service_manager::notify_alive).await;
                // Half of the time, so that one report may come late.
                tokio::time::sleep(timeout / 2).await;
            }
        }
        // The end of the hub is reported as that of the hub.
        std::future::pending::<()>().await;
    }

    /// Reports that the server reads its files again.
    pub async fn reloading(&self) {
        if self.running.get().is_some() {
            let _ = report(service_manager::notify_reloading).await;
        }
    }

    /// Reports that it has done so, or why nothing was changed.
    pub async fn reloaded(&self, result: &Result<impl Sized, impl Display>) {
        let Some(running) = self.running.get().cloned() else { return };
        let status = match result {
            Ok(_) => running,
            Err(error) => format!("{running}. The last reload changed nothing: {error}"),
        };
        let _ = report(move || service_manager::notify_ready(&status)).await;
    }
}

/// Reports that the server is ending, without waiting for the service manager.
pub(in crate::server) fn report_stopping() {
    drop(report(|| service_manager::notify_stopping("Storing the last messages and ending the sessions")));
}

/// Sends a report on a blocking thread, because a service manager may be slow to read. A failure is in the log.
fn report(send: impl FnOnce() -> io::Result<()> + Send + 'static) -> JoinHandle<()> {
    spawn_blocking(|| {
        if let Err(error) = send() {
            warn!(%error, "cannot report to the service manager");
        }
    })
}
