//! A progress bar for long queries.

use std::io::{self, IsTerminal as _};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::output::minute;
use crate::wire::Millis;

/// The progress of reading a history, on standard error if that is a terminal. Dropping it clears the bar.
pub struct Progress {
    bar: ProgressBar,
    from: Option<Millis>,
    to: Millis,
    count: u64,
}

impl Progress {
    /// Creates a bar for the time from `from`, or the first entry, to `to`, or now. It is hidden unless `wanted`.
    pub fn new(from: Option<Millis>, to: Option<Millis>, wanted: bool) -> Self {
        let bar = if wanted && io::stderr().is_terminal() {
            ProgressBar::new(STEPS)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}% {msg}, {eta} to go") {
            bar.set_style(style);
        }
        let now = Millis(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0));
        Self { bar, from, to: to.unwrap_or(now), count: 0 }
    }

    /// Returns whether the bar is visible.
    pub fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Returns the bar, for other output to the same terminal.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Moves the end of the bar to the time stamp of the last entry, if that is known.
    pub fn ends(&mut self, at: Option<Millis>) {
        self.to = at.map_or(self.to, |at| at.min(self.to));
    }

    /// Adds `more` entries, the last of which has this time stamp.
    pub fn at(&mut self, more: usize, time: Millis) {
        let from = *self.from.get_or_insert(time);
        self.count += more as u64;
        let (done, all) = (time.0.saturating_sub(from.0), self.to.0.saturating_sub(from.0).max(1));
        self.bar.set_message(format!("{} lines, up to {}", HumanCount(self.count), minute(time)));
        self.bar.set_position((done.saturating_mul(STEPS) / all).min(STEPS));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

const STEPS: u64 = 1000;
