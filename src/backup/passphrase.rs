//! Passphrases in files, and the rule for new ones.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::{BackupError, Protection};
use crate::platform::files::{self, Restriction, restriction_command};

/// Minimum length of a passphrase that a backup is made with, in characters. One that opens an existing backup may be
/// shorter.
pub const MIN_PASSPHRASE_CHARACTERS: usize = 8;

/// Maximum length of a passphrase, in bytes.
pub const MAX_PASSPHRASE_BYTES: u16 = 1024;

impl Protection {
    /// Makes the protection by a passphrase for a new backup.
    ///
    /// # Errors
    /// [`BackupError::Key`] for one that is too short. `source` says where it is from.
    pub fn new_passphrase(text: &Zeroizing<String>, source: &str) -> Result<Self, BackupError> {
        let is_long_enough = text.chars().count() >= MIN_PASSPHRASE_CHARACTERS;
        Self::passphrase(text).filter(|_| is_long_enough).ok_or_else(|| {
            BackupError::Key(format!(
                "the passphrase {source} is too short: it has at least {MIN_PASSPHRASE_CHARACTERS} characters, in the first line"
            ))
        })
    }
}

/// Reads a passphrase from the first line of a file that others cannot read.
///
/// # Errors
/// [`BackupError::Key`], [`BackupError::File`].
pub fn read_passphrase_file(path: &Path) -> Result<Zeroizing<String>, BackupError> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_PASSPHRASE_BYTES.into()));
    let mut file = BufReader::new(open_secret(path)?).take(MAX_PASSPHRASE_BYTES.into());
    file.read_line(&mut text).map_err(BackupError::reading(path))?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    Ok(text)
}

/// Opens a file that only its owner may read.
///
/// # Errors
/// [`BackupError::Key`] if others can read it, [`BackupError::File`].
pub fn open_secret(path: &Path) -> Result<File, BackupError> {
    let file = File::open(path).map_err(BackupError::reading(path))?;
    let access = files::others_access_to_open(&file).map_err(BackupError::reading(path))?;
    let is_file = file.metadata().map_err(BackupError::reading(path))?.is_file();
    if is_file && access.any {
        return Err(BackupError::Key(format!(
            "others can read {} ({}); keep it to yourself: {}",
            path.display(),
            access.shown,
            restriction_command(Restriction::PrivateFile, path)
        )));
    }
    Ok(file)
}
