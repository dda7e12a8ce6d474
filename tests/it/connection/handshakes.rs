//! Servers that a client with a pin accepts or refuses, over whole TLS handshakes.

mod authority;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use authority::{Authority, DAY, NOW, at, server_with, set_dates};
use parlour::trust::verifier::{PinnedVerifier, TrustError, pin_mismatch, trust_error};
use parlour::trust::{Pin, Pins, certs, tls};
use proptest::prelude::*;
use rustls::crypto::SupportedKxGroup;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, NamedGroup, ProtocolVersion, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

#[derive(Debug)]
struct Clock(UnixTime);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

fn client_config(pins: impl Into<Pins>) -> Arc<ClientConfig> {
    tls::client_config_with_clock(pins, Arc::new(Clock(at(NOW))))
}

/// Outcome of one connection.
struct HandshakeResult {
    client: io::Result<()>,
    /// Data that the server read: an error if the client stopped in time.
    server: io::Result<String>,
}

/// Connects and, if the client accepts the server, sends a line of login.
async fn run_handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> HandshakeResult {
    let (near, far) = duplex(64 * 1024);
    let name = ServerName::try_from("whatever.example").expect("a name");
    let client = async move {
        let mut stream = TlsConnector::from(client).connect(name, near).await?;
        let (_, connection) = stream.get_ref();
        assert_eq!(connection.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        let group = connection.negotiated_key_exchange_group();
        assert_eq!(group.map(SupportedKxGroup::name), Some(NamedGroup::X25519MLKEM768));
        stream.write_all(b"PASS secret\r\n").await?;
        stream.shutdown().await?;
        // The ticket may still be on its way; the way of closing does not matter.
        let _ = stream.read_to_end(&mut Vec::new()).await;
        Ok(())
    };
    let server = async move {
        let mut stream = TlsAcceptor::from(server).accept(far).await?;
        let mut read = String::new();
        stream.read_to_string(&mut read).await?;
        Ok(read)
    };
    let (client, server) = tokio::join!(client, server);
    HandshakeResult { client, server }
}

/// Returns the verifier's error about a chain, after checking that the server got no data.
async fn handshake_refusal(pins: impl Into<Pins>, server: Arc<ServerConfig>) -> TrustError {
    let outcome = run_handshake(client_config(pins), server).await;
    assert!(outcome.server.is_err(), "the server read {:?}", outcome.server);
    let error = outcome.client.expect_err("refused");
    trust_error(&error).unwrap_or_else(|| panic!("refused for another reason: {error}")).clone()
}

#[tokio::test]
async fn pinned_server_is_accepted_under_any_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let identity = certs::generate(folder.path(), &[], false, at(NOW)).expect("certificates");
    let server = tls::server_config(&identity);
    let outcome = run_handshake(client_config(identity.pin()), Arc::clone(&server)).await;
    outcome.client.expect("taken");
    assert_eq!(outcome.server.expect("read"), "PASS secret\r\n");

    // Renewal keeps the pin too, if it comes in time.
    let later = NOW + 390 * DAY;
    let renewed = certs::renew(folder.path(), &[], at(later)).expect("renewed");
    let clock = |seconds| tls::client_config_with_clock(identity.pin(), Arc::new(Clock(at(seconds))));
    let renewed = tls::server_config(&renewed);
    run_handshake(clock(later + 30 * DAY), renewed).await.client.expect("taken");
    let error = run_handshake(clock(later + 30 * DAY), server).await.client.expect_err("expired");
    assert!(matches!(trust_error(&error), Some(TrustError::Expired { .. })), "{error}");
}

#[tokio::test]
async fn other_root_is_refused_with_both_pins() {
    let (ours, theirs) = (Authority::new("same name"), Authority::new("same name"));
    let outcome = run_handshake(client_config(ours.pin()), theirs.server_config(|_| {})).await;
    let error = outcome.client.expect_err("refused");
    let mismatch = pin_mismatch(&error).expect("a mismatch of pins");
    assert_eq!((mismatch.expected, mismatch.seen), (ours.pin(), theirs.pin()));
    assert!(outcome.server.is_err(), "the server read {:?}", outcome.server);
}

#[tokio::test]
async fn presented_root_that_did_not_sign_is_refused() {
    // With the same name and key identifier, and with others.
    for name in ["same name", "other name"] {
        let (ours, theirs) = (Authority::new("same name"), Authority::new(name));
        let (leaf, key) = theirs.leaf(|_| {});
        let chains = [
            vec![leaf.clone(), ours.certificate()],
            vec![leaf.clone(), theirs.certificate(), ours.certificate()],
            vec![leaf, ours.certificate(), theirs.certificate()],
        ];
        for chain in chains {
            let said = handshake_refusal(ours.pin(), server_with(chain, &key)).await;
            assert_eq!(said, TrustError::NotSigned { pin: ours.pin() });
        }
    }
}

