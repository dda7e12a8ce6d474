//! The web root: an authority that people install on their phones, so that browsers there know the server.
//!
//! It has nothing to do with the pinned root: neither signs the other, and our clients trust it with nothing. Its name
//! constraints ([RFC 5280, section 4.2.1.10](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10)) permit the
//! server's names and addresses alone, because an authority on somebody's phone could otherwise vouch for every site.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CidrSubnet, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PublicKeyData as _,
};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use webpki::{EndEntityCert, anchor_from_trusted_cert};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::X509Certificate;

use super::files::{self, FolderLock, NewFile};
use super::issue::{key_pem, named_root_params, named_server_params, set_validity};
use super::lifetimes::WEB_ROOT_LIFETIME_SECONDS;
use super::load::{self, certificate_validity, parse_certificate};
use super::{CertError, SubjectAltName, Validity, WEB_FILES, renewal_due};
use crate::trust::fingerprint::{Fingerprint, Fingerprints};
use crate::trust::pin::Pin;
use crate::trust::provider::crypto_provider;

/// The web root, and the leaf under it that browsers are shown.
#[derive(Clone, Debug)]
pub struct WebCertificates {
    /// The root, as it is installed.
    pub root: CertificateDer<'static>,
    /// The root as PEM.
    pub root_pem: String,
    /// SHA-256 of the root, which people compare.
    pub fingerprint: Fingerprint,
    /// The names and addresses that the root may vouch for, all of which the leaf has.
    pub names: Vec<SubjectAltName>,
    /// Validity of the root.
    pub root_validity: Validity,
    /// Validity of the leaf.
    pub leaf_validity: Validity,
    key: Arc<CertifiedKey>,
}

impl WebCertificates {
    /// Returns the chain and its key, for rustls.
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    /// Returns true if the root is valid at this time.
    fn is_root_valid(&self, now: UnixTime) -> bool {
        let Validity { from, until } = self.root_validity;
        (from.as_secs()..=until.as_secs()).contains(&now.as_secs())
    }

    /// Returns true if the leaf is to be renewed: it ends soon, or was made while the clock was ahead.
    pub fn is_renewal_due(&self, now: UnixTime) -> bool {
        let now = now.as_secs();
        now < self.leaf_validity.from.as_secs() || now > renewal_due(self.leaf_validity).as_secs()
    }
}

/// Paths of the web root's files in the certificate folder.
struct WebPaths {
    root: PathBuf,
    root_key: PathBuf,
    leaf: PathBuf,
    leaf_key: PathBuf,
}

impl WebPaths {
    fn new(folder: &Path) -> Self {
        let [root, root_key, leaf, leaf_key] = WEB_FILES.map(|name| folder.join(name));
        Self { root, root_key, leaf, leaf_key }
    }
}

/// Makes a web root for those of the names that other machines can use, and a leaf under it. The folder must hold the
/// server's certificates. Refuses to replace a web root, unless `force` is set: everybody must install the new one.
pub fn generate_web_root(
    folder: &Path,
    names: &[SubjectAltName],
    force: bool,
    now: UnixTime,
) -> Result<WebCertificates, CertError> {
    let names = usable_names(names);
    if names.is_empty() {
        return Err(CertError::NoWebNames(folder.to_owned()));
    }
    let lock = FolderLock::lock_for_change(folder)?;
    let paths = WebPaths::new(folder);
    if !force && [&paths.root, &paths.root_key].into_iter().any(|file| files::exists(file)) {
        return Err(CertError::WebRootExists { file: paths.root, folder: folder.to_owned() });
    }
    let root_key = KeyPair::generate()?;
    let mut params = named_root_params("Parlour web root", &root_key);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(name_constraints(&names));
    set_validity(&mut params, WEB_ROOT_LIFETIME_SECONDS, now);
    let root = params.self_signed(&root_key)?.pem();
    let issuer = Issuer::from_params(&params, &root_key);
    let root_key_pem = key_pem(&root_key);
    let leaf_key = KeyPair::generate()?;
    write_leaf(&lock, &paths, names, (&root, &issuer), &leaf_key, now, Some(&root_key_pem))?;
    load_locked(folder, now)?.ok_or_else(|| unusable(folder, &paths.root, "it was removed"))
}

