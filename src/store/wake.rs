//! The signal from the writer to the thread that copies the write-ahead log.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{Status, schema};

/// The log is copied once it has so many pages (16 MiB). Most of them are the ends of places, written by nearly every
/// batch and copied once: in a large store a log of 4 MiB costs a tenth of the throughput, and one of 32 MiB gains
/// nothing more. The tests of this crate copy it all the time.
pub(super) const PAGES: u64 = if cfg!(test) { 400 } else { 4000 };

/// Wakes the thread. Never waits.
#[derive(Clone, Debug)]
pub(super) struct Wake(SyncSender<()>);

impl Wake {
    pub fn new() -> (Self, Receiver<()>) {
        let (wake, woken) = sync_channel(1);
        (Self(wake), woken)
    }

    /// There may be something to do.
    pub fn wake(&self) {
        // Full: it is awake already. Without a thread the store is closing.
        let _ = self.0.try_send(());
    }

    /// The log of the writer's connection has so many pages.
    pub fn log_grew(&self, status: &Status, pages: u64) {
        status.log_bytes.store(pages * schema::PAGE, Ordering::Relaxed);
        if pages >= PAGES {
            self.wake();
        }
    }
}
