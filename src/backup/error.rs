//! Errors of backups. Each message ends with the remedy.

use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::trust::certs::CertError;

/// Error of making, verifying or restoring a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder cannot be read or written.
    #[error("cannot {verb} {}: {error}; is it there, is there room, and may this user do that?", path.display())]
    File {
        /// `read` or `write`.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error. Not a `source`, because it would be printed twice.
        error: io::Error,
    },
    /// The database cannot be copied.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The certificates cannot be read.
    #[error("{0}")]
    Certificates(#[from] CertError),
    /// There is no certificate, or no key of it, so what is restored would be another server.
    #[error(
        "there is no {} in {}, and without the certificates and keys a restored server is another one, which no client \
         recognizes: name their folder with --certs, or that of the server with --home; if this server was never \
         started, `parlour certs generate` makes them", file, folder.display()
    )]
    NoCertificates {
        /// The folder of the certificates.
        folder: PathBuf,
        /// Name of the file that is missing.
        file: &'static str,
    },
    /// The database has faults, so a copy of it would be one of them.
    #[error(
        "the database is damaged ({0}), so no backup was made: keep those that you have, and run `parlour doctor`"
    )]
    DamagedDatabase(String),
    /// The file to write exists.
    #[error("{} exists; name another file, or remove it", .0.display())]
    Exists(PathBuf),
    /// No disk has room for the copy of the database.
    #[error(
        "there is no room for a copy of the database: make {mib} MiB free in {} or in {}, or set TMPDIR to a folder on another \
         disk",
        data.display(), temporary.display()
    )]
    NoRoomForCopy {
        /// The data folder.
        data: PathBuf,
        /// The folder for temporary files.
        temporary: PathBuf,
        /// Room that is needed, in MiB.
        mib: u64,
    },
    /// The disk has no room for a restored server.
    #[error("the disk of {} has too little room: make {mib} MiB free there", folder.display())]
    NoRoom {
        /// A folder on the disk.
        folder: PathBuf,
        /// Room that is needed, in MiB.
        mib: u64,
    },
    /// The file is something else.
    #[error("this is not a backup of Parlour; name a file that `parlour backup` has made")]
    NotABackup,
    /// The file cannot be opened with the given passphrase or key.
    #[error(
        "the passphrase or key does not open this backup; try another, or another file if it may be damaged"
    )]
    WrongKey,
    /// The key or passphrase could not be had.
    #[error("{0}")]
    Key(String),
    /// Opening the file would take too much memory.
    #[error(
        "opening this backup would take more memory than any that Parlour makes; it is not one, or it is damaged"
    )]
    ExcessiveWork,
    /// A later version made the backup.
    #[error("the backup was made by parlour {version}, and this is parlour {own}: use {version} or later",
        own = env!("CARGO_PKG_VERSION"))]
    Newer {
        /// The version that made it.
        version: String,
    },
    /// The file is damaged or incomplete.
    #[error("the backup is damaged or incomplete ({0}): take another one")]
    Damaged(String),
    /// There is a server where one is to be restored.
    #[error("{} exists: nothing is overwritten. Restore into another folder, or move that away", .0.display())]
    Occupied(PathBuf),
    /// It was cancelled.
    #[error("this was interrupted, and nothing of it is left; run it again")]
    Cancelled,
}

impl BackupError {
    /// Returns a function for `map_err`: a file or folder cannot be read.
    pub(super) fn reading(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |error| Self::File { verb: "read", path, error }
    }

    /// Returns a function for `map_err`: a file or folder cannot be written.
    pub(super) fn writing(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |error| Self::File { verb: "write", path, error }
    }

    /// Makes the error of a damaged backup.
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}
