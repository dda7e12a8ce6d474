//! Connections without a TLS 1.3 session: refused, and others do not notice.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use parlour::trust::Pin;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::support::{Client, Server, WAIT_TIMEOUT, has_program, server, server_with};

fn connect_tcp(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(server.address).expect("a connection");
    socket.set_read_timeout(Some(WAIT_TIMEOUT)).expect("a time-out");
    socket
}

/// Reads everything until the server closes or resets the connection.
fn read_until_closed(socket: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    match socket.read_to_end(&mut received) {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => panic!("the server keeps the connection"),
        _ => received,
    }
}

/// Two accounts that exchange messages before, during and after.
struct OtherClients(Client, Client);

impl OtherClients {
    fn log_in(server: &Server) -> Self {
        let mut others = Self(Client::login(server, "alice"), Client::login(server, "bob"));
        others.exchange_message("before");
        others
    }

    fn exchange_message(&mut self, text: &str) {
        self.0.send(&format!("PRIVMSG bob :{text}"));
        self.0.wait_for_message(text);
        self.1.wait_for_message(text);
    }
}

#[test]
fn plaintext_is_refused() {
    let server = server();
    let mut others = OtherClients::log_in(&server);
    let mut socket = connect_tcp(&server);
    socket.write_all(b"CAP LS 302\r\nNICK alice\r\nUSER alice 0 * :alice\r\n").expect("the server reads");
    let answer = read_until_closed(&mut socket);
    let text = String::from_utf8_lossy(&answer);
    assert!(!text.contains("CAP") && !text.contains("001") && !text.contains("NOTICE"), "{text:?}");
    others.exchange_message("after");
    server.wait_for_log(|line| line.contains("TLS") || line.contains("handshake"));
}

/// Builds a TLS 1.2 `ClientHello`: no `supported_versions` extension, ECDHE suites.
fn client_hello_of_tls_1_2() -> Vec<u8> {
    let extensions: &[&[u8]] = &[
        &[0x00, 0x0a, 0x00, 0x06, 0x00, 0x04, 0x00, 0x1d, 0x00, 0x17], // groups: x25519, P-256
        &[0x00, 0x0b, 0x00, 0x02, 0x01, 0x00],                         // uncompressed points
        &[0x00, 0x0d, 0x00, 0x06, 0x00, 0x04, 0x04, 0x03, 0x08, 0x04], // ECDSA-SHA256, RSA-PSS-SHA256
        &[0xff, 0x01, 0x00, 0x01, 0x00],                               // renegotiation_info
    ];
    let extensions = extensions.concat();
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).expect("short").to_be_bytes();
    let body = [
        &[0x03, 0x03][..],                                 // TLS 1.2
        &[7; 32],                                          // random
        &[0],                                              // no session id
        &[0x00, 0x04, 0xc0, 0x2b, 0xc0, 0x2f, 0x01, 0x00], // two suites, no compression
        &length(&extensions),
        &extensions,
    ]
    .concat();
    let message = [&[0x01, 0x00][..], &length(&body), &body].concat();
    [&[0x16, 0x03, 0x01][..], &length(&message), &message].concat()
}

#[test]
fn tls_1_2_is_refused_with_an_alert() {
    let server = server();
    let mut others = OtherClients::log_in(&server);
    let mut socket = connect_tcp(&server);
    socket.write_all(&client_hello_of_tls_1_2()).expect("the server reads");
    let answer = read_until_closed(&mut socket);
    // RFC 8446, sections 5.1 and 6: a fatal alert, protocol_version (70).
    assert_eq!(answer.get(..2), Some(&[0x15, 0x03][..]), "not an alert: {answer:?}");
    assert_eq!(answer.get(5..7), Some(&[2, 70][..]), "not protocol_version: {answer:?}");
    others.exchange_message("after");
}

/// Returns the pin that `parlour certs show` prints.
fn printed_pin(server: &Server) -> String {
    let shown = server.home.succeed(&["certs", "show"]);
    let line = shown.lines().find(|line| line.starts_with("pin ")).expect("the pin");
    line.split_whitespace().nth(1).expect("its value").to_owned()
}

#[test]
fn served_chain_ends_in_the_pinned_root() {
    let server = server();
    let client = Client::connect(&server);
    let root = client.chain().last().expect("a chain");
    assert_eq!(Pin::from_certificate(root).expect("a pin").to_string(), printed_pin(&server));
    assert_eq!(client.chain().len(), 2, "the server's certificate and its root");
}

#[test]
fn openssl_sees_the_same_pin() {
    if !has_program("openssl") {
        return;
    }
    let server = server();
    let s_client = |version: &str| {
        let address = server.address.to_string();
        let args = ["s_client", "-connect", &address, version, "-showcerts"];
        server.home.configure(&mut Command::new("openssl")).args(args).output().expect("openssl")
    };
    let refused = s_client("-tls1_2");
    assert!(!refused.status.success(), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("protocol version"), "{refused:?}");
    let shown = s_client("-tls1_3");
    let chain: Vec<CertificateDer> =
        CertificateDer::pem_slice_iter(&shown.stdout).collect::<Result<_, _>>().expect("certificates");
    let root = chain.last().expect("a chain");
    assert_eq!(Pin::from_certificate(root).expect("a pin").to_string(), printed_pin(&server));
}

#[test]
fn stalled_handshake_times_out() {
    let server = server_with(&["limits.handshake_timeout_s = 1"]);
    let mut others = OtherClients::log_in(&server);
    let mut silent = connect_tcp(&server);
    let mut halfway = connect_tcp(&server);
    let hello = client_hello_of_tls_1_2();
    halfway.write_all(&hello[..hello.len() / 2]).expect("the server reads");
    others.exchange_message("meanwhile");
    read_until_closed(&mut silent);
    read_until_closed(&mut halfway);
    others.exchange_message("after");
}

#[test]
fn stalled_handshakes_do_not_block_logins() {
    // The handshake's time limit is far longer than this test.
    let server = server_with(&["limits.handshake_timeout_s = 600", "limits.login_timeout_s = 600"]);
    let _stalled: Vec<TcpStream> = (0..50).map(|_| connect_tcp(&server)).collect();
    Client::login(&server, "alice");
}

#[test]
fn garbage_and_early_disconnects_are_harmless() {
    let server = server();
    let mut others = OtherClients::log_in(&server);
    for bytes in [&b"\x16\x03\x01\xff\xff"[..], b"\0\0\0\0\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n", b""] {
        let mut socket = connect_tcp(&server);
        socket.write_all(bytes).expect("the server reads");
        socket.shutdown(std::net::Shutdown::Write).expect("half closed");
        read_until_closed(&mut socket);
    }
    drop(connect_tcp(&server));
    others.exchange_message("after");
}
