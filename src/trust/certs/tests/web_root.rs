//! The web root: what it may vouch for, what it is refused for, its renewal.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::*;
use crate::trust::certs::{WebCertificates, generate_web_root, load_web_root};
use crate::trust::pins::Pins;
use crate::trust::provider::crypto_provider;
use crate::trust::verifier::PinnedVerifier;

fn names(texts: &[&str]) -> Vec<SubjectAltName> {
    texts.iter().map(|name| name.parse().expect(name)).collect()
}

/// Makes a folder with certificates, and a web root for these names.
fn with_web_root(texts: &[&str]) -> (TempDir, WebCertificates) {
    let (folder, _, _) = generated();
    let made = generate_web_root(folder.path(), &names(texts), false, at(NOW)).expect("a web root");
    (folder, made)
}

fn web_root_key(folder: &Path) -> KeyPair {
    let pem = fs::read_to_string(folder.join("web-root.key")).expect("a key");
    KeyPair::from_pem(&pem).expect("a key")
}

/// Signs a leaf for a name with the web root's key, as a thief of that key can. Returns what a browser with that root
/// says of it.
fn forge(folder: &Path, web_root: &WebCertificates, name: &str) -> Result<(), webpki::Error> {
    let issuer = Issuer::from_ca_cert_der(&web_root.root, web_root_key(folder)).expect("an issuer");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = params.signed_by(&key, &issuer).expect("signed");
    let anchor = anchor_from_trusted_cert(&web_root.root).expect("an anchor");
    let certificate = EndEntityCert::try_from(leaf.der()).expect("a certificate");
    certificate
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[anchor],
            &[],
            at(NOW),
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map(drop)
}

#[test]
fn constraints_permit_the_servers_names_alone() {
    for (own, permitted, refused) in [
        (
            &["chat.example.org", "192.0.2.7"][..],
            &["chat.example.org", "below.chat.example.org", "192.0.2.7"][..],
            &["example.org", "evilchat.example.org", "chat.example.org.evil", "192.0.2.8", "2001:db8::7"][..],
        ),
        (&["192.0.2.7"], &["192.0.2.7"], &["chat.example.org", "example", "192.0.2.6", "::1"]),
        (&["2001:db8::7"], &["2001:db8::7"], &["2001:db8::8", "192.0.2.7", "chat.example.org"]),
        (&["chat.example.org"], &["chat.example.org"], &["192.0.2.7", "2001:db8::7", "org"]),
    ] {
        let (folder, web_root) = with_web_root(own);
        for name in permitted {
            assert_eq!(forge(folder.path(), &web_root, name), Ok(()), "{own:?}: {name}");
        }
        for name in refused {
            assert_eq!(
                forge(folder.path(), &web_root, name),
                Err(webpki::Error::NameConstraintViolation),
                "{own:?}: {name}"
            );
        }
    }
}

#[test]
fn names_that_would_permit_too_much_or_nothing_are_left_out() {
    let (_folder, web_root) = with_web_root(&[
        "localhost",
        "dev",
        "chat.example.org",
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "x.localhost",
        "192.0.2.7",
        "chat.example.org",
    ]);
    assert_eq!(web_root.names, names(&["chat.example.org", "192.0.2.7"]));
    let (folder, _, _) = generated();
    let error =
        generate_web_root(folder.path(), &names(&["dev", "127.0.0.1"]), false, at(NOW)).expect_err("refused");
    assert!(matches!(error, CertError::NoWebNames(_)), "{error}");
    assert!(load_web_root(folder.path(), at(NOW)).expect("none").is_none());
}

#[test]
fn web_root_loads_back_and_is_replaced_with_force_only() {
    let (folder, made) = with_web_root(&["chat.example.org"]);
    for key in ["web-root.key", "web.key"] {
        assert_private(&folder.path().join(key));
    }
    let loaded = load_web_root(folder.path(), at(NOW)).expect("loaded").expect("a web root");
    assert_eq!((&loaded.root, &loaded.names), (&made.root, &made.names));
    assert_eq!(loaded.leaf_validity.until, at(NOW + 397 * DAY));
    let again = |force| generate_web_root(folder.path(), &names(&["b.example.org"]), force, at(NOW));
    assert!(matches!(again(false), Err(CertError::WebRootExists { .. })));
    assert_ne!(again(true).expect("another").root, made.root);
    // The pinned chain is as it was.
    load(folder.path(), at(NOW)).expect("loaded");
}

#[test]
fn leaf_is_renewed_under_the_same_root() {
    let (folder, made) = with_web_root(&["chat.example.org"]);
    for days in [380, 1000] {
        let later = at(NOW + days * DAY);
        assert!(made.is_renewal_due(later));
        let renewed = load_web_root(folder.path(), later).expect("renewed").expect("a web root");
        assert_eq!(renewed.root, made.root);
        assert_eq!(renewed.leaf_validity.until, at(NOW + (days + 397) * DAY));
        assert!(!renewed.is_renewal_due(later));
    }
    let ended = load_web_root(folder.path(), at(NOW + 11 * 365 * DAY)).expect("no reason not to start");
    assert!(ended.is_some_and(|ended| ended.root == made.root));
    // Without the root's key it stays as it is.
    fs::remove_file(folder.path().join("web-root.key")).expect("removed");
    let later = at(NOW + 1400 * DAY);
    let old = load_web_root(folder.path(), later).expect("loaded").expect("a web root");
    assert!(old.is_renewal_due(later));
}

