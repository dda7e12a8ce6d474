//! Errors of the store.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use super::unusable::UnusableDatabase;

/// Error of a store operation. After any of them but [`Closed`](Self::Closed) the operation can be tried again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the data folder open.
    #[error("the data folder {} is in use by {}", folder.display(), holder(*.pid))]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The process that holds it, as far as its lock file says.
        pid: Option<u32>,
    },
    /// A file or folder could not be made or opened.
    #[error("{}: {error}", path.display())]
    File {
        /// Path of the file or folder.
        path: PathBuf,
        /// The system's error.
        error: Arc<io::Error>,
    },
    /// The database was written by a later version of the program.
    #[error(
        "the database was written by {} and has schema {found}; this is parlour {}, which knows schemas up to {known}: \
         use {} or later",
        version(written_by.as_deref()), env!("CARGO_PKG_VERSION"), version(written_by.as_deref())
    )]
    Newer {
        /// The schema of the database.
        found: u32,
        /// The latest schema that this program knows.
        known: u32,
        /// Version of the program that wrote it, as far as it says.
        written_by: Option<String>,
    },
    /// The disk has no room for the copy of the database that is kept before a migration.
    #[error(
        "the disk of {} has no room for a copy of the database, which is kept before it is brought up to date: make {mib} \
         MiB free there, or run `parlour backup FILE` with a file on another disk, and start again",
        folder.display()
    )]
    NoRoomForCopy {
        /// The data folder.
        folder: PathBuf,
        /// Room that is needed, in MiB.
        mib: u64,
    },
    /// The data folder or the database cannot be used as it is.
    #[error("{0}")]
    Unusable(Box<UnusableDatabase>),
    /// SQLite refuses a setting that the store's guarantees depend on.
    #[error(
        "SQLite does not take {setting} here (it says {found}). Choose a folder on a local disk with --data"
    )]
    Setting {
        /// The setting, such as `journal_mode=wal`.
        setting: String,
        /// The value that is in effect instead.
        found: String,
    },
    /// The file that the server has open is not the one at its path any longer, so writes to it would be lost with the
    /// process.
    #[error(
        "{} is no longer the file that the server has open: it was moved, removed or replaced. Put it back where it \
         was, or restart the server",
        .0.display()
    )]
    Displaced(PathBuf),
    /// The disk has no room.
    #[error("the disk is full")]
    Full,
    /// Another program held the database for longer than [`BUSY_TIMEOUT`](super::BUSY_TIMEOUT).
    #[error("the database is locked by another program")]
    Locked,
    /// The writer's queue is full; nothing of this was stored.
    #[error("the store cannot keep up")]
    QueueFull,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The operation exceeded its time limit, or its result is not awaited any longer.
    #[error("the read was interrupted")]
    Interrupted,
    /// Any other error of SQLite.
    #[error("the database failed: {0}")]
    Sql(Arc<rusqlite::Error>),
}

/// Class of a store error, for its handling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The disk has no room; trying again helps once it has.
    Full,
    /// The database was locked for too long; trying again helps.
    Locked,
    /// Any other error; the log has the details.
    Other,
}

impl StoreError {
    /// Returns the class of this error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Full => ErrorClass::Full,
            Self::Locked => ErrorClass::Locked,
            _ => ErrorClass::Other,
        }
    }

    /// Returns `true` for an error that a damaged page of a database causes.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Sql(error) if super::checksums::is_damage(error))
    }

    /// Returns a function for `map_err`: the error of an operation on the file or folder `path`.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error: Arc::new(error) }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(e) if e.code == ErrorCode::DiskFull => Self::Full,
            // The WAL index could not grow, which may be the first sign of a full disk.
            Some(e) if e.extended_code == SQLITE_IOERR_SHMSIZE => Self::Full,
            Some(e) if matches!(e.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(e) if e.code == ErrorCode::OperationInterrupted => Self::Interrupted,
            _ => Self::Sql(Arc::new(error)),
        }
    }
}

impl From<UnusableDatabase> for StoreError {
    fn from(unusable: UnusableDatabase) -> Self {
        Self::Unusable(Box::new(unusable))
    }
}

/// Names a version of the program, for people.
fn version(number: Option<&str>) -> String {
    number.map_or_else(|| "a newer parlour".into(), |number| format!("parlour {number}"))
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another parlour process".into(), |pid| format!("the parlour process {pid}"))
}
