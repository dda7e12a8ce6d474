//! Signal from the writer to the checkpoint thread.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::store::StoreStatus;
use crate::store::database::schema;

/// Length of the log, in pages, at which it is copied (16 MiB). Most pages are the ends of conversations, written by
/// nearly every batch and copied once: in a large store a log of 4 MiB costs a tenth of the throughput, and one of 32
/// MiB gains nothing. The tests of this crate use a short log, so that they copy it often.
pub(in crate::store) const CHECKPOINT_PAGES: u64 = if cfg!(test) { 400 } else { 4000 };

/// Wakes the thread. Never waits.
#[derive(Clone, Debug)]
pub(in crate::store) struct Wake(SyncSender<()>);

impl Wake {
    pub fn new() -> (Self, Receiver<()>) {
        let (wake, woken) = sync_channel(1);
        (Self(wake), woken)
    }

    /// Signals that there may be something to do.
    pub fn wake(&self) {
        // If the channel is full, the thread is awake already. Without a thread the store is closing.
        let _ = self.0.try_send(());
    }

    /// Notes that the log of the writer's connection has so many pages. Wakes the thread once for a long log: while it
    /// rests after a checkpoint, it would only go to sleep again after each commit.
    pub fn set_log_pages(&self, status: &StoreStatus, pages: u64) {
        status.log_bytes.store(pages * schema::PAGE_BYTES, Ordering::Relaxed);
        if pages >= CHECKPOINT_PAGES && status.signal_long_log() {
            self.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_log_wakes_once_until_thread_looks() {
        let (wake, woken) = Wake::new();
        let status = StoreStatus::default();
        wake.set_log_pages(&status, CHECKPOINT_PAGES - 1);
        assert!(woken.try_recv().is_err(), "the log is short");
        wake.set_log_pages(&status, CHECKPOINT_PAGES);
        assert!(woken.try_recv().is_ok());
        wake.set_log_pages(&status, CHECKPOINT_PAGES + 1);
        assert!(woken.try_recv().is_err(), "the thread knows");
        status.take_long_log_signal();
        assert_eq!(status.log_bytes(), (CHECKPOINT_PAGES + 1) * schema::PAGE_BYTES);
        wake.set_log_pages(&status, CHECKPOINT_PAGES + 2);
        assert!(woken.try_recv().is_ok(), "it is longer than the thread has seen");
    }
}
