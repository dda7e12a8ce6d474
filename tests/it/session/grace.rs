//! The grace period: a broken connection is announced as a QUIT only if the account does not return in time.
//!
//! <https://modern.ircdocs.horse/#quit-message>; the configuration's `sessions.grace_s`

use std::cell::Cell;

use crate::support::history::{history_capabilities, log_in_and_join_room};
use crate::support::{ALL_CAPABILITIES, Client, Line, Server, server_with};

/// Breaks a connection and waits until the server has noticed.
fn break_connection(server: &Server, client: Client, name: &str) {
    let of = format!("account={name}");
    let ended = |line: &str| line.contains("disconnected") && line.contains(&of);
    let before = server.log().lines().filter(|line| ended(line)).count();
    drop(client);
    let seen = Cell::new(0);
    server.wait_for_log(|line| {
        seen.set(seen.get() + usize::from(ended(line)));
        seen.get() > before
    });
}

/// Returns the nicks in `#room`, as a member sees them.
fn names_reply(client: &mut Client) -> String {
    let lines = client.request("NAMES #room");
    lines.iter().filter(|l| l.command == "353").map(|l| l.text().to_owned()).collect::<Vec<_>>().join(" ")
}

fn lines_about(lines: &[Line], nick: &str) -> Vec<String> {
    lines.iter().filter(|l| l.nick() == nick).map(ToString::to_string).collect()
}

#[test]
fn broken_connection_quits_when_the_grace_period_ends() {
    let server = server_with(&["sessions.grace_s = 1"]);
    let mut alice = log_in_and_join_room(&server, "alice", ALL_CAPABILITIES);
    drop(log_in_and_join_room(&server, "bob", ALL_CAPABILITIES));
    let quit = alice.wait_for_command("QUIT");
    assert_eq!(quit.nick(), "bob");
    assert!(!quit.text().starts_with("Quit"), "the reason is not the client's: {quit}");
    assert!(!names_reply(&mut alice).contains("bob"));
}

#[test]
fn reconnect_within_grace_sends_no_quit() {
    let server = server_with(&["sessions.grace_s = 600"]);
    let mut alice = log_in_and_join_room(&server, "alice", &format!("{ALL_CAPABILITIES} away-notify"));
    alice.request("MONITOR + bob");
    let mut bob = log_in_and_join_room(&server, "bob", ALL_CAPABILITIES);
    bob.request("AWAY :tea");
    alice.drain();
    for _ in 0..3 {
        break_connection(&server, bob, "bob");
        assert!(names_reply(&mut alice).contains("bob"), "he still counts as there");
        alice.send("PRIVMSG #room :did you hear");
        alice.wait_for_message("did you hear");
        bob = Client::login(&server, "bob");
        let joined: Vec<&Line> = bob.welcome.iter().filter(|l| l.command == "JOIN").collect();
        assert!(joined.len() == 1 && joined[0].starts_with("JOIN #room"), "{:?}", bob.welcome);
        assert!(bob.welcome.iter().any(|l| l.text() == "did you hear"), "{:?}", bob.welcome);
        let lines = alice.drain();
        let lines: Vec<String> =
            lines_about(&lines, "bob").into_iter().filter(|l| !l.starts_with("AWAY")).collect();
        assert_eq!(lines, [""; 0], "the others saw nothing");
        alice.deliver_message(&mut bob, "#room", "good");
    }
    assert!(alice.request("ISON bob")[0].text().contains("bob"));
}

/// <https://ircv3.net/specs/extensions/chathistory>: messages sent in the grace period are in the history like any
/// other.
#[test]
fn messages_during_grace_are_delivered_on_reconnect() {
    let server = server_with(&["sessions.grace_s = 600"]);
    let mut alice = log_in_and_join_room(&server, "alice", ALL_CAPABILITIES);
    let bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    alice.drain();
    break_connection(&server, bob, "bob");
    let told = alice.request("PRIVMSG bob :are you there?");
    assert!(told.len() == 1 && told[0].command == "PRIVMSG", "an echo and no error: {told:?}");
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    assert_eq!(bob.query_history("LATEST alice * 5")[0].text(), "are you there?");
}
