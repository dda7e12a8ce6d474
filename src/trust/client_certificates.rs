//! Client certificates on the server's side. A client may present any certificate: that proves only that it has the
//! certificate's key. The login looks up the device and its account.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls13_signature, verify_tls13_signature_with_raw_key};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved, SignatureScheme};
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Version};

use super::provider::crypto_provider;

/// Client certificate verifier that accepts every certificate whose key the client proves to have.
#[derive(Debug)]
pub(super) struct AnyDeviceVerifier {
    provider: Arc<CryptoProvider>,
}

impl AnyDeviceVerifier {
    pub fn new() -> Self {
        Self { provider: crypto_provider() }
    }
}

impl ClientCertVerifier for AnyDeviceVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// Empty, so that a client may choose among all its certificates.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match X509Certificate::from_der(cert) {
            // webpki supports version 3 only, and a TLS alert tells the user nothing. The handshake continues with the
            // key that the certificate shows, and the login refuses it with a message (`check_device_certificate`).
            Ok((_, old)) if old.version() != X509Version::V3 => {
                let key = SubjectPublicKeyInfoDer::from(old.public_key().raw);
                verify_tls13_signature_with_raw_key(message, &key, dss, algorithms)
            }
            _ => verify_tls13_signature(message, cert, dss, algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Error for a client certificate of a form that no device can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this client certificate is of X.509 version {0}, and only version 3 is taken; make a new one")]
pub struct UnusableCertificate(pub u32);

/// Checks that a certificate is of a form that devices may have.
///
/// # Errors
/// When it is of an old version of X.509, which has no extensions that state its purpose. A malformed certificate does
/// not get through the handshake.
pub fn check_device_certificate(certificate: &CertificateDer<'_>) -> Result<(), UnusableCertificate> {
    match X509Certificate::from_der(certificate) {
        Ok((_, old)) if old.version() != X509Version::V3 => Err(UnusableCertificate(old.version().0 + 1)),
        _ => Ok(()),
    }
}

/// Returns the SHA-256 of a certificate, which clients show as its fingerprint.
pub fn certificate_hash(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}
