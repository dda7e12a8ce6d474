//! A device: a self-signed certificate with its key, as users generate one for SASL EXTERNAL.

use std::sync::Arc;

use parlour::trust::tls;
use rustls::ClientConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};

use super::{Client, Server};

/// A certificate and a key, which belong together unless the certificate is stolen.
pub struct Device {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Device {
    /// Generates a device.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["a device".to_owned()]).expect("a certificate");
        Self { certificate: made.cert.der().clone(), key: made.signing_key.serialize_der() }
    }

    /// Returns the same certificate with another key, as a thief of the certificate has it.
    pub fn with_stolen_certificate(&self) -> Self {
        Self { certificate: self.certificate.clone(), key: Self::new().key }
    }

    /// Returns the same key with a certificate of X.509 version 1, as `openssl req -x509 -x509v1` makes it: without a
    /// version and without extensions. Its signature is copied and wrong; nothing verifies it.
    pub fn with_version_1(&self) -> Self {
        let (_, whole, _) = split_der_element(&self.certificate);
        let (_, to_be_signed, signature) = split_der_element(whole);
        let mut rest = to_be_signed;
        let mut kept = Vec::new();
        while !rest.is_empty() {
            let (tag, _, behind) = split_der_element(rest);
            let this = &rest[..rest.len() - behind.len()];
            if ![0xa0, 0xa3].contains(&tag) {
                kept.extend_from_slice(this);
            }
            rest = behind;
        }
        let certificate = der_sequence(&[der_sequence(&kept), signature.to_vec()].concat());
        Self { certificate: certificate.into(), key: self.key.clone() }
    }

    /// Returns the SHA-256 of the certificate in 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let digits = |byte: u8| [byte >> 4, byte & 15];
        let digit = |digit: u8| char::from_digit(digit.into(), 16).expect("a digit");
        Sha256::digest(&self.certificate).into_iter().flat_map(digits).map(digit).collect()
    }

    /// Returns the configuration of a client that presents the certificate.
    pub fn config(&self, server: &Server) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&tls::client_config(server.pin()));
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let key = config.crypto_provider().key_provider.load_private_key(key).expect("a key");
        let shown = CertifiedKey::new(vec![self.certificate.clone()], key);
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(shown));
        Arc::new(config)
    }
}

/// Splits off the first DER element. Returns its tag, its content, and the rest.
fn split_der_element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (tag, length) = (der[0], usize::from(der[1]));
    let (start, length) = if length < 0x80 {
        (2, length)
    } else {
        let digits = &der[2..2 + (length & 0x7f)];
        (2 + digits.len(), digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit)))
    };
    (tag, &der[start..start + length], &der[start + length..])
}

/// Encodes a DER sequence of less than 64 KiB.
fn der_sequence(inside: &[u8]) -> Vec<u8> {
    let length = u16::try_from(inside.len()).expect("short").to_be_bytes();
    [&[0x30, 0x82], &length[..], inside].concat()
}

/// Removes all devices of an account that has the password [`PASSWORD`](super::PASSWORD).
#[track_caller]
pub fn remove_devices(server: &Server, name: &str) {
    let mut client = Client::login(server, name);
    let database = server.home.database();
    let mut devices = database.prepare("SELECT lower(hex(key)) FROM devices").expect("a query");
    let devices = devices.query_map([], |row| row.get::<_, String>(0)).expect("devices");
    for print in devices {
        let answer = client.request(&format!("CERT DEL {}", print.expect("a fingerprint")));
        assert!(answer[0].starts_with("NOTE CERT CERT_REMOVED"), "{answer:?}");
    }
}
