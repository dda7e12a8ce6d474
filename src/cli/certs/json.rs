//! `parlour certs show --json`.

use rustls::pki_types::UnixTime;
use serde::Serialize;

use crate::trust::certs::{CertificateInfo, RotationInfo, Validity};
use crate::wire::Timestamp;

/// The certificates of a server.
#[derive(Serialize)]
pub struct Certificates {
    pin: String,
    /// The root that clients know besides, until it is retired.
    old_pin: Option<String>,
    root: Certificate,
    server: Certificate,
    /// Names and addresses of the server's certificate.
    names: Vec<String>,
}

/// Validity and fingerprints of a certificate.
#[derive(Serialize)]
struct Certificate {
    valid_from: String,
    valid_until: String,
    /// SHA-256 of the certificate, in hexadecimal digits.
    sha256: String,
    /// SHA-256 of its public key.
    public_key_sha256: String,
}

impl From<&CertificateInfo> for Certificates {
    fn from(info: &CertificateInfo) -> Self {
        let certificate =
            |fingerprints: &crate::trust::fingerprint::Fingerprints, validity: Validity| Certificate {
                valid_from: time(validity.from),
                valid_until: time(validity.until),
                sha256: fingerprints.certificate.to_hex(),
                public_key_sha256: fingerprints.public_key.to_hex(),
            };
        Self {
            pin: info.pin.to_string(),
            old_pin: info.rotation.map(|RotationInfo { old_pin, .. }| old_pin.to_string()),
            root: certificate(&info.root_fingerprints, info.root_validity),
            server: certificate(&info.leaf_fingerprints, info.leaf_validity),
            names: info.leaf_names.iter().map(ToString::to_string).collect(),
        }
    }
}

fn time(time: UnixTime) -> String {
    Timestamp(time.as_secs().saturating_mul(1000)).to_string()
}
