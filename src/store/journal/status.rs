//! The store's state, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// Values that the store's threads keep up to date.
#[derive(Debug, Default)]
pub struct StoreStatus {
    /// Bytes of the write-ahead log that are in use.
    pub(in crate::store) log_bytes: AtomicU64,
    /// Removed text that is still to be erased.
    pub(in crate::store) erasing: watch::Sender<Erasing>,
}

/// Removed text that may still be in files.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct Erasing {
    /// Count of removals whose text may still be in the write-ahead log.
    pub log: i64,
    /// True if removed text may still be in the search index.
    pub index: bool,
}

impl StoreStatus {
    /// Returns the bytes of the write-ahead log that are in use.
    pub fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    /// Returns true while removed text is still to be erased from the write-ahead log or the search index.
    pub fn is_erasing(&self) -> bool {
        let Erasing { log, index } = *self.erasing.borrow();
        log > 0 || index
    }

    /// Sets the count of removals whose text may still be in the write-ahead log.
    pub(in crate::store) fn set_log_to_erase(&self, count: i64) {
        self.erasing.send_modify(|erasing| erasing.log = count);
    }

    /// Sets whether removed text may still be in the search index.
    pub(in crate::store) fn set_index_to_erase(&self, is_to_erase: bool) {
        self.erasing.send_modify(|erasing| erasing.index = is_to_erase);
    }
}