/// Makes a new leaf under the web root, with the key of the old one if that can be used.
pub fn renew_web_leaf(folder: &Path, now: UnixTime) -> Result<WebCertificates, CertError> {
    let lock = FolderLock::lock_for_change(folder)?;
    let paths = WebPaths::new(folder);
    let root = load_root(folder, &paths)?;
    load::check_validity(folder, &paths.root, root.validity, now, false)
        .map_err(|error| unusable(folder, &paths.root, &validity_reason(&error, root.validity)))?;
    let root_key = read_key(folder, &paths.root_key)?;
    let issuer = Issuer::from_ca_cert_der(&root.der, root_key)?;
    let leaf_key = match read_key(folder, &paths.leaf_key) {
        Ok(key) => key,
        Err(_) => KeyPair::generate()?,
    };
    write_leaf(&lock, &paths, root.names, (&root.pem, &issuer), &leaf_key, now, None)?;
    load_locked(folder, now)?.ok_or_else(|| unusable(folder, &paths.root, "it was removed"))
}

/// Loads the web root and its leaf; `None` if there is no web root. A leaf that ends soon is renewed.
/// Without the root's key, or after the root's end, both are loaded as they are, because only browsers notice.
///
/// # Errors
/// A file is missing or wrong, others can read a key, or the root may vouch for more than it should.
pub fn load_web_root(folder: &Path, now: UnixTime) -> Result<Option<WebCertificates>, CertError> {
    let loaded = match FolderLock::lock_for_reading(folder)? {
        Some(_lock) => load_locked(folder, now)?,
        None => None,
    };
    let Some(certificates) = loaded else { return Ok(None) };
    let can_renew = files::exists(&WebPaths::new(folder).root_key) && certificates.is_root_valid(now);
    if can_renew && certificates.is_renewal_due(now) {
        return renew_web_leaf(folder, now).map(Some);
    }
    Ok(Some(certificates))
}

/// The parsed content of `web-root.pem`.
struct Root {
    pem: String,
    der: CertificateDer<'static>,
    names: Vec<SubjectAltName>,
    validity: Validity,
}

fn load_locked(folder: &Path, now: UnixTime) -> Result<Option<WebCertificates>, CertError> {
    let paths = WebPaths::new(folder);
    if !files::exists(&paths.root) {
        return Ok(None);
    }
    let root = load_root(folder, &paths)?;
    refuse_pinned_root(folder, &paths, &root)?;
    if files::exists(&paths.root_key) {
        let key = read_key(folder, &paths.root_key)?;
        let own = EndEntityCert::try_from(&root.der).map(|root| root.subject_public_key_info());
        if !own.is_ok_and(|own| *own == *key.subject_public_key_info()) {
            return Err(unusable(folder, &paths.root_key, "it is the key of another certificate"));
        }
    }
    let chain = read_chain(folder, &paths.leaf)?;
    let leaf = chain.first().ok_or_else(|| unusable(folder, &paths.leaf, "it holds no certificate"))?;
    let validity = parse_certificate(leaf).map(|leaf| certificate_validity(&leaf));
    let leaf_validity = validity.ok_or_else(|| unusable(folder, &paths.leaf, "it holds no certificate"))?;
    // At a time at which the leaf is valid: what ends by itself is renewed.
    check_leaf(&root, leaf, leaf_validity, now).map_err(|reason| unusable(folder, &paths.leaf, &reason))?;
    let key = files::read_private_key(&paths.leaf_key)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .ok()
        .and_then(|key| crypto_provider().key_provider.load_private_key(key).ok())
        .ok_or_else(|| unusable(folder, &paths.leaf_key, "it holds no private key"))?;
    let key = CertifiedKey::new(chain, key);
    key.keys_match()
        .map_err(|_| unusable(folder, &paths.leaf_key, "it is the key of another certificate"))?;
    let fingerprint = Fingerprints::from_certificate(&root.der)
        .map_err(|_| unusable(folder, &paths.root, "it holds no certificate"))?
        .certificate;
    let Root { pem, der, names, validity } = root;
    Ok(Some(WebCertificates {
        root: der,
        root_pem: pem,
        fingerprint,
        names,
        root_validity: validity,
        leaf_validity,
        key: Arc::new(key),
    }))
}

