//! Atomic changes of the files of a folder, and private keys that only their owner can read.
//!
//! A change writes each file completely under a staging name, then sets a mark, then renames the files. As soon as the
//! mark exists, the staged files count, under either name. A crash at any point therefore leaves the old folder or the
//! new one, and the next change completes the interrupted one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::CertError;
use crate::platform::files;

/// Name of the file that marks a change as decided.
const DECIDED_MARK: &str = "change.decided";

/// Text of the mark, for the admin who finds it.
const DECIDED_MARK_TEXT: &str = "Parlour was interrupted here. The files that end in .new count; the next change, such as \
                         `parlour certs renew`, gives them their names.\n";

/// Names of all files that a certificate folder may have.
pub const FILE_NAMES: [&str; 9] = [
    "old-root.pem",
    "root.key",
    "root.pem",
    "server.key",
    "server.pem",
    "web-root.pem",
    "web-root.key",
    "web.pem",
    "web.key",
];

/// Returns true for the name of a private key.
pub fn is_secret_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "key")
}

/// A file to write.
pub(super) struct NewFile<'a> {
    pub path: &'a Path,
    pub text: &'a str,
    pub is_secret: bool,
}

/// A folder that is locked for reading or changing. Dropping it unlocks it.
#[derive(Debug)]
pub(super) struct FolderLock {
    folder: PathBuf,
    _handle: File,
}

impl FolderLock {
    /// Locks the folder for reading: nothing changes it meanwhile. Returns `None` if there is no folder.
    pub fn lock_for_reading(folder: &Path) -> Result<Option<Self>, CertError> {
        let handle = match files::open_for_lock(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| io_error("read", folder, error))?,
        };
        // On a file system without locks, the only danger is commands that run at the same moment.
        let _ = handle.lock_shared();
        Ok(Some(Self { folder: folder.to_owned(), _handle: handle }))
    }

    /// Locks the folder for changing. Completes or discards a change that was interrupted.
    pub fn lock_for_change(folder: &Path) -> Result<Self, CertError> {
        let held = Self::lock_exclusive(folder)?;
        if held.mark_path().exists() {
            held.publish_staged()?;
        } else {
            held.discard_staged();
        }
        Ok(held)
    }

    /// Locks the folder for changing, without looking for an interrupted change.
    pub fn lock_exclusive(folder: &Path) -> Result<Self, CertError> {
        let handle = files::open_for_lock(folder).map_err(|error| io_error("read", folder, error))?;
        let _ = handle.lock();
        Ok(Self { folder: folder.to_owned(), _handle: handle })
    }

    /// Writes the files, which must be of this folder: all of them or none.
    pub fn write_all_or_none(&self, files: &[NewFile<'_>]) -> Result<(), CertError> {
        if let Err(error) = files.iter().try_for_each(write_staged) {
            self.discard_staged();
            return Err(error);
        }
        self.sync_folder()?;
        let mark_file = NewFile { path: &self.mark_path(), text: DECIDED_MARK_TEXT, is_secret: false };
        crash_point();
        if let Err(error) = create(mark_file.path, &mark_file) {
            // On a full disk the mark may exist all the same, and would decide a change that is reported as failed.
            if fs::remove_file(mark_file.path).is_ok() || !mark_file.path.exists() {
                self.discard_staged();
            }
            return Err(io_error("write", mark_file.path, error));
        }
        self.sync_folder()?;
        self.publish_staged()
    }

    /// Removes a file, which may be missing.
    pub fn remove(&self, path: &Path) -> Result<(), CertError> {
        crash_point();
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("write", path, error)),
            _ => self.sync_folder(),
        }
    }

    /// Renames the staged files to their names and removes the mark.
    pub fn publish_staged(&self) -> Result<(), CertError> {
        for staged in self.staged_files() {
            crash_point();
            fs::rename(&staged, staged.with_extension(""))
                .map_err(|error| io_error("write", &staged, error))?;
        }
        self.sync_folder()?;
        self.remove(&self.mark_path())
    }

    /// Removes the staged files of a change that was not decided.
    pub fn discard_staged(&self) {
        for staged in self.staged_files() {
            let _ = fs::remove_file(staged);
        }
    }

    /// Returns the staged files that exist.
    fn staged_files(&self) -> Vec<PathBuf> {
        FILE_NAMES
            .into_iter()
            .map(|name| staging_path(&self.folder.join(name)))
            .filter(|path| path.exists())
            .collect()
    }

    fn mark_path(&self) -> PathBuf {
        self.folder.join(DECIDED_MARK)
    }

    /// Syncs the folder, which makes renames and removals durable.
    pub fn sync_folder(&self) -> Result<(), CertError> {
        crash_point();
        files::sync_folder(&self.folder).map_err(|error| io_error("write", &self.folder, error))
    }
}

