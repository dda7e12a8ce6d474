//! Refused logins, and everything that a connection may not do before its login.

use crate::support::{Client, Line, PASSWORD, sasl_plain, server, server_with};

/// Connects up to the point where AUTHENTICATE is possible.
fn begin_login(server: &crate::support::Server, name: &str) -> Client {
    let mut client = Client::connect(server);
    client.request_capabilities("sasl");
    client.send_nick_and_user(name);
    client
}

fn only_line(lines: &[Line]) -> &Line {
    let [line] = lines else { panic!("not one line: {lines:?}") };
    line
}

#[test]
fn wrong_password_and_unknown_account_get_the_same_reply() {
    let server = server();
    let mut client = begin_login(&server, "alice");
    let wrong = client.authenticate("alice", "guess");
    assert_eq!(wrong.command, "904");
    // The client may try again on the same connection.
    let unknown = client.authenticate("nobody", "guess");
    let built_in = client.authenticate("echo", "guess");
    let bad_name = client.authenticate("two words", "guess");
    for other in [&unknown, &built_in, &bad_name] {
        assert_eq!(other, &wrong);
    }
    assert_eq!(client.authenticate("alice", PASSWORD).command, "903");
    let log = server.wait_for_log(|line| line.contains("login failed"));
    assert!(!log.contains("guess"), "{log}");
}

/// Measured in computed hashes, each of which has the configured cost
/// (`server::auth::passwords::pool::tests::missing_hash_costs_the_same_and_never_matches`).
#[test]
fn unknown_account_costs_as_much_as_a_wrong_password() {
    let server = server();
    server.home.succeed(&["user", "disable", "carol"]);
    let computed = || {
        let text = server.home.succeed(&["metrics"]);
        let count = text.lines().find_map(|line| line.strip_prefix("parlour_password_hashes_total "));
        count.expect("a count").parse::<u64>().expect("a number")
    };
    for name in ["alice", "bob", "carol", "nobody", "echo"] {
        let before = computed();
        assert_eq!(begin_login(&server, name).authenticate(name, "guess").command, "904");
        assert_eq!(computed() - before, 1, "{name}");
    }
}

#[test]
fn disabled_account_gets_the_reply_of_an_unknown_one() {
    let server = server();
    server.home.succeed(&["user", "disable", "bob"]);
    let mut client = begin_login(&server, "bob");
    let unknown = client.authenticate("nobody", PASSWORD);
    assert_eq!(client.authenticate("bob", PASSWORD), unknown);
}

#[test]
fn commands_before_login_are_refused() {
    let server = server();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    let mut stranger = Client::connect(&server);
    for command in [
        "JOIN #room",
        "PART #room",
        "PRIVMSG #room :let me in",
        "NOTICE alice :hello",
        "TAGMSG #room",
        "TOPIC #room",
        "NAMES #room",
        "LIST",
        "WHO #room",
        "WHOIS alice",
        "MODE #room",
        "AWAY :gone",
        "MOTD",
        "LUSERS",
        "VERSION",
        "NOSUCHCOMMAND",
    ] {
        let lines = stranger.request(command);
        assert!(only_line(&lines).starts_with("451 *"), "{command}: {lines:?}");
    }
    // The same with a nick and in the middle of SASL.
    stranger.send("CAP REQ :sasl");
    stranger.send_nick_and_user("alice");
    stranger.send("AUTHENTICATE PLAIN");
    stranger.wait_for_command("AUTHENTICATE +");
    assert_eq!(only_line(&stranger.request("JOIN #room")).command, "451");
    let seen = alice.drain();
    assert!(seen.is_empty(), "the channel saw {seen:?}");
}

#[test]
fn login_without_sasl_is_refused_with_the_reason() {
    let server = server();
    for commands in [
        &["NICK alice", "USER alice 0 * :Alice"][..],
        &["CAP LS 302", "NICK alice", "USER alice 0 * :Alice", "CAP END"],
        &["PASS secret", "NICK alice", "USER alice 0 * :Alice"],
        &["CAP REQ sasl", "NICK alice", "USER alice 0 * :Alice", "AUTHENTICATE PLAIN", "CAP END"],
    ] {
        let mut client = Client::connect(&server);
        for command in commands {
            client.send(command);
        }
        let lines = client.read_until_closed();
        assert!(lines.iter().all(|l| l.command != "001"), "{commands:?}: {lines:?}");
        let error = lines.last().expect("a last word");
        assert_eq!(error.command, "ERROR", "{commands:?}: {lines:?}");
        assert!(error.text().contains("SASL"), "it says how: {error}");
    }
}

