//! Channels: JOIN, PART, topics, names, and queries about them.
//!
//! <https://modern.ircdocs.horse/#channel-operations>

use super::{Client, Line, log_in_and_join, server, server_of, with_nicks, without_tags};
use crate::core::record::Role;

/// Returns the nicks in the NAMES reply, sorted, without prefixes.
fn names_reply(client: &mut Client, channel: &str) -> Vec<String> {
    let lines = client.request(&format!("NAMES {channel}"));
    assert!(
        lines.last().is_some_and(|l| l.starts_with(&format!("366 {} {channel}", l.param(0)))),
        "{lines:?}"
    );
    let mut names: Vec<String> = lines
        .iter()
        .filter(|l| l.command == "353")
        .flat_map(|l| {
            l.text().split_whitespace().map(|n| n.trim_start_matches(['~', '&', '@', '%', '+']).to_owned())
        })
        .collect();
    names.sort();
    names
}

#[test]
fn join_sends_topic_and_names_and_notifies_members() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let lines = alice.request("JOIN #room");
    assert!(lines[0].starts_with("JOIN #room") && lines[0].nick() == "alice", "{lines:?}");
    assert!(
        lines[0].source.contains('!') && lines[0].source.contains('@'),
        "a full source: {}",
        lines[0].source
    );
    let order: Vec<&str> = lines.iter().map(|l| l.command.as_str()).collect();
    assert_eq!(order, ["JOIN", "353", "366"], "a channel without a topic sends no 331");

    let lines = bob.request("JOIN #ROOM");
    assert!(lines[0].starts_with("JOIN #room"), "under the name that its creator gave it: {}", lines[0]);
    assert_eq!(names_reply(&mut bob, "#room"), ["alice", "bob"]);
    let events = alice.drain();
    assert_eq!(without_tags(&events), ["JOIN #room"]);
    assert_eq!(events[0].nick(), "bob");
    // Joining a channel again has no effect.
    assert_eq!(bob.request("JOIN #room"), []);
    assert_eq!(alice.drain(), []);
}

#[test]
fn join_and_part_accept_several_channels() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let lines = alice.request("JOIN #one,#two,bad");
    let joins: Vec<&str> = lines.iter().filter(|l| l.command == "JOIN").map(|l| l.param(0)).collect();
    assert_eq!(joins, ["#one", "#two"]);
    assert!(
        lines.iter().any(|l| matches!(l.command.as_str(), "403" | "476") && l.param(1) == "bad"),
        "{lines:?}"
    );
    let lines = alice.request("PART #one,#two,#nowhere :off I go");
    assert_eq!(without_tags(&lines[..2]), ["PART #one off I go", "PART #two off I go"]);
    assert!(lines[2].starts_with("403 alice #nowhere"), "{lines:?}");
    alice.request("JOIN #one,#two");
    let lines = alice.request("JOIN 0");
    let parts: Vec<&str> = lines.iter().filter(|l| l.command == "PART").map(|l| l.param(0)).collect();
    assert_eq!(parts.len(), 2, "{lines:?}");
}

#[test]
fn part_ends_channel_messages() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    assert!(bob.request("PART #nowhere")[0].starts_with("403 bob #nowhere"));
    assert_eq!(without_tags(&bob.request("PART #room :bye")), ["PART #room bye"]);
    assert_eq!(with_nicks(&alice.drain()), ["bob: PART #room bye"]);
    assert!(bob.request("PART #room")[0].starts_with("442 bob #room"));
    alice.send("PRIVMSG #room :only us");
    alice.wait_for_message("only us");
    assert_eq!(bob.drain(), []);
    assert_eq!(names_reply(&mut alice, "#room"), ["alice"]);
}

#[test]
fn topic_is_set_shown_and_cleared() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    alice.request("JOIN #room");
    assert!(alice.request("TOPIC #room")[0].starts_with("331 alice #room"));
    let lines = alice.request("TOPIC #room :What we talk about");
    assert_eq!(without_tags(&lines), ["TOPIC #room What we talk about"]);
    assert_eq!(lines[0].nick(), "alice");

    let lines = bob.request("JOIN #room");
    let order: Vec<&str> = lines.iter().map(|l| l.command.as_str()).collect();
    assert_eq!(order, ["JOIN", "332", "333", "353", "366"]);
    assert_eq!(lines[1].to_string(), "332 bob #room What we talk about");
    assert!(
        lines[2].param(2).starts_with("alice") && lines[2].param(3).parse::<u64>().is_ok(),
        "{}",
        lines[2]
    );

    alice.drain();
    bob.request("TOPIC #room :");
    let seen = alice.drain();
    assert_eq!(without_tags(&seen), ["TOPIC #room "]);
    assert!(alice.request("TOPIC #room")[0].starts_with("331 alice #room"));
    // A non-member cannot set it.
    let mut carol = Client::login(&server, "carol");
    assert!(carol.request("TOPIC #room :mine")[0].starts_with("442 carol #room"));
    assert!(carol.request("TOPIC #nowhere")[0].starts_with("403 carol #nowhere"));
}

