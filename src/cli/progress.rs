//! Progress bars for long queries and for backups.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::format_minute;
use crate::backup::{Progress, Step};
use crate::platform::signals;
use crate::wire::Timestamp;

/// The progress of reading a history, on standard error if that is a terminal. Dropping it clears the bar.
pub struct HistoryProgress {
    bar: ProgressBar,
    from: Option<Timestamp>,
    to: Timestamp,
    count: u64,
}

impl HistoryProgress {
    /// Creates a bar for the time from `from`, or the first entry, to `to`, or now. It is hidden unless
    /// `enabled`.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>, enabled: bool) -> Self {
        let bar = if enabled && io::stderr().is_terminal() {
            ProgressBar::new(BAR_STEPS)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent}% {msg}, {eta} to go") {
            bar.set_style(style);
        }
        let now = Timestamp(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0));
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
    pub fn set_end(&mut self, at: Option<Timestamp>) {
        self.to = at.map_or(self.to, |at| at.min(self.to));
    }

    /// Adds `count` entries, the last of which has this time stamp.
    pub fn add_entries(&mut self, count: usize, time: Timestamp) {
        let from = *self.from.get_or_insert(time);
        self.count += count as u64;
        let (done, all) = (time.0.saturating_sub(from.0), self.to.0.saturating_sub(from.0).max(1));
        self.bar.set_message(format!("{} lines, up to {}", HumanCount(self.count), format_minute(time)));
        self.bar.set_position((done.saturating_mul(BAR_STEPS) / all).min(BAR_STEPS));
    }
}

/// Returns a bar for a known number of things, hidden where standard error is no terminal.
pub fn count_bar(all: u64, things: &'static str) -> ProgressBar {
    let bar = if io::stderr().is_terminal() { ProgressBar::new(all) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} {msg}, {eta} to go")
    {
        bar.set_style(style);
    }
    bar.with_message(things)
}

impl Drop for HistoryProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

const BAR_STEPS: u64 = 1000;

/// The progress of a backup in bytes, on standard error if that is a terminal. Ctrl-C and SIGTERM cancel the backup, so
/// that nothing of it stays behind.
pub struct ByteProgress {
    bar: ProgressBar,
    started: Once,
    is_cancelled: Arc<AtomicBool>,
}

impl ByteProgress {
    /// Creates a bar, which appears with the first step.
    pub fn new() -> Self {
        let bar = ProgressBar::hidden();
        let style = "{msg:10} {bar:30} {percent}% of {binary_total_bytes}, {eta} to go";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self { bar, started: Once::new(), is_cancelled: Arc::default() }
    }
}

impl Progress for ByteProgress {
    fn begin(&self, step: Step, bytes: u64) {
        let message = match step {
            Step::Copy => "copying",
            Step::Write => "writing",
            Step::Verify => "verifying",
        };
        // Before it is drawn: a bar without a length is full.
        self.bar.set_length(bytes);
        self.bar.set_message(message);
        self.bar.reset();
        self.started.call_once(|| {
            let is_cancelled = self.is_cancelled.clone();
            when_stopped(move || is_cancelled.store(true, Ordering::Relaxed));
            if io::stderr().is_terminal() {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        });
    }

    fn set(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

impl Drop for ByteProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Acts when the user or the system asks this process to stop. Not to be called earlier than needed, because until then a
/// signal ends the process at once, also while it prompts.
pub fn when_stopped(act: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            if let Ok(stop) = signals::wait_for_stop() {
                stop.await;
                act();
            }
        });
    });
}
