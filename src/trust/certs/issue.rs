//! Issuing of the root and the leaf.

use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber,
};
use rustls_pki_types::UnixTime;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::files::{self, FolderLock, NewFile};
use super::lifetimes::{BACKDATE_SECONDS, LEAF_LIFETIME_SECONDS, ROOT_LIFETIME_SECONDS};
use super::load::{self, Root, Rotation};
use super::names::{self, SubjectAltName};
use super::{CertError, CertFolders, CertPaths, Identity};

/// 9999-12-31, the latest date in X.509 ([RFC 5280, section
/// 4.1.2.5](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5)), in seconds since the Unix epoch.
const LATEST_X509_TIME: u64 = 253_402_300_799;

/// Maximum length of a common name ([RFC 5280, appendix A.1](https://www.rfc-editor.org/rfc/rfc5280#appendix-A.1),
/// `ub-common-name`).
const COMMON_NAME_MAX: usize = 64;

/// Makes a new root and a leaf under it. Creates the folders if needed.
///
/// The leaf names `extra`, the host name, `localhost` and this machine's addresses. Refuses a folder that holds any of
/// the files, unless `force` is set; that destroys the old root, and with it the pin that clients know.
pub fn generate<'a>(
    folders: impl Into<CertFolders<'a>>,
    extra: &[SubjectAltName],
    force: bool,
    now: UnixTime,
) -> Result<Identity, CertError> {
    let folders = folders.into();
    let folder = folders.folder;
    files::create_folder(folder, false)?;
    let held = FolderLock::lock_for_change(folder)?;
    let paths = CertPaths::from_folders(folders);
    let existing_file = || paths.required_files().into_iter().find(|file| files::exists(file));
    if !force && let Some(file) = existing_file() {
        return Err(CertError::Exists { file: file.to_owned(), folder: folder.to_owned() });
    }
    let root_key = KeyPair::generate()?;
    let root_params = root_params(&root_key, now);
    let root = root_params.self_signed(&root_key)?.pem();
    let server_key = KeyPair::generate()?;
    let server = server_params(names::certificate_names(extra), now)?
        .signed_by(&server_key, &Issuer::from_params(&root_params, &root_key))?;
    let fresh =
        NewCertificates { root: Some((root.clone(), root_key)), server_key, chain: server.pem() + &root };
    fresh.write(&held, folders, None)?;
    // A rotation in progress ends, because clients that know the old roots are not served any more.
    held.remove(&paths.old_root)?;
    load::load_locked(folder, now)
}

/// Makes a new leaf under the existing root. The pin stays, so no client notices.
///
/// Keeps the names of the old leaf (as far as they can be read) and adds `extra` and this machine's current names.
/// Keeps the leaf's key too, for clients that pinned the key, unless there is no usable one.
pub fn renew<'a>(
    folders: impl Into<CertFolders<'a>>,
    extra: &[SubjectAltName],
    now: UnixTime,
) -> Result<Identity, CertError> {
    let folders = folders.into();
    let folder = folders.folder;
    let held = lock_existing(folder)?;
    let paths = CertPaths::from_folders(folders);
    let root = load::load_root(folder)?;
    load::check_validity(folder, &paths.root, root.validity, now, false)?;
    let root_key = require_root_key(folders, &root)?;
    let rotation = load::load_rotation(folder, &root)?;
    let issuer = Issuer::from_ca_cert_der(&root.der, root_key)?;
    let old_key = match files::read_private_key(&paths.server_key) {
        Ok(pem) => std::str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok()),
        Err(_) => None,
    };
    let server_key = old_key.map_or_else(KeyPair::generate, Ok)?;
    let server = server_params(renewed_names(&paths, extra), now)?.signed_by(&server_key, &issuer)?;
    let chain = chain_pem(&server.pem(), &root.pem, rotation.as_ref());
    NewCertificates { root: None, server_key, chain }.write(&held, folders, None)?;
    load::load_locked(folder, now)
}

