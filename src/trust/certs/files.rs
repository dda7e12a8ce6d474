//! Writing keys so that nobody else ever sees them, and refusing those that somebody else can see.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::CertError;

/// A file to write.
pub(super) struct New<'a> {
    pub path: &'a Path,
    pub text: &'a str,
    pub secret: bool,
}

/// What is to happen to a file that is already there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Keep,
    Replace,
}

/// Writes all files or, if the first cannot be written, none: each is complete on disk under another
/// name before any gets its own. Files in the way are an [`io::ErrorKind::AlreadyExists`] unless they
/// may be replaced.
pub(super) fn write(files: &[New<'_>], existing: Existing) -> Result<(), CertError> {
    let staged = files.iter().map(stage).collect::<Result<Vec<_>, _>>();
    let published = staged.and_then(|staged| publish(files, &staged, existing));
    for file in files {
        // Renamed away when all went well.
        let _ = fs::remove_file(staging(file.path));
    }
    published
}

/// Reads a file of the folder.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CertError> {
    fs::read(path).map_err(|error| failed("read", path, error))
}

/// Reads a private key, unless somebody else can read it too.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let mut file = File::open(path).map_err(|error| failed("read", path, error))?;
    // The open file is asked, not the path: it cannot be exchanged in between.
    refuse_loose(path, &file)?;
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).map_err(|error| failed("read", path, error))?;
    Ok(text)
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

/// Writes a file next to its place.
fn stage(file: &New<'_>) -> Result<PathBuf, CertError> {
    let path = staging(file.path);
    let write = || {
        match fs::remove_file(&path) {
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
        let mut staged = options.open(&path)?;
        staged.write_all(file.text.as_bytes())?;
        staged.sync_all()
    };
    write().map_err(|error| failed("write", file.path, error))?;
    Ok(path)
}

/// Gives the staged files their names.
fn publish(files: &[New<'_>], staged: &[PathBuf], existing: Existing) -> Result<(), CertError> {
    for (file, staged) in files.iter().zip(staged) {
        match existing {
            Existing::Replace => fs::rename(staged, file.path),
            // Unlike renaming, linking fails when the name is taken, even by a file made just now.
            Existing::Keep => fs::hard_link(staged, file.path),
        }
        .map_err(|error| failed("write", file.path, error))?;
    }
    #[cfg(unix)]
    if let Some(folder) = files.first().and_then(|file| file.path.parent()) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("write", folder, error))?;
    }
    Ok(())
}

/// Where a file is written first. One name, so that what a crash left is overwritten the next time.
fn staging(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

pub(super) fn failed(verb: &'static str, path: &Path, reason: io::Error) -> CertError {
    CertError::Io { verb, file: path.to_owned(), reason }
}
