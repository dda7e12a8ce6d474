//! Backups of a server: one file with its database, files, configuration, certificates and keys.
//!
//! The file is a tar archive in zstd, sealed with its SHA-256 (`seal`) and encrypted with age, so that
//! `age -d FILE | zstd -d | tar x` opens it without this program. The manifest is its first entry; it has the size and the
//! SHA-256 of each part, so that a reader knows what comes and misses nothing. A backup without secrets is not encrypted.
//!
//! A backup is written under a temporary name, read back, and only then named. A restore verifies everything before it
//! makes anything visible.

mod error;
mod manifest;
mod passphrase;
mod protection;
mod read;
mod restore;
mod seal;
mod streams;
#[cfg(test)]
mod tests;
mod workspace;
mod write;

use std::path::PathBuf;

pub use error::BackupError;
pub use manifest::{Contents, Manifest, Part};
pub use passphrase::{MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_CHARACTERS, open_secret, read_passphrase_file};
pub use protection::{Key, KeyKind, Protection, Recipient, read_identities};
pub use read::verify;
pub use restore::{Restored, restore};
pub use workspace::remove_stale;
pub use write::{Written, remove_partial, require_certificates, write_file, write_to};

/// The parts of a server, in the file system.
#[derive(Clone, Debug)]
pub struct Places {
    /// The data folder.
    pub data: PathBuf,
    /// The folder of the certificates.
    pub certs: PathBuf,
    /// The configuration file, which may be missing.
    pub config_file: PathBuf,
}

/// Observer of a backup's progress, by which it can be cancelled.
pub trait Progress {
    /// Begins a step of so many bytes.
    fn begin(&self, step: Step, bytes: u64);
    /// Notes the bytes of the step that are done.
    fn set(&self, bytes: u64);
    /// Returns whether to give up.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Step of the work, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The database is copied.
    Copy,
    /// The backup is written.
    Write,
    /// The backup is read and compared.
    Verify,
}

/// A progress that nobody sees.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hidden;

impl Progress for Hidden {
    fn begin(&self, _: Step, _: u64) {}
    fn set(&self, _: u64) {}
}
