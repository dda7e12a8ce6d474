//! Uploads that are received in several requests: what has come of each, and for how long it waits for the rest.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::folder::{Incoming, ORPHAN_AGE, UNSHARED_LIFETIME};
use super::upload::Reservation;
use crate::core::record::file::FileId;
use crate::core::record::{AccountId, TokenHash};
use crate::trust::Token;

/// Time after the last byte for which an upload waits to go on: as long as its content is left in the folder.
const WAITING_LIFETIME: Duration = ORPHAN_AGE;

/// Time for which a complete upload is remembered, for a client that has not received the answer, or that removes the
/// file again before it shares it: as long as the file is left without that.
const COMPLETE_LIFETIME: Duration = UNSHARED_LIFETIME;

/// Limit of the complete uploads of an account that are remembered.
const MAX_COMPLETE: usize = 64;

/// Uploads that are received in several requests, by the hashes of their keys. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct ResumableUploads(Arc<Mutex<HashMap<TokenHash, Entry>>>);

#[derive(Debug)]
struct Entry {
    account: AccountId,
    upload: Arc<AsyncMutex<Resumable>>,
    /// Ends the request that has the upload now.
    interruption: CancellationToken,
    /// Time of the last byte, or of the completion.
    last_change: Instant,
    is_complete: bool,
}

/// An upload that is received in several requests.
#[derive(Debug)]
pub(super) struct Resumable {
    pub name: String,
    /// Size of the whole, in bytes.
    pub length: u64,
    pub progress: Progress,
}

/// A file that was added.
#[derive(Debug)]
pub(super) struct AddedFile {
    pub id: FileId,
    /// Path of its address.
    pub path: String,
}

#[derive(Debug)]
pub(super) enum Progress {
    /// The content so far, and what is reserved for the whole of it. Without content it cannot go on.
    Waiting(Option<Incoming>, Reservation),
    /// The file that it became.
    Complete(AddedFile),
}

/// An upload that one request has for itself.
pub(super) struct Held {
    pub upload: OwnedMutexGuard<Resumable>,
    /// Cancelled when another request takes the upload.
    pub interruption: CancellationToken,
}

impl Resumable {
    /// Returns how many bytes have come.
    pub fn offset(&self) -> u64 {
        match &self.progress {
            Progress::Waiting(incoming, _) => incoming.as_ref().map_or(0, Incoming::size),
            Progress::Complete(_) => self.length,
        }
    }
}

impl ResumableUploads {
    /// Adds an upload. Returns its key.
    pub(super) fn insert(&self, account: AccountId, upload: Resumable) -> Token {
        let key = Token::random();
        let entry = Entry {
            account,
            is_complete: matches!(upload.progress, Progress::Complete(_)),
            upload: Arc::new(AsyncMutex::new(upload)),
            interruption: CancellationToken::new(),
            last_change: Instant::now(),
        };
        self.0.lock().insert(key.hash(), entry);
        key
    }

    /// Takes an upload for one request. A request that has it ends: its connection is broken, and it does not know that
    /// yet.
    pub(super) async fn hold(&self, key: &TokenHash) -> Option<Held> {
        let (upload, interruption) = {
            let mut all = self.0.lock();
            let entry = all.get_mut(key)?;
            entry.interruption.cancel();
            entry.interruption = CancellationToken::new();
            (entry.upload.clone(), entry.interruption.clone())
        };
        Some(Held { upload: upload.lock_owned().await, interruption })
    }

    /// Notes that bytes came, or that the upload is complete.
    pub(super) fn note_change(&self, key: &TokenHash, is_complete: bool) {
        let mut all = self.0.lock();
        let Some(entry) = all.get_mut(key) else { return };
        (entry.last_change, entry.is_complete) = (Instant::now(), is_complete);
        let account = entry.account;
        if is_complete {
            remove_oldest(&mut all, MAX_COMPLETE, |entry| entry.account == account && entry.is_complete);
        }
    }

    /// Removes an upload.
    pub(super) fn remove(&self, key: &TokenHash) {
        self.0.lock().remove(key);
    }

    /// Removes the upload of an account that has waited longest for its next request.
    pub fn remove_oldest_waiting(&self, account: AccountId) {
        let is_waiting =
            |entry: &Entry| entry.account == account && !entry.is_complete && entry.upload.try_lock().is_ok();
        let mut all = self.0.lock();
        let count = all.values().filter(|entry| is_waiting(entry)).count();
        remove_oldest(&mut all, count.saturating_sub(1), is_waiting);
    }

    /// Removes the uploads that nobody has continued for long, and the complete ones of which a client knows by now.
    pub fn remove_expired(&self) {
        self.0.lock().retain(|_, entry| {
            let lifetime = if entry.is_complete { COMPLETE_LIFETIME } else { WAITING_LIFETIME };
            entry.last_change.elapsed() < lifetime || entry.upload.try_lock().is_err()
        });
    }
}

/// Removes the oldest of some entries until so many are left.
fn remove_oldest(all: &mut HashMap<TokenHash, Entry>, left: usize, is_meant: impl Fn(&Entry) -> bool) {
    let mut meant: Vec<_> = all
        .iter()
        .filter(|(_, entry)| is_meant(entry))
        .map(|(key, entry)| (entry.last_change, *key))
        .collect();
    meant.sort_unstable();
    for (_, key) in meant.iter().take(meant.len().saturating_sub(left)) {
        all.remove(key);
    }
}