/// Makes a new root that the present one cross-signs, and a leaf with a new key under it.
///
/// From then on the server presents both roots: a client that knows either of them accepts it, and learns the new one.
/// The old root's key is overwritten, because it signs nothing any more.
pub fn rotate<'a>(folders: impl Into<CertFolders<'a>>, now: UnixTime) -> Result<Identity, CertError> {
    let folders = folders.into();
    let folder = folders.folder;
    let held = lock_existing(folder)?;
    let paths = CertPaths::from_folders(folders);
    let old = load::load_root(folder)?;
    if let Some(Rotation { since, .. }) = load::load_rotation(folder, &old)? {
        return Err(CertError::Rotating { since, folder: folder.to_owned() });
    }
    let old_issuer = Issuer::from_ca_cert_der(&old.der, require_root_key(folders, &old)?)?;

    let root_key = KeyPair::generate()?;
    let mut params = root_params(&root_key, now);
    let root = params.self_signed(&root_key)?.pem();
    let server_key = KeyPair::generate()?;
    let server = server_params(renewed_names(&paths, &[]), now)?
        .signed_by(&server_key, &Issuer::from_params(&params, &root_key))?;
    set_validity(&mut params, ROOT_LIFETIME_SECONDS, now);
    params.use_authority_key_identifier_extension = true;
    let cross_signed = params.signed_by(&root_key, &old_issuer)?.pem();
    let rotation = Rotation { since: now, old_pin: old.pin, pem: cross_signed + &old.pem };
    let chain = chain_pem(&server.pem(), &root, Some(&rotation));
    NewCertificates { root: Some((root, root_key)), server_key, chain }.write(
        &held,
        folders,
        Some(&rotation),
    )?;
    load::load_locked(folder, now)
}

/// Retires the old root: from then on the server proves itself under the new one alone.
pub fn retire(folder: &Path, now: UnixTime) -> Result<Identity, CertError> {
    let held = lock_existing(folder)?;
    let paths = CertPaths::from_folders(folder.into());
    if !files::exists(&paths.old_root) {
        return Err(CertError::NotRotating(folder.to_owned()));
    }
    let root = load::load_root(folder)?;
    // The first certificate of the chain is the leaf, which stays.
    let server = load::leaf_pem(folder)?;
    let text = chain_pem(&server, &root.pem, None);
    held.write_all_or_none(&[NewFile { path: &paths.server, text: &text, is_secret: false }])?;
    held.remove(&paths.old_root)?;
    load::load_locked(folder, now)
}

/// Files to write, except for the old root.
struct NewCertificates {
    /// The root and its key, if they are new.
    root: Option<(String, KeyPair)>,
    server_key: KeyPair,
    chain: String,
}

impl NewCertificates {
    /// Writes all files atomically. A root's key that is kept elsewhere is staged completely before the change is
    /// decided, and gets its name afterwards; until then the staged copy of the root beside it shows what it belongs
    /// to.
    fn write(
        &self,
        lock: &FolderLock,
        folders: CertFolders<'_>,
        rotation: Option<&Rotation>,
    ) -> Result<(), CertError> {
        let paths = CertPaths::from_folders(folders);
        let server_key = key_pem(&self.server_key);
        let root_key = self.root.as_ref().map(|(_, key)| key_pem(key));
        let mut files = vec![
            NewFile { path: &paths.server_key, text: &server_key, is_secret: true },
            NewFile { path: &paths.server, text: &self.chain, is_secret: false },
        ];
        if let Some((root, _)) = &self.root {
            files.push(NewFile { path: &paths.root, text: root, is_secret: false });
        }
        if let Some(rotation) = rotation {
            files.push(NewFile { path: &paths.old_root, text: &rotation.pem, is_secret: false });
        }
        let root_key_file =
            root_key.as_ref().map(|text| NewFile { path: &paths.root_key_file, text, is_secret: true });
        let Some(elsewhere) = folders.offline_root_folder() else {
            files.extend(root_key_file);
            return lock.write_all_or_none(&files);
        };
        let (Some(key), Some((root, _))) = (root_key_file, &self.root) else {
            return lock.write_all_or_none(&files);
        };
        files::create_folder(elsewhere, true)?;
        let offline_lock = FolderLock::lock_exclusive(elsewhere)?;
        // A copy in the folder itself would be the old root's.
        lock.remove(&CertPaths::from_folders(folders.folder.into()).root_key_file)?;
        files::write_staged(&key)?;
        files::write_staged(&NewFile {
            path: &elsewhere.join(CertPaths::ROOT),
            text: root,
            is_secret: false,
        })?;
        offline_lock.sync_folder()?;
        lock.write_all_or_none(&files)?;
        offline_lock.publish_staged()
    }
}

/// Locks a folder that has certificates, to change it.
fn lock_existing(folder: &Path) -> Result<FolderLock, CertError> {
    if !folder.is_dir() {
        return Err(CertError::NoCertificates(folder.to_owned()));
    }
    FolderLock::lock_for_change(folder)
}

