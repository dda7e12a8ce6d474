//! Free space on the disk. New messages are refused before the last of it is used, so that changes of state, removals
//! and checkpoints still find some.

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Space left free, in bytes; on a small file system a 64th of it.
const RESERVE: u64 = 16 << 20;
const LEAST_RESERVE: u64 = 256 << 10;

/// Minimum time between two checks of the file system.
const EVERY: Duration = Duration::from_millis(250);

/// Watches the file system of the data folder.
#[derive(Debug)]
pub(in crate::store) struct Room {
    folder: PathBuf,
    looked: Option<Instant>,
    full: bool,
}

impl Room {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, looked: None, full: false }
    }

    /// Returns true while there is no room for a message. After that, twice the reserve must be free before it is false
    /// again, so that the result does not flap.
    pub fn is_short(&mut self) -> bool {
        if self.looked.is_none_or(|at| at.elapsed() >= EVERY)
            && let Ok(disk) = rustix::fs::statvfs(&self.folder)
        {
            let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
            self.full = is_short(self.full, bytes(disk.f_blocks), bytes(disk.f_bavail));
            self.looked = Some(Instant::now());
        }
        self.full
    }
}

fn is_short(was: bool, all: u64, free: u64) -> bool {
    let reserve = (all / 64).clamp(LEAST_RESERVE, RESERVE);
    free < if was { 2 * reserve } else { reserve }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_check_has_hysteresis() {
        let (all, mib) = (100 << 30, 1 << 20);
        assert!(!is_short(false, all, 16 * mib));
        assert!(is_short(false, all, 16 * mib - 1));
        assert!(is_short(true, all, 32 * mib - 1));
        assert!(!is_short(true, all, 32 * mib));
        assert!(is_short(false, 6 * mib, 200 << 10), "a small disk has a small reserve");
        assert!(!is_short(false, 6 * mib, 300 << 10));
    }
}
