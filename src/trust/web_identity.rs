//! The server's identity for browsers, replaceable while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use webpki::EndEntityCert;
use zeroize::Zeroizing;

use super::certs::WebCertificates;
use super::live_identity::LiveIdentity;
use super::provider::crypto_provider;

/// A certificate of the operator's for public names, one under the web root for phones, and the server's own for all
/// others.
///
/// The operator's is shown to those alone who ask for one of its names over HTTP: clients of IRC verify the server by
/// its pin, which neither of the two leads to. That under the web root is shown for its names, and to browsers that
/// connect to an address, which they do not tell.
#[derive(Debug)]
pub struct WebIdentity {
    own: Arc<LiveIdentity>,
    public: RwLock<Option<Arc<CertifiedKey>>>,
    phones: RwLock<Option<Arc<WebCertificates>>>,
}

/// Paths of the operator's certificate and key.
#[derive(Clone, Copy, Debug)]
pub struct PublicCertificate<'a> {
    /// The certificate, followed by those that lead to its authority, as PEM.
    pub chain: &'a Path,
    /// Its key, as PEM.
    pub key: &'a Path,
}

/// Error of loading the operator's certificate. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum WebIdentityError {
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}; `certificate` and `key` in [web] name PEM files that the server may read", path = .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        reason: std::io::Error,
    },
    /// A file holds something else.
    #[error("{path} holds no {what} in PEM; `certificate` and `key` in [web] name such files", path = .path.display())]
    Parse {
        /// Path of the file.
        path: PathBuf,
        /// Content that the file lacks, such as `certificate`.
        what: &'static str,
    },
    /// The key belongs to another certificate, or is of an unknown kind.
    #[error("{path} is not the key of the certificate ({reason}); renew both together", path = .path.display())]
    Key {
        /// The file of the key.
        path: PathBuf,
        /// Error of rustls.
        reason: rustls::Error,
    },
}

impl PublicCertificate<'_> {
    /// Loads the certificate and its key.
    ///
    /// # Errors
    /// A file cannot be read or holds something else, or the key belongs to another certificate.
    pub fn load(self) -> Result<Arc<CertifiedKey>, WebIdentityError> {
        let read = |path: &Path| {
            fs::read(path)
                .map(Zeroizing::new)
                .map_err(|reason| WebIdentityError::Read { path: path.to_owned(), reason })
        };
        let parse_error = |path: &Path, what| WebIdentityError::Parse { path: path.to_owned(), what };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(self.chain)?)
            .collect::<Result<_, _>>()
            .map_err(|_| parse_error(self.chain, "certificate"))?;
        if chain.first().is_none_or(|certificate| EndEntityCert::try_from(certificate).is_err()) {
            return Err(parse_error(self.chain, "certificate"));
        }
        let key =
            PrivateKeyDer::from_pem_slice(&read(self.key)?).map_err(|_| parse_error(self.key, "key"))?;
        let key_error = |reason| WebIdentityError::Key { path: self.key.to_owned(), reason };
        let key = crypto_provider().key_provider.load_private_key(key).map_err(key_error)?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(key_error)?;
        Ok(Arc::new(certified))
    }
}

impl WebIdentity {
    /// Creates the identity, with the operator's certificate and the web root as far as there are any.
    pub fn new(
        own: Arc<LiveIdentity>,
        public: Option<Arc<CertifiedKey>>,
        phones: Option<WebCertificates>,
    ) -> Self {
        Self { own, public: RwLock::new(public), phones: RwLock::new(phones.map(Arc::new)) }
    }

    /// Returns the web root with its leaf, if there is one.
    pub fn web_certificates(&self) -> Option<Arc<WebCertificates>> {
        self.phones.read().clone()
    }

    /// Replaces the web root and its leaf for new connections.
    pub fn replace_web_certificates(&self, phones: Option<WebCertificates>) {
        *self.phones.write() = phones.map(Arc::new);
    }

    /// Replaces the operator's certificate for new connections, by one that was [loaded](PublicCertificate::load).
    pub fn replace(&self, public: Option<Arc<CertifiedKey>>) {
        *self.public.write() = public;
    }
}

impl ResolvesServerCert for WebIdentity {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = client.server_name();
        let public = self.public.read().clone();
        if let Some(public) = public.filter(|public| name.is_some_and(|name| is_for(public, name))) {
            return Some(public);
        }
        let for_phones = self.web_certificates().map(|phones| phones.certified_key());
        match for_phones.filter(|phones| name.is_none_or(|name| is_for(phones, name))) {
            Some(phones) => Some(phones),
            None => self.own.resolve(client),
        }
    }
}

fn is_for(key: &CertifiedKey, name: &str) -> bool {
    let certificate = key.cert.first().and_then(|certificate| EndEntityCert::try_from(certificate).ok());
    let name = ServerName::try_from(name).ok();
    certificate
        .zip(name)
        .is_some_and(|(certificate, name)| certificate.verify_is_valid_for_subject_name(&name).is_ok())
}
