//! The lock that lets one process use a data folder.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::store::StoreError;

/// Holds the lock until it is dropped or the process ends, in whatever way.
#[derive(Debug)]
pub(in crate::store) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder if it is missing (mode 0700) and locks it.
    pub fn acquire(folder: &Path) -> Result<Self, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StoreError::file(folder))?;
        let path = folder.join("lock");
        let mut file = open_private_file(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(StoreError::InUse { folder: folder.into(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::file(path)(error)),
        }
        // The process id is only for people to read; the lock holds without it.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Self { _file: file })
    }
}

/// Opens a file that only its owner may read, making it if it is missing.
pub(in crate::store) fn open_private_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(StoreError::file(path))
}
