//! Log lines of failed commits.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

/// Log of failed commits: at most one line a minute, with a count of the failures since.
#[derive(Debug, Default)]
pub(in crate::server) struct CommitFailureLog {
    last_logged: Option<Instant>,
    unlogged: u64,
}

impl CommitFailureLog {
    /// Minimum time between two log lines.
    const LOG_INTERVAL: Duration = Duration::from_mins(1);

    /// Logs the error of a failed commit, or counts it.
    pub fn log(&mut self, error: &str) {
        if self.last_logged.is_some_and(|at| at.elapsed() < Self::LOG_INTERVAL) {
            self.unlogged += 1;
            return;
        }
        let since = std::mem::take(&mut self.unlogged);
        warn!(failed_since = since, "cannot store messages and changes: {error}");
        self.last_logged = Some(Instant::now());
    }
}
