//! Devices that log in to an account by a client certificate.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::wire::Timestamp;

/// A certificate fingerprint (certfp): SHA-256 over the certificate (DER) with which a device logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CertificateFingerprint(pub [u8; 32]);

/// A device that may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Fingerprint of its certificate.
    pub fingerprint: CertificateFingerprint,
    /// Time at which it was added.
    pub added_at: Timestamp,
    /// Time of its last login.
    pub last_login: Option<Timestamp>,
}

impl fmt::Display for CertificateFingerprint {
    /// Writes 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Error for a text that is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with colons or without")]
pub struct InvalidFingerprint;

impl FromStr for CertificateFingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits: Vec<u8> = text.bytes().filter(|&b| b != b':').collect();
        let mut fingerprint = [0; 32];
        if digits.len() != 2 * fingerprint.len() {
            return Err(InvalidFingerprint);
        }
        for (byte, pair) in fingerprint.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| InvalidFingerprint)?;
            if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(InvalidFingerprint);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidFingerprint)?;
        }
        Ok(Self(fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_fingerprints_with_and_without_colons() {
        let plain = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let key: CertificateFingerprint = plain.parse().expect("a key");
        assert_eq!(key.to_string(), plain);
        let colons: Vec<String> =
            plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
        assert_eq!(colons.join(":").parse(), Ok(key));
        for bad in ["", "00", &plain[1..], &plain.replace('0', "x"), &plain.replace("00", "+0")] {
            assert_eq!(bad.parse::<CertificateFingerprint>(), Err(InvalidFingerprint), "{bad}");
        }
    }
}
