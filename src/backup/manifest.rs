//! The manifest of a backup: its first entry, in JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::BackupError;
use crate::core::record::file::FileHash;
use crate::store::copy::Counts;

/// Name of the manifest's entry.
pub(super) const NAME: &str = "parlour-backup.json";

/// Names of the other entries. Those of certificates and files are below folders.
pub(super) const DATABASE: &str = crate::store::copy::DATABASE;
pub(super) const CONFIG: &str = "parlour.toml";
pub(super) const CERTS: &str = "certs/";
pub(super) const FILES: &str = "files/";

/// Version of the format. A reader refuses later ones.
pub(super) const FORMAT: u32 = 1;

/// Maximum size of a manifest, in bytes, many times as much as one has.
pub(super) const MAX_BYTES: u64 = 256 * 1024;

/// Maximum size of the configuration and of each certificate or key, in bytes.
pub(super) const MAX_TEXT_BYTES: u64 = 4 << 20;

/// Description of a backup, with the checksums of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format: u32,
    /// Version of the program that made it.
    pub parlour: String,
    /// Version of the database's schema.
    pub schema: u32,
    /// Time of its beginning, RFC 3339 in UTC.
    pub created: String,
    /// Name of the network.
    pub name: String,
    /// Pin of the server, if it has certificates.
    pub pin: Option<String>,
    /// True with password hashes, keys and tokens.
    pub secrets: bool,
    /// Counts of what the database has.
    pub counts: Counts,
    /// Copy of the database, as [`copy`](crate::store::copy::copy) made it.
    pub database: Part,
    /// The contents of shared files.
    pub files: Contents,
    /// The configuration, if there is a file of it.
    pub config: Option<Part>,
    /// The certificates and keys, by the names of their files.
    pub certs: BTreeMap<String, Part>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Size, in bytes.
    pub bytes: u64,
    /// SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// The contents of shared files. Each is named by its own SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Count of the contents.
    pub count: u64,
    /// Size of all together, in bytes.
    pub bytes: u64,
    /// SHA-256 over their hashes in ascending order, in hexadecimal digits.
    pub sha256: String,
    /// Count of the contents that the database knows and that were not in the server's folder.
    pub missing: u64,
}

/// The part of a manifest that each version can read.
#[derive(Deserialize)]
struct Head {
    format: u32,
    parlour: String,
}

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Errors
    /// [`BackupError::Newer`] for a later format.
    pub(super) fn parse(text: &[u8]) -> Result<Self, BackupError> {
        let head: Head = serde_json::from_slice(text).map_err(|_| BackupError::NotABackup)?;
        if head.format > FORMAT {
            return Err(BackupError::Newer { version: printable(&head.parlour) });
        }
        serde_json::from_slice(text).map_err(|_| BackupError::damaged("its manifest cannot be read"))
    }

    /// Returns the size of everything but the manifest, in bytes.
    pub fn total_bytes(&self) -> u64 {
        let texts = self.certs.values().chain(&self.config).map(|part| part.bytes);
        texts.chain([self.database.bytes, self.files.bytes]).fold(0, u64::saturating_add)
    }
}

impl Part {
    /// Describes a text that is in memory.
    pub(super) fn of(text: &[u8]) -> Self {
        Self { bytes: text.len() as u64, sha256: hex(&Sha256::digest(text)) }
    }
}

/// Returns the digest of the hashes of contents.
pub(super) fn digest_of_hashes<'a>(hashes: impl Iterator<Item = &'a FileHash>) -> String {
    hex(&hashes.fold(Sha256::new(), Sha256::chain_update).finalize())
}

/// Returns bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns a text of a file that somebody else may have made, for a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(32).collect()
}
