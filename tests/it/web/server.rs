//! The server's own page and WebSocket: `[web]`.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlour::trust::device::DeviceIdentity;
use parlour::trust::tls;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tungstenite::Message;

use super::browser::{Socket, connect, exchange, lines, request, status};
use crate::support::{Client, Home, PASSWORD, Server, server, server_with};

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn web_server() -> Server {
    server_with(&["web.enabled = true"])
}

/// Connects by TLS with these ALPN protocols.
#[track_caller]
fn connect_tls(config: &ClientConfig, address: SocketAddr, name: &str, alpn: &[&str]) -> Tls {
    let mut config = config.clone();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a configuration");
    StreamOwned::new(connection, connect(address))
}

#[track_caller]
fn connect_browser(server: &Server) -> Tls {
    connect_tls(&tls::client_config(server.pin()), server.address, "127.0.0.1", &["h2", "http/1.1"])
}

/// Opens a WebSocket as a page of the server does.
#[track_caller]
fn open(server: &Server, subprotocols: &str) -> Socket<Tls> {
    let origin = format!("https://{}", server.address);
    open_from(server, &origin, subprotocols).unwrap_or_else(|status| panic!("refused: {status}"))
}

fn open_from(server: &Server, origin: &str, subprotocols: &str) -> Result<Socket<Tls>, u16> {
    Socket::open(connect_browser(server), &format!("ws://{}/irc", server.address), origin, subprotocols)
}

fn plain(name: &str, password: &str) -> String {
    format!("AUTHENTICATE {}", STANDARD.encode(format!("\0{name}\0{password}")))
}

#[track_caller]
fn log_in(socket: &mut Socket<impl Read + Write>, name: &str) {
    for line in [
        "CAP REQ :sasl message-tags server-time echo-message",
        &format!("NICK {name}"),
        &format!("USER {name} 0 * :{name}"),
        "AUTHENTICATE PLAIN",
        &plain(name, PASSWORD),
        "CAP END",
    ] {
        socket.send(line);
    }
    socket.wait_for(|line| line.contains(" 376 "));
}

