//! Receiving of files: within the limits of size and quota, piece by piece to disk.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_core::Stream as _;
use parking_lot::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::folder::{FileFolder, Incoming};
use crate::core::record::AccountId;
use crate::web::TransferProgress;
use crate::wire::file_name::file_size;

/// Longest wait for the next piece of a body.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Slowest upload, on average after the first [`STALL_TIMEOUT`]: a tenth of the slowest links.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// Limit of the uploads of an account at one time.
const MAX_UPLOADS: usize = 4;

/// Bytes that uploads in progress need of the quotas of their accounts. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Reservations(Arc<Mutex<HashMap<AccountId, Reserved>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Reserved {
    uploads: usize,
    bytes: u64,
}

/// Bytes that an upload has reserved, until it is dropped.
#[derive(Debug)]
pub(in crate::server) struct Reservation {
    all: Reservations,
    account: AccountId,
    bytes: u64,
}

/// Limits of an upload.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct UploadLimits {
    /// Maximum size of a file, in bytes.
    pub max_bytes: u64,
    /// Bytes that the account may still store, reservations not subtracted.
    pub quota_left: u64,
    /// Size that was announced, in bytes.
    pub announced: Option<u64>,
}

/// Bytes of an upload as they come.
#[derive(Debug)]
pub(in crate::server) struct UploadBody {
    pub body: Body,
    pub progress: TransferProgress,
    pub limits: UploadLimits,
    /// Ends it from elsewhere.
    pub interruption: CancellationToken,
}

impl UploadLimits {
    /// Returns these limits for an upload that has announced this size, in bytes.
    pub fn with_announced(self, size: u64) -> Self {
        Self { announced: Some(size), ..self }
    }
}

/// Reason why an upload ends.
#[derive(Debug, thiserror::Error)]
pub(in crate::server) enum UploadError {
    #[error("a file may have at most {}", file_size(*.0))]
    TooLarge(u64),
    /// With the bytes that the account may still store beside its other uploads.
    #[error("the account has room for {} more; take back messages with files, or delete files that no message shares, to make room", file_size(*.0))]
    QuotaReached(u64),
    #[error("{MAX_UPLOADS} uploads of the account are in progress")]
    TooMany,
    #[error("the upload broke off")]
    BrokenOff,
    #[error("more bytes came than were announced")]
    MoreThanAnnounced,
    #[error("nothing came for {} seconds", STALL_TIMEOUT.as_secs())]
    Stalled,
    #[error("less than {} a second came", file_size(MIN_BYTES_PER_SECOND))]
    TooSlow,
    #[error("the server's disk is full; tell who runs the server")]
    DiskFull,
    #[error("the server cannot store the file: {0}")]
    Io(io::Error),
}

impl Reservations {
    /// Begins an upload of an account.
    pub fn begin(&self, account: AccountId) -> Result<Reservation, UploadError> {
        let mut all = self.0.lock();
        let reserved = all.entry(account).or_default();
        if reserved.uploads == MAX_UPLOADS {
            return Err(UploadError::TooMany);
        }
        reserved.uploads += 1;
        Ok(Reservation { all: self.clone(), account, bytes: 0 })
    }

    /// Returns whether an account has as many uploads as it may have.
    pub fn are_used_up(&self, account: AccountId) -> bool {
        self.0.lock().get(&account).is_some_and(|reserved| reserved.uploads == MAX_UPLOADS)
    }
}

impl Reservation {
    /// Returns the account whose upload it is.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Reserves so many bytes in total, if the limits allow that.
    fn grow_to(&mut self, bytes: u64, limits: UploadLimits) -> Result<(), UploadError> {
        if bytes > limits.max_bytes {
            return Err(UploadError::TooLarge(limits.max_bytes));
        }
        if limits.announced.is_some_and(|announced| bytes > announced) {
            return Err(UploadError::MoreThanAnnounced);
        }
        let more = bytes.saturating_sub(self.bytes);
        let mut all = self.all.0.lock();
        let reserved = all.entry(self.account).or_default();
        if reserved.bytes.saturating_add(more) > limits.quota_left {
            let others = reserved.bytes - self.bytes;
            return Err(UploadError::QuotaReached(limits.quota_left.saturating_sub(others)));
        }
        reserved.bytes += more;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        if let Some(reserved) = all.get_mut(&self.account) {
            reserved.uploads = reserved.uploads.saturating_sub(1);
            reserved.bytes = reserved.bytes.saturating_sub(self.bytes);
            if reserved.uploads == 0 {
                all.remove(&self.account);
            }
        }
    }
}

/// Begins a content in the folder.
///
/// # Errors
/// A limit does not allow the announced size, or the disk is full.
pub(super) async fn begin(
    folder: &FileFolder,
    limits: UploadLimits,
    reservation: &mut Reservation,
) -> Result<Incoming, UploadError> {
    // What is announced is refused before it is sent.
    reservation.grow_to(limits.announced.unwrap_or_default(), limits)?;
    let folder = folder.clone();
    blocking(move || folder.begin()).await
}

