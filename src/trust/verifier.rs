//! The pinning verifier: it accepts the one server whose chain leads to a pinned root.
//!
//! The pinned root is the only trust anchor. The server must present it in its chain, because the client takes the key
//! from there, and webpki must find a path of valid signatures, dates and CA flags from it to the server's certificate.
//! The address that the client dialled is not checked: the pin identifies the server, the address only locates it.
//!
//! A pin counts only as that of the signer at the top of such a path. The certificate that carries its key may be the
//! self-signed root, or the same root cross-signed by the one before it. A certificate with the pinned key that is
//! merely present in the chain proves nothing.
//!
//! As everywhere in webpki, the dates of every certificate but the anchor are checked: a pin is trusted until it is
//! replaced, not until a date.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, PeerIncompatible, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::pin::Pin;
use super::pins::{ChainProof, Pins};

/// Error for a server other than the one that the pin belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the server that was expected: its pin is {seen}, not {expected}")]
pub struct PinMismatch {
    /// Pin that the client has.
    pub expected: Pin,
    /// Pin of the root (the last certificate) that the server presented.
    pub seen: Pin,
}

/// Reason for refusing a server's certificates, before a byte of the login is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The pinned root is not among the certificates.
    #[error(transparent)]
    Pin(#[from] PinMismatch),
    /// The pinned root is present, but no path of signatures leads from it to the server's certificate. This is an
    /// impostor that copied the root, which is public, and does not have its key.
    #[error("the server shows the root with the pin {pin}, but that root did not sign its certificate")]
    NotSigned {
        /// Pin that the client has.
        pin: Pin,
    },
    /// The certificate is under the pinned root, but has expired.
    #[error("the server's certificate expired on {}, and this machine's clock says {}", date(*.until), date(*.clock))]
    Expired {
        /// Last second of its validity.
        until: UnixTime,
        /// Local time of the check.
        clock: UnixTime,
    },
    /// The certificate is under the pinned root, but not valid yet.
    #[error("the server's certificate is valid only from {} on, and this machine's clock says {}", date(*.from), date(*.clock))]
    NotYetValid {
        /// First second of its validity.
        from: UnixTime,
        /// Local time of the check.
        clock: UnixTime,
    },
    /// Any other defect: malformed, not for servers, or issued by a certificate that is no CA.
    #[error("the server's certificate cannot be used: {0}")]
    Unusable(String),
}

/// Certificate verifier that accepts only a server whose chain leads to a root with one of the pins.
#[derive(Debug)]
pub struct PinnedVerifier {
    pins: Pins,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedVerifier {
    /// Makes the verifier for the pins of one server.
    pub fn new(pins: impl Into<Pins>, provider: &CryptoProvider) -> Self {
        Self { pins: pins.into(), algorithms: provider.signature_verification_algorithms }
    }

    /// Verifies a presented chain at the time `now`: `server` is the server's certificate, `others` is the rest of the
    /// chain. Tries each pin alone, the newest first, and returns the first proof.
    pub fn verify_chain(
        &self,
        server: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ChainProof, TrustError> {
        let mut first_error = None;
        for pin in self.pins.newest_first() {
            match self.verify_under_pin(pin, server, others, now) {
                Ok(proof) => return Ok(proof),
                // A chain to a pinned root that is defective says more than a pinned root that is missing.
                Err(error @ TrustError::Pin(_)) => first_error = first_error.or(Some(error)),
                Err(error) => first_error = Some(error),
            }
        }
        Err(first_error.unwrap_or_else(|| TrustError::Unusable("there is no pin".to_owned())))
    }

    fn verify_under_pin(
        &self,
        pin: Pin,
        server: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ChainProof, TrustError> {
        let unusable = |error: webpki::Error| TrustError::Unusable(error.to_string());
        let certificate = EndEntityCert::try_from(server).map_err(unusable)?;
        let is_pinned = |other: &&CertificateDer<'_>| Pin::from_certificate(other) == Ok(pin);
        let anchors: Vec<TrustAnchor<'_>> = others
            .iter()
            .filter(is_pinned)
            .map(anchor_from_trusted_cert)
            .collect::<Result<_, _>>()
            .map_err(unusable)?;
        if anchors.is_empty() {
            let last = others.last().unwrap_or(server);
            let seen =
                Pin::from_certificate(last).map_err(|error| TrustError::Unusable(error.to_string()))?;
            // Equal when the server presents the root itself, alone, as its certificate.
            return Err(if seen == pin {
                TrustError::NotSigned { pin: seen }
            } else {
                PinMismatch { expected: self.pins.current, seen }.into()
            });
        }
        let path = certificate
            .verify_for_usage(self.algorithms.all, &anchors, others, now, KeyUsage::server_auth(), None, None)
            .map_err(|error| match error {
                webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => {
                    TrustError::NotSigned { pin }
                }
                webpki::Error::CertExpired { not_after, .. } => {
                    TrustError::Expired { until: not_after, clock: now }
                }
                webpki::Error::CertNotValidYet { not_before, .. } => {
                    TrustError::NotYetValid { from: not_before, clock: now }
                }
                other => unusable(other),
            })?;
        // The issuer of the server's certificate is on the path, so the pinned root signed it, directly or through
        // others.
        let issuer =
            path.intermediate_certificates().next().and_then(|it| Pin::from_certificate(&it.der()).ok());
        Ok(ChainProof {
            root_pin: pin,
            successor_pin: issuer.filter(|issuer| self.is_self_signed_root(*issuer, others)),
        })
    }

    /// Checks that the key with this pin has signed itself as a root. Clients learn only such a key as a successor.
    /// Without this check, whoever has a server's certificate under an intermediate CA could make clients learn that
    /// CA's pin, because they can present a certificate with its key; a self-signed root they cannot make without the
    /// key.
    fn is_self_signed_root(&self, pin: Pin, others: &[CertificateDer<'_>]) -> bool {
        others.iter().filter(|other| Pin::from_certificate(other) == Ok(pin)).any(|other| {
            X509Certificate::from_der(other).is_ok_and(|(_, root)| {
                root.subject() == root.issuer() && root.is_ca() && self.is_self_signed(&root)
            })
        })
    }

    fn is_self_signed(&self, root: &X509Certificate<'_>) -> bool {
        let key = &root.public_key().subject_public_key.data;
        let (signed_data, signature) = (root.tbs_certificate.as_ref(), &root.signature_value.data);
        // The algorithm does not matter: no signature can be made without the key.
        self.algorithms.all.iter().any(|it| it.verify_signature(key, signed_data, signature).is_ok())
    }
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.verify_chain(end_entity, intermediates, now) {
            Ok(_) => Ok(ServerCertVerified::assertion()),
            Err(error) => Err(CertificateError::Other(OtherError(Arc::new(error))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Returns the reason for which this module refused the server, if that ended the TLS connection.
pub fn trust_error(error: &io::Error) -> Option<&TrustError> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => {
            reason.downcast_ref()
        }
        _ => None,
    }
}

/// Returns both pins, if a TLS connection failed because the server is another one.
pub fn pin_mismatch(error: &io::Error) -> Option<&PinMismatch> {
    match trust_error(error)? {
        TrustError::Pin(mismatch) => Some(mismatch),
        _ => None,
    }
}

/// Formats a time as `YYYY-MM-DD`, UTC.
pub(super) fn date(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "a day past the year 9999".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}
