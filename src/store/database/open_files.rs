//! Comparison of the open files with those at their paths.

use std::path::{Path, PathBuf};

use super::folder::wal_path;
use crate::platform::files::{FileId, identity};
use crate::store::StoreError;

/// The database and its write-ahead log, as they were opened.
#[derive(Debug)]
pub(in crate::store) struct OpenFiles(Vec<(PathBuf, FileId)>);

impl OpenFiles {
    /// Reads them from the paths, where the files were just opened.
    pub fn for_database(database: &Path) -> Result<Self, StoreError> {
        let files = [database.to_owned(), wal_path(database)].into_iter().map(|path| {
            let known = identity(&path).map_err(StoreError::file(&path))?;
            Ok((path, known))
        });
        files.collect::<Result<_, StoreError>>().map(Self)
    }

    /// Fails if one of the files was moved, removed or replaced, because later commits would be gone at the next start.
    pub fn check(&self) -> Result<(), StoreError> {
        for (path, known) in &self.0 {
            match identity(path) {
                Ok(found) if found == *known => {}
                _ => return Err(StoreError::Displaced(path.clone())),
            }
        }
        Ok(())
    }
}
