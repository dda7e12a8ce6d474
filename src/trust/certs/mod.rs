//! The certificate folder: made by [`generate`] and [`renew`], read by [`inspect`] and [`load`].
//!
//! | file | mode | what it is |
//! | --- | --- | --- |
//! | `root.pem` | 0644 | the self-signed root; its key's hash is the pin |
//! | `root.key` | 0600 | its key; needed to issue, not to serve, so it may be kept elsewhere |
//! | `server.pem` | 0644 | the server's certificate, then the root: the chain that clients see |
//! | `server.key` | 0600 | the server's key |

mod error;
mod files;
mod issue;
mod load;
mod names;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::CertError;
pub use issue::{generate, renew};
pub use load::{inspect, load};
pub use names::{Name, NameError, addresses, host_name};
use rustls::sign::CertifiedKey;
use rustls_pki_types::UnixTime;

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
    /// The names and addresses in the server's certificate.
    pub names: Vec<Name>,
    /// When the server's certificate counts.
    pub server: Validity,
    /// When the root counts.
    pub root: Validity,
}

/// Everything that a server needs to prove who it is: checked certificates and the key to them.
#[derive(Clone, Debug)]
pub struct Identity {
    certificates: Certificates,
    key: Arc<CertifiedKey>,
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

    /// The chain and its key, for rustls.
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }
}

/// The paths of the four files.
struct Paths {
    root: PathBuf,
    root_key: PathBuf,
    server: PathBuf,
    server_key: PathBuf,
}

impl Paths {
    fn in_folder(folder: &Path) -> Self {
        Self {
            root: folder.join("root.pem"),
            root_key: folder.join("root.key"),
            server: folder.join("server.pem"),
            server_key: folder.join("server.key"),
        }
    }

    fn all(&self) -> [&Path; 4] {
        [&self.root, &self.root_key, &self.server, &self.server_key]
    }
}
