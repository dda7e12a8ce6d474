//! The monotonic clock, and the command that sets the other one.

use std::time::Duration;

/// Reads Linux's boot-time clock, which runs while the machine sleeps, so that waking up is no jump.
#[cfg(target_os = "linux")]
pub fn monotonic() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// Reads the clock of [`Instant`](std::time::Instant), from the first call on.
#[cfg(not(target_os = "linux"))]
pub fn monotonic() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// Commands that set the clock of the machine.
pub const SET_CLOCK: &str = "`timedatectl set-ntp true`, or `date -s` as root";