/// Returns the root's key, which must exist. If it is kept elsewhere and a change was interrupted before the key got
/// its name, completes that change first.
fn require_root_key(folders: CertFolders<'_>, root: &Root) -> Result<KeyPair, CertError> {
    let path = CertPaths::from_folders(folders).root_key_file;
    if let Some(elsewhere) = folders.offline_root_folder()
        && files::read(&files::staging_path(&elsewhere.join(CertPaths::ROOT)))
            .is_ok_and(|it| it == root.pem.as_bytes())
    {
        FolderLock::lock_exclusive(elsewhere)?.publish_staged()?;
    }
    load::load_root_key(folders, root)?
        .ok_or_else(|| CertError::NoRootKey { file: path, folder: folders.folder.to_owned() })
}

/// Returns the names of the old leaf, those given, and this machine's.
fn renewed_names(paths: &CertPaths, extra: &[SubjectAltName]) -> Vec<SubjectAltName> {
    let mut names = extra.to_vec();
    names.extend(load::leaf_names(&paths.server));
    names::certificate_names(&names)
}

/// Returns the chain that clients see. During a rotation it has two parts: for clients that know the old root, the
/// leaf, the cross-signed new root and the old root; for clients that know the new root, that root as it signed itself.
fn chain_pem(server: &str, root: &str, rotation: Option<&Rotation>) -> String {
    [server, rotation.map_or("", |rotation| &rotation.pem), root].concat()
}

/// Returns the parameters of a root: a CA without a path length limit, so that it can later cross-sign the roots that
/// follow it.
fn root_params(key: &KeyPair, now: UnixTime) -> CertificateParams {
    let mut params = named_root_params("Parlour root", key);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, ROOT_LIFETIME_SECONDS, now);
    params
}

/// Returns parameters with the name of a root of this kind, and nothing else.
pub(super) fn named_root_params(kind: &str, key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    // The hash of the key tells two roots of one machine apart, for users who import both.
    let hash: [u8; 32] = Sha256::digest(key.subject_public_key_info()).into();
    let id = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    let host = names::host_name().map(|name| format!("{name} ")).unwrap_or_default();
    params.distinguished_name = distinguished_name(kind, &format!("{host}{id:08x}"));
    params
}

fn server_params(names: Vec<SubjectAltName>, now: UnixTime) -> Result<CertificateParams, CertError> {
    named_server_params("Parlour server", names, now)
}

/// Returns the parameters of a leaf of this kind: for TLS servers and nothing else.
pub(super) fn named_server_params(
    kind: &str,
    names: Vec<SubjectAltName>,
    now: UnixTime,
) -> Result<CertificateParams, CertError> {
    let mut params = CertificateParams::default();
    let dns = names.iter().find(|name| matches!(name, SubjectAltName::Dns(_))).map(ToString::to_string);
    params.distinguished_name = distinguished_name(kind, &dns.unwrap_or_default());
    params.subject_alt_names = names.into_iter().map(to_san_type).collect::<Result<_, _>>()?;
    // rcgen adds the key identifier only if this is explicit.
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_validity(&mut params, LEAF_LIFETIME_SECONDS, now);
    Ok(params)
}

fn to_san_type(name: SubjectAltName) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        SubjectAltName::Dns(name) => SanType::DnsName(name.try_into()?),
        SubjectAltName::Ip(ip) => SanType::IpAddress(ip),
    })
}

/// Returns `CN=<kind> <suffix>`, with `suffix` cut at the front to fit.
fn distinguished_name(kind: &str, suffix: &str) -> DistinguishedName {
    // The end says more than the beginning: the root's id, the domain. Host names are ASCII.
    let skip = (kind.len() + 1 + suffix.len()).saturating_sub(COMMON_NAME_MAX);
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("{kind} {}", suffix.get(skip..).unwrap_or_default()));
    name
}

/// Sets the validity and a random serial number: two certificates of one issuer must not share one ([RFC 5280, section
/// 4.1.2.2](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2)).
pub(super) fn set_validity(params: &mut CertificateParams, lifetime_seconds: u64, now: UnixTime) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |seconds: u64| epoch + Duration::from_secs(seconds.min(LATEST_X509_TIME));
    let now = now.as_secs();
    params.not_before = at(now.saturating_sub(BACKDATE_SECONDS));
    params.not_after = at(now.saturating_add(lifetime_seconds));
    let mut serial: [u8; 16] = rand::random();
    // A positive number of the full 16 bytes.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
}

pub(super) fn key_pem(key: &KeyPair) -> Zeroizing<String> {
    Zeroizing::new(key.serialize_pem())
}
