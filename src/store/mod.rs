//! Durable state: accounts, invites, channels, members and messages, in SQLite.
//!
//! One data folder holds everything, and one process holds the folder. All changes go through one writer thread, which
//! makes one transaction of everything that waits for it and reports success when that is synced to disk. Reads run
//! concurrently on a few connections of their own.
//!
//! The store never reads a clock: times come in with the data.

mod checksums;
pub mod copy;
mod database;
mod error;
pub mod health;
pub mod history;
mod interrupt;
mod journal;
pub mod last_backup;
pub mod search;
pub mod tables;
mod unusable;
pub mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use crate::core::record::{Record, Snapshot};

pub use database::readers::READERS;
pub use database::schema::BUSY_TIMEOUT;
pub use error::{ErrorClass, StoreError};
pub use journal::status::StoreStatus;
pub use journal::writer::CommitCallback;
pub use unusable::UnusableDatabase;

/// Time for which a client may repeat a message with its send id without storing it twice.
pub const SEND_ID_RETENTION: Duration = Duration::from_hours(24);

/// Count of ids that are tried for an imported message. Each is another message of the same millisecond or one before, of
/// which an honest source has few.
const MAX_IMPORT_TRIES: u32 = 1024;

/// Count of messages that get their checksum in one transaction, which takes the writer a few milliseconds; then the
/// writer is left to others for [`CHECKSUM_PAUSE`].
const CHECKSUM_BATCH: i64 = 500;
const CHECKSUM_PAUSE: Duration = Duration::from_millis(20);

/// The open store. Clones share it. Dropping the last one, or [`close`](Self::close), completes what is queued and unlocks
/// the folder.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` once the store is closed.
    parts: RwLock<Option<Parts>>,
    folder: PathBuf,
    status: Arc<StoreStatus>,
    /// Cancelled when their threads end.
    writer_ended: CancellationToken,
    checkpoints_ended: CancellationToken,
}

/// Dropped in this order: the readers close, the last checkpoint ends, the writer ends (as the last connection, with
/// which SQLite removes the log), then the folder is unlocked.
struct Parts {
    readers: database::readers::Readers,
    _checkpointer: Option<journal::checkpoint::Checkpointer>,
    /// `None` for a store that was opened [for reads alone](Store::open_without_writing).
    writer: Option<journal::writer::Writer>,
    _lock: Option<database::lock::FolderLock>,
}

