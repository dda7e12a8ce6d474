//! The certificate folder: making and changing it, and every defect that it can have.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustls_pki_types::UnixTime;
use tempfile::TempDir;

mod rotation;
mod web_root;

use super::{CertError, CertPaths, Identity, SubjectAltName, generate, inspect, load, renew};
use crate::platform::files::{self, Restriction, restriction_command};

const DAY: u64 = 24 * 60 * 60;

/// 2026-01-01
const NOW: u64 = 1_767_225_600;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// Makes a folder with fresh certificates.
fn generated() -> (TempDir, CertPaths, Identity) {
    let folder = TempDir::new().expect("a folder");
    let identity = generate(folder.path(), &[], false, at(NOW)).expect("certificates");
    let paths = CertPaths::from_folders(folder.path().into());
    (folder, paths, identity)
}

/// Returns the error of `load`, after checking that it is one line.
fn refusal(folder: &Path) -> (CertError, String) {
    let error = load(folder, at(NOW)).expect_err("refused");
    let text = shown_in(folder, &error);
    assert!(!text.contains('\n'), "{text}");
    (error, text)
}

/// Returns an error's text, with DIR in place of a folder and the separator of Unix after it.
fn shown_in(folder: &Path, error: &CertError) -> String {
    error.to_string().replace(&folder.display().to_string(), "DIR").replace("DIR\\", "DIR/")
}

/// Returns the names of the files in a folder, without those that a system needs for its locks.
fn files_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !files::is_lock_file(name)).collect()
}

#[track_caller]
fn assert_private(path: &Path) {
    assert!(!files::others_access(path).expect("a file").any, "{}", path.display());
}

#[test]
fn generated_certificates_load_back() {
    let (folder, paths, identity) = generated();
    assert_private(&paths.root_key_file);
    assert_private(&paths.server_key);
    assert_eq!(files_in(folder.path()).len(), 4, "nothing is left behind");

    let certificates = inspect(folder.path()).expect("certificates");
    assert_eq!(&certificates, identity.certificates());
    assert_eq!(certificates.leaf_validity.from, at(NOW - DAY));
    assert_eq!(certificates.leaf_validity.until, at(NOW + 397 * DAY));
    assert_eq!(certificates.root_validity.until, at(NOW + 30 * 365 * DAY));
    for own in ["localhost", "127.0.0.1", "::1"] {
        assert!(certificates.leaf_names.contains(&own.parse().expect(own)), "{own}");
    }
}

#[test]
fn extra_names_come_first() {
    let folder = TempDir::new().expect("a folder");
    let names: Vec<SubjectAltName> =
        ["chat.example.org", "198.51.100.9"].iter().map(|name| name.parse().expect(name)).collect();
    let identity = generate(folder.path(), &names, false, at(NOW)).expect("certificates");
    assert_eq!(identity.certificates().leaf_names[..2], names);
}

#[test]
fn generate_overwrites_only_with_force() {
    let (folder, paths, identity) = generated();
    for file in paths.required_files() {
        let others: Vec<_> = paths.required_files().into_iter().filter(|other| *other != file).collect();
        let kept: Vec<_> = others.iter().map(|path| (path, fs::read(path).expect("a file"))).collect();
        let moved = fs::read(file).expect("a file");
        fs::remove_file(file).expect("removed");
        let error = generate(folder.path(), &[], false, at(NOW)).expect_err("refused");
        assert!(matches!(error, CertError::Exists { .. }), "{error}");
        assert!(!file.exists());
        for (path, text) in kept {
            assert_eq!(fs::read(path).expect("a file"), text);
        }
        fs::write(file, moved).expect("written");
        files::make_private(file).expect("set");
    }
    assert_eq!(load(folder.path(), at(NOW)).expect("loaded").pin(), identity.pin());
    let forced = generate(folder.path(), &[], true, at(NOW)).expect("certificates");
    assert_ne!(forced.pin(), identity.pin());
    assert_private(&paths.server_key);
}

