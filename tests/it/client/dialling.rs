//! Several addresses dialled at once: the address that a client connects to, and the data that the others get.

use std::net::{SocketAddr, TcpListener};

use parlour::client::connect::connection::{ConnectError, probe};
use parlour::client::connect::dial::DialError;
use parlour::trust::verifier::TrustError;
use parlour::trust::{Address, Pin, certs, tls};
use rustls_pki_types::UnixTime;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::support::{Impostor, skipped};

/// A server with the expected pin that only completes handshakes.
struct PinnedServer {
    address: SocketAddr,
    pin: Pin,
    _certificates: TempDir,
}

impl PinnedServer {
    async fn start() -> Self {
        Self::bind("127.0.0.1:0").await.expect("a port")
    }

    async fn bind(address: &str) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let identity = certs::generate(folder.path(), &[], false, UnixTime::now()).expect("certificates");
        let acceptor = TlsAcceptor::from(tls::server_config(&identity));
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let accepted = acceptor.accept(stream);
                tokio::spawn(async move {
                    if let Ok(mut stream) = accepted.await {
                        // Until the client closes.
                        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                    }
                });
            }
        });
        Ok(Self { address, pin: identity.pin(), _certificates: folder })
    }
}

/// Opens a port that accepts connections and never sends anything.
fn silent_listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// Returns a port where nothing listens.
fn refusing_address() -> SocketAddr {
    silent_listener().1
}

fn to_addresses(sockets: &[SocketAddr]) -> Vec<Address> {
    sockets.iter().map(|socket| socket.to_string().parse().expect("an address")).collect()
}

#[tokio::test]
async fn silent_address_does_not_delay_the_connection() {
    let (_listener, silent) = silent_listener();
    let real = PinnedServer::start().await;
    probe(&to_addresses(&[silent, real.address]), real.pin).await.expect("the server is reached");
}

#[tokio::test]
async fn next_address_is_tried_after_a_refusal() {
    let real = PinnedServer::start().await;
    let closed: Vec<SocketAddr> = (0..15).map(|_| refusing_address()).collect();
    probe(&to_addresses(&[&closed[..], &[real.address]].concat()), real.pin)
        .await
        .expect("the server is reached");
}

#[tokio::test]
async fn host_name_is_resolved() {
    let real = PinnedServer::start().await;
    let name = vec![Address::new("localhost", real.address.port()).expect("an address")];
    probe(&name, real.pin).await.expect("the server is reached");
}

#[tokio::test]
async fn ipv4_and_ipv6_are_tried() {
    let real = match PinnedServer::bind("[::1]:0").await {
        Ok(real) => real,
        Err(error) => return skipped(format_args!("no IPv6: {error}")),
    };
    probe(&to_addresses(&[refusing_address(), refusing_address(), real.address]), real.pin)
        .await
        .expect("the server is reached");
}

#[tokio::test]
async fn impostor_beside_the_server_is_skipped_and_receives_nothing() {
    let (impostor, real) = (Impostor::start(), PinnedServer::start().await);
    probe(&to_addresses(&[impostor.address, real.address]), real.pin).await.expect("the server is reached");
    impostor.assert_received_nothing();
}

#[tokio::test]
async fn impostor_alone_is_reported_and_receives_nothing() {
    let (impostor, real) = (Impostor::start(), PinnedServer::start().await);
    let error = probe(&to_addresses(&[impostor.address]), real.pin).await.expect_err("nobody is there");
    let ConnectError::Dial(DialError::Untrusted { address, reason: TrustError::Pin(pins), elsewhere: None }) =
        error
    else {
        panic!("{error}")
    };
    assert_eq!((address.to_string(), pins.expected), (impostor.address.to_string(), real.pin));
    impostor.assert_received_nothing();
    impostor.assert_no_connection();

    let closed = refusing_address();
    let error =
        probe(&to_addresses(&[closed, impostor.address]), real.pin).await.expect_err("nobody is there");
    let ConnectError::Dial(DialError::Untrusted { elsewhere: Some(elsewhere), .. }) = error else {
        panic!("{error}")
    };
    assert_eq!(&*elsewhere, format!("{closed}: nothing listens there"));
}

#[tokio::test(start_paused = true)]
async fn error_lists_the_reason_for_every_address() {
    let (listeners, sockets): (Vec<_>, Vec<_>) = (0..3).map(|_| silent_listener()).unzip();
    let error = probe(&to_addresses(&sockets), Pin::new([7; 32])).await.expect_err("nobody answers");
    let ConnectError::Dial(DialError::Unreachable(why)) = error else { panic!("{error}") };
    for socket in sockets {
        assert!(why.contains(&format!("{socket}: ")), "{why}");
    }
    assert_eq!(why.matches("took too long").count(), 3, "{why}");
    drop(listeners);
}

#[tokio::test]
async fn empty_address_list_is_an_error() {
    let error = probe(&[], Pin::new([7; 32])).await.expect_err("nowhere");
    assert!(matches!(error, ConnectError::Dial(DialError::Unreachable(_))), "{error}");
}
