//! Queries about accounts. <https://modern.ircdocs.horse/#user-based-queries>

use super::{Client, Line, commands, log_in_and_join, server};

fn first<'a>(lines: &'a [Line], command: &str) -> &'a Line {
    lines.iter().find(|l| l.command == command).unwrap_or_else(|| panic!("no {command} in {lines:?}"))
}

#[test]
fn who_lists_channel_members_and_single_nicks() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let lines = alice.request("WHO #room");
    let mut rows: Vec<(&str, &str)> =
        lines.iter().filter(|l| l.command == "352").map(|l| (l.param(1), l.param(5))).collect();
    rows.sort_unstable();
    assert_eq!(rows, [("#room", "alice"), ("#room", "bob")]);
    let row = first(&lines, "352");
    assert!(row.param(6).starts_with('H') && row.text().starts_with("0 "), "{row}");
    assert!(lines.last().is_some_and(|l| l.starts_with("315 alice #room")), "{lines:?}");

    bob.request("AWAY :at lunch");
    let lines = alice.request("WHO bob");
    assert!(first(&lines, "352").param(6).starts_with('G'), "away: {lines:?}");
    assert!(lines.last().is_some_and(|l| l.starts_with("315 alice bob")));
    assert_eq!(commands(&alice.request("WHO nobody")), ["315"]);
    assert_eq!(commands(&alice.request("WHO #nowhere")), ["315"]);

    // With the flag `a` the accounts that are offline are listed too.
    bob.request("AWAY");
    bob.send("QUIT");
    alice.drain();
    assert_eq!(commands(&alice.request("WHO bo* %nf")), ["315"]);
    let lines = alice.request("WHO bo* a%nfl");
    let row = first(&lines, "354");
    assert_eq!((row.param(1), row.param(2), row.text()), ("bob", "D", "0"));
}

#[test]
fn whois_describes_an_account() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    for request in ["WHOIS bob", "WHOIS BOB", "WHOIS bob bob"] {
        let lines = alice.request(request);
        assert_eq!(first(&lines, "311").params[1], "bob");
        assert!(first(&lines, "319").text().contains("#room"), "{lines:?}");
        assert_eq!(first(&lines, "330").params[1..3], ["bob", "bob"], "is logged in as");
        first(&lines, "312");
        first(&lines, "671");
        let idle = first(&lines, "317");
        assert!(idle.param(2).parse::<u64>().is_ok() && idle.param(3).parse::<u64>().is_ok(), "{idle}");
        assert!(lines.last().is_some_and(|l| l.command == "318"), "{lines:?}");
    }
    let lines = alice.request("WHOIS nobody");
    assert_eq!(commands(&lines), ["401", "318"]);
    bob.request("AWAY :at lunch");
    assert_eq!(first(&alice.request("WHOIS bob"), "301").to_string(), "301 alice bob at lunch");
}

#[test]
fn away_reply_is_sent_to_the_sender() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    assert_eq!(commands(&bob.request("AWAY :at lunch")), ["306"]);
    alice.send("PRIVMSG bob :are you there?");
    let lines = alice.drain();
    assert_eq!(first(&lines, "301").to_string(), "301 alice bob at lunch");
    assert_eq!(first(&lines, "PRIVMSG").text(), "are you there?", "the message arrives all the same");
    bob.wait_for_message("are you there?");
    for back in ["AWAY", "AWAY :"] {
        assert_eq!(commands(&bob.request(back)), ["305"]);
    }
    alice.send("PRIVMSG bob :hello");
    assert!(!commands(&alice.drain()).contains(&"301"));
}
