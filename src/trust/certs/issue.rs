//! Making the root and the server's certificate.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber,
};
use rustls_pki_types::UnixTime;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::files::{self, Existing, New};
use super::load::{self, load};
use super::names::{self, Name};
use super::{CertError, Identity, Paths};

const DAY: u64 = 24 * 60 * 60;

/// Certificates count from a day ago, so that a client whose clock is late (or in the wrong time
/// zone) can connect at once.
const BACKDATED: u64 = DAY;

/// The root outlives the machine: when it ends, everybody must be invited again.
const ROOT_LIFE: u64 = 30 * 365 * DAY;

/// Some systems refuse server certificates that live longer than 398 days, even under a private root
/// ([Apple: 825 days for such](https://support.apple.com/en-us/103769)); 397 suits them all.
const SERVER_LIFE: u64 = 397 * DAY;

/// 9999-12-31, the end of what X.509 can say ([RFC 5280, section 4.1.2.5](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5)).
const END_OF_TIME: u64 = 253_402_300_799;

/// Longest common name ([RFC 5280, appendix A.1](https://www.rfc-editor.org/rfc/rfc5280#appendix-A.1), `ub-common-name`).
const COMMON_NAME_MAX: usize = 64;

/// Makes a new root and a server certificate under it in the folder, which is created if need be.
///
/// The certificate names `extra`, the host name, `localhost` and this machine's addresses. Refuses
/// to touch a folder that holds any of the files, unless `force`; then the old root is gone, and with
/// it the pin that clients know.
pub fn generate(folder: &Path, extra: &[Name], force: bool, now: UnixTime) -> Result<Identity, CertError> {
    let paths = Paths::in_folder(folder);
    if !force && let Some(file) = paths.all().into_iter().find(|file| file.exists()) {
        return Err(CertError::Exists { file: file.to_owned(), folder: folder.to_owned() });
    }
    fs::create_dir_all(folder).map_err(|error| files::failed("write", folder, error))?;

    let root_key = KeyPair::generate()?;
    let root_params = root_params(&root_key, now);
    let root = root_params.self_signed(&root_key)?;
    let server_key = KeyPair::generate()?;
    let server = server_params(names::all(extra), now)?
        .signed_by(&server_key, &Issuer::from_params(&root_params, &root_key))?;

    let (root_key, server_key) = (secret(&root_key), secret(&server_key));
    let chain = server.pem() + &root.pem();
    let files = [
        New { path: &paths.root_key, text: &root_key, secret: true },
        New { path: &paths.root, text: &root.pem(), secret: false },
        New { path: &paths.server_key, text: &server_key, secret: true },
        New { path: &paths.server, text: &chain, secret: false },
    ];
    files::write(&files, if force { Existing::Replace } else { Existing::Keep })?;
    load(folder, now)
}

/// Makes a new server certificate under the root that is there: the pin stays, no client notices.
///
/// It keeps the names of the old certificate (as far as that can be read) and adds `extra` and what
/// this machine is called now. It keeps the server's key too, so that clients that pinned the key
/// stay content, unless there is none that can be used.
pub fn renew(folder: &Path, extra: &[Name], now: UnixTime) -> Result<Identity, CertError> {
    let paths = Paths::in_folder(folder);
    let root = load::root(folder)?;
    load::check_validity(folder, &paths.root, root.validity, now, false)?;
    let root_key = load::root_key(folder, &root)?.ok_or_else(|| CertError::Missing {
        file: paths.root_key.clone(),
        folder: folder.to_owned(),
        renewable: false,
    })?;
    let issuer = Issuer::from_ca_cert_der(&root.der, root_key)?;

    let mut names = extra.to_vec();
    names.extend(load::server_names(&paths.server));
    let old_key = match files::read_secret(&paths.server_key) {
        Ok(pem) => std::str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok()),
        Err(_) => None,
    };
    let server_key = old_key.map_or_else(KeyPair::generate, Ok)?;
    let server = server_params(names::all(&names), now)?.signed_by(&server_key, &issuer)?;

    let chain = server.pem() + &root.pem;
    let files = [
        New { path: &paths.server_key, text: &secret(&server_key), secret: true },
        New { path: &paths.server, text: &chain, secret: false },
    ];
    files::write(&files, Existing::Replace)?;
    load(folder, now)
}

/// A root: an authority, without a limit on what may stand between it and a server, so that it can
/// one day cross-sign the roots that follow it.
fn root_params(key: &KeyPair, now: UnixTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    // The key's hash tells two roots of one machine apart, where somebody imports both.
    let hash: [u8; 32] = Sha256::digest(key.subject_public_key_info()).into();
    let id = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    let host = names::host_name().map(|name| format!("{name} ")).unwrap_or_default();
    params.distinguished_name = subject("Parlour root", &format!("{host}{id:08x}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_life(&mut params, ROOT_LIFE, now);
    params
}

/// A server's certificate: for TLS servers and nothing else.
fn server_params(names: Vec<Name>, now: UnixTime) -> Result<CertificateParams, CertError> {
    let mut params = CertificateParams::default();
    let dns = names.iter().find(|name| matches!(name, Name::Dns(_))).map(ToString::to_string);
    params.distinguished_name = subject("Parlour server", &dns.unwrap_or_default());
    params.subject_alt_names = names.into_iter().map(san).collect::<Result<_, _>>()?;
    // Said outright: rcgen then adds the key's identifier too.
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_life(&mut params, SERVER_LIFE, now);
    Ok(params)
}

fn san(name: Name) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        Name::Dns(name) => SanType::DnsName(name.try_into()?),
        Name::Ip(ip) => SanType::IpAddress(ip),
    })
}

/// `CN=<kind> <whose>`, cut to what fits.
fn subject(kind: &str, whose: &str) -> DistinguishedName {
    // The end of it says more than the beginning: the root's id, the domain. Host names are ASCII.
    let skip = (kind.len() + 1 + whose.len()).saturating_sub(COMMON_NAME_MAX);
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("{kind} {}", whose.get(skip..).unwrap_or_default()));
    name
}

/// Dates, and a random serial number: two certificates of one issuer must not share one
/// ([RFC 5280, section 4.1.2.2](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2)).
fn set_life(params: &mut CertificateParams, life: u64, now: UnixTime) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |seconds: u64| epoch + Duration::from_secs(seconds.min(END_OF_TIME));
    let now = now.as_secs();
    params.not_before = at(now.saturating_sub(BACKDATED));
    params.not_after = at(now.saturating_add(life));
    let mut serial: [u8; 16] = rand::random();
    // A positive number of the full 16 bytes.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
}

fn secret(key: &KeyPair) -> Zeroizing<String> {
    Zeroizing::new(key.serialize_pem())
}
