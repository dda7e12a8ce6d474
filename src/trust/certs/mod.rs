//! The certificate folder: made and changed by [`generate`], [`renew`], [`rotate`] and [`retire`], read by [`inspect`] and
//! [`load`]. When the server's certificate is to be renewed says [`upkeep()`].
//!
//! | file | mode | what it is |
//! | --- | --- | --- |
//! | `root.pem` | 0644 | the self-signed root; its key's hash is the pin |
//! | `root.key` | 0600 | its key; needed to issue, not to serve, so it may be kept elsewhere |
//! | `server.pem` | 0644 | the server's certificate, then the root: the chain that clients see |
//! | `server.key` | 0600 | the server's key |
//! | `old-root.pem` | 0644 | while the root changes: the new one as the old one signed it, then the old one |
//!
//! Each change is made as a whole (`files`): a crash leaves the old files or the new ones.

mod error;
mod files;
mod issue;
mod life;
mod load;
mod names;
#[cfg(test)]
mod tests;
mod upkeep;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::CertError;
pub use issue::{generate, renew, retire, rotate};
pub use load::{inspect, load, root_pem};
pub use names::{Name, NameError, addresses, host_name};
use rustls::sign::CertifiedKey;
use rustls_pki_types::UnixTime;
pub use upkeep::{Upkeep, due, upkeep};

use super::fingerprint::Fingerprints;
use super::pin::Pin;
use super::verifier::date;

/// From when until when a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: UnixTime,
    /// The last second.
    pub until: UnixTime,
}

impl fmt::Display for Validity {
    /// `YYYY-MM-DD to YYYY-MM-DD`, UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", date(self.from), date(self.until))
    }
}

/// What the certificates in the folder say; nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    /// The pin: that of the root.
    pub pin: Pin,
    /// The fingerprints of the server's certificate.
    pub fingerprints: Fingerprints,
    /// The fingerprints of the root.
    pub root_fingerprints: Fingerprints,
    /// The names and addresses in the server's certificate.
    pub names: Vec<Name>,
    /// When the server's certificate counts.
    pub server: Validity,
    /// When the root counts.
    pub root: Validity,
    /// A change of roots that is under way.
    pub rotating: Option<Rotating>,
}

/// A change of roots: both are shown until the old one is retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotating {
    /// When the new root was made.
    pub since: UnixTime,
    /// The pin of the old one.
    pub old: Pin,
}

/// Everything that a server needs to prove who it is: checked certificates and the key to them.
#[derive(Clone, Debug)]
pub struct Identity {
    certificates: Certificates,
    key: Arc<CertifiedKey>,
    can_renew: bool,
}

impl Identity {
    /// What the certificates say.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The pin of the server.
    pub fn pin(&self) -> Pin {
        self.certificates.pin
    }

    /// The root's key is there, so that the server can renew its certificate by itself.
    pub fn can_renew(&self) -> bool {
        self.can_renew
    }

    /// The chain and its key, for rustls.
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }
}

/// The certificate folder, and the one in which the root's key is: the same, unless that is kept away from the server.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The folder of the certificates.
    pub folder: &'a Path,
    /// The folder of the root's key.
    pub root_key: &'a Path,
}

impl<'a> Place<'a> {
    /// The folder of the root's key, if it is another one.
    fn root_key_elsewhere(self) -> Option<&'a Path> {
        let same = match (self.folder.canonicalize(), self.root_key.canonicalize()) {
            (Ok(folder), Ok(root_key)) => folder == root_key,
            _ => self.folder == self.root_key,
        };
        (!same).then_some(self.root_key)
    }
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for Place<'a> {
    fn from(folder: &'a P) -> Self {
        Self { folder: folder.as_ref(), root_key: folder.as_ref() }
    }
}

/// The paths of the files.
struct Paths {
    root: PathBuf,
    root_key: PathBuf,
    server: PathBuf,
    server_key: PathBuf,
    old_root: PathBuf,
}

impl Paths {
    const ROOT: &str = "root.pem";

    fn of(place: Place<'_>) -> Self {
        let in_folder = |name| place.folder.join(name);
        Self {
            root: in_folder(Self::ROOT),
            root_key: place.root_key.join("root.key"),
            server: in_folder("server.pem"),
            server_key: in_folder("server.key"),
            old_root: in_folder("old-root.pem"),
        }
    }

    /// Those that are always there, but for a root's key that is kept elsewhere.
    fn all(&self) -> [&Path; 4] {
        [&self.root, &self.root_key, &self.server, &self.server_key]
    }
}