#[test]
fn page_is_served_to_strangers_and_nothing_else() {
    let server = web_server();
    let get = |path: &str| {
        let host = format!("Host: {}", server.address);
        exchange(&mut connect_browser(&server), &request(&format!("GET {path} HTTP/1.1"), &[&host]))
    };
    assert!(get("/mode.json").ends_with(r#"{"mode":"server","name":"Parlour"}"#));
    let page = get("/").to_lowercase();
    let policy = format!("connect-src 'self' wss://{};", server.address);
    assert!(page.contains("<html") && page.contains(&policy), "{page}");
    for path in ["/irc", "/people.csv", "/data/parlour.db", "/metrics", "/api/v1/channels"] {
        assert!(matches!(status(&get(path)), 404 | 426), "{path}");
    }
    for host in ["evil.example", "chat.parlour", ""] {
        let response =
            exchange(&mut connect_browser(&server), &request("GET / HTTP/1.1", &[&format!("Host: {host}")]));
        assert_eq!(status(&response), 421, "{host}: {response}");
    }
}

#[test]
fn both_subprotocols_log_in_and_talk_with_other_clients() {
    let server = web_server();
    let mut carol = Client::login(&server, "carol");
    carol.request("JOIN #room");
    let mut alice = open(&server, "text.ircv3.net, binary.ircv3.net");
    log_in(&mut alice, "alice");
    alice.send("JOIN #room");
    alice.wait_for(|line| line.contains(" 366 "));
    alice.send("PRIVMSG #room :grüße 👋");
    carol.wait_for_line("the message of the page", |line| line.text() == "grüße 👋");
    alice.wait_for(|line| line.ends_with("PRIVMSG #room :grüße 👋"));
    // The client's order counts.
    let mut bob = open(&server, "soap, binary.ircv3.net, text.ircv3.net");
    for line in [
        "CAP REQ sasl",
        "NICK bob",
        "USER bob 0 * :bob",
        "AUTHENTICATE PLAIN",
        &plain("bob", PASSWORD),
        "CAP END",
    ] {
        bob.0.send(Message::binary(line.as_bytes().to_vec())).expect("sent");
    }
    let mut next = || match bob.0.read().expect("a message") {
        Message::Binary(line) => String::from_utf8(line.to_vec()).expect("UTF-8"),
        other => panic!("not binary: {other:?}"),
    };
    loop {
        let line = next();
        assert!(!line.is_empty() && !line.contains(['\r', '\n']), "{line:?}");
        if line.contains(" 376 ") {
            break;
        }
    }
    carol.send("PRIVMSG bob :hello bob");
    while !next().contains("hello bob") {}
}

#[test]
fn many_lines_at_once_are_one_frame_each() {
    let server = web_server();
    let (mut alice, mut bob) = (open(&server, "text.ircv3.net"), Client::login(&server, "bob"));
    log_in(&mut alice, "alice");
    bob.request("JOIN #room");
    alice.send("JOIN #room");
    alice.wait_for(|line| line.contains(" 366 "));
    let long = "x".repeat(300);
    for n in 0..300 {
        bob.send(&format!("PRIVMSG #room :{n} {long}"));
    }
    for n in 0..300 {
        let line = alice.wait_for(|line| line.contains("PRIVMSG #room"));
        assert!(line.ends_with(&format!(" :{n} {long}")), "{line}");
    }
}

#[test]
fn lines_have_the_limits_of_other_sessions() {
    let server = web_server();
    let mut alice = open(&server, "text.ircv3.net");
    log_in(&mut alice, "alice");
    alice.send(&format!("PRIVMSG alice :{}", "a".repeat(3000)));
    alice.wait_for(|line| line.contains(" 417 "));
    alice.send("PRIVMSG alice :one\r\nQUIT :two");
    alice.wait_for(|line| line.contains("INVALID_LINE"));
    alice.0.send(Message::binary(b"PRIVMSG alice :\xff".to_vec())).expect("sent");
    alice.wait_for(|line| line.contains("INVALID_UTF8"));
    alice.send("PING still-here");
    alice.wait_for(|line| line.contains("still-here"));
    send_large_frame(&mut alice);
    assert_eq!(alice.wait_for_close(), Some(1009));
    let mut stranger = open(&server, "text.ircv3.net");
    send_large_frame(&mut stranger);
    assert_eq!(stranger.wait_for_close(), Some(1009));
}

/// Sends a frame of 500,000 bytes, which the server refuses by its head, to its end.
fn send_large_frame(socket: &mut Socket<Tls>) {
    let stream = socket.0.get_mut();
    stream.write_all(b"\x81\xff\0\0\0\0\0\x07\xa1\x20\0\0\0\0").expect("sent");
    stream.write_all("a".repeat(500_000).as_bytes()).expect("sent");
    stream.flush().expect("sent");
}

#[test]
fn requests_do_not_count_for_the_login() {
    let server = web_server();
    let mut stream = connect_browser(&server);
    // As many as a slow connection without a cache needs, with the heads of a browser that has much to say.
    let padding = format!("User-Agent: {}", "a".repeat(1000));
    let head = lines(&[&format!("Host: {}", server.address), &padding]);
    for _ in 0..100 {
        stream.write_all(format!("GET /mode.json HTTP/1.1\r\n{head}\r\n").as_bytes()).expect("sent");
        let mut response = String::new();
        while !response.ends_with('}') {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).expect("a response");
            assert!(read > 0, "closed after {response:?}");
            response.push_str(std::str::from_utf8(&bytes[..read]).expect("UTF-8"));
        }
    }
    let origin = format!("https://{}", server.address);
    let url = format!("ws://{}/irc", server.address);
    let mut alice = Socket::open(stream, &url, &origin, "text.ircv3.net").expect("open");
    log_in(&mut alice, "alice");
}

#[test]
fn requests_of_a_connection_are_bounded() {
    let server = web_server();
    let mut stream = connect_browser(&server);
    let request = format!("GET /mode.json HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let responses = exchange(&mut stream, &request.repeat(260));
    assert_eq!(responses.matches("HTTP/1.1 200 ").count(), 250);
    // The next one to another host.
    let mut stream = connect_browser(&server);
    let other_host = format!("127.0.0.1:{}", server.address.port() ^ 1);
    let responses = exchange(
        &mut stream,
        &(request.clone() + &request.replace(&server.address.to_string(), &other_host)),
    );
    assert!(responses.contains("HTTP/1.1 200 ") && responses.contains("HTTP/1.1 421 "), "{responses}");
}

#[test]
fn text_that_is_not_utf8_closes_the_websocket() {
    let server = web_server();
    let not_utf8 = b"\x81\x82\0\0\0\0\xff\xfe";
    let mut stranger = open(&server, "text.ircv3.net");
    stranger.0.get_mut().write_all(not_utf8).expect("sent");
    assert_eq!(stranger.wait_for_close(), Some(1007));
    let mut alice = open(&server, "text.ircv3.net");
    log_in(&mut alice, "alice");
    alice.0.get_mut().write_all(not_utf8).expect("sent");
    assert_eq!(alice.wait_for_close(), Some(1007));
}

#[test]
fn login_is_limited_as_elsewhere() {
    let server = server_with(&["web.enabled = true", "limits.login_timeout_s = 1"]);
    let mut silent = open(&server, "text.ircv3.net");
    assert!(silent.next_text().starts_with("ERROR :"));
    assert_eq!(silent.wait_for_close(), Some(1000));
    let mut wrong = open(&server, "text.ircv3.net");
    for line in
        ["CAP REQ sasl", "NICK alice", "USER a 0 * :a", "AUTHENTICATE PLAIN", &plain("alice", "wrong")]
    {
        wrong.send(line);
    }
    wrong.wait_for(|line| line.contains(" 904 "));
    wrong.send("JOIN #room");
    wrong.wait_for(|line| line.contains(" 451 "));
    let mut noisy = open(&server, "text.ircv3.net");
    for _ in 0..300 {
        if noisy.0.send(Message::text("PING a")).is_err() {
            break;
        }
    }
    noisy.wait_for(|line| line.starts_with("ERROR :") && line.contains("Too much before the login"));
}

#[test]
fn browsers_are_asked_for_no_certificate() {
    let server = web_server();
    let (device, _) = DeviceIdentity::generate().expect("a device");
    let config = tls::client_config_with_device(server.pin(), &device).expect("a configuration");
    let stream = connect_tls(&config, server.address, "127.0.0.1", &["http/1.1"]);
    let mut socket =
        Socket::open(stream, &format!("ws://{}/irc", server.address), "", "text.ircv3.net").expect("open");
    for line in ["CAP REQ sasl", "NICK alice", "USER a 0 * :a", "AUTHENTICATE EXTERNAL", "AUTHENTICATE +"] {
        socket.send(line);
    }
    let refused = socket.wait_for(|line| line.contains(" 904 "));
    assert!(!refused.contains("device"), "{refused}");
}

#[test]
fn pages_from_elsewhere_are_refused_unless_listed() {
    let server = server_with(&["web.enabled = true", "web.origins = ['https://gamja.example']"]);
    let own = format!("https://{}", server.address);
    for (origin, expected) in [
        (&own[..], None),
        ("https://gamja.example", None),
        ("", None),
        ("https://evil.example", Some(403)),
        ("http://gamja.example", Some(403)),
        ("null", Some(403)),
    ] {
        assert_eq!(open_from(&server, origin, "text.ircv3.net").err(), expected, "{origin:?}");
    }
}

#[test]
fn each_protocol_is_refused_where_the_other_is_spoken() {
    let server = web_server();
    let config = tls::client_config(server.pin());
    let host = format!("Host: {}", server.address);
    // HTTP after the handshake of a client of IRC, and of one that names nothing.
    for alpn in [&["irc"][..], &["irc", "http/1.1"], &[]] {
        let mut stream = connect_tls(&config, server.address, "127.0.0.1", alpn);
        stream.write_all(request("GET / HTTP/1.1", &[&host]).as_bytes()).expect("sent");
        stream.write_all(lines(&["QUIT"]).as_bytes()).expect("sent");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.contains(" 451 ") && !answer.contains("HTTP/1.1 2"), "{alpn:?}: {answer}");
    }
    // IRC after that of a browser.
    let answer = exchange(&mut connect_browser(&server), "CAP LS 302\r\nNICK alice\r\n\r\n");
    assert!(answer.is_empty() || status(&answer) == 400, "{answer}");
    // A browser where there is no page.
    let plain = self::server();
    let mut refused =
        connect_tls(&tls::client_config(plain.pin()), plain.address, "127.0.0.1", &["http/1.1"]);
    assert!(refused.write_all(b"GET / HTTP/1.1\r\n\r\n").and_then(|()| refused.read(&mut [0])).is_err());
}

#[test]
fn public_name_has_its_own_certificate_and_port() {
    let home = Home::with_accounts(&[
        "web.enabled = true",
        "web.listen = ['127.0.0.1:0']",
        "web.certificate = 'public.pem'",
        "web.key = 'public.key'",
    ]);
    let made = rcgen::generate_simple_self_signed(vec!["chat.example".to_owned()]).expect("a certificate");
    fs::write(home.path("public.pem"), made.cert.pem()).expect("written");
    fs::write(home.path("public.key"), made.signing_key.serialize_pem()).expect("written");
    let server = home.serve();
    let line = server.wait_for_log(|line| line.contains("for browsers"));
    let port = line.split(' ').find_map(|word| word.parse::<SocketAddr>().ok()).expect("an address");
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let public = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let get = request("GET /mode.json HTTP/1.1", &["Host: chat.example"]);
    // On the port of its own without ALPN too, on the other by ALPN.
    for (address, alpn) in [(port, &[][..]), (port, &["http/1.1"]), (server.address, &["h2", "http/1.1"])] {
        let mut stream = connect_tls(&public, address, "chat.example", alpn);
        assert_eq!(status(&exchange(&mut stream, &get)), 200, "{address} {alpn:?}");
    }
    // Other names and clients of IRC see the pinned chain.
    let pinned = tls::client_config(server.pin());
    let mut by_address = connect_tls(&pinned, port, "127.0.0.1", &["http/1.1"]);
    let host = format!("Host: {port}");
    assert_eq!(status(&exchange(&mut by_address, &request("GET / HTTP/1.1", &[&host]))), 200);
    let mut irc = connect_tls(&pinned, server.address, "chat.example", &["irc"]);
    assert!(exchange(&mut irc, "QUIT\r\n").contains("ERROR"));
    // A host that the handshake was not for.
    let mut other = connect_tls(&public, port, "chat.example", &["http/1.1"]);
    assert_eq!(status(&exchange(&mut other, &request("GET / HTTP/1.1", &["Host: evil.example"]))), 421);
    // A new certificate is shown after SIGHUP; a wrong one changes nothing.
    fs::write(home.path("public.key"), "nonsense").expect("written");
    server.signal("HUP");
    let refused = server.wait_for_log(|line| line.contains("nothing was changed"));
    assert!(refused.contains("public.key"), "{refused}");
    let seen = |config: &ClientConfig| -> CertificateDer<'static> {
        let mut stream = connect_tls(config, port, "chat.example", &["http/1.1"]);
        exchange(&mut stream, &get);
        stream.conn.peer_certificates().expect("a chain")[0].clone().into_owned()
    };
    assert_eq!(seen(&public), *made.cert.der());
}

#[test]
fn wrong_certificate_files_stop_the_start() {
    let home = Home::new(&["web.enabled = true", "web.certificate = 'public.pem'", "web.key = 'public.key'"]);
    let complaint = home.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(complaint.contains("cannot read public.pem"), "{complaint}");
    let pair = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("a certificate");
    fs::write(home.path("public.pem"), pair("a.example").cert.pem()).expect("written");
    fs::write(home.path("public.key"), pair("b.example").signing_key.serialize_pem()).expect("written");
    let complaint = home.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(complaint.contains("public.key is not the key of the certificate"), "{complaint}");
}
