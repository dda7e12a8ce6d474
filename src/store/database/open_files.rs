//! Comparison of the open files with those at their paths.

use std::io;
use std::path::{Path, PathBuf};

use super::folder::wal_path;
use crate::store::StoreError;

/// Device and inode of the database and its write-ahead log.
#[derive(Debug)]
pub(in crate::store) struct OpenFiles(Vec<(PathBuf, (u64, u64))>);

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

/// Returns device and inode, without the times of the file: once these were queried, Linux gives the next write a time
/// of its own, so that each commit would write the inode of the log too.
#[cfg(target_os = "linux")]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::INO)?;
    Ok((makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino))
}

/// Returns device and inode.
#[cfg(not(target_os = "linux"))]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}