#[test]
fn neither_root_speaks_for_the_other() {
    let (folder, web_root) = with_web_root(&["chat.example.org"]);
    let identity = load(folder.path(), at(NOW)).expect("certificates");
    let verify = |pin, chain: &[CertificateDer<'static>]| {
        let (leaf, others) = chain.split_first().expect("a chain");
        PinnedVerifier::new(Pins::from(pin), &crypto_provider()).verify_chain(leaf, others, at(NOW)).map(drop)
    };
    let web_chain = web_root.certified_key().cert.clone();
    let pinned_chain = identity.certified_key().cert.clone();
    verify(identity.pin(), &pinned_chain).expect("its own pin");
    verify(identity.pin(), &web_chain).expect_err("the leaf for browsers");
    verify(identity.pin(), &[&web_chain[..], &pinned_chain[1..]].concat()).expect_err("both roots");
    let web_pin = crate::trust::Pin::from_certificate(&web_root.root).expect("a pin");
    verify(web_pin, &pinned_chain).expect_err("the pinned chain");

    // The key of the web root signs no root: a path length of zero, and names that no root has.
    let issuer = Issuer::from_ca_cert_der(&web_root.root, web_root_key(folder.path())).expect("an issuer");
    let pinned_root = pinned_chain.last().expect("a root");
    let pinned_key = KeyPair::from_pem(&fs::read_to_string(folder.path().join("root.key")).expect("a key"))
        .expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let cross = params.signed_by(&pinned_key, &issuer).expect("signed").der().clone();
    verify(web_pin, &[pinned_chain[0].clone(), cross, web_root.root.clone()]).expect_err("cross-signed");

    // Nor is the pinned root taken for a web root, by its certificate or by its key.
    let error = |file: &str, text: &str| {
        let before = fs::read(folder.path().join(file)).expect("a file");
        fs::write(folder.path().join(file), text).expect("written");
        let error = load_web_root(folder.path(), at(NOW)).expect_err("refused").to_string();
        fs::write(folder.path().join(file), before).expect("written");
        error
    };
    let pem = fs::read_to_string(folder.path().join("root.pem")).expect("a root");
    assert_eq!(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM"), *pinned_root);
    assert!(error("web-root.pem", &pem).contains("may vouch for more"));
    let key = fs::read_to_string(folder.path().join("root.key")).expect("a key");
    assert!(error("web-root.key", &key).contains("the key of another certificate"));
}

#[test]
fn defects_are_named_with_a_remedy() {
    let (folder, _) = with_web_root(&["chat.example.org"]);
    let (other, _) = with_web_root(&["other.example.org"]);
    for (file, text, reason) in [
        ("web.pem", fs::read(other.path().join("web.pem")).expect("a file"), "web.pem cannot be used"),
        (
            "web.key",
            fs::read(other.path().join("web.key")).expect("a file"),
            "the key of another certificate",
        ),
        ("web-root.pem", b"nonsense".to_vec(), "it holds no certificate"),
        ("web.pem", Vec::new(), "it holds no certificate"),
        ("web.key", b"nonsense".to_vec(), "it holds no private key"),
    ] {
        let path = folder.path().join(file);
        let before = fs::read(&path).expect("a file");
        fs::write(&path, text).expect("written");
        let error = load_web_root(folder.path(), at(NOW)).expect_err("refused").to_string();
        assert!(
            error.contains(reason) && error.contains("parlour certs web-root --force"),
            "{file}: {error}"
        );
        fs::write(&path, before).expect("written");
    }
    let key = folder.path().join("web-root.key");
    files::give_to_others(&key, false);
    assert!(matches!(load_web_root(folder.path(), at(NOW)), Err(CertError::InsecureKeyFile { .. })));
    files::make_private(&key).expect("set");
    load_web_root(folder.path(), at(NOW)).expect("loaded");
}

#[test]
fn crash_leaves_the_old_web_root_or_the_new_one() {
    let (folder, made) = with_web_root(&["chat.example.org"]);
    for steps in 0.. {
        let change = || {
            let again = generate_web_root(folder.path(), &names(&["b.example.org"]), true, at(NOW));
            drop(again.expect("made"));
        };
        let ended = crate::trust::certs::files::tests::crashes_after_steps(steps, change);
        let loaded = load_web_root(folder.path(), at(NOW)).expect("whole").expect("a web root");
        let is_new = loaded.names == names(&["b.example.org"]);
        assert!(is_new || loaded.root == made.root, "{steps}");
        if ended {
            assert!(is_new);
            return;
        }
    }
}
