//! Saving of the state for the next run of the client, at the end and soon after each change.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::client::files::state_file::StateFile;
use crate::client::screen::App;
use crate::client::settings::state::State;
use crate::wire::Timestamp;

/// Delay between an event that may have changed the state and its save: the most of a draft that a crash can lose. While
/// somebody types, the file is written once in this time.
const SAVE_DELAY: Duration = Duration::from_secs(3);

/// The state file, and what was saved to it last.
#[derive(Debug)]
pub(super) struct StateSaver {
    file: StateFile,
    /// Names of the servers that this client has open.
    servers: Vec<String>,
    saved: State,
    /// Time of the next save; `None` if nothing has happened since the last.
    due: Option<Instant>,
    /// Set once a failure was shown; the same one is not shown again.
    failed: bool,
}

impl StateSaver {
    /// Creates one for a file that has this state already.
    pub(super) fn new(file: StateFile, servers: Vec<String>, saved: State) -> Self {
        Self { file, servers, saved, due: None, failed: false }
    }

    /// Schedules a save after an event.
    pub(super) fn schedule(&mut self, now: Instant) {
        self.due.get_or_insert(now + SAVE_DELAY);
    }

    /// Returns the time until the scheduled save, if there is one.
    pub(super) fn time_left(&self, now: Instant) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(now))
    }

    /// Saves the state if that is due. Returns whether it was.
    pub(super) fn save_if_due(&mut self, app: &mut App, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            self.save(app);
        }
        is_due
    }

    /// Returns whether the file has the present state.
    pub(super) fn has_saved(&self, app: &App) -> bool {
        app.state() == self.saved
    }

    /// Saves the state if it has changed. An error is shown once.
    pub(super) fn save(&mut self, app: &mut App) {
        self.due = None;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::view::theme::{Background, Depth, Theme};
    use jiff::tz::TimeZone;

    #[test]
    fn change_is_saved_once_some_seconds_after_an_event() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.toml");
        let theme = Theme::new(Depth::NoColour, Background::Dark);
        let mut app = App::new(["home".to_owned()], theme, TimeZone::UTC, Timestamp(0));
        let mut saver = StateSaver::new(StateFile::new(path.clone()), vec!["home".to_owned()], app.state());
        let start = Instant::now();
        assert_eq!(saver.time_left(start), None);
        assert!(!saver.save_if_due(&mut app, start + SAVE_DELAY * 2), "an idle client writes nothing");
        saver.schedule(start);
        saver.schedule(start + SAVE_DELAY / 2);
        assert_eq!(saver.time_left(start), Some(SAVE_DELAY), "an event does not put off the save of another");
        app.sidebar.shown = Some(false);
        assert!(!saver.save_if_due(&mut app, start + SAVE_DELAY / 2) && !path.exists());
        assert!(saver.save_if_due(&mut app, start + SAVE_DELAY) && path.exists());
        assert_eq!(saver.time_left(start), None);
    }
}
