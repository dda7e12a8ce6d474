//! The store's state, for metrics.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Values that the store's threads keep up to date.
#[derive(Debug, Default)]
pub struct Status {
    /// Bytes of the write-ahead log that are in use.
    pub(in crate::store) log_bytes: AtomicU64,
    /// Count of removals whose text may still be in the write-ahead log.
    pub(in crate::store) to_erase: AtomicI64,
    /// True if removed text may still be in the search index.
    pub(in crate::store) index_to_erase: AtomicBool,
}

impl Status {
    /// Returns the bytes of the write-ahead log that are in use.
    pub fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    /// Returns true while removed text is still to be erased from the write-ahead log or the search index.
    pub fn is_erasing(&self) -> bool {
        self.to_erase.load(Ordering::Relaxed) > 0 || self.index_to_erase.load(Ordering::Relaxed)
    }
}
