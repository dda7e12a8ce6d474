//! Queries about accounts and about the server.
//!
//! <https://modern.ircdocs.horse/#user-based-queries>, <https://modern.ircdocs.horse/#server-queries-and-commands>

use crate::support::{Client, Line, server};

fn commands_of(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|l| l.command.as_str()).collect()
}

fn only_line<'a>(lines: &'a [Line], command: &str) -> &'a Line {
    lines.iter().find(|l| l.command == command).unwrap_or_else(|| panic!("no {command} in {lines:?}"))
}

#[test]
fn who_lists_channel_members_and_single_nicks() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    let lines = alice.request("WHO #room");
    let mut rows: Vec<(&str, &str)> =
        lines.iter().filter(|l| l.command == "352").map(|l| (l.param(1), l.param(5))).collect();
    rows.sort_unstable();
    assert_eq!(rows, [("#room", "alice"), ("#room", "bob")]);
    let row = only_line(&lines, "352");
    assert!(row.param(6).starts_with('H') && row.text().starts_with("0 "), "{row}");
    assert!(lines.last().is_some_and(|l| l.starts_with("315 alice #room")), "{lines:?}");

    bob.request("AWAY :at lunch");
    let lines = alice.request("WHO bob");
    assert!(only_line(&lines, "352").param(6).starts_with('G'), "away: {lines:?}");
    assert!(lines.last().is_some_and(|l| l.starts_with("315 alice bob")));
    assert_eq!(commands_of(&alice.request("WHO nobody")), ["315"]);
    assert_eq!(commands_of(&alice.request("WHO #nowhere")), ["315"]);
}

#[test]
fn whois_describes_an_account() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    for request in ["WHOIS bob", "WHOIS BOB", "WHOIS bob bob"] {
        let lines = alice.request(request);
        assert_eq!(only_line(&lines, "311").params[1], "bob");
        assert!(only_line(&lines, "319").text().contains("#room"), "{lines:?}");
        assert_eq!(only_line(&lines, "330").params[1..3], ["bob", "bob"], "is logged in as");
        only_line(&lines, "312");
        only_line(&lines, "671");
        let idle = only_line(&lines, "317");
        assert!(idle.param(2).parse::<u64>().is_ok() && idle.param(3).parse::<u64>().is_ok(), "{idle}");
        assert!(lines.last().is_some_and(|l| l.command == "318"), "{lines:?}");
    }
    let lines = alice.request("WHOIS nobody");
    assert_eq!(commands_of(&lines), ["401", "318"]);
    bob.request("AWAY :at lunch");
    assert_eq!(only_line(&alice.request("WHOIS bob"), "301").to_string(), "301 alice bob at lunch");
}

#[test]
fn away_reply_is_sent_to_the_sender() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    assert_eq!(commands_of(&bob.request("AWAY :at lunch")), ["306"]);
    alice.send("PRIVMSG bob :are you there?");
    let lines = alice.drain();
    assert_eq!(only_line(&lines, "301").to_string(), "301 alice bob at lunch");
    assert_eq!(only_line(&lines, "PRIVMSG").text(), "are you there?", "the message arrives all the same");
    bob.wait_for_message("are you there?");
    for back in ["AWAY", "AWAY :"] {
        assert_eq!(commands_of(&bob.request(back)), ["305"]);
    }
    alice.send("PRIVMSG bob :hello");
    assert!(!commands_of(&alice.drain()).contains(&"301"));
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
