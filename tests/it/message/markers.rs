//! MARKREAD: the read markers of accounts.
//!
//! <https://ircv3.net/specs/extensions/read-marker>

use crate::support::history::{history_capabilities, log_in_and_join_room, time_tag};
use crate::support::{ALL_CAPABILITIES, Client, Line, server, without_tags};

/// Returns a marker as the server sends it.
fn read_marker(target: &str, message: &Line) -> String {
    format!("MARKREAD {target} timestamp={}", time_tag(message))
}

/// <https://ircv3.net/specs/extensions/read-marker#markread-client-set-command>
#[test]
fn read_marker_is_set_queried_and_only_grows() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let first = alice.send_and_await_echo("#room", "first");
    let second = alice.send_and_await_echo("#room", "second");
    assert_eq!(without_tags(&alice.request("MARKREAD #room")), ["MARKREAD #room *"]);
    let set = |line: &Line| format!("MARKREAD #ROOM timestamp={}", time_tag(line));
    assert_eq!(without_tags(&alice.request(&set(&first))), [read_marker("#room", &first)]);
    assert_eq!(without_tags(&alice.request("MARKREAD #room")), [read_marker("#room", &first)]);
    assert_eq!(without_tags(&alice.request(&set(&second))), [read_marker("#room", &second)]);
    // Older, or the same: the reply is the present marker.
    for line in [&first, &second] {
        assert_eq!(without_tags(&alice.request(&set(line))), [read_marker("#room", &second)]);
    }
    let answer = alice.request(&format!("@label=m {}", set(&first)));
    assert!(answer.len() == 1 && answer[0].tag("label") == Some("m"), "{answer:?}");
    // Future messages are not read yet.
    let lines = alice.request("MARKREAD #room timestamp=2200-01-01T00:00:00.000Z");
    assert!(lines[0].text() > "timestamp=2" && lines[0].text() < "timestamp=2200", "{lines:?}");
    let third = alice.send_and_await_echo("#room", "third");
    assert!(lines[0].text() <= format!("timestamp={}", time_tag(&third)).as_str(), "{lines:?}");
}

/// <https://ircv3.net/specs/extensions/read-marker#command-flows>: all clients of the account see a change, and
/// no others (Security Considerations).
#[test]
fn read_marker_is_sent_to_other_sessions() {
    let server = server();
    let mut laptop = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut phone = Client::login_with(&server, "alice", &history_capabilities());
    let mut old = Client::login_with(&server, "alice", ALL_CAPABILITIES);
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    let said = laptop.send_and_await_echo("#room", "hello");
    bob.wait_for_message("hello");
    for client in [&mut phone, &mut old] {
        client.wait_for_message("hello");
    }
    let set = format!("MARKREAD #room timestamp={}", time_tag(&said));
    laptop.request(&set);
    assert_eq!(without_tags(&phone.drain()), [read_marker("#room", &said)]);
    assert_eq!(old.drain(), []);
    assert_eq!(bob.drain(), []);
    assert_eq!(without_tags(&bob.request("MARKREAD #room")), ["MARKREAD #room *"], "bob has his own");
    // Without a change there is no event.
    laptop.request(&set);
    laptop.request("MARKREAD #room");
    assert_eq!(phone.drain(), []);
}

/// <https://ircv3.net/specs/extensions/read-marker#command-flows>: after JOIN and before `RPL_ENDOFNAMES`.
#[test]
fn join_sends_the_read_marker() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    let after_join = |lines: &[Line], expected: &str| {
        let shown = without_tags(lines);
        let place = |start: &str| {
            let found = shown.iter().position(|l| l.starts_with(start));
            found.unwrap_or_else(|| panic!("no {start} in {shown:?}"))
        };
        let marker = place("MARKREAD #room");
        assert!(place("JOIN #room") < marker && marker < place("366 alice #room"), "{shown:?}");
        assert_eq!(shown[marker], expected);
        assert_eq!(shown.iter().filter(|l| l.starts_with("MARKREAD")).count(), 1, "{shown:?}");
    };
    let lines = alice.request("JOIN #room");
    after_join(&lines, "MARKREAD #room *");
    let said = alice.send_and_await_echo("#room", "hello");
    alice.request(&read_marker("#room", &said));
    // At a login, at another session's JOIN, and after PART.
    let mut phone = Client::login_with(&server, "alice", &history_capabilities());
    after_join(&phone.welcome, &read_marker("#room", &said));
    alice.request("TOPIC #room :Tea");
    alice.request("MODE #room +n");
    phone.request("PART #room");
    alice.drain();
    let lines = alice.request("JOIN #room");
    after_join(&lines, &read_marker("#room", &said));
    let lines = phone.drain();
    after_join(
        &lines[lines.iter().rposition(|l| l.starts_with("JOIN #room")).expect("JOIN")..],
        &read_marker("#room", &said),
    );
    let old = Client::login_with(&server, "alice", ALL_CAPABILITIES);
    assert!(old.welcome.iter().all(|l| l.command != "MARKREAD"), "{:?}", old.welcome);
}

