//! Reading and checking of the certificate folder.

use std::path::Path;
use std::sync::Arc;

use rcgen::{KeyPair, PublicKeyData as _};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

use super::files::FolderLock;
use super::lifetimes::BACKDATE_SECONDS;
use super::{
    CertError, CertFolders, CertPaths, CertificateInfo, Identity, RotationInfo, SubjectAltName, Validity,
    files,
};
use crate::trust::fingerprint::Fingerprints;
use crate::trust::pin::Pin;
use crate::trust::provider::crypto_provider;
use crate::trust::verifier::{PinnedVerifier, TrustError};

/// End of a certificate in PEM.
const PEM_CERTIFICATE_END: &str = "-----END CERTIFICATE-----";

/// The parsed content of `root.pem`.
pub(super) struct Root {
    /// Text of `root.pem`, to be appended to a leaf unchanged.
    pub pem: String,
    pub der: CertificateDer<'static>,
    pub pin: Pin,
    pub validity: Validity,
}

/// A rotation in progress.
pub(super) struct Rotation {
    /// Time at which the rotation began.
    pub since: UnixTime,
    /// Pin of the old root.
    pub old_pin: Pin,
    /// Text of `old-root.pem`: the new root cross-signed by the old one, then the old one.
    pub pem: String,
}

/// Returns the content of the certificates, without checking keys, dates or signatures.
pub fn inspect(folder: &Path) -> Result<CertificateInfo, CertError> {
    let _held = FolderLock::lock_for_reading(folder)?;
    let root = load_root(folder)?;
    let chain = load_chain(folder)?;
    certificate_info(folder, &root, &chain)
}

/// Returns the root's certificate as PEM.
pub fn root_pem(folder: &Path) -> Result<String, CertError> {
    let _held = FolderLock::lock_for_reading(folder)?;
    load_root(folder).map(|root| root.pem)
}

/// A file of a certificate folder.
pub struct CertificateFile {
    /// Name, one of [`FILE_NAMES`](super::FILE_NAMES).
    pub name: &'static str,
    /// Content, which may be a private key.
    pub text: Zeroizing<Vec<u8>>,
}

/// Returns the files of the folder as they are at one moment, by name. None of a folder that does not exist.
pub fn read_files(folder: &Path) -> Result<Vec<CertificateFile>, CertError> {
    let _held = FolderLock::lock_for_reading(folder)?;
    let there = files::FILE_NAMES.into_iter().filter(|name| files::exists(&folder.join(name)));
    let read = |name| Ok(CertificateFile { name, text: Zeroizing::new(files::read(&folder.join(name))?) });
    there.map(read).collect()
}

/// Loads the certificates and checks everything that a server needs, at the time `now`.
///
/// Refuses files that are missing or do not parse, keys that others can read, keys that do not belong to their
/// certificates, a chain that clients with this pin would refuse, and dates that have passed or are not yet come.
/// `root.key` may be absent, but not wrong.
pub fn load(folder: &Path, now: UnixTime) -> Result<Identity, CertError> {
    let _held = FolderLock::lock_for_reading(folder)?;
    load_locked(folder, now)
}

/// Loads as [`load`] does, for a caller that holds the folder's lock.
pub(super) fn load_locked(folder: &Path, now: UnixTime) -> Result<Identity, CertError> {
    let paths = CertPaths::from_folders(folder.into());
    let root = load_root(folder)?;
    let chain = load_chain(folder)?;
    let certificates = certificate_info(folder, &root, &chain)?;
    let root_key = load_root_key(folder.into(), &root)?;
    check_validity(folder, &paths.root, root.validity, now, false)?;
    check_validity(folder, &paths.server, certificates.leaf_validity, now, true)?;

    let provider = crypto_provider();
    let (server, others) =
        chain.split_first().ok_or_else(|| unreadable_certificate(folder, &paths.server, true))?;
    PinnedVerifier::new(root.pin, &provider).verify_chain(server, others, now).map(drop).map_err(
        |error| CertError::BrokenChain {
            server: paths.server.clone(),
            root: paths.root.clone(),
            folder: folder.to_owned(),
            reason: match error {
                TrustError::Pin(_) => "that root is not in it".to_owned(),
                TrustError::NotSigned { .. } => "that root did not sign it".to_owned(),
                other => other.to_string(),
            },
        },
    )?;

    require_file(folder, &paths.server_key, true)?;
    let no_key = || CertError::Unreadable {
        file: paths.server_key.clone(),
        what: "private key",
        folder: folder.to_owned(),
        renewable: true,
    };
    let key =
        PrivateKeyDer::from_pem_slice(&files::read_private_key(&paths.server_key)?).map_err(|_| no_key())?;
    let key = provider.key_provider.load_private_key(key).map_err(|_| no_key())?;
    let key = CertifiedKey::new(chain, key);
    key.keys_match().map_err(|_| key_mismatch(folder, &paths.server_key, &paths.server, true))?;
    Ok(Identity { certificates, key: Arc::new(key), can_renew: root_key.is_some() })
}

