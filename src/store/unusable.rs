//! Data folders on which no server may run, and their remedies.

use std::path::PathBuf;

use crate::platform::files::{Restriction, restriction_command};
use crate::wire::Timestamp;

/// Defect of a data folder that makes it unusable. Nothing was changed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnusableDatabase {
    /// Other users of the machine can change the folder or a file in it.
    WritableByOthers {
        /// The folder or file.
        path: PathBuf,
        /// Its permissions, as the system shows them.
        shown: String,
    },
    /// The file has no bytes.
    Empty(PathBuf),
    /// The file does not begin as an SQLite database does.
    NotADatabase(PathBuf),
    /// The file ends before its last page.
    Truncated(PathBuf),
    /// SQLite cannot read it.
    Damaged {
        /// Path of the database.
        path: PathBuf,
        /// The text of SQLite's error.
        cause: String,
    },
    /// An SQLite database without tables.
    NoTables(PathBuf),
    /// An SQLite database, but not one of Parlour.
    ForeignDatabase(PathBuf),
    /// Parlour's tables, with `user_version` 0, which Parlour never leaves behind.
    NoVersion(PathBuf),
    /// The database is gone, but files beside it show that there was one.
    Missing(PathBuf),
    /// The database was in use when it was copied or lost its write-ahead log.
    LogLeftBehind(PathBuf),
    /// The write-ahead log belongs to another database, or to another state of this one.
    ForeignLog(PathBuf),
    /// The database is not the one that the last server ran on.
    Replaced(PathBuf),
    /// The database ends before the last confirmed change.
    MissingCommits {
        /// Path of the database.
        path: PathBuf,
        /// Time of the last message in it.
        has: Timestamp,
        /// Time of the last message that was confirmed.
        confirmed: Timestamp,
        /// Count of missing confirmed changes other than messages.
        changes: u64,
    },
}

impl UnusableDatabase {
    /// Returns the description of the defect, without a full stop.
    pub fn description(&self) -> String {
        match self {
            Self::WritableByOthers { path, shown } => {
                format!("other users of this machine can change {} ({shown})", path.display())
            }
            Self::Empty(path) => format!("the database {} is empty", path.display()),
            Self::NotADatabase(path) => format!("{} is not an SQLite database", path.display()),
            Self::Truncated(path) => {
                format!("the database {} is truncated: its last pages are missing", path.display())
            }
            Self::Damaged { path, cause: why } => {
                format!("the database {} is damaged ({why})", path.display())
            }
            Self::NoTables(path) => format!(
                "the database {0} has no tables: it was copied without its write-ahead log {0}-wal, or never used",
                path.display()
            ),
            Self::ForeignDatabase(path) => {
                format!("{} is an SQLite database, but not one of Parlour", path.display())
            }
            Self::NoVersion(path) => {
                format!(
                    "the database {} has tables and no schema version (user_version is 0)",
                    path.display()
                )
            }
            Self::Missing(path) => {
                format!("the database {} is missing, and a server ran in this folder", path.display())
            }
            Self::LogLeftBehind(path) => format!(
                "the database {0} was in use when it was copied, and its write-ahead log {0}-wal is not here: the latest \
                 changes are missing",
                path.display()
            ),
            Self::ForeignLog(path) => format!(
                "the write-ahead log {0}-wal does not belong to the database {0}: together they would be a damaged \
                 database",
                path.display()
            ),
            Self::Replaced(path) => {
                format!("the database {} is not the one that the last server ran on", path.display())
            }
            Self::MissingCommits { path, has, confirmed, changes } => {
                let lost = if confirmed > has {
                    format!("it ends at {has}, and messages up to {confirmed} were confirmed")
                } else {
                    format!("{changes} changes of accounts, channels or settings")
                };
                format!("the database {} lacks what was confirmed: {lost}", path.display())
            }
        }
    }

    /// Returns the remedy: sentences without the last full stop.
    pub fn remedy(&self) -> String {
        let accept = "To go on with what is here, run `parlour doctor --accept-loss` with the same --data";
        match self {
            Self::WritableByOthers { path, .. } => {
                let private =
                    if path.is_dir() { Restriction::PrivateFolder } else { Restriction::PrivateFile };
                let command = restriction_command(private, path);
                format!("Look whether somebody changed it, then run `{command}`")
            }
            Self::Empty(path) | Self::NotADatabase(path) | Self::Truncated(path) => format!(
                "Put a backup back (`parlour restore`). To begin anew, without accounts and messages, move {} away",
                folder(path)
            ),
            Self::Damaged { path, .. } => format!(
                "Keep a copy of {0} and put a backup back. Without one, save what can be read: `sqlite3 {1} .recover | \
                 sqlite3 rescued.db`",
                folder(path),
                path.display()
            ),
            Self::NoTables(path) => format!(
                "Copy parlour.db and parlour.db-wal together into {0}, while no server runs on them, or put a backup of \
                 `parlour backup` back. To begin anew, without accounts and messages, move {0} away",
                folder(path)
            ),
            Self::ForeignDatabase(path) => format!(
                "Name the right folder with --data, or put Parlour's database back as {}",
                path.display()
            ),
            Self::NoVersion(path) => format!(
                "Some other program changed it. Put a backup back, or ask who runs this machine what was done to {}",
                path.display()
            ),
            Self::Missing(path) => format!(
                "Put {} and its -wal file back. To begin anew, without accounts and messages, move {} away",
                path.display(),
                folder(path)
            ),
            Self::LogLeftBehind(path) => format!(
                "Copy parlour.db and parlour.db-wal together into {}, while no server runs on them, or put a backup back: \
                 `parlour backup` makes a complete one of a running server. {accept}",
                folder(path)
            ),
            Self::ForeignLog(path) => format!(
                "Put the database and the log of the same moment back. To go on without what is in the log, move \
                 {}-wal away",
                path.display()
            ),
            Self::Replaced(_) | Self::MissingCommits { .. } => {
                format!("Put the latest database and its -wal file back, if there are such. {accept}")
            }
        }
    }
}

impl std::fmt::Display for UnusableDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}. {}", self.description(), self.remedy())
    }
}

fn folder(database: &std::path::Path) -> String {
    database.parent().unwrap_or(database).display().to_string()
}
