//! Free space on the disk. New messages are refused before the last of it is used, so that changes of state, removals
//! and checkpoints still find some.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::platform::files;

/// Space left free, in bytes; on a small file system a 64th of it.
const RESERVE: u64 = 16 << 20;
const MIN_RESERVE: u64 = 256 << 10;

/// Minimum time between two checks of the file system.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Watches the file system of the data folder.
#[derive(Debug)]
pub(in crate::store) struct FreeSpace {
    folder: PathBuf,
    last_check: Option<Instant>,
    low: bool,
}

impl FreeSpace {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, last_check: None, low: false }
    }

    /// Returns true while there is no room for a message. After that, twice the reserve must be free before it is false
    /// again, so that the result does not flap.
    pub fn is_low(&mut self) -> bool {
        if self.last_check.is_none_or(|at| at.elapsed() >= CHECK_INTERVAL)
            && let Ok(space) = files::disk_space(&self.folder)
        {
            self.low = is_low(self.low, space.total, space.free);
            self.last_check = Some(Instant::now());
        }
        self.low
    }
}

fn is_low(was_low: bool, total: u64, free: u64) -> bool {
    let reserve = (total / 64).clamp(MIN_RESERVE, RESERVE);
    free < if was_low { 2 * reserve } else { reserve }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_check_has_hysteresis() {
        let (all, mib) = (100 << 30, 1 << 20);
        assert!(!is_low(false, all, 16 * mib));
        assert!(is_low(false, all, 16 * mib - 1));
        assert!(is_low(true, all, 32 * mib - 1));
        assert!(!is_low(true, all, 32 * mib));
        assert!(is_low(false, 6 * mib, 200 << 10), "a small disk has a small reserve");
        assert!(!is_low(false, 6 * mib, 300 << 10));
    }
}
