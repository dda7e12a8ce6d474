//! The folder in which a backup is prepared: within the data folder, or where temporary files are if that disk has no room.
//! It is for its owner only, because it holds a copy of the database.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::BackupError;
use super::manifest::hex;
use crate::core::record::file::FileHash;
use crate::platform::files;
use crate::store::copy;

/// Beginning of the folder's name.
const PREFIX: &str = "parlour-backup-";

/// Room that must be free beside the copy of the database, in bytes.
const RESERVE: u64 = 32 << 20;

/// File in it that is locked as long as somebody uses it.
const LOCK: &str = "lock";

/// Age from which a folder without a lock is nobody's.
const STALE_AGE: Duration = Duration::from_hours(1);

/// Folder of shared files in the data folder.
const CONTENTS: &str = "files";

/// A folder for the preparation of one backup. Dropping it removes it.
pub(super) struct Workspace {
    /// Closed before the folder is removed, as Windows wants it.
    _lock: File,
    folder: TempDir,
    data: PathBuf,
}

impl Workspace {
    /// Makes the folder for so many bytes, and removes those that a killed process has left in the data folder.
    ///
    /// # Errors
    /// [`BackupError::NoRoomForCopy`] if neither disk has room.
    pub fn new(data: &Path, bytes: u64) -> Result<Self, BackupError> {
        remove_stale(data);
        let temporary = std::env::temp_dir();
        let needed = bytes.saturating_add(RESERVE);
        let has_room = |folder: &&Path| !files::disk_space(folder).is_ok_and(|space| space.free < needed);
        let Some(above) = [data, &temporary].into_iter().find(has_room) else {
            let (data, mib) = (data.to_owned(), needed.div_ceil(1 << 20));
            return Err(BackupError::NoRoomForCopy { data, temporary, mib });
        };
        let folder =
            tempfile::Builder::new().prefix(PREFIX).tempdir_in(above).map_err(BackupError::writing(above))?;
        let file = lock_folder(folder.path())?;
        files::make_private(folder.path()).map_err(BackupError::writing(folder.path()))?;
        Ok(Self { _lock: file, folder, data: data.to_owned() })
    }

    /// Returns the path of the copy of the database.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join(copy::DATABASE)
    }

    /// Links the contents of shared files into the workspace, so that none is removed while the backup is written. Where
    /// the file system has no links, the files themselves are read.
    pub fn hold_contents(&self) -> Result<(), BackupError> {
        let held = self.folder.path().join(CONTENTS);
        files::create_private_folder(&held).map_err(BackupError::writing(&held))?;
        for folder in list(&self.data.join(CONTENTS))? {
            let is_of_contents = folder.file_name().is_some_and(|name| name.len() == 2);
            if !is_of_contents || !folder.is_dir() {
                continue;
            }
            for path in list(&folder)? {
                if let Some(name) = path.file_name() {
                    let _ = fs::hard_link(&path, held.join(name));
                }
            }
        }
        Ok(())
    }

    /// Returns the paths and sizes of the contents among `used` that are there.
    pub fn contents(&self, used: &HashSet<FileHash>) -> BTreeMap<FileHash, (PathBuf, u64)> {
        let find = |hash: &FileHash| {
            let held = self.folder.path().join(CONTENTS).join(hex(hash));
            [held, content_path(&self.data, hash)].into_iter().find_map(|path| {
                let size = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?.len();
                Some((*hash, (path, size)))
            })
        };
        used.iter().filter_map(find).collect()
    }
}

/// Returns the path of a content in a data folder.
pub(super) fn content_path(data: &Path, hash: &FileHash) -> PathBuf {
    let name = hex(hash);
    data.join(CONTENTS).join(name.get(..2).unwrap_or_default()).join(name)
}

/// Removes what a process that was killed while it made a backup has left in a data folder.
pub fn remove_stale(data: &Path) {
    remove_unlocked(data, PREFIX, STALE_AGE);
}

/// Removes folders whose names begin so and that nobody has locked, or that have no lock and are of that age.
pub(super) fn remove_unlocked(above: &Path, prefix: &str, age_without_lock: Duration) {
    for folder in list(above).unwrap_or_default() {
        let is_ours =
            folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix));
        let is_folder = folder.symlink_metadata().is_ok_and(|found| found.is_dir());
        if is_ours && is_folder && is_stale(&folder, age_without_lock) {
            // Another user's; the owner's next backup removes it.
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Marks a folder as in use for as long as the file is open.
pub(super) fn lock_folder(folder: &Path) -> Result<File, BackupError> {
    let lock = folder.join(LOCK);
    files::open_private(OpenOptions::new().write(true).create(true).truncate(false), &lock)
        .and_then(|file| file.try_lock().map_err(io::Error::from).map(|()| file))
        .map_err(BackupError::writing(&lock))
}

fn is_stale(folder: &Path, age_without_lock: Duration) -> bool {
    if let Ok(lock) = OpenOptions::new().write(true).open(folder.join(LOCK)) {
        return lock.try_lock().is_ok();
    }
    let made = fs::metadata(folder).and_then(|metadata| metadata.modified());
    made.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age >= age_without_lock))
}

/// Returns the paths in a folder; none of one that does not exist.
fn list(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries,
    };
    entries
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(BackupError::reading(folder))
}