#[test]
fn regenerated_key_has_strict_permissions() {
    let (folder, paths, _) = generated();
    files::give_to_others(&paths.root_key_file, true);
    fs::write(paths.root_key_file.with_added_extension("new"), "left by a crash").expect("written");
    files::give_to_others(&paths.root_key_file.with_added_extension("new"), true);
    generate(folder.path(), &[], true, at(NOW)).expect("certificates");
    assert_private(&paths.root_key_file);
}

#[test]
fn renewal_keeps_pin_key_and_names() {
    let (folder, paths, old) = generated();
    let later = at(NOW + 400 * DAY);
    assert!(matches!(load(folder.path(), later), Err(CertError::Expired { renewable: true, .. })));
    let extra: SubjectAltName = "new.example".parse().expect("a name");
    let new = renew(folder.path(), std::slice::from_ref(&extra), later).expect("renewed");
    let (old, new) = (old.certificates(), new.certificates());
    assert_eq!(new.pin, old.pin);
    assert_eq!(new.leaf_fingerprints.public_key, old.leaf_fingerprints.public_key);
    assert_ne!(new.leaf_fingerprints.certificate, old.leaf_fingerprints.certificate);
    assert!(new.leaf_names.contains(&extra));
    assert!(old.leaf_names.iter().all(|name| new.leaf_names.contains(name)));

    // Renewal also replaces missing files.
    fs::remove_file(&paths.server).expect("removed");
    fs::remove_file(&paths.server_key).expect("removed");
    assert_eq!(renew(folder.path(), &[], later).expect("renewed").pin(), new.pin);
}

#[test]
fn renewal_requires_root_key() {
    let (folder, paths, identity) = generated();
    fs::remove_file(&paths.root_key_file).expect("removed");
    assert_eq!(load(folder.path(), at(NOW)).expect("serves without it").pin(), identity.pin());
    let error = renew(folder.path(), &[], at(NOW)).expect_err("refused");
    assert!(
        matches!(error, CertError::NoRootKey { ref file, .. } if *file == paths.root_key_file),
        "{error}"
    );
    assert!(error.to_string().contains("--offline-root DIR"), "{error}");
}

#[test]
fn empty_and_damaged_folder_errors_differ() {
    let folder = TempDir::new().expect("a folder");
    let missing = folder.path().join("none");
    for empty in [folder.path(), &missing] {
        let (error, text) = refusal(empty);
        assert!(matches!(error, CertError::NoCertificates(_)));
        assert_eq!(text, "there are no certificates in DIR. Make them: parlour certs generate --certs DIR");
    }
}

#[test]
fn error_names_missing_file() {
    let (folder, paths, _) = generated();
    for (file, remedy) in [
        (
            &paths.root,
            "start over with a new root, which every client must be invited to again: parlour certs generate --force --certs DIR",
        ),
        (&paths.server, "make a new one under the same root: parlour certs renew --certs DIR"),
        (&paths.server_key, "make a new one under the same root: parlour certs renew --certs DIR"),
    ] {
        let text = fs::read(file).expect("a file");
        fs::remove_file(file).expect("removed");
        let name = file.file_name().expect("a name").display();
        let expected = format!("DIR/{name} is missing. Put it back from a backup, or {remedy}");
        assert_eq!(refusal(folder.path()).1, expected);
        fs::write(file, text).expect("written");
        files::make_private(file).expect("set");
    }
}

#[test]
fn rejects_key_readable_by_others() {
    let (folder, paths, _) = generated();
    for key in [&paths.root_key_file, &paths.server_key] {
        for may_write in [false, true] {
            files::give_to_others(key, may_write);
            let shown = files::others_access(key).expect("a file").shown;
            let remedy = restriction_command(Restriction::PrivateFile, key);
            let expected = format!(
                "others can read the private key {} ({shown}). Keep it to yourself: {remedy}",
                key.display()
            );
            let dir = folder.path().display().to_string();
            assert_eq!(refusal(folder.path()).1, expected.replace(&dir, "DIR").replace("DIR\\", "DIR/"));
            files::make_private(key).expect("set");
        }
        load(folder.path(), at(NOW)).expect("tight enough");
    }
}

