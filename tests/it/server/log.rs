//! The log in the forms and at the levels of `[log]`.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Client, Home, Server, server_with, until};

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

#[test]
fn a_journal_that_is_not_there_is_said() {
    let home = Home::with_accounts(&["log.format = \"journald\""]);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("its address");
    drop(socket);
    let options = ["serve", "--listen", &address.to_string()];
    if fs::exists("/run/systemd/journal/socket").unwrap_or(true) {
        Client::login(
            &Server::spawn_with_hidden_output(home.clone(), home.command(&options), address),
            "alice",
        );
    } else {
        let error = home.fail(&options);
        assert!(error.contains("cannot log to the journal; choose another `format` in [log]"), "{error}");
    }
}
