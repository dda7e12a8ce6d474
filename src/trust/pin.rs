//! The pin, by which a client knows its server before it connects.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

/// SHA-256 over the DER of a certificate's `SubjectPublicKeyInfo` ([RFC 5280, section
/// 4.1.2.7](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7)).
///
/// The pin of a server is that of its root certificate. It covers the key and nothing else, so a root that is issued
/// anew for the same key keeps its pin. Written as base64url without padding, 43 characters. It is public, and proves
/// something only to a client that got it from a trusted source.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

/// Error of making a pin from a text or a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// The text is not 43 characters of base64url.
    #[error("a pin is 43 letters, digits, `-` or `_`, and this is not")]
    Text,
    /// The bytes are not an X.509 version 3 certificate.
    #[error("this is not a certificate")]
    Certificate,
}

impl Pin {
    /// Length of a written pin, in characters.
    pub const TEXT_LENGTH: usize = 43;

    /// Makes a pin from the hash itself.
    pub fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Computes the pin of a certificate's key.
    pub fn from_certificate(certificate: &CertificateDer<'_>) -> Result<Self, PinError> {
        let certificate = webpki::EndEntityCert::try_from(certificate).map_err(|_| PinError::Certificate)?;
        Ok(Self(Sha256::digest(certificate.subject_public_key_info()).into()))
    }

    /// Returns the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| PinError::Text)?;
        bytes.try_into().map(Self).map_err(|_| PinError::Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rejects_invalid_pin_text() {
        let good = Pin([7; 32]).to_string();
        assert_eq!(good.len(), 43);
        let cut = &good[..42];
        let padded = format!("{good}=");
        // The last character carries two bits that must be zero, so that a pin has only one spelling.
        let respelt = format!("{cut}d");
        for bad in ["", "x", cut, &padded, &respelt, &good.replace('c', "+")] {
            assert_eq!(bad.parse::<Pin>(), Err(PinError::Text), "{bad:?}");
        }
    }

    #[test]
    fn rejects_bytes_that_are_no_certificate() {
        assert_eq!(Pin::from_certificate(&CertificateDer::from(&b""[..])), Err(PinError::Certificate));
        assert_eq!(
            Pin::from_certificate(&CertificateDer::from(&b"0\x03abc"[..])),
            Err(PinError::Certificate)
        );
    }

    proptest! {
        #[test]
        fn printed_pin_parses_back(hash: [u8; 32]) {
            prop_assert_eq!(Pin(hash).to_string().parse(), Ok(Pin(hash)));
        }

        #[test]
        fn arbitrary_text_and_bytes_do_not_panic(text: String, bytes: Vec<u8>) {
            let _ = text.parse::<Pin>();
            let _ = Pin::from_certificate(&CertificateDer::from(bytes));
        }
    }
}
