//! The grace period: a broken connection is announced as a QUIT only if the account does not return in time.
//!
//! <https://modern.ircdocs.horse/#quit-message>; the configuration's `sessions.grace_s`

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::support::history::{enter, reading};
use crate::support::{Client, FULL, Line, Server, server_with};

/// Breaks a connection and waits until the server has noticed.
fn break_off(server: &Server, client: Client, name: &str) {
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
fn names(client: &mut Client) -> String {
    let lines = client.request("NAMES #room");
    lines.iter().filter(|l| l.command == "353").map(|l| l.text().to_owned()).collect::<Vec<_>>().join(" ")
}

fn about(lines: &[Line], nick: &str) -> Vec<String> {
    lines.iter().filter(|l| l.nick() == nick).map(ToString::to_string).collect()
}

#[test]
fn account_quits_when_the_grace_period_ends() {
    let server = server_with(&["sessions.grace_s = 1"]);
    let mut alice = enter(&server, "alice", FULL);
    let bob = enter(&server, "bob", FULL);
    alice.command("JOIN #room");
    let dropped = Instant::now();
    drop(bob);
    let quit = alice.command("QUIT");
    assert!(dropped.elapsed() >= Duration::from_secs(1), "only after the grace: {:?}", dropped.elapsed());
    assert_eq!(quit.nick(), "bob");
    assert!(!quit.text().starts_with("Quit"), "it says how he went: {quit}");
    assert!(!names(&mut alice).contains("bob"));
    // After the grace period bob joins anew.
    drop(Client::login(&server, "bob"));
    assert_eq!(alice.command("JOIN #room").nick(), "bob");
}

#[test]
fn reconnect_within_grace_sends_no_quit() {
    let server = server_with(&["sessions.grace_s = 600"]);
    let mut alice = enter(&server, "alice", &format!("{FULL} away-notify"));
    alice.request("MONITOR + bob");
    let mut bob = enter(&server, "bob", FULL);
    bob.request("AWAY :tea");
    alice.drain();
    for _ in 0..3 {
        break_off(&server, bob, "bob");
        assert!(names(&mut alice).contains("bob"), "he still counts as there");
        alice.send("PRIVMSG #room :did you hear");
        alice.message("did you hear");
        bob = Client::login(&server, "bob");
        let joined: Vec<&Line> = bob.welcome.iter().filter(|l| l.command == "JOIN").collect();
        assert!(joined.len() == 1 && joined[0].is("JOIN #room"), "{:?}", bob.welcome);
        assert!(bob.welcome.iter().any(|l| l.text() == "did you hear"), "{:?}", bob.welcome);
        let lines = alice.drain();
        let lines: Vec<String> =
            about(&lines, "bob").into_iter().filter(|l| !l.starts_with("AWAY")).collect();
        assert_eq!(lines, [""; 0], "the others saw nothing");
        alice.message_to(&mut bob, "#room", "good");
    }
    assert!(alice.request("ISON bob")[0].text().contains("bob"));
}

#[test]
fn quit_has_no_grace_period() {
    let server = server_with(&["sessions.grace_s = 600"]);
    let mut alice = enter(&server, "alice", FULL);
    let mut bob = enter(&server, "bob", FULL);
    bob.send("QUIT :good night");
    let quit = alice.command("QUIT");
    assert_eq!((quit.nick(), quit.text()), ("bob", "Quit: good night"));
    bob.until_closed();
    assert!(!names(&mut alice).contains("bob"));
    assert_eq!(about(&alice.drain(), "bob"), [""; 0], "and once");
}

#[test]
fn grace_applies_to_the_last_connection_only() {
    let server = server_with(&["sessions.grace_s = 600"]);
    let mut alice = enter(&server, "alice", FULL);
    let laptop = enter(&server, "bob", FULL);
    let mut phone = Client::login(&server, "bob");
    alice.drain();
    break_off(&server, laptop, "bob");
    assert_eq!(about(&alice.drain(), "bob"), [""; 0]);
    // A QUIT ends the presence at once, even after broken connections.
    phone.send("QUIT :now");
    assert_eq!(alice.command("QUIT").text(), "Quit: now");
}

#[test]
fn reconnect_cancels_the_grace_period() {
    let server = server_with(&["sessions.grace_s = 1"]);
    let mut alice = enter(&server, "alice", FULL);
    let (bob, carol) = (enter(&server, "bob", FULL), enter(&server, "carol", FULL));
    alice.drain();
    break_off(&server, bob, "bob");
    let mut bob = Client::login(&server, "bob");
    // Carol's grace period begins during bob's, so it ends later.
    break_off(&server, carol, "carol");
    let mut lines = Vec::new();
    alice.expect_quit("carol", &mut lines);
    assert_eq!(about(&lines, "bob"), [""; 0], "bob is there");
    bob.barrier();
    // The next break has a grace period of its own.
    let dropped = Instant::now();
    drop(bob);
    alice.expect_quit("bob", &mut lines);
    assert!(dropped.elapsed() >= Duration::from_secs(1));
}

impl Client {
    /// Reads up to the QUIT of a nick; adds the lines before it to `lines`.
    #[track_caller]
    fn expect_quit(&mut self, nick: &str, lines: &mut Vec<Line>) {
        loop {
            let line = self.next().expect("a line");
            if line.command == "QUIT" && line.nick() == nick {
                return;
            }
            lines.push(line);
        }
    }
}

#[test]
fn disabled_account_has_no_grace_period() {
    let server = server_with(&["sessions.grace_s = 600"]);
    let mut alice = enter(&server, "alice", FULL);
    let bob = enter(&server, "bob", FULL);
    let carol = enter(&server, "carol", FULL);
    break_off(&server, bob, "bob");
    server.home.succeed(&["user", "disable", "bob"]);
    assert_eq!(alice.command("QUIT").nick(), "bob");
    drop(carol);
}

/// <https://ircv3.net/specs/extensions/chathistory>: messages sent in the grace period are in the history like any
/// other.
#[test]
fn messages_during_grace_are_delivered_on_reconnect() {
    let server = server_with(&["sessions.grace_s = 600"]);
    let mut alice = enter(&server, "alice", FULL);
    let bob = enter(&server, "bob", &reading());
    alice.drain();
    break_off(&server, bob, "bob");
    let told = alice.request("PRIVMSG bob :are you there?");
    assert!(told.len() == 1 && told[0].command == "PRIVMSG", "an echo and no error: {told:?}");
    let mut bob = Client::login_with(&server, "bob", &reading());
    assert_eq!(bob.history("LATEST alice * 5")[0].text(), "are you there?");
}