/// Appends a body to a content. When this ends, all that came is on the way to the disk, and the content can go on with
/// another body.
///
/// # Errors
/// A limit, the client or the disk ended it. `incoming` is `None` if it is of no use any more.
pub(super) async fn append(
    incoming: &mut Option<Incoming>,
    upload: UploadBody,
    reservation: &mut Reservation,
) -> Result<(), UploadError> {
    let received = append_pieces(incoming, upload, reservation).await;
    write(incoming).await?;
    received
}

async fn append_pieces(
    slot: &mut Option<Incoming>,
    upload: UploadBody,
    reservation: &mut Reservation,
) -> Result<(), UploadError> {
    let UploadBody { body, progress, limits, interruption } = upload;
    let mut pieces = body.into_data_stream();
    let (begun, mut received) = (Instant::now(), 0);
    while let Some(piece) = next_piece(&mut pieces, &interruption).await? {
        let Some(incoming) = slot else { return Err(UploadError::BrokenOff) };
        progress.note_piece();
        received += piece.len() as u64;
        let seconds = begun.elapsed().saturating_sub(STALL_TIMEOUT).as_secs();
        if received < seconds.saturating_mul(MIN_BYTES_PER_SECOND) {
            return Err(UploadError::TooSlow);
        }
        reservation.grow_to(incoming.size() + piece.len() as u64, limits)?;
        incoming.push(&piece);
        if incoming.is_full() {
            write(slot).await?;
        }
    }
    Ok(())
}

async fn next_piece(
    pieces: &mut BodyDataStream,
    interruption: &CancellationToken,
) -> Result<Option<Bytes>, UploadError> {
    let next = poll_fn(|cx| Pin::new(&mut *pieces).poll_next(cx));
    match interruption.run_until_cancelled(timeout(STALL_TIMEOUT, next)).await {
        Some(Ok(None)) => Ok(None),
        Some(Ok(Some(Ok(piece)))) => Ok(Some(piece)),
        Some(Ok(Some(Err(_)))) | None => Err(UploadError::BrokenOff),
        Some(Err(_)) => Err(UploadError::Stalled),
    }
}

/// Writes what waits. The content is `None` afterwards if that fails.
async fn write(slot: &mut Option<Incoming>) -> Result<(), UploadError> {
    let Some(mut incoming) = slot.take() else { return Ok(()) };
    *slot = Some(
        blocking(move || {
            incoming.write_waiting()?;
            Ok(incoming)
        })
        .await?,
    );
    Ok(())
}

/// Runs what blocks on a thread for that.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, UploadError> {
    let done = spawn_blocking(work).await.map_err(|_| UploadError::BrokenOff)?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => UploadError::DiskFull,
        _ => UploadError::Io(error),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::SystemTime;

    use super::super::folder::ORPHAN_AGE;
    use super::*;

    const LIMITS: UploadLimits = UploadLimits { max_bytes: 1000, quota_left: 1500, announced: None };
    const AL: AccountId = AccountId(16);

    async fn upload(
        folder: &FileFolder,
        body: impl Into<Body>,
        announced: Option<u64>,
        reservation: &mut Reservation,
    ) -> Result<u64, UploadError> {
        let limits = UploadLimits { announced, ..LIMITS };
        let mut incoming = Some(begin(folder, limits, reservation).await?);
        let (progress, interruption) = Default::default();
        let body = UploadBody { body: body.into(), progress, limits, interruption };
        append(&mut incoming, body, reservation).await?;
        let content = folder.finish(incoming.expect("a content")).expect("finished");
        Ok(content.size)
    }

    #[tokio::test]
    async fn what_is_over_a_limit_leaves_nothing() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = FileFolder::of_data_folder(data.path());
        let reservations = Reservations::default();
        let mut one = reservations.begin(AL).expect("begins");
        let refused = upload(&folder, vec![0; 1001], None, &mut one).await;
        assert!(matches!(refused, Err(UploadError::TooLarge(1000))), "{refused:?}");
        let refused = upload(&folder, "", Some(1001), &mut one).await;
        assert!(matches!(refused, Err(UploadError::TooLarge(1000))), "{refused:?}");
        drop(one);
        let mut one = reservations.begin(AL).expect("begins");
        assert_eq!(upload(&folder, vec![1; 1000], Some(1000), &mut one).await.expect("stored"), 1000);
        // The first is not added yet, so both together count.
        let mut two = reservations.begin(AL).expect("begins");
        let refused = upload(&folder, vec![2; 501], None, &mut two).await;
        assert!(matches!(refused, Err(UploadError::QuotaReached(500))), "{refused:?}");
        drop(one);
        let mut three = reservations.begin(AL).expect("begins");
        assert_eq!(upload(&folder, vec![2; 501], None, &mut three).await.expect("stored"), 501);
        drop((two, three));
        assert!(reservations.0.lock().is_empty());
        assert_eq!(
            folder.old_orphans(&HashSet::new(), SystemTime::now() + 2 * ORPHAN_AGE).expect("lists").len(),
            2,
            "the two that were stored"
        );
    }

    #[test]
    fn an_account_has_a_few_uploads_at_one_time() {
        let reservations = Reservations::default();
        let held: Vec<_> = (0..MAX_UPLOADS).map(|_| reservations.begin(AL).expect("begins")).collect();
        assert!(matches!(reservations.begin(AL), Err(UploadError::TooMany)));
        reservations.begin(AccountId(17)).expect("another account");
        drop(held);
        reservations.begin(AL).expect("begins");
    }
}
