//! The log in the forms and at the levels of `[log]`.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use serde_json::Value;

use crate::support::{Client, Home, NEW_MOUNTS, Server, WAIT_TIMEOUT, can_mount, server_with, until};

#[test]
fn text_has_local_time_with_its_offset() {
    let home = Home::with_accounts(&[]);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("TZ", "Asia/Kolkata");
    let server = Server::spawn(home, command);
    let line = server.wait_for_log(|line| line.contains("listening on"));
    let time = line.split(' ').next().expect("a time");
    assert!(time.ends_with("+05:30"), "{line}");
    let time: jiff::Timestamp = time.parse().expect(time);
    assert!(time.duration_since(jiff::Timestamp::now()).abs().as_secs() < 60, "{line}");
}

#[test]
fn json_is_one_object_a_line_with_the_fields() {
    let server = server_with(&["log.format = \"json\""]);
    Client::login(&server, "alice");
    let line = server.wait_for_log(|line| line.contains("logged in"));
    let event: Value = serde_json::from_str(&line).expect(&line);
    for (key, value) in [("level", "INFO"), ("message", "logged in"), ("account", "alice")] {
        assert_eq!(event[key], value, "{line}");
    }
    assert_eq!(event["target"], "parlour::server::net::connection", "{line}");
    let home = server.home.clone();
    let (_, log) = server.terminate();
    for line in log.lines().filter(|line| !line.is_empty()) {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    // A failure, too.
    let error = home.fail(&["serve", "--listen", "192.0.2.1:6697"]);
    let last: Value = serde_json::from_str(error.lines().last().expect("a line")).expect(&error);
    assert_eq!(last["level"], "ERROR", "{error}");
    assert!(last["message"].as_str().is_some_and(|text| text.contains("192.0.2.1")), "{error}");
}

#[test]
fn levels_of_parts_follow_a_reload() {
    let server = server_with(&["log.levels.connections = \"warn\""]);
    let mut alice = Client::in_channel(&server, "alice", "#room");
    let mut write = |text: &str| {
        alice.send(&format!("PRIVMSG #room :{text}"));
        alice.wait_for_message(text);
    };
    write("one");
    // Neither the login, by the level of its part, nor who writes to whom, by default.
    assert!(!server.log().contains("alice"), "{}", server.log());
    let config = fs::read_to_string(server.home.path("parlour.toml")).expect("parlour.toml");
    let config = config.replace("connections = \"warn\"", "messages = \"debug\"");
    fs::write(server.home.path("parlour.toml"), config).expect("written");
    server.signal("HUP");
    server.wait_for_log(|line| line.contains("were read again") && line.contains("log.levels.messages"));
    // The levels are in force a moment later.
    let mut number = 0;
    until(
        || {
            number += 1;
            write(&format!("again {number}"));
            server.log().contains("from=alice to=#room")
        },
        || server.log(),
    );
    assert!(!server.log().contains("again 1"), "no text of a message: {}", server.log());
}

/// A server that logs to the journal, as a command in a namespace where only this script makes the folder `/run`.
fn command_with_journal(home: &Home, prepare_run: &str, address: SocketAddr) -> Command {
    let script = format!(
        "mount -t tmpfs none /run && {prepare_run} && exec {} serve --listen {address}",
        env!("CARGO_BIN_EXE_parlour")
    );
    let mut unshare = Command::new("unshare");
    home.configure(&mut unshare).args(NEW_MOUNTS).args(["sh", "-c", &script]);
    unshare
}

/// Returns an address of this machine that is free.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address")
}

#[test]
fn journal_gets_events_with_their_fields() {
    if !can_mount() {
        return;
    }
    let home = Home::with_accounts(&["log.format = \"journald\""]);
    let journal = UnixDatagram::bind(home.path("journal.sock")).expect("a socket");
    journal.set_read_timeout(Some(WAIT_TIMEOUT)).expect("a time-out");
    let prepare = "mkdir -p /run/systemd/journal && touch /run/systemd/journal/socket \
                   && mount --bind journal.sock /run/systemd/journal/socket";
    let address = free_address();
    let command = command_with_journal(&home, prepare, address);
    let server = Server::spawn_with_hidden_output(home, command, address);
    Client::login(&server, "alice");
    let entry = loop {
        let mut bytes = [0; 4096];
        let count = journal.recv(&mut bytes).expect("an entry");
        let entry = String::from_utf8_lossy(&bytes[..count]).into_owned();
        if entry.contains("logged in") {
            break entry;
        }
    };
    // A name, a length in eight bytes, a value.
    for field in ["PRIORITY\n\u{1}\0\0\0\0\0\0\x006\n", "PARLOUR_ACCOUNT\n\u{5}\0\0\0\0\0\0\0alice\n"] {
        assert!(entry.contains(field), "{entry:?}");
    }
    assert_eq!(server.log(), "", "nothing on standard error");
}

#[test]
fn a_journal_that_is_not_there_is_said() {
    if !can_mount() {
        return;
    }
    let home = Home::with_accounts(&["log.format = \"journald\""]);
    let ended = command_with_journal(&home, "true", free_address()).output().expect("unshare");
    let error = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    assert!(error.contains("cannot log to the journal; choose another `format` in [log]"), "{error}");
}
