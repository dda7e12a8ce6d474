//! The lock that lets one process use a data folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
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
        let lock = Self::lock(file, folder, &path)?;
        // The process id is only for people to read; the lock holds without it.
        let _ = fs::write(files::lock_holder_file(&path), format!("{}\n", std::process::id()));
        Ok(lock)
    }

    /// Locks an existing folder without writing to it. Returns `None` for one that nobody has ever locked, on a file system
    /// where nobody can.
    pub fn acquire_without_writing(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join("lock");
        match File::open(&path) {
            Ok(file) => Self::lock(file, folder, &path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::file(path)(error)),
        }
    }

    fn lock(file: File, folder: &Path, path: &Path) -> Result<Self, StoreError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(files::lock_holder_file(path)).ok();
                let pid = holder.and_then(|text| text.trim().parse().ok());
                Err(StoreError::InUse { folder: folder.into(), pid })
            }
            Err(TryLockError::Error(error)) => Err(StoreError::file(path)(error)),
        }
    }
}

/// Opens a file that only its owner may read, making it if it is missing.
pub(in crate::store) fn open_private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    files::open_private(&mut options, path).map_err(StoreError::file(path))
}
