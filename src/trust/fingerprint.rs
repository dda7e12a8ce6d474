//! Fingerprints of the server's certificate, in the spellings of other programs.

use std::fmt::Write as _;

use rustls_pki_types::CertificateDer;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::pin::{Pin, PinError};

/// A certificate's hash, to be written in other programs' spellings: SHA-256 unless `BYTES` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint<const BYTES: usize = 32>([u8; BYTES]);

/// The fingerprints of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// SHA-256 of the whole certificate, which openssl, browsers, WeeChat and irssi's `-tls_pinned_cert` use. Changes
    /// with every renewal.
    pub certificate: Fingerprint,
    /// SHA-256 of the public key (its `SubjectPublicKeyInfo`), for irssi's `-tls_pinned_pubkey`. Stays when the
    /// certificate is renewed with its key.
    pub public_key: Fingerprint,
    /// SHA-1 of the whole certificate, for programs that show nothing better (Goguma).
    pub sha1: Fingerprint<20>,
}

impl<const BYTES: usize> Fingerprint<BYTES> {
    pub(super) const fn new(hash: [u8; BYTES]) -> Self {
        Self(hash)
    }

    /// Writes `AB:CD:…`, pairs in capitals, for openssl, irssi and Firefox.
    pub fn to_colon_hex(&self) -> String {
        self.format_hex(":", true)
    }

    /// Writes `abcd…`, digits alone, for WeeChat (which accepts nothing else) and Chromium.
    pub fn to_hex(&self) -> String {
        self.format_hex("", false)
    }

    fn format_hex(&self, separator: &str, capitals: bool) -> String {
        let mut text = String::with_capacity(95);
        for (at, byte) in self.0.iter().enumerate() {
            if at > 0 {
                text.push_str(separator);
            }
            // Writing to a String cannot fail.
            let _ = if capitals { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
        }
        text
    }
}

impl Fingerprints {
    /// Computes the fingerprints of a certificate.
    pub fn from_certificate(certificate: &CertificateDer<'_>) -> Result<Self, PinError> {
        Ok(Self {
            certificate: Fingerprint(Sha256::digest(certificate).into()),
            public_key: Fingerprint(*Pin::from_certificate(certificate)?.as_bytes()),
            sha1: Fingerprint(Sha1::digest(certificate).into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_with_and_without_colons() {
        let mut hash = [0; 32];
        hash[0] = 0xab;
        hash[31] = 0x01;
        let fingerprint = Fingerprint(hash);
        assert_eq!(fingerprint.to_colon_hex(), format!("AB:{}01", "00:".repeat(30)));
        assert_eq!(fingerprint.to_hex(), format!("ab{}01", "00".repeat(30)));
    }
}
