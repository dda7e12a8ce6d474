//! A device: a self-signed certificate with its key, as people make one for SASL EXTERNAL.

use std::sync::Arc;

use parlour::trust::tls;
use rustls::ClientConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};

use super::Server;

/// A certificate and a key, which prove each other unless the certificate is stolen.
pub struct Device {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Device {
    /// A new one.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["a device".to_owned()]).expect("a certificate");
        Self { certificate: made.cert.der().clone(), key: made.signing_key.serialize_der() }
    }

    /// The same certificate in the hands of somebody who has another key.
    pub fn stolen(&self) -> Self {
        Self { certificate: self.certificate.clone(), key: Self::new().key }
    }

    /// SHA-256 of the certificate in 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let digits = |byte: u8| [byte >> 4, byte & 15];
        let digit = |digit: u8| char::from_digit(digit.into(), 16).expect("a digit");
        Sha256::digest(&self.certificate).into_iter().flat_map(digits).map(digit).collect()
    }

    /// How a client connects that shows the certificate.
    pub fn config(&self, server: &Server) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&tls::client_config(server.pin()));
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let key = config.crypto_provider().key_provider.load_private_key(key).expect("a key");
        let shown = CertifiedKey::new(vec![self.certificate.clone()], key);
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(shown));
        Arc::new(config)
    }
}
