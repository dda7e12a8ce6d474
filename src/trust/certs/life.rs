//! How long certificates count, in seconds.

pub const DAY: u64 = 24 * 60 * 60;

/// Certificates count from a day ago, so that a client whose clock is late (or in the wrong time
/// zone) can connect at once.
pub const BACKDATED: u64 = DAY;

/// The root outlives the machine: when it ends, everybody must be invited again.
pub const ROOT_LIFE: u64 = 30 * 365 * DAY;

/// Some systems refuse server certificates that live longer than 398 days, even under a private root
/// ([Apple: 825 days for such](https://support.apple.com/en-us/103769)); 397 suits them all.
pub const SERVER_LIFE: u64 = 397 * DAY;
