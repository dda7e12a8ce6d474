//! Saving of the state for the next run of the client, at the end and now and then.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::client::files::state_file::StateFile;
use crate::client::screen::App;
use crate::client::settings::state::State;
use crate::wire::Timestamp;

/// Shortest time between two saves while the client runs, so that a crash loses a draft of some seconds at most.
const SAVE_INTERVAL: Duration = Duration::from_secs(20);

/// The state file, and what was saved to it last.
#[derive(Debug)]
pub(super) struct StateSaver {
    file: StateFile,
    /// Names of the servers that this client has open.
    servers: Vec<String>,
    saved: State,
    checked: Instant,
    /// Set once a failure was shown; the same one is not shown again.
    failed: bool,
}

impl StateSaver {
    /// Creates one for a file that has this state already.
    pub(super) fn new(file: StateFile, servers: Vec<String>, saved: State) -> Self {
        Self { file, servers, saved, checked: Instant::now(), failed: false }
    }

    /// Saves the state if it has changed and was not saved a moment ago.
    pub(super) fn save_if_due(&mut self, app: &mut App) {
        if self.checked.elapsed() >= SAVE_INTERVAL {
            self.save(app);
        }
    }

    /// Saves the state if it has changed. An error is shown once.
    pub(super) fn save(&mut self, app: &mut App) {
        self.checked = Instant::now();
        let state = app.state();
        if state == self.saved {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        match self.file.save(state.clone(), &self.servers, now) {
            Ok(()) => (self.saved, self.failed) = (state, false),
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    app.workspace.show_error(&error.to_string());
                }
            }
        }
    }
}
