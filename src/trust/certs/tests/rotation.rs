//! Rotation, a root's key that is kept elsewhere, and a crash at any step.

use std::collections::BTreeMap;

use rustls::pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::*;
use crate::trust::Pin;
use crate::trust::certs::files::tests::crashes_after_steps;
use crate::trust::certs::{CertFolders, RotationInfo, retire, rotate};
use crate::trust::pins::{ChainProof, Pins};
use crate::trust::provider::crypto_provider;
use crate::trust::verifier::{PinnedVerifier, TrustError};

/// Checks the chain in the folder as a client with these pins does.
fn verify_as_client(folder: &Path, pins: impl Into<Pins>) -> Result<ChainProof, TrustError> {
    let text = fs::read(folder.join("server.pem")).expect("a chain");
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().expect("certificates");
    PinnedVerifier::new(pins, &crypto_provider()).verify_chain(&chain[0], &chain[1..], at(NOW + DAY))
}

fn read_files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .filter(|entry| !files::is_lock_file(&entry.file_name().to_string_lossy()))
        .map(|e| (e.file_name().into_string().expect("a name"), fs::read(e.path()).expect("a file")))
        .collect()
}

/// Makes the folders of a test: the server's and that of the root's key.
fn make_folders(offline: bool) -> (TempDir, TempDir, bool) {
    (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"), offline)
}

fn cert_folders((folder, away, offline): &(TempDir, TempDir, bool)) -> CertFolders<'_> {
    CertFolders { folder: folder.path(), root_key_folder: if *offline { away.path() } else { folder.path() } }
}

#[test]
fn old_root_proves_new_one_until_retired() {
    let (folder, paths, first) = generated();
    let folder = folder.path();
    let old = first.pin();
    let old_key = fs::read(&paths.root_key_file).expect("a key");
    let rotated = rotate(folder, at(NOW)).expect("rotated");
    let (new, shown) = (rotated.pin(), rotated.certificates().clone());
    assert_ne!(new, old);
    assert_eq!(shown.rotation, Some(RotationInfo { since: at(NOW), old_pin: old }));
    assert_ne!(
        shown.leaf_fingerprints.public_key,
        first.certificates().leaf_fingerprints.public_key,
        "a new key"
    );
    assert_eq!(shown.leaf_names, first.certificates().leaf_names);
    assert_eq!(inspect(folder).expect("inspected"), shown);
    assert_ne!(fs::read(&paths.root_key_file).expect("a key"), old_key, "nothing of the old key is left");
    assert_eq!(read_files(folder).len(), 5);

    let proof = |by, successor| Ok(ChainProof { root_pin: by, successor_pin: successor });
    assert_eq!(verify_as_client(folder, old), proof(old, Some(new)));
    assert_eq!(verify_as_client(folder, Pins { current: old, next: Some(new) }), proof(new, None));
    assert_eq!(verify_as_client(folder, new), proof(new, None));
    assert!(
        matches!(verify_as_client(folder, Pin::new([7; 32])), Err(TrustError::Pin(it)) if it.seen == new)
    );
    // Only one rotation at a time.
    let error = rotate(folder, at(NOW)).expect_err("refused");
    assert!(matches!(error, CertError::Rotating { since, .. } if since == at(NOW)), "{error}");
    // A renewal during the rotation presents both roots as well.
    renew(folder, &[], at(NOW)).expect("renewed");
    assert_eq!(verify_as_client(folder, old), proof(old, Some(new)));

    let retired = retire(folder, at(NOW)).expect("retired");
    assert_eq!((retired.pin(), retired.certificates().rotation), (new, None));
    assert_eq!(verify_as_client(folder, new), proof(new, None));
    assert!(matches!(verify_as_client(folder, old), Err(TrustError::Pin(_))));
    assert_eq!(read_files(folder).len(), 4);
    assert!(matches!(retire(folder, at(NOW)), Err(CertError::NotRotating(_))));
    // The next rotation works the same way.
    let third = rotate(folder, at(NOW)).expect("rotated").pin();
    assert_eq!(verify_as_client(folder, new), proof(new, Some(third)));
}

#[test]
fn root_key_can_be_kept_offline() {
    let temp_folders = make_folders(true);
    let folders = cert_folders(&temp_folders);
    let first = generate(folders, &[], false, at(NOW)).expect("made");
    assert!(!first.can_renew() && !folders.folder.join("root.key").exists());
    assert_private(&folders.root_key_folder.join("root.key"));
    // An existing root's key elsewhere is not overwritten either.
    assert!(matches!(generate(folders, &[], false, at(NOW)), Err(CertError::Exists { .. })));
    fs::remove_dir_all(folders.folder).expect("removed");
    assert!(matches!(
        generate(folders, &[], false, at(NOW)),
        Err(CertError::Exists { file, .. }) if file.starts_with(folders.root_key_folder)
    ));
    let first = generate(folders, &[], true, at(NOW)).expect("made");

    let no_key = |result: Result<Identity, CertError>| matches!(result, Err(CertError::NoRootKey { .. }));
    assert!(no_key(renew(folders.folder, &[], at(NOW))) && no_key(rotate(folders.folder, at(NOW))));
    assert_eq!(renew(folders, &[], at(NOW)).expect("renewed").pin(), first.pin());
    let second = rotate(folders, at(NOW)).expect("rotated");
    assert!(!folders.folder.join("root.key").exists());
    assert_eq!(
        verify_as_client(folders.folder, first.pin()),
        Ok(ChainProof { root_pin: first.pin(), successor_pin: Some(second.pin()) })
    );
    assert_eq!(renew(folders, &[], at(NOW)).expect("renewed").pin(), second.pin());
    // The folder of the key holds a copy of the root, and nothing else.
    let names: Vec<_> = read_files(folders.root_key_folder).into_keys().collect();
    assert_eq!(names, ["root.key", "root.pem"]);
    assert_eq!(
        fs::read(folders.root_key_folder.join("root.pem")).ok(),
        fs::read(folders.folder.join("root.pem")).ok()
    );
    // The key of another server is refused.
    let (other, _, _) = generated();
    assert!(matches!(
        renew(CertFolders { folder: folders.folder, root_key_folder: other.path() }, &[], at(NOW)),
        Err(CertError::KeyMismatch { .. })
    ));
    retire(folders.folder, at(NOW)).expect("retired, which needs no key");
    // A copy of the key that was left in the server's folder is removed together with its root.
    for change in [|folders| rotate(folders, at(NOW)), |folders| generate(folders, &[], true, at(NOW))] {
        fs::copy(folders.root_key_folder.join("root.key"), folders.folder.join("root.key")).expect("copied");
        load(folders.folder, at(NOW)).expect("loads");
        assert!(!change(folders).expect("changed").can_renew());
    }
}

