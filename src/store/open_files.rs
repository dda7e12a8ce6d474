//! Comparison of the open files with those at their paths.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::folder::log_of;

/// Device and inode of the database and its write-ahead log.
#[derive(Debug)]
pub(super) struct OpenFiles(Vec<(PathBuf, (u64, u64))>);

impl OpenFiles {
    /// Reads them from the paths, where the files were just opened.
    pub fn of(database: &Path) -> Result<Self, StoreError> {
        let files = [database.to_owned(), log_of(database)].into_iter().map(|path| {
            let metadata = fs::metadata(&path).map_err(StoreError::file(&path))?;
            Ok((path, (metadata.dev(), metadata.ino())))
        });
        files.collect::<Result<_, StoreError>>().map(Self)
    }

    /// Fails if one of the files was moved, removed or replaced, because later commits would be gone at the next start.
    pub fn check(&self) -> Result<(), StoreError> {
        for (path, known) in &self.0 {
            match fs::metadata(path) {
                Ok(file) if (file.dev(), file.ino()) == *known => {}
                _ => return Err(StoreError::Displaced(path.clone())),
            }
        }
        Ok(())
    }
}