#[tokio::test]
async fn root_as_server_certificate_is_refused() {
    let ours = Authority::new("root");
    let said = handshake_refusal(ours.pin(), server_with(vec![ours.certificate()], ours.key())).await;
    assert_eq!(said, TrustError::NotSigned { pin: ours.pin() });
    let twice = vec![ours.certificate(), ours.certificate()];
    let said = handshake_refusal(ours.pin(), server_with(twice, ours.key())).await;
    assert!(matches!(said, TrustError::Unusable(_)), "{said}");
}

#[tokio::test]
async fn chain_without_its_root_is_refused() {
    let ours = Authority::new("root");
    let (leaf, key) = ours.leaf(|_| {});
    let said = handshake_refusal(ours.pin(), server_with(vec![leaf], &key)).await;
    assert!(matches!(said, TrustError::Pin(_)), "{said}");
}

#[tokio::test]
async fn expired_and_future_certificates_are_refused() {
    let ours = Authority::new("root");
    let said = handshake_refusal(ours.pin(), ours.server_config(|leaf| set_dates(leaf, 0, NOW - 1))).await;
    assert_eq!(said, TrustError::Expired { until: at(NOW - 1), clock: at(NOW) });
    let said =
        handshake_refusal(ours.pin(), ours.server_config(|leaf| set_dates(leaf, NOW + 1, NOW + DAY))).await;
    assert_eq!(said, TrustError::NotYetValid { from: at(NOW + 1), clock: at(NOW) });
}

#[tokio::test]
async fn leaf_cannot_issue_certificates() {
    let ours = Authority::new("root");
    let (leaf, key) = ours.leaf(|_| {});
    let stolen = Authority::with_key(leaf.clone(), key);
    let (evil, evil_key) = stolen.leaf(|_| {});
    let chain = vec![evil, leaf, ours.certificate()];
    let said = handshake_refusal(ours.pin(), server_with(chain, &evil_key)).await;
    assert!(matches!(said, TrustError::Unusable(_)), "{said}");
}

#[tokio::test]
async fn client_certificate_is_refused_for_a_server() {
    let ours = Authority::new("root");
    let for_clients = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let said =
        handshake_refusal(ours.pin(), ours.server_config(|leaf| leaf.extended_key_usages = for_clients))
            .await;
    assert!(matches!(said, TrustError::Unusable(_)), "{said}");
}

#[tokio::test]
async fn intermediate_issuer_is_accepted() {
    // A root that follows another one, signed by both, is such an issuer to clients of the first.
    let (old, new) = (Authority::new("old root"), Authority::new("new root"));
    let (leaf, key) = new.leaf(|_| {});
    let chain = vec![leaf, old.cross_sign(&new), old.certificate()];
    for pin in [old.pin(), new.pin()] {
        run_handshake(client_config(pin), server_with(chain.clone(), &key)).await.client.expect("taken");
    }
}