#[test]
fn refusal_uses_standard_replies_when_enabled() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send("CAP REQ :standard-replies");
    client.send_nick_and_user("alice");
    client.send("CAP END");
    let lines = client.read_until_closed();
    assert!(lines.iter().any(|l| l.starts_with("FAIL * ACCOUNT_REQUIRED")), "{lines:?}");
}

#[test]
fn authenticate_without_base64_fails() {
    let server = server();
    for bad in ["%%%%", "AGFsaWNl=", "YWxpY2U=", "+", "AAA=", "é"] {
        let mut client = begin_login(&server, "alice");
        client.send("AUTHENTICATE PLAIN");
        client.wait_for_command("AUTHENTICATE +");
        let lines = client.request(&format!("AUTHENTICATE {bad}"));
        assert_eq!(only_line(&lines).command, "904", "{bad}");
        // The client may continue with the right password.
        assert_eq!(client.authenticate("alice", PASSWORD).command, "903");
    }
}

#[test]
fn too_long_authenticate_is_refused() {
    let server = server();
    let mut client = begin_login(&server, "alice");
    client.send("AUTHENTICATE PLAIN");
    client.wait_for_command("AUTHENTICATE +");
    assert_eq!(only_line(&client.request(&format!("AUTHENTICATE {}", "A".repeat(401)))).command, "905");
    // Many chunks of the right size add up to too much as well.
    client.send("AUTHENTICATE PLAIN");
    client.wait_for_command("AUTHENTICATE +");
    let chunk = "A".repeat(400);
    let answer = (0..1000).find_map(|_| client.request(&format!("AUTHENTICATE {chunk}")).into_iter().next());
    assert_eq!(answer.expect("a bound").command, "905");
    assert_eq!(client.authenticate("alice", PASSWORD).command, "903");
}

#[test]
fn authenticate_can_be_aborted() {
    let server = server();
    let mut client = begin_login(&server, "alice");
    client.send("AUTHENTICATE PLAIN");
    client.wait_for_command("AUTHENTICATE +");
    assert_eq!(only_line(&client.request("AUTHENTICATE *")).command, "906");
    assert_eq!(client.authenticate("alice", PASSWORD).command, "903");
}

#[test]
fn unknown_sasl_mechanism_lists_the_known_ones() {
    let server = server();
    let mut client = begin_login(&server, "alice");
    // Pidgin tries every mechanism that it knows, one after the other.
    for mechanism in ["SCRAM-SHA-256", "EXTERNAL-NOT", "DIGEST-MD5", "CRAM-MD5", "é"] {
        let lines = client.request(&format!("AUTHENTICATE {mechanism}"));
        let [known, failed] = &lines[..] else { panic!("{mechanism}: {lines:?}") };
        assert_eq!((known.command.as_str(), failed.command.as_str()), ("908", "904"), "{mechanism}");
        assert!(known.param(1).split(',').any(|m| m == "PLAIN"), "{known}");
    }
    // Mechanism names are compared without case.
    client.send("authenticate plain");
    client.wait_for_command("AUTHENTICATE +");
    client.send(&format!("AUTHENTICATE {}", sasl_plain("alice", PASSWORD)));
    client.wait_for_command("903");
}

#[test]
fn too_many_wrong_passwords_end_the_connection() {
    let server = server();
    let mut client = begin_login(&server, "alice");
    let farewell = (0..100).find_map(|_| {
        client.authenticate("alice", "guess");
        // The write may fail; at the end of the connection its last line comes instead.
        drop(client.send_bytes(b"PING still-there\r\n"));
        client.next().filter(|line| line.command != "PONG")
    });
    let farewell = farewell.expect("an end to the guessing");
    assert!(farewell.starts_with("ERROR") && !farewell.text().is_empty(), "{farewell}");
    // Other connections are not affected.
    Client::login(&server, "alice");
}

#[test]
fn stalled_login_times_out_with_the_reason() {
    let server = server_with(&["limits.login_timeout_s = 1"]);
    let mut silent = Client::connect(&server);
    let mut halfway = begin_login(&server, "alice");
    // Sending more lines does not extend the time.
    let mut chatty = Client::connect(&server);
    let mut alice = Client::login(&server, "bob");
    for stalled in [&mut silent, &mut halfway] {
        let lines = stalled.read_until_closed();
        assert_eq!(lines.last().expect("a last word").command, "ERROR", "{lines:?}");
    }
    while chatty.send_bytes(b"PING x\r\n").is_ok() && chatty.next().is_some_and(|l| l.command != "ERROR") {}
    // Sessions stay.
    alice.barrier();
}
