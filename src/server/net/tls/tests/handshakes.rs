//! What the two sides agree on, and how they do not.

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::version::TLS13;
use rustls::{AlertDescription, HandshakeKind};

use super::*;
use crate::trust::device::DeviceIdentity;
use crate::trust::live_identity::LiveIdentity;
use crate::trust::verifier::PinnedVerifier;

/// Returns the alert that a client was sent.
fn alert(outcome: io::Result<ClientStream<DuplexStream>>) -> Option<AlertDescription> {
    let error = outcome.err()?;
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

#[tokio::test]
async fn offers_of_the_client_are_known_before_the_configuration() {
    let (server, client) = configs();
    let (near, far) = duplex(64);
    let name = ServerName::try_from("Parlour.example").expect("a name");
    let server = async {
        let started = start_handshake(near).await?;
        assert!(started.offers(tls::ALPN) && !started.offers(tls::ALPN_HTTP));
        assert_eq!(started.server_name().as_deref(), Some("parlour.example"));
        started.complete(server).await
    };
    let (server, client) = tokio::join!(server, TlsConnector::from(client).connect(name, far));
    let server = server.expect("a handshake");
    assert_eq!(server.common_state().alpn_protocol(), Some(tls::ALPN));
    assert_eq!(server.common_state().peer_certificates(), None);
    client.expect("a handshake");
}

#[tokio::test]
async fn client_that_offers_other_protocols_only_is_told() {
    let (server, client) = configs();
    let mut client = ClientConfig::clone(&client);
    client.alpn_protocols = vec![tls::ALPN_HTTP.to_vec()];
    let client = Arc::new(client);
    for pipe_bytes in [1, 64 * 1024] {
        let (server, client) = handshake(server.clone(), client.clone(), pipe_bytes).await;
        assert_eq!(server.err().map(|error| error.kind()), Some(io::ErrorKind::InvalidData));
        // Where the alert does not fit, the server does not wait for a client that may not read.
        let told = alert(client);
        assert_eq!(told, (pipe_bytes > 1).then_some(AlertDescription::NoApplicationProtocol));
    }
}

#[tokio::test]
async fn certificate_of_a_device_is_seen() {
    let device = DeviceIdentity::generate().expect("a device").0;
    let client = tls::client_config_with_device(IDENTITY.pin(), &device).expect("a configuration");
    let (server, client) = handshake(configs().0, client, 1024).await;
    client.expect("a handshake");
    let server = server.expect("a handshake");
    let seen = server.common_state().peer_certificates().and_then(<[_]>::first).expect("a certificate");
    assert_eq!(crate::trust::certificate_hash(seen), device.certificate_hash());
}

#[tokio::test]
async fn ticket_is_sent_while_a_read_waits_and_resumes_the_session() {
    let (server_config, client) = configs();
    let mut client = ClientConfig::clone(&client);
    client.resumption = rustls::client::Resumption::in_memory_sessions(4);
    let client = Arc::new(client);
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let (server, client) = handshake(server_config.clone(), client.clone(), 64 * 1024).await;
        let (mut server, mut client) = (server.expect("a handshake"), client.expect("a handshake"));
        assert_eq!(server.common_state().handshake_kind(), Some(expected));
        let mut read = [0; 4];
        tokio::select! {
            biased;
            _ = server.read(&mut read) => panic!("nothing was sent"),
            () = tokio::task::yield_now() => {}
        }
        assert_holds_no_buffers(&server);
        // The client takes the ticket when it reads.
        server.shutdown().await.expect("closed");
        assert_eq!(client.read(&mut read).await.expect("the end"), 0);
    }
}

#[tokio::test]
async fn server_may_ask_for_another_key_exchange() {
    let provider = |groups: &[usize]| {
        let all = aws_lc_rs::DEFAULT_KX_GROUPS;
        let kx_groups = groups.iter().map(|group| all[*group]).collect();
        Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() })
    };
    let mut server = ServerConfig::builder_with_provider(provider(&[1]))
        .with_protocol_versions(&[&TLS13])
        .expect("a version")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(LiveIdentity::new(&IDENTITY)));
    server.alpn_protocols = vec![tls::ALPN.to_vec()];
    let provider = provider(&[3, 1]);
    let verifier = Arc::new(PinnedVerifier::new(IDENTITY.pin(), &provider));
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .expect("a version")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // It remembers no key exchange of a former connection.
    client.resumption = rustls::client::Resumption::disabled();
    for pipe_bytes in [1, 64 * 1024] {
        let (server, client) =
            handshake(Arc::new(server.clone()), Arc::new(client.clone()), pipe_bytes).await;
        client.expect("a handshake");
        let kind = server.expect("a handshake").common_state().handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::FullWithHelloRetryRequest));
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_with_an_alert() {
    let (near, mut far) = duplex(1024);
    far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("sent");
    let error = start_handshake(near).await.err().expect("refused");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    let mut alert = Vec::new();
    far.read_to_end(&mut alert).await.expect("the end");
    assert_eq!(alert.first(), Some(&21));
}

#[tokio::test]
async fn connection_that_ends_in_the_handshake_is_an_error() {
    let (server, client) = configs();
    let (near, mut far) = duplex(64 * 1024);
    far.write_all(&[22, 3, 1]).await.expect("sent");
    drop(far);
    let error = start_handshake(near).await.err().expect("cut off");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);

    let name = ServerName::try_from("parlour.example").expect("a name");
    let mut hello = Vec::new();
    let mut client = rustls::ClientConnection::new(client, name).expect("a configuration");
    client.write_tls(&mut hello).expect("a first message");
    let (near, mut far) = duplex(64 * 1024);
    far.write_all(&hello).await.expect("sent");
    far.shutdown().await.expect("closed");
    let started = start_handshake(near).await.expect("begun");
    let error = started.complete(server).await.err().expect("cut off");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}
