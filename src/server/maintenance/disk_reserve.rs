//! The reserve on the disk: while less is free, only admins may write, so that somebody can make room before the store
//! takes no message at all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::core::InputKind;
use crate::platform::files::{DiskSpace, disk_space};
use crate::server::sessions::hub_handle::HubHandle;

/// Free space at which the store takes no messages at all. A smaller reserve would have no effect.
const STORE_RESERVE: u64 = 16 << 20;

/// Interval of the checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Checks the free space of a folder's file system against a reserve in MiB, and tells the core. With a reserve of 0
/// nothing is checked.
pub(in crate::server) async fn run(folder: PathBuf, reserve_mib: u32, hub: HubHandle) {
    let reserve = u64::from(reserve_mib) << 20;
    if reserve == 0 {
        return std::future::pending().await;
    }
    let mut is_low = false;
    loop {
        if let Some(space) = measure(&folder).await {
            let now_low = is_below_reserve(is_low, space, reserve);
            if now_low != is_low {
                is_low = now_low;
                let free_mib = space.free >> 20;
                if is_low {
                    warn!(free_mib, "the disk is almost full: only admins can send messages and files");
                } else {
                    info!(free_mib, "the disk has room again: everybody can send");
                }
                hub.apply_input(InputKind::DiskIsLow(is_low)).await;
            }
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Measures on a blocking thread, because a file system may hang.
async fn measure(folder: &Path) -> Option<DiskSpace> {
    let folder = folder.to_owned();
    spawn_blocking(move || disk_space(&folder).ok()).await.ok().flatten()
}

/// Returns whether less than the reserve is free. After that, an eighth more must be free before it is not, so that the
/// result does not flap.
fn is_below_reserve(was_low: bool, space: DiskSpace, reserve: u64) -> bool {
    let reserve = reserve.min(space.total / 64);
    reserve > STORE_RESERVE && space.free < if was_low { reserve + reserve / 8 } else { reserve }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_is_at_most_a_64th_of_the_disk_and_does_not_flap() {
        const MIB: u64 = 1 << 20;
        let below = |was_low, total: u64, free: u64| {
            is_below_reserve(was_low, DiskSpace { total, free, free_files: None }, 64 * MIB)
        };
        let large = 100 << 30;
        assert!(!below(false, large, 64 * MIB) && below(false, large, 64 * MIB - 1));
        assert!(below(true, large, 71 * MIB) && !below(true, large, 72 * MIB));
        let small = 2 << 30;
        assert!(!below(false, small, 32 * MIB) && below(false, small, 32 * MIB - 1), "a small reserve");
        assert!(!below(false, 640 * MIB, MIB), "the store refuses messages anyway");
    }
}