/// Repeats `change`, each time with a crash one step later. After each crash checks that the folder loads in its old or
/// its new state, and that repeating the change completes it.
fn assert_survives_crashes(
    offline: bool,
    prepare: impl Fn(CertFolders<'_>),
    change: impl Fn(CertFolders<'_>) -> Result<Identity, CertError>,
    again: impl Fn(CertFolders<'_>) -> Result<Identity, CertError>,
) {
    for steps in 0.. {
        let temp_folders = make_folders(offline);
        let folders = cert_folders(&temp_folders);
        prepare(folders);
        let before = load(folders.folder, at(NOW)).expect("loads").certificates().clone();
        let ended = crashes_after_steps(steps, || drop(change(folders).expect("changed")));
        let after = load(folders.folder, at(NOW)).unwrap_or_else(|e| panic!("after {steps} steps: {e}"));
        let after = after.certificates();
        let is_old = (after.pin, after.leaf_fingerprints) == (before.pin, before.leaf_fingerprints);
        assert!(!ended || !is_old || after.rotation != before.rotation, "after {steps} steps");
        // A client with the old pin still accepts the server.
        verify_as_client(folders.folder, before.pin).unwrap_or_else(|e| panic!("after {steps} steps: {e}"));
        let done = again(folders).unwrap_or_else(|e| panic!("again after {steps} steps: {e}"));
        assert_eq!(load(folders.folder, at(NOW)).expect("loads").certificates(), done.certificates());
        // The key is present and fits, and no temporary files are left.
        renew(folders, &[], at(NOW)).unwrap_or_else(|e| panic!("renewal after {steps} steps: {e}"));
        let names =
            read_files(folders.folder).into_keys().chain(read_files(folders.root_key_folder).into_keys());
        let stray: Vec<_> = names.filter(|name| name.contains("new") || name.contains("change")).collect();
        assert!(stray.is_empty(), "{stray:?} after {steps} steps");
        if ended {
            assert!(steps > 4, "{steps}");
            return;
        }
    }
}

#[test]
fn crash_leaves_old_or_new_certificates() {
    let make = |folders: CertFolders<'_>| drop(generate(folders, &[], false, at(NOW)).expect("made"));
    let renewed = |folders: CertFolders<'_>| renew(folders, &[], at(NOW));
    for offline in [false, true] {
        assert_survives_crashes(offline, make, renewed, renewed);
        assert_survives_crashes(
            offline,
            make,
            |folders| rotate(folders, at(NOW)),
            |folders| match rotate(folders, at(NOW)) {
                // The crash came after the change was decided.
                Err(CertError::Rotating { .. }) => load(folders.folder, at(NOW)),
                done => done,
            },
        );
    }
}

#[test]
fn interrupted_retirement_can_be_finished() {
    for steps in 0.. {
        let (folder, _, _) = generated();
        let folder = folder.path();
        let new = rotate(folder, at(NOW)).expect("rotated").pin();
        let ended = crashes_after_steps(steps, || drop(retire(folder, at(NOW)).expect("retired")));
        assert_eq!(load(folder, at(NOW)).expect("loads").pin(), new);
        if ended {
            return;
        }
        match retire(folder, at(NOW)) {
            Ok(_) | Err(CertError::NotRotating(_)) => {}
            Err(error) => panic!("after {steps} steps: {error}"),
        }
        assert_eq!(load(folder, at(NOW)).expect("loads").certificates().rotation, None);
        assert_eq!(read_files(folder).len(), 4, "after {steps} steps");
    }
}

#[test]
fn damaged_old_root_blocks_renewal_until_retired() {
    let (folder, paths, _) = generated();
    rotate(folder.path(), at(NOW)).expect("rotated");
    for rubbish in ["", "x", "-----BEGIN CERTIFICATE-----\nMAMAAAA=\n-----END CERTIFICATE-----\n"] {
        fs::write(&paths.old_root, rubbish).expect("written");
        load(folder.path(), at(NOW)).expect("the server goes on");
        let error = renew(folder.path(), &[], at(NOW)).expect_err("refused");
        assert!(matches!(error, CertError::DamagedOldRoot { .. }), "{error}");
    }
    retire(folder.path(), at(NOW)).expect("retired");
    // An old-root file left behind by another root is no obstacle.
    fs::write(&paths.old_root, fs::read(&paths.root).expect("a root").repeat(2)).expect("written");
    generate(folder.path(), &[], true, at(NOW)).expect("made");
    assert!(!paths.old_root.exists());
}
