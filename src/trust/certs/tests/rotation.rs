//! Rotation, a root's key that is kept elsewhere, and a crash at any step.

use std::collections::BTreeMap;

use rustls::pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::*;
use crate::trust::Pin;
use crate::trust::certs::files::tests::crashing_after;
use crate::trust::certs::{Place, Rotating, retire, rotate};
use crate::trust::pins::{Pins, Proof};
use crate::trust::provider::provider;
use crate::trust::verifier::{PinnedVerifier, TrustError};

/// Checks the chain in the folder as a client with these pins does.
fn seen(folder: &Path, pins: impl Into<Pins>) -> Result<Proof, TrustError> {
    let text = fs::read(folder.join("server.pem")).expect("a chain");
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().expect("certificates");
    PinnedVerifier::new(pins, &provider()).check(&chain[0], &chain[1..], at(NOW + DAY))
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|e| (e.file_name().into_string().expect("a name"), fs::read(e.path()).expect("a file")))
        .collect()
}

/// Makes the folders of a test: the server's and that of the root's key.
fn places(offline: bool) -> (TempDir, TempDir, bool) {
    (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"), offline)
}

fn place((folder, away, offline): &(TempDir, TempDir, bool)) -> Place<'_> {
    Place { folder: folder.path(), root_key: if *offline { away.path() } else { folder.path() } }
}

#[test]
fn old_root_proves_new_one_until_retired() {
    let (folder, paths, first) = made();
    let folder = folder.path();
    let old = first.pin();
    let old_key = fs::read(&paths.root_key).expect("a key");
    let rotated = rotate(folder, at(NOW)).expect("rotated");
    let (new, shown) = (rotated.pin(), rotated.certificates().clone());
    assert_ne!(new, old);
    assert_eq!(shown.rotating, Some(Rotating { since: at(NOW), old }));
    assert_ne!(shown.fingerprints.public_key, first.certificates().fingerprints.public_key, "a new key");
    assert_eq!(shown.names, first.certificates().names);
    assert_eq!(inspect(folder).expect("inspected"), shown);
    assert_ne!(fs::read(&paths.root_key).expect("a key"), old_key, "nothing of the old key is left");
    assert_eq!(files(folder).len(), 5);

    let proof = |by, successor| Ok(Proof { by, successor });
    assert_eq!(seen(folder, old), proof(old, Some(new)));
    assert_eq!(seen(folder, Pins { pin: old, next: Some(new) }), proof(new, None));
    assert_eq!(seen(folder, new), proof(new, None));
    assert!(matches!(seen(folder, Pin::new([7; 32])), Err(TrustError::Pin(it)) if it.seen == new));
    // Only one rotation at a time.
    let error = rotate(folder, at(NOW)).expect_err("refused");
    assert!(matches!(error, CertError::Rotating { since, .. } if since == at(NOW)), "{error}");
    // A renewal during the rotation presents both roots as well.
    renew(folder, &[], at(NOW)).expect("renewed");
    assert_eq!(seen(folder, old), proof(old, Some(new)));

    let retired = retire(folder, at(NOW)).expect("retired");
    assert_eq!((retired.pin(), retired.certificates().rotating), (new, None));
    assert_eq!(seen(folder, new), proof(new, None));
    assert!(matches!(seen(folder, old), Err(TrustError::Pin(_))));
    assert_eq!(files(folder).len(), 4);
    assert!(matches!(retire(folder, at(NOW)), Err(CertError::NotRotating(_))));
    // The next rotation works the same way.
    let third = rotate(folder, at(NOW)).expect("rotated").pin();
    assert_eq!(seen(folder, new), proof(new, Some(third)));
}

#[test]
fn root_key_can_be_kept_offline() {
    let places = places(true);
    let place = place(&places);
    let first = generate(place, &[], false, at(NOW)).expect("made");
    assert!(!first.can_renew() && !place.folder.join("root.key").exists());
    assert_eq!(mode(&place.root_key.join("root.key")), 0o600);
    // An existing root's key elsewhere is not overwritten either.
    assert!(matches!(generate(place, &[], false, at(NOW)), Err(CertError::Exists { .. })));
    fs::remove_dir_all(place.folder).expect("removed");
    assert!(matches!(
        generate(place, &[], false, at(NOW)),
        Err(CertError::Exists { file, .. }) if file.starts_with(place.root_key)
    ));
    let first = generate(place, &[], true, at(NOW)).expect("made");

    let no_key = |result: Result<Identity, CertError>| matches!(result, Err(CertError::NoRootKey { .. }));
    assert!(no_key(renew(place.folder, &[], at(NOW))) && no_key(rotate(place.folder, at(NOW))));
    assert_eq!(renew(place, &[], at(NOW)).expect("renewed").pin(), first.pin());
    let second = rotate(place, at(NOW)).expect("rotated");
    assert!(!place.folder.join("root.key").exists());
    assert_eq!(seen(place.folder, first.pin()), Ok(Proof { by: first.pin(), successor: Some(second.pin()) }));
    assert_eq!(renew(place, &[], at(NOW)).expect("renewed").pin(), second.pin());
    // The folder of the key holds a copy of the root, and nothing else.
    let names: Vec<_> = files(place.root_key).into_keys().collect();
    assert_eq!(names, ["root.key", "root.pem"]);
    assert_eq!(fs::read(place.root_key.join("root.pem")).ok(), fs::read(place.folder.join("root.pem")).ok());
    // The key of another server is refused.
    let (other, _, _) = made();
    assert!(matches!(
        renew(Place { folder: place.folder, root_key: other.path() }, &[], at(NOW)),
        Err(CertError::KeyMismatch { .. })
    ));
    retire(place.folder, at(NOW)).expect("retired, which needs no key");
    // A copy of the key that was left in the server's folder is removed together with its root.
    for change in [|place| rotate(place, at(NOW)), |place| generate(place, &[], true, at(NOW))] {
        fs::copy(place.root_key.join("root.key"), place.folder.join("root.key")).expect("copied");
        load(place.folder, at(NOW)).expect("loads");
        assert!(!change(place).expect("changed").can_renew());
    }
}