/// Checks that browsers with this root accept the leaf, for all of its names and no other.
fn check_leaf(
    root: &Root,
    leaf: &CertificateDer<'_>,
    validity: Validity,
    now: UnixTime,
) -> Result<(), String> {
    let anchor = anchor_from_trusted_cert(&root.der).map_err(|error| error.to_string())?;
    let certificate = EndEntityCert::try_from(leaf).map_err(|error| error.to_string())?;
    let (from, until) = (validity.from.as_secs(), validity.until.as_secs());
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.as_secs().max(from).min(until)));
    let usage = webpki::KeyUsage::server_auth();
    certificate
        .verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &[anchor], &[], time, usage, None, None)
        .map_err(|error| error.to_string())?;
    for name in &root.names {
        let name = ServerName::try_from(name.to_string()).map_err(|error| error.to_string())?;
        certificate.verify_is_valid_for_subject_name(&name).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Refuses a web root that is the pinned root, or has its key: what is installed on phones must not be able to speak
/// for the server to clients that know its pin.
fn refuse_pinned_root(folder: &Path, paths: &WebPaths, root: &Root) -> Result<(), CertError> {
    let pinned = load::load_root(folder)?;
    let web = Pin::from_certificate(&root.der)
        .map_err(|_| unusable(folder, &paths.root, "it holds no certificate"))?;
    let rotation = load::load_rotation(folder, &pinned)?;
    if web == pinned.pin || rotation.is_some_and(|rotation| rotation.old_pin == web) {
        return Err(unusable(folder, &paths.root, "it has the key of the pinned root"));
    }
    Ok(())
}

fn load_root(folder: &Path, paths: &WebPaths) -> Result<Root, CertError> {
    let unreadable = || unusable(folder, &paths.root, "it holds no certificate");
    let pem = String::from_utf8(files::read(&paths.root)?).map_err(|_| unreadable())?;
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| unreadable())?.into_owned();
    let certificate = parse_certificate(&der).ok_or_else(unreadable)?;
    let validity = certificate_validity(&certificate);
    let names = permitted_names(&certificate).ok_or_else(|| {
        unusable(folder, &paths.root, "it may vouch for more than single names and addresses")
    })?;
    Ok(Root { pem, der, names, validity })
}

fn read_chain(folder: &Path, file: &Path) -> Result<Vec<CertificateDer<'static>>, CertError> {
    let text = files::read(file)?;
    CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| unusable(folder, file, "it holds no certificate"))
}

fn read_key(folder: &Path, file: &Path) -> Result<KeyPair, CertError> {
    let pem = files::read_private_key(file)?;
    let key = std::str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok());
    key.ok_or_else(|| unusable(folder, file, "it holds no private key"))
}

