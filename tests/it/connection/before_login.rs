//! Connections before their login: limits of their cost, and of their effect on others.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::support::{Client, PASSWORD, Server, WAIT_TIMEOUT, sasl_plain, server, server_with};

/// Connects from this address of the loopback.
fn connect_from(address: [u8; 4], server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::from(address), 0)).into()).expect("an address");
    socket.connect(&server.address.into()).expect("a connection");
    socket.set_read_timeout(Some(WAIT_TIMEOUT)).expect("a time-out");
    socket.into()
}

/// Waits for the end of the connection. Returns true if the server closed it without sending anything.
fn is_closed(tcp: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes).is_err_and(|e| e.kind() != std::io::ErrorKind::WouldBlock) || bytes.is_empty()
}

/// Returns the ERROR that ends a connection, and the counts of bytes and lines before it.
#[track_caller]
fn read_refusal(client: &mut Client) -> (String, usize, usize) {
    let lines = client.read_until_closed();
    let bytes = lines.iter().map(|line| line.to_string().len()).sum();
    let last = lines.last().unwrap_or_else(|| panic!("no word{}", client.format_transcript()));
    assert_eq!(last.command, "ERROR", "{last}");
    (last.text().to_owned(), lines.len() - 1, bytes)
}

#[test]
fn lines_before_login_are_limited() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send_all((0..250).map(|n| format!("PING {n}")));
    let (why, answers, _) = read_refusal(&mut client);
    assert!(why.contains("Too much before the login"), "{why}");
    assert!(answers <= 200, "{answers}");
    assert_eq!(server.metric("parlour_connections_refused_total{reason=\"budget\"}"), 1);
}

#[test]
fn output_before_login_is_limited() {
    let server = server();
    for answer in ["ISUPPORT", "CAP LS 302", "METADATA * SUBS", "AUTHENTICATE nonsense"] {
        let mut client = Client::connect(&server);
        client.request_capabilities("draft/extended-isupport batch draft/metadata-2");
        client.send_all((0..240).map(|_| answer.to_owned()));
        let (why, _, bytes) = read_refusal(&mut client);
        assert!(why.contains("Too much before the login"), "{answer}: {why}");
        assert!(bytes < 40 * 1024, "{answer}: {bytes} bytes");
    }
}

#[test]
fn unterminated_line_before_login_ends_the_connection() {
    let server = server();
    let mut client = Client::connect(&server);
    // It may be closed before all is sent.
    for _ in 0..64 {
        let _ = client.send_bytes(&[b'x'; 1024]);
    }
    let lines = client.read_until_closed();
    assert!(lines.iter().filter(|line| line.command == "417").count() <= 1, "{lines:?}");
    server.wait_for_metric("parlour_connections_refused_total{reason=\"budget\"}", |n| n == 1);
}

/// Clients that request each capability alone and wait for nothing: senpai, gamja, Goguma, bots.
#[test]
fn client_that_pipelines_everything_logs_in() {
    let server = server();
    let mut client = Client::connect(&server);
    let mut lines =
        vec!["CAP LS 302".to_owned(), "NICK alice".to_owned(), "USER alice 0 * :Alice".to_owned()];
    lines.extend((0..80).map(|n| format!("CAP REQ no-such/capability-{n}")));
    lines.extend(["CAP REQ sasl", "AUTHENTICATE PLAIN"].map(str::to_owned));
    lines.push(format!("AUTHENTICATE {}", sasl_plain("alice", PASSWORD)));
    lines.extend(["CAP END", "JOIN #room"].map(str::to_owned));
    // More after the login than may be sent before it.
    let padding = "x".repeat(1500);
    lines.extend((0..50).map(|n| format!("PRIVMSG #room :{n} {padding}")));
    lines.push("PING last".to_owned());
    client.send_all(lines);
    client.wait_for_command("001");
    client.wait_for_command("JOIN #room");
    client.wait_for_command("PONG");
}

#[test]
fn full_server_drops_connections_of_the_busiest_address() {
    let server = server_with(&["limits.connections_before_login = 16", "limits.connections_per_address = 0"]);
    let mut crowd: Vec<TcpStream> = (0..16).map(|_| connect_from([127, 0, 0, 2], &server)).collect();
    server.wait_for_metric("parlour_connections_before_login", |n| n == 16);
    assert!(is_closed(&mut connect_from([127, 0, 0, 2], &server)), "its own address has the most");
    let mut alice = Client::login(&server, "alice");
    assert!(is_closed(&mut crowd[0]), "the oldest made room");
    server.wait_for_metric("parlour_connections_refused_total{reason=\"evicted\"}", |n| n == 1);
    assert_eq!(server.metric("parlour_connections_refused_total{reason=\"total\"}"), 1);
    alice.barrier();
    assert_eq!(server.metric("parlour_connections_before_login"), 15);
}

#[test]
fn sessions_do_not_count_against_the_address_limit() {
    let server = server_with(&["limits.connections_per_address = 1"]);
    let mut sessions: Vec<Client> = (0..3).map(|_| Client::login(&server, "alice")).collect();
    let stranger = connect_from([127, 0, 0, 1], &server);
    server.wait_for_metric("parlour_connections_before_login", |n| n == 1);
    assert!(is_closed(&mut connect_from([127, 0, 0, 1], &server)));
    sessions.iter_mut().for_each(Client::barrier);
    drop(stranger);
    server.wait_for_metric("parlour_connections_before_login", |n| n == 0);
    Client::login(&server, "bob");
}

#[test]
fn password_check_is_cancelled_with_its_connection() {
    // A check takes about a second.
    let server = server_with(&["passwords.iterations = 60"]);
    for n in 0..40 {
        let mut client = Client::connect(&server);
        client.send("CAP REQ sasl");
        client.send("AUTHENTICATE PLAIN");
        client.send(&format!("AUTHENTICATE {}", sasl_plain(&format!("nobody{n}"), "a guess")));
        client.wait_for_line("the prompt", |line| line.command == "AUTHENTICATE");
        client.close();
    }
    server.wait_for_metric("parlour_connections_before_login", |n| n == 0);
    let checked = server.metric("parlour_logins_total{result=\"refused\"}");
    assert!(checked < 20, "{checked} of 40 were checked for nobody");
}

#[test]
fn log_has_one_line_a_minute_per_address() {
    let server = server();
    for _ in 0..30 {
        let mut tcp = connect_from([127, 0, 0, 3], &server);
        tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it is sent");
        drop(tcp.read_to_end(&mut Vec::new()));
    }
    server.wait_for_metric("parlour_handshakes_failed_total", |n| n == 30);
    // A line of its own, although another address had one just now.
    drop(connect_from([127, 0, 0, 4], &server));
    server.wait_for_log(|line| line.contains("peer=127.0.0.4"));
    let log = server.log();
    assert_eq!(log.lines().filter(|line| line.contains("127.0.0.3")).count(), 1, "{log}");
}
