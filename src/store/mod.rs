//! What lasts: accounts, invites, channels, members and messages, in SQLite.
//!
//! One data folder holds everything, and one process holds the folder. All changes go through one
//! writer thread, which makes one transaction of all that waits for it and answers when that is
//! synced to disk; reads run beside it on a few connections of their own.
//!
//! The store never reads a clock: times come in with what is stored.

pub mod accounts;
pub mod audit;
mod bounded;
mod columns;
pub mod devices;
mod error;
pub mod health;
pub mod history;
pub mod invites;
mod lock;
mod names;
mod readers;
mod records;
mod schema;
pub mod search;
mod settings;
mod snapshot;
mod volumes;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::chat::record::{Record, Snapshot};
use crate::wire::Millis;

pub use error::{ErrorClass, StoreError};
pub use readers::READERS;
pub use schema::BUSY_TIMEOUT;
pub use writer::Done;

/// How long a client may take to come back with a send id and find that its message was kept.
pub const SENDS_KEPT: Millis = Millis(24 * 60 * 60 * 1000);

/// The open store. Cloning shares it. The last one dropped finishes what is queued and lets go of the folder.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Dropped in this order: the readers close, the writer ends (and, last on the database, tidies the log away), then
/// the folder is free.
struct Inner {
    readers: readers::Readers,
    writer: writer::Writer,
    folder: PathBuf,
    _lock: lock::FolderLock,
}

impl Store {
    /// Opens the store in `folder`, making both where they are missing, and holds the folder until it is dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process holds it, [`StoreError::Newer`] when a later version wrote it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let lock = lock::FolderLock::take(folder)?;
        let path = folder.join("parlour.db");
        let writer = writer::Writer::start(schema::open_writer(&path)?)?;
        let readers = readers::Readers::new(path);
        Ok(Self { inner: Arc::new(Inner { readers, writer, folder: folder.into(), _lock: lock }) })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Everything the chat starts from.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.read(|conn| Ok(snapshot::snapshot(conn)?)).await
    }

    /// Keeps the records, all or none of them, in order and after all that was handed over before; `done` is
    /// called on the writer thread once they are on disk, or have failed, and must be brief. Never waits.
    ///
    /// Batches that wait together become one transaction. Where one fails because the disk is full or the database
    /// locked, all of them do, and the store can be used again as soon as the cause is gone. Should the
    /// writer itself break, `done` is dropped without being called.
    pub fn commit(&self, records: Arc<Vec<Record>>, done: Done) {
        self.inner.writer.commit(records, done);
    }

    /// Runs `work` in a transaction of its own on the writer thread, after all that was handed over before. An `Err`
    /// rolls it back. Once handed over it is done even if the future is dropped.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.inner.writer.write(work).await
    }

    /// Runs `work` on a connection that sees everything committed so far and cannot change it. Needs tokio's runtime.
    /// Dropping the future interrupts it.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.inner.readers.read(None, work).await
    }

    /// The same for at most `most`; then it fails with [`StoreError::Interrupted`].
    pub async fn read_within<T, E, F>(&self, most: Duration, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.inner.readers.read(Some(most), work).await
    }
}

#[cfg(test)]
mod tests;