/// Writes a new leaf, and with `root_key` the root too: all files or none.
fn write_leaf(
    lock: &FolderLock,
    paths: &WebPaths,
    names: Vec<SubjectAltName>,
    (root, issuer): (&str, &Issuer<'_, impl rcgen::SigningKey>),
    leaf_key: &KeyPair,
    now: UnixTime,
    root_key: Option<&str>,
) -> Result<(), CertError> {
    let params = named_server_params("Parlour web", names, now)?;
    let chain = params.signed_by(leaf_key, issuer)?.pem() + root;
    let leaf_key = key_pem(leaf_key);
    let mut files = vec![
        NewFile { path: &paths.leaf, text: &chain, is_secret: false },
        NewFile { path: &paths.leaf_key, text: &leaf_key, is_secret: true },
    ];
    if let Some(root_key) = root_key {
        files.push(NewFile { path: &paths.root, text: root, is_secret: false });
        files.push(NewFile { path: &paths.root_key, text: root_key, is_secret: true });
    }
    lock.write_all_or_none(&files)
}

/// Returns those of the names that a phone can use, each once, and that a constraint can name.
///
/// A constraint permits a name and all names below it. So a name without a dot is left out: `dev` would permit all of
/// that top-level domain.
fn usable_names(names: &[SubjectAltName]) -> Vec<SubjectAltName> {
    let mut usable: Vec<SubjectAltName> = Vec::new();
    for name in names {
        let is_usable = match name {
            SubjectAltName::Dns(name) => name.contains('.') && !name.ends_with(".localhost"),
            SubjectAltName::Ip(ip) => !ip.is_loopback() && !ip.is_unspecified(),
        };
        if is_usable && !usable.contains(name) {
            usable.push(name.clone());
        }
    }
    usable
}

/// Returns the constraints that permit these names and addresses. Kinds of which none is permitted are excluded as a
/// whole, because a kind that constraints do not mention is unlimited.
fn name_constraints(names: &[SubjectAltName]) -> NameConstraints {
    let subtree = |name: &SubjectAltName| match name {
        SubjectAltName::Dns(name) => GeneralSubtree::DnsName(name.clone()),
        SubjectAltName::Ip(ip) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*ip, if ip.is_ipv4() { 32 } else { 128 }))
        }
    };
    let has = |is: fn(&SubjectAltName) -> bool| names.iter().any(is);
    let mut excluded = Vec::new();
    if !has(|name| matches!(name, SubjectAltName::Dns(_))) {
        excluded.push(GeneralSubtree::DnsName(String::new()));
    }
    if !has(|name| matches!(name, SubjectAltName::Ip(ip) if ip.is_ipv4())) {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])));
    }
    if !has(|name| matches!(name, SubjectAltName::Ip(ip) if ip.is_ipv6())) {
        excluded.push(GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])));
    }
    NameConstraints { permitted_subtrees: names.iter().map(subtree).collect(), excluded_subtrees: excluded }
}

/// Returns the names that a web root permits. `None` if it is no authority with a path length of zero, if its
/// constraints are not critical, or if they permit more than single names with a dot and single addresses.
fn permitted_names(root: &X509Certificate<'_>) -> Option<Vec<SubjectAltName>> {
    let basic = root.basic_constraints().ok()??.value;
    if !basic.ca || basic.path_len_constraint != Some(0) {
        return None;
    }
    let constraints = root.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::NameConstraints(constraints) if extension.critical => Some(constraints),
        _ => None,
    })?;
    let permitted = constraints.permitted_subtrees.as_deref()?;
    let names: Vec<SubjectAltName> =
        permitted.iter().map(|subtree| permitted_name(&subtree.base)).collect::<Option<_>>()?;
    let own = name_constraints(&names);
    let is_complete =
        constraints.excluded_subtrees.as_deref().unwrap_or_default().len() == own.excluded_subtrees.len();
    (is_complete && !names.is_empty() && usable_names(&names) == names).then_some(names)
}

fn permitted_name(base: &GeneralName<'_>) -> Option<SubjectAltName> {
    match base {
        GeneralName::DNSName(name) => name.parse().ok().filter(|name| matches!(name, SubjectAltName::Dns(_))),
        // An address and its mask, which must be for that one alone.
        GeneralName::IPAddress(bytes) if bytes.len() == 8 => {
            let (ip, mask) = bytes.split_first_chunk::<4>()?;
            (mask == [0xff; 4]).then(|| SubjectAltName::Ip((*ip).into()))
        }
        GeneralName::IPAddress(bytes) => {
            let (ip, mask) = bytes.split_first_chunk::<16>()?;
            (mask == [0xff; 16]).then(|| SubjectAltName::Ip((*ip).into()))
        }
        _ => None,
    }
}

fn unusable(folder: &Path, file: &Path, reason: &str) -> CertError {
    CertError::UnusableWebRoot { file: file.to_owned(), reason: reason.to_owned(), folder: folder.to_owned() }
}

fn validity_reason(error: &CertError, validity: Validity) -> String {
    match error {
        CertError::NotYetValid { .. } => {
            format!("it is not valid yet ({validity}); check this machine's clock")
        }
        _ => format!("it has ended ({validity})"),
    }
}
