//! Comparison of the open files with those at their paths.

use std::io;
use std::path::{Path, PathBuf};

use super::folder::wal_path;
use crate::store::StoreError;

/// The database and its write-ahead log, as they were opened.
#[derive(Debug)]
pub(in crate::store) struct OpenFiles(Vec<(PathBuf, FileId)>);

/// Identity of a file on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

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

/// Returns the identity of a file, without the times of the file: once these were queried, Linux gives the next write a time
/// of its own, so that each commit would write the inode of the log too.
#[cfg(target_os = "linux")]
fn identity(path: &Path) -> io::Result<FileId> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::INO)?;
    Ok(FileId { device: makedev(found.stx_dev_major, found.stx_dev_minor), inode: found.stx_ino })
}

/// Returns the identity of a file.
#[cfg(not(target_os = "linux"))]
fn identity(path: &Path) -> io::Result<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path)?;
    Ok(FileId { device: found.dev(), inode: found.ino() })
}
