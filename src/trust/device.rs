//! A device's key and certificate, by which a client logs in without a password.

use std::fmt;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::fingerprint::Fingerprint;

/// A device's certificate and private key. `Debug` shows nothing of the key.
#[derive(Clone)]
pub struct DeviceIdentity {
    certificate: CertificateDer<'static>,
    key: Arc<PrivatePkcs8KeyDer<'static>>,
}

/// Error of making or reading a device's certificate and key. The texts are for users.
#[derive(Debug, thiserror::Error)]
pub enum DeviceIdentityError {
    /// Key or certificate generation failed.
    #[error("cannot make a device's key: {0}")]
    Generate(#[from] rcgen::Error),
    /// The PEM text does not hold a certificate and a key.
    #[error("it holds no certificate and key: {0}")]
    Parse(String),
}

impl DeviceIdentity {
    /// Generates a device: an ECDSA P-256 key and a self-signed certificate that names no account. Also returns both as
    /// PEM, to be stored in a file that only its owner can read.
    pub fn generate() -> Result<(Self, Zeroizing<String>), DeviceIdentityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Parlour device");
        let certificate = params.self_signed(&key)?;
        let pem = Zeroizing::new([certificate.pem(), key.serialize_pem()].concat());
        Ok((Self::from_pem(&pem)?, pem))
    }

    /// Parses the PEM text that [`generate`](Self::generate) returned.
    pub fn from_pem(pem: &str) -> Result<Self, DeviceIdentityError> {
        let parse_error = |error: rustls_pki_types::pem::Error| DeviceIdentityError::Parse(error.to_string());
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(parse_error)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(parse_error)?;
        Ok(Self { certificate, key: Arc::new(key) })
    }

    /// Returns the SHA-256 of the certificate.
    pub fn certificate_hash(&self) -> [u8; 32] {
        super::certificate_hash(&self.certificate)
    }

    /// Returns the fingerprint of the certificate, by which servers know the device.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(self.certificate_hash())
    }

    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key().into()
    }
}

impl fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceIdentity(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_pem_parses_back_and_debug_hides_key() {
        let (made, pem) = DeviceIdentity::generate().expect("made");
        let read = DeviceIdentity::from_pem(&pem).expect("read");
        assert_eq!(made.certificate_hash(), read.certificate_hash());
        assert_ne!(
            made.certificate_hash(),
            DeviceIdentity::generate().expect("another").0.certificate_hash()
        );
        assert_eq!(format!("{made:?}"), "DeviceIdentity(…)");
        for bad in ["", "x", pem.split("-----BEGIN PRIVATE").next().expect("a certificate")] {
            assert!(matches!(DeviceIdentity::from_pem(bad), Err(DeviceIdentityError::Parse(_))), "{bad}");
        }
    }
}
