//! Queries about the server, with its real configuration.
//!
//! <https://modern.ircdocs.horse/#server-queries-and-commands>

use crate::support::{Client, Line, server};

fn commands_of(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|l| l.command.as_str()).collect()
}

fn only_line<'a>(lines: &'a [Line], command: &str) -> &'a Line {
    lines.iter().find(|l| l.command == command).unwrap_or_else(|| panic!("no {command} in {lines:?}"))
}

#[test]
fn version_lusers_motd_and_ping_reply() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let lines = alice.request("VERSION");
    assert!(only_line(&lines, "351").param(1).contains(env!("CARGO_PKG_VERSION")), "{lines:?}");
    only_line(&lines, "005");
    let lines = alice.request("LUSERS");
    assert_eq!(commands_of(&lines)[0], "251");
    assert!(only_line(&lines, "255").text().contains('1'), "{lines:?}");
    let lines = alice.request("MOTD");
    let numerics = commands_of(&lines);
    assert_eq!(numerics, ["375", "372", "376"], "clients wait for 376 before they join");
    alice.send("PING :two words");
    let pong = alice.wait_for_command("PONG");
    assert_eq!((pong.params.len(), pong.text()), (2, "two words"), "PONG <server> <token>");
}