#[test]
fn names_replies_for_missing_channels() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    assert_eq!(names_reply(&mut alice, "#nowhere"), Vec::<String>::new());
    alice.request("JOIN #one,#two");
    let lines = alice.request("NAMES #one,#two");
    let ends: Vec<&str> = lines.iter().filter(|l| l.command == "366").map(|l| l.param(1)).collect();
    assert_eq!(ends, ["#one", "#two"]);
    let one = lines.iter().find(|l| l.command == "353").expect("353");
    assert!(matches!(one.param(1), "=" | "@" | "*") && one.param(2) == "#one", "{one}");
}

#[test]
fn names_of_a_large_channel_fit_into_lines() {
    let everybody: Vec<String> = (0..60).map(|n| format!("pupil-number-{n:010}")).collect();
    let accounts: Vec<(&str, Role)> = everybody.iter().map(|name| (name.as_str(), Role::Member)).collect();
    let server = server_of(&accounts);
    let mut clients: Vec<Client> = everybody.iter().map(|name| Client::login(&server, name)).collect();
    for client in &mut clients {
        client.request("JOIN #school");
    }
    let first = &mut clients[0];
    let lines = first.request("NAMES #school");
    assert!(lines.len() > 3, "{lines:?}");
    for line in &lines {
        let bytes = line.source.len() + line.to_string().len() + ": :\r\n".len();
        assert!(bytes <= 512, "{bytes} bytes: {line}");
    }
    assert_eq!(names_reply(first, "#school"), everybody);
}

#[test]
fn list_shows_member_counts_and_topics() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    alice.request("JOIN #one,#two");
    bob.request("JOIN #one");
    alice.request("TOPIC #one :The first");
    let rows = |lines: &[Line]| {
        assert!(lines.last().is_some_and(|l| l.command == "323"), "{lines:?}");
        let mut rows: Vec<String> =
            lines.iter().filter(|l| l.command == "322").map(ToString::to_string).collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(&bob.request("LIST")), ["322 bob #one 2 The first", "322 bob #two 1 "]);
    assert_eq!(rows(&bob.request("LIST #two,#nowhere")), ["322 bob #two 1 "]);
}

#[test]
fn mode_replies_to_queries_at_join() {
    let server = server();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    let lines = alice.request("MODE #room");
    assert!(lines[0].starts_with("324 alice #room") && lines[0].param(2).starts_with('+'), "{lines:?}");
    assert!(
        lines[1].starts_with("329 alice #room") && lines[1].param(2).parse::<u64>().is_ok_and(|t| t > 0),
        "{lines:?}"
    );
    // irssi and WeeChat request the ban list.
    for request in ["MODE #room b", "MODE #room +b"] {
        let lines = alice.request(request);
        assert!(lines.last().is_some_and(|l| l.starts_with("368 alice #room")), "{request}: {lines:?}");
    }
    assert!(alice.request("MODE #nowhere")[0].starts_with("403 alice #nowhere"));
    assert!(alice.request("MODE alice")[0].starts_with("221 alice"));
    assert!(alice.request("MODE bob")[0].starts_with("502 alice"));
    assert!(
        alice.request("MODE nobody")[0].command == "401" || alice.request("MODE nobody")[0].command == "502"
    );
    // Many clients set +i on themselves at login; that may have no effect, but must not be an unknown command.
    let lines = alice.request("MODE alice +i");
    assert!(lines.iter().all(|l| matches!(l.command.as_str(), "MODE" | "221" | "501")), "{lines:?}");
}

#[test]
fn channel_names_in_any_script_are_accepted() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let mut bob = Client::login(&server, "bob");
    let lines = alice.request("JOIN #日本語");
    assert!(lines[0].starts_with("JOIN #日本語"), "{lines:?}");
    alice.request("JOIN #caf\u{e9}");
    // The same name in decomposed form, from another keyboard.
    assert!(bob.request("JOIN #cafe\u{301}")[0].starts_with("JOIN #caf\u{e9}"));
    alice.deliver_message(&mut bob, "#caf\u{e9}", "bonjour");
}

#[test]
fn channel_outlives_its_sessions() {
    let server = server();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    alice.request("TOPIC #room :Lasting");
    alice.quit();
    let mut bob = Client::login(&server, "bob");
    let lines = bob.request("JOIN #room");
    assert!(lines.iter().any(|l| l.to_string() == "332 bob #room Lasting"), "{lines:?}");
}
