//! A scripted server over real TLS, for tests.

use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::UnixTime;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

use super::connection::Endpoint;
use super::login::Credentials;
use super::password::Password;
use crate::trust::{Address, Pin, certs, tls};
use crate::wire::{CapSet, Nick};

/// A scripted server that has no state of its own.
pub struct FakeServer {
    /// The socket that clients connect to.
    pub listener: TcpListener,
    /// The server's side of the TLS handshake.
    pub acceptor: TlsAcceptor,
    /// The pin of its root.
    pub pin: Pin,
}

/// The server's side of a connection.
pub struct FakePeer(pub BufStream<TlsStream<TcpStream>>);

const CAPS: &str = "sasl message-tags batch echo-message labeled-response parlour/send-id";

impl FakeServer {
    /// Starts the server on a free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
        let identity =
            certs::generate(folder.path(), &[], false, UnixTime::since_unix_epoch(since)).expect("made");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let acceptor = TlsAcceptor::from(Arc::clone(&tls::server_config(&identity)));
        Self { listener, acceptor, pin: identity.pin() }
    }

    /// Returns the server's address.
    pub fn address(&self) -> Address {
        self.listener.local_addr().expect("bound").to_string().parse().expect("an address")
    }

    /// Returns the endpoint of alice's account on this server.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            addresses: vec![self.address()],
            pins: self.pin.into(),
            servers: None,
            account: Nick::parse("alice").expect("a nick"),
            credentials: Credentials::Password(password()),
            device: None,
            enrols_device: false,
            read_by_user: true,
            extra_caps: CapSet::EMPTY,
            allows_discovery: false,
        }
    }

    /// Accepts a client and completes the TLS handshake.
    pub async fn accept_client(&self) -> FakePeer {
        let (stream, _) = self.listener.accept().await.expect("accepted");
        FakePeer(BufStream::new(self.acceptor.accept(stream).await.expect("shaken hands")))
    }

    /// Accepts a client and welcomes it, with `burst` in the same write.
    pub async fn welcome_client(&self, burst: &str) -> FakePeer {
        self.welcome_with_caps("", burst).await
    }

    /// Accepts and welcomes a client as a server with these additional capabilities.
    pub async fn welcome_with_caps(&self, extra_caps: &str, burst: &str) -> FakePeer {
        let caps = format!("{CAPS} {extra_caps}").trim_end().to_owned();
        let mut peer = self.accept_client().await;
        peer.expect_lines(&["CAP LS 302", "NICK alice", "USER alice 0 * :alice"]).await;
        peer.send(&format!(":srv CAP * LS :{caps}")).await;
        let cap_req = peer.read_line().await;
        let asked = cap_req.strip_prefix("CAP REQ :").expect("capabilities");
        // The client requests all of them, in an order of its own.
        let set = |caps: &str| caps.split(' ').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(set(asked), set(&caps));
        peer.send(&format!(":srv CAP * ACK :{asked}")).await;
        peer.expect_lines(&["AUTHENTICATE PLAIN"]).await;
        peer.send("AUTHENTICATE +").await;
        peer.expect_lines(&["AUTHENTICATE AGFsaWNlAGh1bnRlcjI="]).await;
        peer.send(":srv 903 alice :Welcome").await;
        peer.expect_lines(&["CAP END"]).await;
        peer.send(&format!(":srv 001 alice :Welcome{burst}")).await;
        peer
    }
}

impl FakePeer {
    /// Returns the next line from the client.
    pub async fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("a line");
        line.trim_end().to_owned()
    }

    /// Asserts that the client sends these lines next.
    pub async fn expect_lines(&mut self, lines: &[&str]) {
        for line in lines {
            assert_eq!(self.read_line().await, *line);
        }
    }

    /// Sends one line or several.
    pub async fn send(&mut self, line: &str) {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.expect("written");
        self.0.flush().await.expect("flushed");
    }
}

/// Returns alice's password.
pub fn password() -> Password {
    Password::new(Zeroizing::new("hunter2".into())).expect("a password")
}