/// Repeats `change`, each time with a crash one step later. After each crash checks that the folder loads in its old or
/// its new state, and that repeating the change completes it.
fn survives(
    offline: bool,
    prepare: impl Fn(Place<'_>),
    change: impl Fn(Place<'_>) -> Result<Identity, CertError>,
    again: impl Fn(Place<'_>) -> Result<Identity, CertError>,
) {
    for steps in 0.. {
        let places = places(offline);
        let place = place(&places);
        prepare(place);
        let before = load(place.folder, at(NOW)).expect("loads").certificates().clone();
        let ended = crashing_after(steps, || drop(change(place).expect("changed")));
        let after = load(place.folder, at(NOW)).unwrap_or_else(|e| panic!("after {steps} steps: {e}"));
        let after = after.certificates();
        let is_old = (after.pin, after.fingerprints) == (before.pin, before.fingerprints);
        assert!(!ended || !is_old || after.rotating != before.rotating, "after {steps} steps");
        // A client with the old pin still accepts the server.
        seen(place.folder, before.pin).unwrap_or_else(|e| panic!("after {steps} steps: {e}"));
        let done = again(place).unwrap_or_else(|e| panic!("again after {steps} steps: {e}"));
        assert_eq!(load(place.folder, at(NOW)).expect("loads").certificates(), done.certificates());
        // The key is present and fits, and no temporary files are left.
        renew(place, &[], at(NOW)).unwrap_or_else(|e| panic!("renewal after {steps} steps: {e}"));
        let names = files(place.folder).into_keys().chain(files(place.root_key).into_keys());
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
    let make = |place: Place<'_>| drop(generate(place, &[], false, at(NOW)).expect("made"));
    let renewed = |place: Place<'_>| renew(place, &[], at(NOW));
    for offline in [false, true] {
        survives(offline, make, renewed, renewed);
        survives(
            offline,
            make,
            |place| rotate(place, at(NOW)),
            |place| match rotate(place, at(NOW)) {
                // The crash came after the change was decided.
                Err(CertError::Rotating { .. }) => load(place.folder, at(NOW)),
                done => done,
            },
        );
    }
}

#[test]
fn interrupted_retirement_can_be_finished() {
    for steps in 0.. {
        let (folder, _, _) = made();
        let folder = folder.path();
        let new = rotate(folder, at(NOW)).expect("rotated").pin();
        let ended = crashing_after(steps, || drop(retire(folder, at(NOW)).expect("retired")));
        assert_eq!(load(folder, at(NOW)).expect("loads").pin(), new);
        if ended {
            return;
        }
        match retire(folder, at(NOW)) {
            Ok(_) | Err(CertError::NotRotating(_)) => {}
            Err(error) => panic!("after {steps} steps: {error}"),
        }
        assert_eq!(load(folder, at(NOW)).expect("loads").certificates().rotating, None);
        assert_eq!(files(folder).len(), 4, "after {steps} steps");
    }
}

#[test]
fn damaged_old_root_blocks_renewal_until_retired() {
    let (folder, paths, _) = made();
    rotate(folder.path(), at(NOW)).expect("rotated");
    for rubbish in ["", "x", "-----BEGIN CERTIFICATE-----\nMAMAAAA=\n-----END CERTIFICATE-----\n"] {
        fs::write(&paths.old_root, rubbish).expect("written");
        load(folder.path(), at(NOW)).expect("the server goes on");
        let error = renew(folder.path(), &[], at(NOW)).expect_err("refused");
        assert!(matches!(error, CertError::Damaged { .. }), "{error}");
    }
    retire(folder.path(), at(NOW)).expect("retired");
    // An old-root file left behind by another root is no obstacle.
    fs::write(&paths.old_root, fs::read(&paths.root).expect("a root").repeat(2)).expect("written");
    generate(folder.path(), &[], true, at(NOW)).expect("made");
    assert!(!paths.old_root.exists());
}
