//! The server's log, and its shutdown.

use crate::support::{Client, Home, PASSWORD, server};

#[test]
fn log_has_logins_and_quits_and_senders_at_debug() {
    for debug in [false, true] {
        log_of_a_conversation(debug);
    }
}

#[track_caller]
fn log_of_a_conversation(debug: bool) {
    let home = Home::with_accounts(&[]);
    let address = "127.0.0.1:0";
    let server = if debug { home.serve_verbosely_at(address) } else { home.serve_at(address) };
    let mut alice = Client::login(&server, "alice");
    let address = alice.address().to_string();
    server.wait_for_log(|line| line.contains("alice") && line.contains(&address));
    alice.request("JOIN #room");
    alice.send("PRIVMSG #room :a secret of thirty-two letters!!");
    alice.wait_for_message("a secret of thirty-two letters!!");
    if debug {
        server.wait_for_log(|line| line.contains("alice") && line.contains("#room") && line.contains("32"));
    }
    alice.send("PRIVMSG bob :not for the log");
    alice.wait_for_message("not for the log");
    if debug {
        server.wait_for_log(|line| line.contains("alice") && line.contains("bob") && line.contains("15"));
    }
    alice.request("TOPIC #room :not for the log either");
    alice.request("AWAY :nor this");
    alice.send("QUIT :nor what I say at the end");
    alice.read_until_closed();
    server.wait_for_log(|line| line.contains("alice") && line.to_lowercase().contains("disconnect"));
    let log = server.log();
    assert_eq!(log.contains("#room") || log.contains("bob"), debug, "{log}");
    for secret in ["a secret", "not for the log", "nor this", "nor what", PASSWORD] {
        assert!(!log.contains(secret), "{secret:?} is in the log:\n{log}");
    }
}

#[test]
fn message_text_cannot_forge_a_log_line() {
    let server = server();
    let mut stranger = Client::connect(&server);
    stranger.send("CAP REQ :sasl");
    stranger.send_nick_and_user("alice");
    stranger.authenticate("x\u{1b}[31m\r\nINFO forged", "guess");
    let line = server.wait_for_log(|line| line.contains("login failed"));
    assert!(!line.contains('\u{1b}'), "{line}");
    let log = server.log();
    assert!(!log.contains('\u{1b}') && !log.lines().any(|l| l.starts_with("INFO forged")), "{log}");
}

#[test]
fn sigterm_and_sigint_end_sessions_with_a_reason() {
    for signal in ["TERM", "INT"] {
        let mut server = server();
        let mut clients =
            [Client::login(&server, "alice"), Client::login(&server, "bob"), Client::connect(&server)];
        clients[0].request("JOIN #room");
        server.signal(signal);
        for client in &mut clients {
            let lines = client.read_until_closed();
            assert!(lines.last().is_some_and(|l| l.command == "ERROR" && !l.text().is_empty()), "{lines:?}");
        }
        assert_eq!(server.wait().code(), Some(0), "after SIG{signal}");
    }
}

#[test]
fn echoed_messages_survive_sigterm() {
    let server = server();
    let home = server.home.clone();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    alice.send_all((0..200).map(|n| format!("PRIVMSG #room :{n}")));
    alice.wait_for_message("100");
    let (status, log) = server.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    let echoed = alice.read_until_closed().iter().filter(|l| l.command == "PRIVMSG").count() + 101;
    let kept = home.count("SELECT count(*) FROM messages");
    assert!(usize::try_from(kept).is_ok_and(|kept| kept >= echoed), "{echoed} echoed, {kept} kept");
    assert!(!home.path("data/control.sock").exists(), "the control socket is taken away");
}

#[test]
fn idle_connections_do_not_delay_shutdown() {
    let mut server = server();
    let _socket = std::net::TcpStream::connect(server.address).expect("a connection");
    let mut deaf = Client::login(&server, "alice");
    // Far more than the socket's buffers take, never read.
    deaf.request("JOIN #room");
    let sends = format!("PRIVMSG #room :{}\r\n", "x".repeat(400)).repeat(2000);
    deaf.send_bytes(sends.as_bytes()).ok();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn silent_connections_barely_delay_shutdown() {
    let server = server();
    let silent = [(); 3].map(|()| std::net::TcpStream::connect(server.address).expect("a connection"));
    server.wait_for_metric("parlour_connections_total", |count| count == 3);
    let (status, log) = server.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(!log.contains("some clients did not read"), "{log}");
    drop(silent);
}