#[test]
fn rejects_mismatched_key() {
    let (folder, paths, _) = generated();
    let (_other, foreign, _) = generated();
    for (key, from, certificate, renewable) in [
        (&paths.server_key, &foreign.server_key, "server.pem", true),
        (&paths.root_key_file, &foreign.root_key_file, "root.pem", false),
        (&paths.root_key_file, &paths.server_key, "root.pem", false),
    ] {
        let text = fs::read(key).expect("a file");
        fs::write(key, fs::read(from).expect("a file")).expect("written");
        let (error, line) = refusal(folder.path());
        assert!(matches!(error, CertError::KeyMismatch { renewable: can, .. } if can == renewable), "{line}");
        assert!(line.contains(&format!("is not the key of DIR/{certificate}. ")), "{line}");
        fs::write(key, text).expect("written");
    }
}

#[test]
fn rejects_unparsable_files() {
    let (folder, paths, _) = generated();
    let armoured = "-----BEGIN CERTIFICATE-----\nMAMAAAA=\n-----END CERTIFICATE-----\n";
    let armoured_key = "-----BEGIN PRIVATE KEY-----\nMAMAAAA=\n-----END PRIVATE KEY-----\n";
    for file in paths.required_files() {
        let text = fs::read(file).expect("a file");
        let half = &text[..text.len() / 2];
        for rubbish in [b"", half, b"\xff\xfe", armoured.as_bytes(), armoured_key.as_bytes()] {
            fs::write(file, rubbish).expect("written");
            let (error, line) = refusal(folder.path());
            assert!(matches!(error, CertError::Unreadable { .. }), "{line}");
        }
        fs::write(file, text).expect("written");
    }
}

#[test]
fn rejects_chain_that_clients_would_reject() {
    let (folder, paths, _) = generated();
    let (_other, foreign, _) = generated();
    let read = |path: &Path| fs::read_to_string(path).expect("a file");
    let (server, root, foreign_root) = (read(&paths.server), read(&paths.root), read(&foreign.root));
    let leaf = server.strip_suffix(&root).expect("the chain ends with the root").to_owned();
    let foreign_leaf = read(&foreign.server).replace(&foreign_root, "");
    for (chain, reason) in [
        (leaf.clone(), "that root is not in it"),
        (leaf + &foreign_root, "that root is not in it"),
        (foreign_leaf + &root, "that root did not sign it"),
        (root, "that root did not sign it"),
    ] {
        fs::write(&paths.server, chain).expect("written");
        let (error, line) = refusal(folder.path());
        assert!(matches!(error, CertError::BrokenChain { .. }), "{line}");
        assert!(
            line.starts_with(&format!("DIR/server.pem does not lead to DIR/root.pem: {reason}. ")),
            "{line}"
        );
    }
}

#[test]
fn validity_dates_are_enforced() {
    let (folder, _paths, identity) = generated();
    let line = |seconds| match load(folder.path(), at(seconds)) {
        Ok(_) => String::new(),
        Err(error) => shown_in(folder.path(), &error),
    };
    let until = identity.certificates().leaf_validity.until.as_secs();
    assert_eq!(line(NOW - DAY), "");
    assert_eq!(line(until), "");
    assert_eq!(
        line(until + 1),
        "the certificate DIR/server.pem expired on 2027-02-02, and this machine's clock says 2027-02-02. Check the clock, or make a new one under the same root: parlour certs renew --certs DIR",
    );
    assert_eq!(
        line(NOW - DAY - 1),
        "the certificate DIR/root.pem is valid only from 2025-12-31 on, and this machine's clock says 2025-12-30. Check the clock: date",
    );
    assert!(line(NOW + 31 * 365 * DAY).contains("DIR/root.pem expired on 2055-12-"));
}

#[test]
fn generate_at_latest_time_fails_without_panic() {
    let folder = TempDir::new().expect("a folder");
    // No certificate is valid past the year 9999: making one is refused and does not panic.
    generate(folder.path(), &[], false, at(u64::MAX)).expect_err("refused");
    generate(folder.path(), &[], true, at(0)).expect("the epoch is as good a day as any");
}