/// Returns the pins that a client learns from a chain.
fn learned_pins(pins: impl Into<Pins>, chain: &[CertificateDer<'_>]) -> Pins {
    tls::learn_pins(pins.into(), chain, at(NOW))
}

#[tokio::test]
async fn cross_signed_root_is_learned() {
    let (old, new) = (Authority::new("old root"), Authority::new("new root"));
    let (leaf, key) = new.leaf(|_| {});
    let both = Pins { current: old.pin(), next: Some(new.pin()) };
    let changing = vec![leaf.clone(), old.cross_sign(&new), old.certificate(), new.certificate()];
    let changed = vec![leaf, new.certificate()];
    // A client with either pin or both accepts the server; after the rotation, one with only the old pin does not.
    for (pins, chain, taken, next) in [
        (old.pin().into(), &changing, true, both),
        (both, &changing, true, new.pin().into()),
        (new.pin().into(), &changing, true, new.pin().into()),
        (both, &changed, true, new.pin().into()),
        (new.pin().into(), &changed, true, new.pin().into()),
        (old.pin().into(), &changed, false, old.pin().into()),
    ] {
        let outcome = run_handshake(client_config(pins), server_with(chain.clone(), &key)).await;
        assert_eq!(outcome.client.is_ok(), taken, "{pins:?}");
        assert_eq!(learned_pins(pins, chain), next, "{pins:?}");
    }
    // The order of the certificates does not matter.
    let mut mixed = changing;
    mixed[1..].reverse();
    assert_eq!(learned_pins(old.pin(), &mixed), both);
}

#[tokio::test]
async fn root_that_did_not_issue_the_leaf_is_not_learned() {
    let (ours, next, evil) = (Authority::new("ours"), Authority::new("next"), Authority::new("evil"));
    let only = Pins::from(ours.pin());
    let (leaf, key) = ours.leaf(|_| {});
    for extra in [
        // Only present in the chain.
        vec![evil.certificate()],
        // Signed by another root.
        vec![next.cross_sign(&evil), evil.certificate()],
        // Signed by ours, and not on the path.
        vec![ours.cross_sign(&next), next.certificate()],
    ] {
        let chain = [vec![leaf.clone(), ours.certificate()], extra].concat();
        run_handshake(client_config(only), server_with(chain.clone(), &key)).await.client.expect("taken");
        assert_eq!(learned_pins(only, &chain), only);
    }
    // The impostor cross-signs our root: the pin is shown as that of a signer that did not sign.
    let (leaf, key) = evil.leaf(|_| {});
    let chain = vec![leaf, evil.certificate(), evil.cross_sign(&ours), ours.certificate()];
    assert_eq!(learned_pins(only, &chain), only);
    let said = handshake_refusal(only, server_with(chain, &key)).await;
    assert_eq!(said, TrustError::NotSigned { pin: ours.pin() });
    // An intermediate CA that does not claim to be a root is accepted, and not learned.
    let (leaf, key) = next.leaf(|_| {});
    let chain = vec![leaf, ours.cross_sign(&next), ours.certificate()];
    run_handshake(client_config(only), server_with(chain.clone(), &key)).await.client.expect("taken");
    assert_eq!(learned_pins(only, &chain), only);
    // Nor if another party makes a root with that CA's key, whose signature is not by that key.
    let mut forged = next.certificate().to_vec();
    *forged.last_mut().expect("bytes") ^= 1;
    let chain = [chain, vec![CertificateDer::from(forged)]].concat();
    run_handshake(client_config(only), server_with(chain.clone(), &key)).await.client.expect("taken");
    assert_eq!(learned_pins(only, &chain), only);
}

#[tokio::test]
async fn chain_without_its_private_key_is_refused() {
    let ours = Authority::new("root");
    let (leaf, _) = ours.leaf(|_| {});
    let (_, other_key) = ours.leaf(|_| {});
    let chain = vec![leaf, ours.certificate()];
    let outcome = run_handshake(client_config(ours.pin()), server_with(chain, &other_key)).await;
    let error = outcome.client.expect_err("refused");
    assert!(error.to_string().contains("BadSignature"), "{error}");
    assert!(outcome.server.is_err(), "the server read {:?}", outcome.server);
}

#[tokio::test]
async fn alpn_is_optional() {
    let folder = tempfile::tempdir().expect("a folder");
    let identity = certs::generate(folder.path(), &[], false, at(NOW)).expect("certificates");
    for (offered, taken) in [(&[][..], true), (&["irc"], true), (&["h2", "irc"], true), (&["h2"], false)] {
        let mut client = (*client_config(identity.pin())).clone();
        client.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let outcome = run_handshake(Arc::new(client), tls::server_config(&identity)).await;
        assert_eq!(outcome.client.is_ok(), taken, "{offered:?}");
    }
}

proptest! {
    #[test]
    fn any_changed_byte_of_the_leaf_is_refused(at_byte: prop::sample::Index, flip in 1..=u8::MAX) {
        let (ours, leaf) = Authority::shared();
        let verifier = PinnedVerifier::new(ours.pin(), &rustls::crypto::aws_lc_rs::default_provider());
        let root = [ours.certificate()];
        prop_assert_eq!(verifier.verify_chain(leaf, &root, at(NOW)).map(|proof| proof.root_pin), Ok(ours.pin()));
        let mut bytes = leaf.to_vec();
        let at_byte = at_byte.index(bytes.len());
        bytes[at_byte] ^= flip;
        prop_assert!(verifier.verify_chain(&CertificateDer::from(bytes), &root, at(NOW)).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic_the_verifier(leaf: Vec<u8>, others: Vec<Vec<u8>>, seconds: u64) {
        let verifier = PinnedVerifier::new(Pin::new([0; 32]), &rustls::crypto::aws_lc_rs::default_provider());
        let others: Vec<CertificateDer> = others.into_iter().map(CertificateDer::from).collect();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        prop_assert!(verifier.verify_chain(&CertificateDer::from(leaf), &others, now).is_err());
    }
}
