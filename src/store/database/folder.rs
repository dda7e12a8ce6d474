//! Checks of the data folder before its database is opened: permissions, and the form of the database file.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::position;
use crate::platform::files;
use crate::store::unusable::UnusableDatabase;
use crate::store::{StoreError, with_suffix};

/// First bytes of every SQLite database (<https://www.sqlite.org/fileformat.html#the_database_header>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Size of the header, in bytes.
const HEADER_BYTES: usize = 100;

/// Files that other users may not change, because a change to any of them changes the server's data.
const DATABASE_FILES: [&str; 7] = [
    "parlour.db",
    "parlour.db-wal",
    "parlour.db-shm",
    "search.db",
    "search.db-wal",
    "search.db-shm",
    position::FILE_NAME,
];

/// Returns the path of a database's write-ahead log.
pub(in crate::store) fn wal_path(database: &Path) -> PathBuf {
    with_suffix(database, "-wal")
}

/// Refuses a folder that users other than its owner can write to, or that has files which they can write to.
pub(in crate::store) fn check_permissions(folder: &Path) -> Result<(), StoreError> {
    for path in std::iter::once(folder.to_owned()).chain(DATABASE_FILES.map(|file| folder.join(file))) {
        let Ok(access) = files::others_access(&path) else { continue };
        if access.write {
            return Err(UnusableDatabase::WritableByOthers { path, shown: access.shown }.into());
        }
    }
    Ok(())
}

/// Returns true if there is a database. Refuses a file that cannot be one, and a folder that has lost its database.
pub(in crate::store) fn check_file(database: &Path) -> Result<bool, StoreError> {
    let log = fs::metadata(wal_path(database)).map_or(0, |log| log.len());
    let mut file = match File::open(database) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let was_here = log > 0 || database.with_file_name(position::FILE_NAME).exists();
            return if was_here { Err(UnusableDatabase::Missing(database.into()).into()) } else { Ok(false) };
        }
        Err(error) => return Err(StoreError::file(database)(error)),
    };
    let size = file.metadata().map_err(StoreError::file(database))?.len();
    // All data may still be in the log.
    if size == 0 && log > 0 {
        return Ok(true);
    }
    if size == 0 {
        return Err(UnusableDatabase::Empty(database.into()).into());
    }
    let mut header = [0; HEADER_BYTES];
    let read = file.read(&mut header).map_err(StoreError::file(database))?;
    let begins = MAGIC.iter().zip(&header).take(read).all(|(a, b)| a == b);
    if !begins {
        return Err(UnusableDatabase::NotADatabase(database.into()).into());
    }
    // After an interrupted checkpoint some pages may still be in the log only.
    if read < HEADER_BYTES || (log == 0 && size < expected_size(&header)) {
        return Err(UnusableDatabase::Truncated(database.into()).into());
    }
    Ok(true)
}

/// Returns the size of a database according to its header; 0 if the header does not have it.
fn expected_size(header: &[u8; HEADER_BYTES]) -> u64 {
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        u64::from(u32::from_be_bytes(bytes))
    };
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // The count of pages is valid if the change counter is that of the version which wrote it.
    if number(24) == number(92) { page * number(28) } else { 0 }
}
