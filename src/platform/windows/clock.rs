//! The monotonic clock, and the command that sets the other one.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Reads the performance counter, which runs while the machine sleeps, so that waking up is no jump.
pub fn monotonic() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Commands that set the clock of the machine.
pub const SET_CLOCK: &str = "`w32tm /resync` as administrator";