/// Reads the root's certificate.
pub(super) fn load_root(folder: &Path) -> Result<Root, CertError> {
    let paths = CertPaths::from_folders(folder.into());
    if !paths.required_files().into_iter().any(files::exists) {
        return Err(CertError::NoCertificates(folder.to_owned()));
    }
    require_file(folder, &paths.root, false)?;
    let unreadable = || unreadable_certificate(folder, &paths.root, false);
    let pem = String::from_utf8(files::read(&paths.root)?).map_err(|_| unreadable())?;
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| unreadable())?;
    let pin = Pin::from_certificate(&der).map_err(|_| unreadable())?;
    let validity = certificate_validity(&parse_certificate(&der).ok_or_else(unreadable)?);
    Ok(Root { pem, der, pin, validity })
}

/// Reads the root's key, if it exists, and checks that it belongs to the root.
pub(super) fn load_root_key(folders: CertFolders<'_>, root: &Root) -> Result<Option<KeyPair>, CertError> {
    let paths = CertPaths::from_folders(folders);
    if !files::exists(&paths.root_key_file) {
        return Ok(None);
    }
    let key = read_key(&paths.root_key_file)?.ok_or_else(|| CertError::Unreadable {
        file: paths.root_key_file.clone(),
        what: "private key",
        folder: folders.folder.to_owned(),
        renewable: false,
    })?;
    if key_matches_root(&key, root) {
        Ok(Some(key))
    } else {
        Err(key_mismatch(folders.folder, &paths.root_key_file, &paths.root, false))
    }
}

/// Returns the rotation in progress. An `old-root.pem` that belongs to another root is a leftover and is ignored.
pub(super) fn load_rotation(folder: &Path, root: &Root) -> Result<Option<Rotation>, CertError> {
    let paths = CertPaths::from_folders(folder.into());
    if !files::exists(&paths.old_root) {
        return Ok(None);
    }
    let damaged = || CertError::DamagedOldRoot { file: paths.old_root.clone(), folder: folder.to_owned() };
    let text = String::from_utf8(files::read(&paths.old_root)?).map_err(|_| damaged())?;
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<_, _>>().map_err(|_| damaged())?;
    let [cross, old] = &chain[..] else { return Err(damaged()) };
    let since = certificate_validity(&parse_certificate(cross).ok_or_else(damaged)?)
        .from
        .as_secs()
        .saturating_add(BACKDATE_SECONDS);
    let since = UnixTime::since_unix_epoch(std::time::Duration::from_secs(since));
    let [new, old] = [cross, old].map(Pin::from_certificate);
    let (new, old) = (new.map_err(|_| damaged())?, old.map_err(|_| damaged())?);
    Ok((new == root.pin).then_some(Rotation { since, old_pin: old, pem: text }))
}

/// Returns the PEM text of the leaf alone, without the rest of its chain.
pub(super) fn leaf_pem(folder: &Path) -> Result<String, CertError> {
    let path = CertPaths::from_folders(folder.into()).server;
    require_file(folder, &path, true)?;
    let text =
        String::from_utf8(files::read(&path)?).map_err(|_| unreadable_certificate(folder, &path, true))?;
    let end = text.find(PEM_CERTIFICATE_END).ok_or_else(|| unreadable_certificate(folder, &path, true))?
        + PEM_CERTIFICATE_END.len();
    Ok(text.get(..end).unwrap_or_default().to_owned() + "\n")
}

