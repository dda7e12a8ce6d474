//! The certificate folder: made and changed by [`generate`], [`renew`], [`rotate`] and [`retire`], read by [`inspect`]
//! and [`load()`]. [`renewal_status`] decides when the server's certificate needs renewal. [`generate_web_root`] and
//! [`load_web_root`] are for the authority that phones install.
//!
//! | file | mode | content |
//! | --- | --- | --- |
//! | `root.pem` | 0644 | the self-signed root; the hash of its key is the pin |
//! | `root.key` | 0600 | its key; needed to issue, not to serve, so it may be kept elsewhere |
//! | `server.pem` | 0644 | the leaf, then the root: the chain that clients see |
//! | `server.key` | 0600 | the leaf's key |
//! | `old-root.pem` | 0644 | during a rotation: the new root cross-signed by the old one, then the old one |
//! | `web-root.pem` | 0644 | if there is one: the web root |
//! | `web-root.key` | 0600 | its key; needed to renew `web.pem` |
//! | `web.pem` | 0644 | the leaf for browsers, then the web root |
//! | `web.key` | 0600 | the key of that leaf |
//!
//! Each change is atomic (`files`): a crash leaves the old files or the new ones.

mod error;
mod files;
mod issue;
mod lifetimes;
mod load;
mod names;
mod renewal;
#[cfg(test)]
mod tests;
mod web_root;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::CertError;
pub use files::{FILE_NAMES, is_secret_file};
pub use issue::{generate, renew, retire, rotate};
pub use load::{CertificateFile, inspect, load, read_files, root_pem};
pub use names::{SubjectAltName, SubjectAltNameError, host_name, machine_addresses};
pub use renewal::{RenewalStatus, renewal_due, renewal_status};
use rustls::sign::CertifiedKey;
use rustls_pki_types::UnixTime;
pub use web_root::{WebCertificates, generate_web_root, load_web_root};

use super::fingerprint::Fingerprints;
use super::pin::Pin;
use super::verifier::date;

/// Period of validity of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: UnixTime,
    /// The last second.
    pub until: UnixTime,
}

impl Validity {
    /// Returns the last day, `YYYY-MM-DD`, UTC.
    pub fn until_date(self) -> String {
        date(self.until)
    }
}

impl fmt::Display for Validity {
    /// `YYYY-MM-DD to YYYY-MM-DD`, UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", date(self.from), date(self.until))
    }
}

/// Public content of the certificates in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// The server's pin: that of the root.
    pub pin: Pin,
    /// Fingerprints of the leaf.
    pub leaf_fingerprints: Fingerprints,
    /// Fingerprints of the root.
    pub root_fingerprints: Fingerprints,
    /// Names and addresses in the leaf.
    pub leaf_names: Vec<SubjectAltName>,
    /// Validity of the leaf.
    pub leaf_validity: Validity,
    /// Validity of the root.
    pub root_validity: Validity,
    /// Rotation in progress, if any.
    pub rotation: Option<RotationInfo>,
}

/// A rotation: the server presents both roots until the old one is retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationInfo {
    /// Time at which the new root was made.
    pub since: UnixTime,
    /// Pin of the old root.
    pub old_pin: Pin,
}

/// A server's verified certificates and the key of its leaf.
#[derive(Clone, Debug)]
pub struct Identity {
    certificates: CertificateInfo,
    key: Arc<CertifiedKey>,
    can_renew: bool,
}

impl Identity {
    /// Returns the public content of the certificates.
    pub fn certificates(&self) -> &CertificateInfo {
        &self.certificates
    }

    /// Returns the server's pin.
    pub fn pin(&self) -> Pin {
        self.certificates.pin
    }

    /// Returns true if the root's key is present, so that the server can renew its leaf by itself.
    pub fn can_renew(&self) -> bool {
        self.can_renew
    }

    /// Returns the chain and its key, for rustls.
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }
}

/// The certificate folder, and the folder of the root's key: the same one, unless that key is kept away from the
/// server.
#[derive(Clone, Copy, Debug)]
pub struct CertFolders<'a> {
    /// Folder of the certificates.
    pub folder: &'a Path,
    /// Folder of the root's key.
    pub root_key_folder: &'a Path,
}

impl<'a> CertFolders<'a> {
    /// Returns the folder of the root's key, if it is another one.
    fn offline_root_folder(self) -> Option<&'a Path> {
        let same = match (self.folder.canonicalize(), self.root_key_folder.canonicalize()) {
            (Ok(folder), Ok(root_key)) => folder == root_key,
            _ => self.folder == self.root_key_folder,
        };
        (!same).then_some(self.root_key_folder)
    }
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for CertFolders<'a> {
    fn from(folder: &'a P) -> Self {
        Self { folder: folder.as_ref(), root_key_folder: folder.as_ref() }
    }
}

/// Names of the files of the web root: the root, its key, the leaf, its key.
const WEB_FILES: [&str; 4] = ["web-root.pem", "web-root.key", "web.pem", "web.key"];

/// Paths of the files in the certificate folder.
struct CertPaths {
    root: PathBuf,
    root_key_file: PathBuf,
    server: PathBuf,
    server_key: PathBuf,
    old_root: PathBuf,
}

impl CertPaths {
    const ROOT: &str = "root.pem";

    fn from_folders(folders: CertFolders<'_>) -> Self {
        let in_folder = |name| folders.folder.join(name);
        Self {
            root: in_folder(Self::ROOT),
            root_key_file: folders.root_key_folder.join("root.key"),
            server: in_folder("server.pem"),
            server_key: in_folder("server.key"),
            old_root: in_folder("old-root.pem"),
        }
    }

    /// Files that are always present, except for a root's key that is kept elsewhere.
    fn required_files(&self) -> [&Path; 4] {
        [&self.root, &self.root_key_file, &self.server, &self.server_key]
    }
}