/// Writes a file under its staging name, complete and on disk.
pub(super) fn write_staged(file: &NewFile<'_>) -> Result<(), CertError> {
    crash_point();
    create(&staging_path(file.path), file).map_err(|error| io_error("write", file.path, error))
}

/// Returns true if the file exists, under the name by which it counts.
pub(super) fn exists(path: &Path) -> bool {
    current_path(path).exists()
}

/// Reads a file of the folder, staged or not.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CertError> {
    fs::read(current_path(path)).map_err(|error| io_error("read", path, error))
}

/// Reads a private key, unless other users can read it too.
pub(super) fn read_private_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let mut file = File::open(current_path(path)).map_err(|error| io_error("read", path, error))?;
    // The permissions are those of the open file, not of the path, which could be exchanged in between.
    check_key_permissions(path, &file)?;
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(|error| io_error("read", path, error))?;
    Ok(text)
}

/// Creates a folder that may be missing, for its owner only if it is for secrets.
pub(super) fn create_folder(folder: &Path, secret: bool) -> Result<(), CertError> {
    let created = if secret { files::create_private_folder(folder) } else { fs::create_dir_all(folder) };
    created.map_err(|error| io_error("write", folder, error))
}

fn check_key_permissions(path: &Path, file: &File) -> Result<(), CertError> {
    let access = files::others_access_to_open(file).map_err(|error| io_error("read", path, error))?;
    if access.any {
        return Err(CertError::InsecureKeyFile { file: path.to_owned(), shown: access.shown });
    }
    Ok(())
}

/// Returns the path that counts as this file: the staged one, once its change is decided.
fn current_path(path: &Path) -> PathBuf {
    let staged = staging_path(path);
    if path.with_file_name(DECIDED_MARK).exists() && staged.exists() { staged } else { path.to_owned() }
}

fn create(path: &Path, file: &NewFile<'_>) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let open = if file.is_secret { files::open_private } else { files::open_readable };
    let mut created = open(&mut options, path)?;
    if let Some(folder) = path.parent() {
        files::give_to_owner_of(&created, folder);
    }
    created.write_all(file.text.as_bytes())?;
    created.sync_all()
}

/// Returns the staging name of a file. It is always the same, so that the next change overwrites what a crash left.
pub(super) fn staging_path(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

pub(super) fn io_error(verb: &'static str, path: &Path, reason: io::Error) -> CertError {
    CertError::Io { verb, file: path.to_owned(), reason }
}

/// Marks a point between two steps of a change, at which tests crash.
fn crash_point() {
    #[cfg(test)]
    tests::crash_point();
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Runs `change` and crashes it after `steps` steps. Returns true if it came to its end before that.
    pub fn crashes_after_steps(steps: usize, change: impl FnOnce()) -> bool {
        LEFT.set(Some(steps));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(change)).is_ok();
        LEFT.set(None);
        ended
    }

    pub fn crash_point() {
        if let Some(left) = LEFT.get() {
            assert!(left > 0, "a crash");
            LEFT.set(Some(left - 1));
        }
    }
}