/// Returns the names in the certificate of that file; none if it cannot be read.
pub(super) fn leaf_names(file: &Path) -> Vec<SubjectAltName> {
    let certificate = files::read(file).ok().and_then(|pem| CertificateDer::from_pem_slice(&pem).ok());
    certificate
        .as_ref()
        .and_then(parse_certificate)
        .map(|certificate| subject_alt_names(&certificate))
        .unwrap_or_default()
}

/// Refuses a certificate that is not valid at the time `now`.
pub(super) fn check_validity(
    folder: &Path,
    file: &Path,
    validity: Validity,
    now: UnixTime,
    renewable: bool,
) -> Result<(), CertError> {
    let file = file.to_owned();
    if now.as_secs() < validity.from.as_secs() {
        return Err(CertError::NotYetValid { file, from: validity.from, clock: now });
    }
    if now.as_secs() > validity.until.as_secs() {
        let (until, folder) = (validity.until, folder.to_owned());
        return Err(CertError::Expired { file, until, clock: now, folder, renewable });
    }
    Ok(())
}

/// Reads the server's chain, which has at least one certificate.
fn load_chain(folder: &Path) -> Result<Vec<CertificateDer<'static>>, CertError> {
    let path = CertPaths::from_folders(folder.into()).server;
    require_file(folder, &path, true)?;
    let text = files::read(&path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(unreadable_certificate(folder, &path, true)),
    }
}

fn certificate_info(
    folder: &Path,
    root: &Root,
    chain: &[CertificateDer<'static>],
) -> Result<CertificateInfo, CertError> {
    let describe = || {
        let der = chain.first()?;
        let server = parse_certificate(der)?;
        Some(CertificateInfo {
            pin: root.pin,
            leaf_fingerprints: Fingerprints::from_certificate(der).ok()?,
            root_fingerprints: Fingerprints::from_certificate(&root.der).ok()?,
            leaf_names: subject_alt_names(&server),
            leaf_validity: certificate_validity(&server),
            root_validity: root.validity,
            rotation: load_rotation(folder, root)
                .ok()
                .flatten()
                .map(|rotation| RotationInfo { since: rotation.since, old_pin: rotation.old_pin }),
        })
    };
    describe()
        .ok_or_else(|| unreadable_certificate(folder, &CertPaths::from_folders(folder.into()).server, true))
}

fn read_key(file: &Path) -> Result<Option<KeyPair>, CertError> {
    let pem = files::read_private_key(file)?;
    Ok(std::str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok()))
}

fn key_matches_root(key: &KeyPair, root: &Root) -> bool {
    let root = webpki::EndEntityCert::try_from(&root.der).map(|root| root.subject_public_key_info());
    root.is_ok_and(|root| *root == *key.subject_public_key_info())
}

pub(super) fn parse_certificate<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

pub(super) fn certificate_validity(certificate: &X509Certificate<'_>) -> Validity {
    let time = |seconds: i64| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    };
    let validity = certificate.validity();
    Validity { from: time(validity.not_before.timestamp()), until: time(validity.not_after.timestamp()) }
}

fn subject_alt_names(certificate: &X509Certificate<'_>) -> Vec<SubjectAltName> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => name.parse().ok(),
        GeneralName::IPAddress(octets) => match octets.len() {
            4 => <[u8; 4]>::try_from(*octets).ok().map(|octets| SubjectAltName::Ip(octets.into())),
            _ => <[u8; 16]>::try_from(*octets).ok().map(|octets| SubjectAltName::Ip(octets.into())),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn require_file(folder: &Path, file: &Path, renewable: bool) -> Result<(), CertError> {
    if files::exists(file) {
        return Ok(());
    }
    Err(CertError::Missing { file: file.to_owned(), folder: folder.to_owned(), renewable })
}

fn unreadable_certificate(folder: &Path, file: &Path, renewable: bool) -> CertError {
    CertError::Unreadable { file: file.to_owned(), what: "certificate", folder: folder.to_owned(), renewable }
}

fn key_mismatch(folder: &Path, key: &Path, certificate: &Path, renewable: bool) -> CertError {
    CertError::KeyMismatch {
        key: key.to_owned(),
        certificate: certificate.to_owned(),
        folder: folder.to_owned(),
        renewable,
    }
}
