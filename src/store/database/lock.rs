//! The lock that lets one process use a data folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use crate::platform::files;
use crate::store::StoreError;

/// Holds the lock until it is dropped or the process ends, in whatever way.
#[derive(Debug)]
pub(in crate::store) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder if it is missing (mode 0700) and locks it.
    pub fn acquire(folder: &Path) -> Result<Self, StoreError> {
        files::create_private_folder(folder).map_err(StoreError::file(folder))?;
        let path = folder.join("lock");
        let file = open_private_file(&path)?;
        let holder = files::lock_holder_file(&path);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(holder).ok().and_then(|text| text.trim().parse().ok());
                return Err(StoreError::InUse { folder: folder.into(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::file(path)(error)),
        }
        // The process id is only for people to read; the lock holds without it.
        let _ = fs::write(holder, format!("{}\n", std::process::id()));
        Ok(Self { _file: file })
    }
}

/// Opens a file that only its owner may read, making it if it is missing.
pub(in crate::store) fn open_private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    files::open_private(&mut options, path).map_err(StoreError::file(path))
}
