//! What can go wrong with the store.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use super::unusable::Unusable;

/// Why the store did not do what it was asked. After any of them but [`Closed`](Self::Closed) it can be asked again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the data folder open.
    #[error("the data folder {} is in use by {}", folder.display(), holder(*.pid))]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process that holds it, as far as its lock file says.
        pid: Option<u32>,
    },
    /// A file or folder could not be made or opened.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// The database was written by a later version of the program.
    #[error("the database has schema {found}, this program knows schemas up to {known}: use a newer parlour")]
    Newer {
        /// The schema of the database.
        found: u32,
        /// The last that this program knows.
        known: u32,
    },
    /// The data folder or the database cannot be used as it is.
    #[error("{0}")]
    Unusable(Box<Unusable>),
    /// SQLite does not take a setting that the store's promises rest on.
    #[error(
        "SQLite does not take {setting} here (it says {found}). Choose a folder on a local disk with --data"
    )]
    Setting {
        /// The setting, as `journal_mode=wal`.
        setting: String,
        /// What it is instead.
        found: String,
    },
    /// The file that the server has open is no longer the one at its path, so that what is written to it would be lost
    /// with the process.
    #[error(
        "{} is no longer the file that the server has open: it was moved, removed or replaced. Put it back where it \
         was, or restart the server",
        .0.display()
    )]
    Displaced(PathBuf),
    /// There is no room on the disk.
    #[error("the disk is full")]
    Full,
    /// Somebody else held the database for longer than [`BUSY_TIMEOUT`](super::BUSY_TIMEOUT).
    #[error("the database is locked by another program")]
    Locked,
    /// More is queued than the writer will take; nothing of this was kept.
    #[error("the store cannot keep up")]
    Behind,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// It took longer than it may, or nobody waits for it any longer.
    #[error("the read was interrupted")]
    Interrupted,
    /// Anything else that SQLite reports.
    #[error("the database failed: {0}")]
    Sql(Arc<rusqlite::Error>),
}

/// What a store error means for the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// No room on the disk; it can be asked again once there is.
    Full,
    /// The database was locked for too long; it can be asked again.
    Locked,
    /// Something else; the log has the details.
    Other,
}

impl StoreError {
    /// The class of this error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Full => ErrorClass::Full,
            Self::Locked => ErrorClass::Locked,
            _ => ErrorClass::Other,
        }
    }

    /// For `map_err`: the error of an operation on the file or folder `path`.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error: Arc::new(error) }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(e) if e.code == ErrorCode::DiskFull => Self::Full,
            // The WAL index could not grow, which is how a full disk may show first.
            Some(e) if e.extended_code == SQLITE_IOERR_SHMSIZE => Self::Full,
            Some(e) if matches!(e.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(e) if e.code == ErrorCode::OperationInterrupted => Self::Interrupted,
            _ => Self::Sql(Arc::new(error)),
        }
    }
}

impl From<Unusable> for StoreError {
    fn from(unusable: Unusable) -> Self {
        Self::Unusable(Box::new(unusable))
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another parlour process".into(), |pid| format!("the parlour process {pid}"))
}
