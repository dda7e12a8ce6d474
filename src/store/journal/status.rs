//! The store's state, for metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::watch;

/// Values that the store's threads keep up to date.
#[derive(Debug, Default)]
pub struct StoreStatus {
    /// Bytes of the write-ahead log that are in use.
    pub(in crate::store) log_bytes: AtomicU64,
    /// True if the checkpoint thread was woken because the log is long, until it has looked.
    is_long_log_signaled: AtomicBool,
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

    /// Notes that the checkpoint thread is woken because the log is long. Returns true if that is new: until the thread
    /// looks, it need not be woken for each further commit.
    pub(in crate::store) fn signal_long_log(&self) -> bool {
        !self.is_long_log_signaled.swap(true, Ordering::AcqRel)
    }

    /// Notes that the checkpoint thread looks now. It sees the length of each log for which it was not woken.
    pub(in crate::store) fn take_long_log_signal(&self) {
        self.is_long_log_signaled.swap(false, Ordering::AcqRel);
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
