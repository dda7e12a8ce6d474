//! The file on this machine that a download is written to. It has its name once it is whole.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::TransferError;
use super::download::Download;

/// A temporary file beside the one that it becomes. Dropping it removes it.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    temporary: TempPath,
    file: File,
    replaces: bool,
}

impl Target {
    /// Makes the temporary file. With `replaces` it may take the place of another.
    ///
    /// # Errors
    /// The folder cannot be written, or there is a file of this name.
    pub fn create(path: &Path, replaces: bool) -> Result<Self, TransferError> {
        let failed = |source| TransferError::Write { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if !replaces && path.symlink_metadata().is_ok() {
            return Err(TransferError::Exists(path.to_owned()));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let made = tempfile::Builder::new().prefix(".parlour-").suffix(".part").tempfile_in(folder);
        let (file, temporary) = made.map_err(failed)?.into_parts();
        Ok(Self { path: path.to_owned(), temporary, file: File::from_std(file), replaces })
    }

    /// Makes the temporary file of the first free name in a folder: `photo.png`, then `photo (2).png`.
    ///
    /// # Errors
    /// The folder cannot be written, or has too many files of this name.
    pub fn create_in(folder: &Path, name: &str) -> Result<Self, TransferError> {
        let (stem, ending) = match name.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
            _ => (name, String::new()),
        };
        for number in 1..MAX_NUMBER {
            let path = match number {
                1 => folder.join(name),
                _ => folder.join(format!("{stem} ({number}){ending}")),
            };
            match Self::create(&path, false) {
                Err(TransferError::Exists(_)) => {}
                made => return made,
            }
        }
        Err(TransferError::Exists(folder.join(name)))
    }

    /// Writes all of a download, and gives the file its name. Returns its path.
    ///
    /// # Errors
    /// The download fails, or the file cannot be written.
    pub async fn fill(mut self, download: &mut Download) -> Result<PathBuf, TransferError> {
        let failed = |source| TransferError::Write { path: self.path.clone(), source };
        copy(download, &mut self.file).await?.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        drop(self.file);
        let named = if self.replaces {
            self.temporary.persist(&self.path)
        } else {
            self.temporary.persist_noclobber(&self.path)
        };
        match named {
            Ok(()) => Ok(self.path),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(TransferError::Exists(self.path))
            }
            Err(error) => Err(TransferError::Write { path: self.path, source: error.error }),
        }
    }
}

/// Limit of numbers behind a name.
const MAX_NUMBER: u32 = 1000;

/// Writes all of a download. The inner error is that of writing.
///
/// # Errors
/// The download fails.
pub async fn copy(
    download: &mut Download,
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<io::Result<()>, TransferError> {
    while let Some(piece) = download.next_piece().await? {
        if let Err(error) = to.write_all(&piece).await {
            return Ok(Err(error));
        }
    }
    Ok(to.flush().await)
}
