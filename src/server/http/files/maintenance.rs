//! Regular removal of files that nobody shares, and of contents that no file has.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use super::folder::{FileFolder, UNSHARED_LIFETIME};
use super::resumable::ResumableUploads;
use crate::core::record::file::FileHash;
use crate::core::request::admin::ChangeRequest;
use crate::core::request::files::FileChange;
use crate::server::sessions::hub_handle::{HubHandle, HubStopped};

/// Interval of the rounds.
const RUN_INTERVAL: Duration = Duration::from_hours(1);

/// Removes once an hour, and at the start. Ages are by
/// [`Clock::removal_time`](crate::server::clock::Clock::removal_time): a clock that jumped removes nothing.
pub(in crate::server) async fn run(folder: FileFolder, resumable: ResumableUploads, hub: HubHandle) {
    loop {
        resumable.remove_expired();
        let before = hub.clock.removal_time() - UNSHARED_LIFETIME;
        if let Err(error) = hub.request(ChangeRequest::Files(FileChange::RemoveUnshared { before })).await {
            warn!(%error, "cannot remove the files that nobody shares");
        }
        if remove_orphans(&folder, &hub).await.is_err() {
            return;
        }
        tokio::time::sleep(RUN_INTERVAL).await;
    }
}

async fn remove_orphans(folder: &FileFolder, hub: &HubHandle) -> Result<(), HubStopped> {
    let used: HashSet<FileHash> = hub.inspect(|core| core.file_hashes().copied().collect()).await?;
    let folder = folder.clone();
    let removed = tokio::task::spawn_blocking(move || {
        let missing = folder.missing(&used).len();
        if missing > 0 {
            warn!(missing, "files lack their contents; run `parlour doctor`");
        }
        folder.remove_orphans(&used, SystemTime::now())
    });
    match removed.await {
        Ok(Ok(0)) | Err(_) => {}
        Ok(Ok(removed)) => info!(removed, "contents of files that no file has are removed"),
        Ok(Err(error)) => warn!(%error, "cannot look through the folder of files"),
    }
    Ok(())
}
