//! Roots and certificates under them, valid and invalid, including those of an attacker.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parlour::trust::Pin;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

pub const DAY: u64 = 24 * 60 * 60;

/// 2026-01-01
pub const NOW: u64 = 1_767_225_600;

pub fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// Sets the validity of a certificate.
pub fn set_dates(params: &mut CertificateParams, from: u64, until: u64) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(from);
    params.not_after = epoch + Duration::from_secs(until);
}

/// A key and its certificate, which issue others.
pub struct Authority {
    key: KeyPair,
    certificate: CertificateDer<'static>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = root_params(name).self_signed(&key).expect("a root").into();
        Self { key, certificate }
    }

    /// Issues with the key of any certificate, allowed or not.
    pub fn with_key(certificate: CertificateDer<'static>, key: KeyPair) -> Self {
        Self { key, certificate }
    }

    /// Returns a root and a leaf under it that are made only once, for tests that need them often.
    pub fn shared() -> (&'static Self, &'static CertificateDer<'static>) {
        static FIXED: LazyLock<(Authority, CertificateDer<'static>)> = LazyLock::new(|| {
            let root = Authority::new("fixed");
            let (leaf, _) = root.leaf(|_| {});
            (root, leaf)
        });
        (&FIXED.0, &FIXED.1)
    }

    pub fn pin(&self) -> Pin {
        Pin::from_certificate(&self.certificate).expect("a certificate")
    }

    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// Issues a leaf, changed as wanted. Returns it with its key.
    pub fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        (params.signed_by(&key, &self.issuer()).expect("a certificate").into(), key)
    }

    /// Issues a certificate for the other root's key, signed by this one.
    pub fn cross_sign(&self, other: &Self) -> CertificateDer<'static> {
        let (_, parsed) = x509_parser::parse_x509_certificate(&other.certificate).expect("a root");
        let name = parsed.subject().iter_common_name().next().expect("a name").as_str().expect("text");
        let mut params = root_params(name);
        params.use_authority_key_identifier_extension = true;
        params.signed_by(&other.key, &self.issuer()).expect("a certificate").into()
    }

    /// Makes a server with a certificate of this root.
    pub fn server_config(&self, change: impl FnOnce(&mut CertificateParams)) -> Arc<ServerConfig> {
        let (leaf, key) = self.leaf(change);
        server_with(vec![leaf, self.certificate()], &key)
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_ca_cert_der(&self.certificate, &self.key).expect("an issuer")
    }
}

/// Makes a server that presents any chain with any key.
pub fn server_with(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Arc<ServerConfig> {
    let provider = aws_lc_rs::default_provider();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = provider.key_provider.load_private_key(key).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
    Arc::new(config)
}

fn root_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}