impl Store {
    /// Opens the store in `folder`, making both if they are missing, and holds the folder until it is dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process holds it, [`StoreError::Newer`] when a later version wrote it,
    /// [`StoreError::Unusable`] when the folder or the database has a defect that an admin must look at.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with_check(folder, |path, conn| {
            database::position::check(
                path,
                database::position::read_file(folder),
                &database::position::Position::from_database(conn)?,
            )
        })
    }

    /// Refuses a database that a later version wrote, and one that others could change. Does not lock the folder, because a
    /// running server may hold it.
    pub fn check_version(folder: &Path) -> Result<(), StoreError> {
        database::folder::check_permissions(folder)?;
        let conn = database::schema::open_file(&folder.join("parlour.db"))?;
        database::schema::check_version(&conn).map(drop)
    }

    /// Accepts a database that lacks confirmed changes, or that was copied without its write-ahead log: from now on its
    /// content counts as complete. Returns the open store if anything was missing; then the caller has that recorded in
    /// the audit log.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn accept_loss(folder: &Path) -> Result<Option<Self>, StoreError> {
        let lock = database::lock::FolderLock::acquire(folder)?;
        let path = folder.join("parlour.db");
        let mut lost = false;
        if database::folder::check_file(&path)? {
            match database::generation::check(&path) {
                Err(StoreError::Unusable(why)) if matches!(*why, UnusableDatabase::LogLeftBehind(_)) => {
                    lost = true;
                    let conn = database::schema::open_file(&path)?;
                    database::generation::mark_checkpoint_complete(&conn)?;
                }
                other => other?,
            }
        }
        drop(lock);
        let store = Self::open_with_check(folder, |path, conn| {
            let has = database::position::Position::from_database(conn)?;
            if database::position::check(path, database::position::read_file(folder), &has).is_err() {
                lost = true;
                database::position::skip_lost(folder, conn)?;
            }
            Ok(())
        })?;
        Ok(lost.then_some(store))
    }

    fn open_with_check(
        folder: &Path,
        check: impl FnOnce(&Path, &Connection) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        database::folder::check_permissions(folder)?;
        let lock = database::lock::FolderLock::acquire(folder)?;
        let path = folder.join("parlour.db");
        if database::folder::check_file(&path)? {
            database::generation::check(&path)?;
        } else {
            database::schema::create(&path)?;
        }
        if let Some(older) = database::schema::older_version(&path)? {
            copy::keep_before_migration(folder, older)?;
        }
        let conn = database::schema::open_writer(&path)
            .map_err(|error| database::generation::with_remedy(&path, error))?;
        check(&path, &conn)?;
        database::repair::rebuild_marked_indexes(&conn, &path)?;
        journal::checkpoint::checkpoint_at_start(&conn, &path)?;
        let status = Arc::new(StoreStatus::default());
        let (wake, woken) = journal::wake::Wake::new();
        let writer = journal::writer::Writer::start(conn, folder, wake.clone(), status.clone())?;
        let checkpointer = journal::checkpoint::Checkpointer::start(
            &path,
            writer.maintenance_queue()?,
            wake,
            woken,
            status.clone(),
        )?;
        let (writer_ended, checkpoints_ended) = (writer.ended().clone(), checkpointer.ended().clone());
        let readers = database::readers::Readers::new(path, database::schema::open_reader);
        let parts =
            Parts { readers, _checkpointer: Some(checkpointer), writer: Some(writer), _lock: Some(lock) };
        let parts = RwLock::new(Some(parts));
        let inner = Inner { parts, folder: folder.into(), status, writer_ended, checkpoints_ended };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens an existing store for reads alone and writes nothing, because the disk is full or read-only. Holds the folder
    /// as [`open`](Self::open) does; changes fail with [`StoreError::Closed`].
    ///
    /// # Errors
    /// As [`open`](Self::open). `None` for a database that cannot be read without writing: the log of a server that was
    /// killed has a part of it, or it is of an earlier version.
    pub fn open_without_writing(folder: &Path) -> Result<Option<Self>, StoreError> {
        database::folder::check_permissions(folder)?;
        let lock = database::lock::FolderLock::acquire_without_writing(folder)?;
        let path = folder.join("parlour.db");
        let log = std::fs::metadata(database::folder::wal_path(&path)).map_or(0, |log| log.len());
        if log > 0 || !database::folder::check_file(&path)? {
            return Ok(None);
        }
        database::generation::check(&path)?;
        let conn = database::schema::open_immutable(&path)?;
        if database::schema::check_version(&conn)? != database::schema::latest_version() {
            return Ok(None);
        }
        let position = database::position::Position::from_database(&conn)?;
        database::position::check(&path, database::position::read_file(folder), &position)?;
        let readers = database::readers::Readers::new(path, database::schema::open_immutable_reader);
        let parts = RwLock::new(Some(Parts { readers, _checkpointer: None, writer: None, _lock: lock }));
        let (writer_ended, checkpoints_ended) = (CancellationToken::new(), CancellationToken::new());
        let (folder, status) = (folder.into(), Arc::default());
        Ok(Some(Self { inner: Arc::new(Inner { parts, folder, status, writer_ended, checkpoints_ended }) }))
    }

    /// Completes what is queued and unlocks the folder, although clones of the store are left: they fail from now on with
    /// [`StoreError::Closed`]. Blocks. A read that is under way goes on, which does not disturb whoever opens the folder
    /// next.
    pub fn close(&self) {
        let parts = self.inner.parts.write().take();
        if let Some(parts) = parts {
            // Others hold the pool while they read.
            parts.readers.close_idle();
        }
    }

    /// Fills in the checksums of messages from before checksums existed, in small steps. Runs in the background;
    /// returns at once if there is nothing to do.
    pub async fn fill_checksums(&self) -> Result<(), StoreError> {
        while !self.write(|tx| Ok::<_, StoreError>(checksums::fill_checksums(tx, CHECKSUM_BATCH)?)).await? {
            tokio::time::sleep(CHECKSUM_PAUSE).await;
        }
        Ok(())
    }

    /// Returns the state of the store, for metrics.
    pub fn status(&self) -> &Arc<StoreStatus> {
        &self.inner.status
    }

    /// Returns the path of the data folder.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Returns a future that is ready when the writer thread has ended. It ends by itself only after a failure; nothing
    /// is stored from then on.
    pub fn wait_until_writer_ends(&self) -> impl Future<Output = ()> + Send + use<> {
        self.inner.writer_ended.clone().cancelled_owned()
    }

    /// Returns a future that is ready when the thread that copies the write-ahead log has ended. It ends by itself only
    /// after a failure; the log grows and removed text is not erased from then on.
    pub fn checkpoints_ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.inner.checkpoints_ended.clone().cancelled_owned()
    }

    /// Reads the snapshot from which the core starts.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.read(|conn| Ok(tables::snapshot::read_snapshot(conn)?)).await
    }

    /// Stores the records, all or none of them, in order and after all earlier ones. Calls `done` on the writer thread
    /// once they are on disk, or have failed; it must be brief. Never waits.
    ///
    /// Batches that wait together become one transaction. If one fails because the disk is full or the database locked,
    /// all of them do, and the store can be used again as soon as the cause is gone. If the writer itself breaks,
    /// `done` is dropped without being called.
    pub fn commit(&self, records: Arc<Vec<Record>>, done: CommitCallback) {
        match self.inner.parts.read().as_ref().and_then(|parts| parts.writer.as_ref()) {
            Some(writer) => writer.commit(records, done),
            None => done(Err(StoreError::Closed)),
        }
    }

    /// Runs `work` in a transaction of its own on the writer thread, after all earlier ones. An `Err` rolls it back. It
    /// runs to its end even if the future is dropped.
    ///
    /// For what the store derives from records, such as checksums and the work left to the search index; everything else
    /// is a record.
    pub(in crate::store) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let written = {
            let parts = self.inner.parts.read();
            parts.as_ref().and_then(|parts| parts.writer.as_ref()).map(|writer| writer.write(work))
        };
        written.ok_or(StoreError::Closed)?.await
    }

    /// Runs `work` on a connection that sees everything committed so far and cannot change it. Needs tokio's runtime.
    /// Dropping the future interrupts it.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.readers()?.read(None, work).await
    }

    /// Reads as [`read`](Self::read) does, for at most `time_limit`; then fails with [`StoreError::Interrupted`].
    pub async fn read_with_time_limit<T, E, F>(&self, time_limit: Duration, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.readers()?.read(Some(time_limit), work).await
    }

    fn readers(&self) -> Result<database::readers::Readers, StoreError> {
        self.inner.parts.read().as_ref().map(|parts| parts.readers.clone()).ok_or(StoreError::Closed)
    }
}

/// Appends a suffix to the last name of a path.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests;