/// <https://ircv3.net/specs/extensions/read-marker#markread-client-get-command>
#[test]
fn direct_conversations_have_read_markers() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    let said = bob.send_and_await_echo("alice", "psst");
    assert_eq!(without_tags(&alice.request("MARKREAD BOB"))[1..], ["MARKREAD bob *"]);
    let set = alice.request(&read_marker("bob", &said));
    assert_eq!(without_tags(&set), [read_marker("bob", &said)]);
    assert_eq!(without_tags(&bob.request("MARKREAD alice")), ["MARKREAD alice *"], "each side has its own");
}

/// <https://ircv3.net/specs/extensions/read-marker#read-timestamp-notes>
#[test]
fn read_markers_survive_a_crash() {
    let mut server = server();
    let home = server.home.clone();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let (said, direct) =
        (alice.send_and_await_echo("#room", "hello"), alice.send_and_await_echo("bob", "hi"));
    let later = alice.send_and_await_echo("#room", "later");
    for set in [read_marker("#room", &said), read_marker("bob", &direct), read_marker("#room", &later)] {
        assert_eq!(without_tags(&alice.request(&set)), [set]);
    }
    server.kill9();
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    assert!(
        alice.welcome.iter().any(|l| l.to_string() == read_marker("#room", &later)),
        "{:?}",
        alice.welcome
    );
    assert_eq!(without_tags(&alice.request("MARKREAD bob")), [read_marker("bob", &direct)]);
    assert_eq!(without_tags(&alice.request(&read_marker("#room", &said))), [read_marker("#room", &later)]);
}

/// <https://ircv3.net/specs/extensions/read-marker#errors-and-warnings>
#[test]
fn invalid_read_marker_is_refused() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    for (command, code) in [
        ("MARKREAD", "NEED_MORE_PARAMS"),
        ("MARKREAD #room *", "INVALID_PARAMS"),
        ("MARKREAD #room timestamp=noon", "INVALID_PARAMS"),
        ("MARKREAD #room 2024-01-01T00:00:00.000Z", "INVALID_PARAMS"),
        ("MARKREAD !!", "INVALID_PARAMS"),
        ("MARKREAD # timestamp=2024-01-01T00:00:00.000Z", "INVALID_PARAMS"),
    ] {
        let fail = alice.expect_failure(command);
        assert!(fail.starts_with(&format!("FAIL MARKREAD {code}")), "{command}: {fail}");
    }
    assert_eq!(without_tags(&bob.request("MARKREAD #room")), ["MARKREAD #room *"], "not his channel");
    assert_eq!(without_tags(&alice.request("MARKREAD #room")), ["MARKREAD #room *"]);
}

/// Clients request and set the markers of all their conversations before they join anything.
#[test]
fn early_read_marker_applies_at_join() {
    let mut server = server();
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    // An unknown conversation has no marker.
    for unknown in ["#nowhere", "#room", "nobody", "NickServ"] {
        assert_eq!(
            without_tags(&alice.request(&format!("MARKREAD {unknown}"))),
            [format!("MARKREAD {unknown} *")]
        );
    }
    let fail = alice.expect_failure("MARKREAD a!b@c");
    assert!(fail.starts_with("FAIL MARKREAD INVALID_PARAMS a!b@c"), "{fail}");
    // The first marker is accepted however old it is; later ones only grow.
    let old = "timestamp=2011-09-05T20:07:03.001Z";
    for channel in ["#room", "#nowhere"] {
        let marker = format!("MARKREAD {channel} {old}");
        assert_eq!(without_tags(&alice.request(&marker)), [marker.as_str()]);
        let older = format!("MARKREAD {channel} timestamp=1999-01-01T00:00:00.000Z");
        assert_eq!(without_tags(&alice.request(&older)), [marker.as_str()]);
        assert_eq!(without_tags(&alice.request(&format!("MARKREAD {channel}"))), [marker.as_str()]);
    }
    assert_eq!(
        without_tags(&alice.request("MARKREAD nobody timestamp=2020-01-01T00:00:00.000Z")),
        ["MARKREAD nobody *"]
    );
    assert_eq!(bob.drain(), []);
    assert_eq!(without_tags(&bob.request("MARKREAD #nowhere")), ["MARKREAD #nowhere *"], "it is hers");
    let home = server.home.clone();
    server.kill9();
    drop(server);
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    for channel in ["#room", "#Nowhere"] {
        let lines = alice.request(&format!("JOIN {channel}"));
        assert!(without_tags(&lines).contains(&format!("MARKREAD {channel} {old}")), "{lines:?}");
    }
    // A channel that is removed with its last member, and created anew.
    alice.request("PART #Nowhere");
    assert_eq!(without_tags(&alice.request("MARKREAD #nowhere")), [format!("MARKREAD #nowhere {old}")]);
    let lines = alice.request("JOIN #nowhere");
    assert!(without_tags(&lines).contains(&format!("MARKREAD #nowhere {old}")), "{lines:?}");
}
