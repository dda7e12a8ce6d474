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

/// Name of the file that marks a change as decided.
const MARK: &str = "change.decided";

/// Text of the mark, for a person who finds it.
const MARK_TEXT: &str = "Parlour was interrupted here. The files that end in .new count; the next change, such as \
                         `parlour certs renew`, gives them their names.\n";

/// A file to write.
pub(super) struct New<'a> {
    pub path: &'a Path,
    pub text: &'a str,
    pub secret: bool,
}

/// A folder that is locked for reading or changing. Dropping it unlocks it.
#[derive(Debug)]
pub(super) struct Held {
    folder: PathBuf,
    handle: File,
}

impl Held {
    /// Locks the folder for reading: nothing changes it meanwhile. Returns `None` if there is no folder.
    pub fn to_read(folder: &Path) -> Result<Option<Self>, CertError> {
        let handle = match File::open(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| failed("read", folder, error))?,
        };
        // On a file system without locks, the only danger is commands that run at the same moment.
        let _ = handle.lock_shared();
        Ok(Some(Self { folder: folder.to_owned(), handle }))
    }

    /// Locks the folder for changing. Completes or discards a change that was interrupted.
    pub fn to_change(folder: &Path) -> Result<Self, CertError> {
        let held = Self::hold(folder)?;
        if held.mark().exists() {
            held.publish()?;
        } else {
            held.clear();
        }
        Ok(held)
    }

    /// Locks the folder for changing, without looking for an interrupted change.
    pub fn hold(folder: &Path) -> Result<Self, CertError> {
        let handle = File::open(folder).map_err(|error| failed("read", folder, error))?;
        let _ = handle.lock();
        Ok(Self { folder: folder.to_owned(), handle })
    }

    /// Writes the files, which must be of this folder: all of them or none.
    pub fn write(&self, files: &[New<'_>]) -> Result<(), CertError> {
        if let Err(error) = files.iter().try_for_each(stage) {
            self.clear();
            return Err(error);
        }
        self.sync()?;
        let mark = New { path: &self.mark(), text: MARK_TEXT, secret: false };
        step();
        if let Err(error) = create(mark.path, &mark) {
            // On a full disk the mark may exist all the same, and would decide a change that is reported as failed.
            if fs::remove_file(mark.path).is_ok() || !mark.path.exists() {
                self.clear();
            }
            return Err(failed("write", mark.path, error));
        }
        self.sync()?;
        self.publish()
    }

    /// Removes a file, which may be missing.
    pub fn remove(&self, path: &Path) -> Result<(), CertError> {
        step();
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("write", path, error)),
            _ => self.sync(),
        }
    }

    /// Renames the staged files to their names and removes the mark.
    pub fn publish(&self) -> Result<(), CertError> {
        for staged in self.staged() {
            step();
            fs::rename(&staged, staged.with_extension(""))
                .map_err(|error| failed("write", &staged, error))?;
        }
        self.sync()?;
        self.remove(&self.mark())
    }

    /// Removes the staged files of a change that was not decided.
    pub fn clear(&self) {
        for staged in self.staged() {
            let _ = fs::remove_file(staged);
        }
    }

    /// Returns the staged files that exist.
    fn staged(&self) -> Vec<PathBuf> {
        let ours = ["old-root.pem", "root.key", "root.pem", "server.key", "server.pem"];
        ours.into_iter().map(|name| staging(&self.folder.join(name))).filter(|path| path.exists()).collect()
    }

    fn mark(&self) -> PathBuf {
        self.folder.join(MARK)
    }

    /// Syncs the folder, which makes renames and removals durable.
    pub fn sync(&self) -> Result<(), CertError> {
        step();
        self.handle.sync_all().map_err(|error| failed("write", &self.folder, error))
    }
}

/// Writes a file under its staging name, complete and on disk.
pub(super) fn stage(file: &New<'_>) -> Result<(), CertError> {
    step();
    create(&staging(file.path), file).map_err(|error| failed("write", file.path, error))
}

/// Returns true if the file exists, under the name by which it counts.
pub(super) fn exists(path: &Path) -> bool {
    counting(path).exists()
}

/// Reads a file of the folder, staged or not.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CertError> {
    fs::read(counting(path)).map_err(|error| failed("read", path, error))
}

/// Reads a private key, unless other users can read it too.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let mut file = File::open(counting(path)).map_err(|error| failed("read", path, error))?;
    // The permissions are those of the open file, not of the path, which could be exchanged in between.
    refuse_loose(path, &file)?;
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(|error| failed("read", path, error))?;
    Ok(text)
}

/// Creates a folder that may be missing, with mode 0700 if it is for secrets.
pub(super) fn make_folder(folder: &Path, secret: bool) -> Result<(), CertError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|error| failed("write", folder, error))
}

#[cfg(unix)]
fn refuse_loose(path: &Path, file: &File) -> Result<(), CertError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|error| failed("read", path, error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(CertError::Loose { file: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn refuse_loose(_path: &Path, _file: &File) -> Result<(), CertError> {
    Ok(())
}

/// Returns the path that counts as this file: the staged one, once its change is decided.
fn counting(path: &Path) -> PathBuf {
    let staged = staging(path);
    if path.with_file_name(MARK).exists() && staged.exists() { staged } else { path.to_owned() }
}

fn create(path: &Path, file: &New<'_>) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if file.secret { 0o600 } else { 0o644 });
    }
    let mut created = options.open(path)?;
    created.write_all(file.text.as_bytes())?;
    created.sync_all()
}

/// Returns the staging name of a file. It is always the same, so that the next change overwrites what a crash left.
pub(super) fn staging(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

pub(super) fn failed(verb: &'static str, path: &Path, reason: io::Error) -> CertError {
    CertError::Io { verb, file: path.to_owned(), reason }
}

/// Marks a point between two steps of a change, at which tests crash.
fn step() {
    #[cfg(test)]
    tests::step();
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Runs `change` and crashes it after `steps` steps. Returns true if it came to its end before that.
    pub fn crashing_after(steps: usize, change: impl FnOnce()) -> bool {
        LEFT.set(Some(steps));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(change)).is_ok();
        LEFT.set(None);
        ended
    }

    pub fn step() {
        if let Some(left) = LEFT.get() {
            assert!(left > 0, "a crash");
            LEFT.set(Some(left - 1));
        }
    }
}
