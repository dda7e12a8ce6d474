//! MARKREAD: the read markers of accounts.
//!
//! <https://ircv3.net/specs/extensions/read-marker>

use crate::support::history::{enter, reading, time};
use crate::support::{Client, FULL, Line, server};

fn shown(lines: &[Line]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

/// Returns a marker as the server sends it.
fn marker(target: &str, of: &Line) -> String {
    format!("MARKREAD {target} timestamp={}", time(of))
}

/// <https://ircv3.net/specs/extensions/read-marker#markread-client-set-command>
#[test]
fn read_marker_is_set_queried_and_only_grows() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let first = alice.say("#room", "first");
    let second = alice.say("#room", "second");
    assert_eq!(shown(&alice.request("MARKREAD #room")), ["MARKREAD #room *"]);
    let set = |line: &Line| format!("MARKREAD #ROOM timestamp={}", time(line));
    assert_eq!(shown(&alice.request(&set(&first))), [marker("#room", &first)]);
    assert_eq!(shown(&alice.request("MARKREAD #room")), [marker("#room", &first)]);
    assert_eq!(shown(&alice.request(&set(&second))), [marker("#room", &second)]);
    // Older, or the same: the reply is the present marker.
    for line in [&first, &second] {
        assert_eq!(shown(&alice.request(&set(line))), [marker("#room", &second)]);
    }
    let answer = alice.request(&format!("@label=m {}", set(&first)));
    assert!(answer.len() == 1 && answer[0].tag("label") == Some("m"), "{answer:?}");
    // Future messages are not read yet.
    let lines = alice.request("MARKREAD #room timestamp=2200-01-01T00:00:00.000Z");
    assert!(lines[0].text() > "timestamp=2" && lines[0].text() < "timestamp=2200", "{lines:?}");
    let third = alice.say("#room", "third");
    assert!(lines[0].text() <= format!("timestamp={}", time(&third)).as_str(), "{lines:?}");
}

/// <https://ircv3.net/specs/extensions/read-marker#command-flows>: all clients of the account see a change, and
/// no others (Security Considerations).
#[test]
fn read_marker_is_sent_to_other_sessions() {
    let server = server();
    let mut laptop = enter(&server, "alice", &reading());
    let mut phone = Client::login_with(&server, "alice", &reading());
    let mut old = Client::login_with(&server, "alice", FULL);
    let mut bob = enter(&server, "bob", &reading());
    let said = laptop.say("#room", "hello");
    bob.message("hello");
    for client in [&mut phone, &mut old] {
        client.message("hello");
    }
    let set = format!("MARKREAD #room timestamp={}", time(&said));
    laptop.request(&set);
    assert_eq!(shown(&phone.drain()), [marker("#room", &said)]);
    assert_eq!(old.drain(), []);
    assert_eq!(bob.drain(), []);
    assert_eq!(shown(&bob.request("MARKREAD #room")), ["MARKREAD #room *"], "bob has his own");
    // Without a change there is no event.
    laptop.request(&set);
    laptop.request("MARKREAD #room");
    assert_eq!(phone.drain(), []);
}

/// <https://ircv3.net/specs/extensions/read-marker#command-flows>: after JOIN and before `RPL_ENDOFNAMES`.
#[test]
fn join_sends_the_read_marker() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &reading());
    let after_join = |lines: &[Line], expected: &str| {
        let shown = shown(lines);
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
    let said = alice.say("#room", "hello");
    alice.request(&marker("#room", &said));
    // At a login, at another session's JOIN, and after PART.
    let mut phone = Client::login_with(&server, "alice", &reading());
    after_join(&phone.welcome, &marker("#room", &said));
    alice.request("TOPIC #room :Tea");
    alice.request("MODE #room +n");
    phone.request("PART #room");
    alice.drain();
    let lines = alice.request("JOIN #room");
    after_join(&lines, &marker("#room", &said));
    let lines = phone.drain();
    after_join(
        &lines[lines.iter().rposition(|l| l.is("JOIN #room")).expect("JOIN")..],
        &marker("#room", &said),
    );
    let old = Client::login_with(&server, "alice", FULL);
    assert!(old.welcome.iter().all(|l| l.command != "MARKREAD"), "{:?}", old.welcome);
}

/// <https://ircv3.net/specs/extensions/read-marker#markread-client-get-command>
#[test]
fn direct_conversations_have_read_markers() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &reading());
    let mut bob = Client::login_with(&server, "bob", &reading());
    let said = bob.say("alice", "psst");
    assert_eq!(shown(&alice.request("MARKREAD BOB"))[1..], ["MARKREAD bob *"]);
    let set = alice.request(&marker("bob", &said));
    assert_eq!(shown(&set), [marker("bob", &said)]);
    assert_eq!(shown(&bob.request("MARKREAD alice")), ["MARKREAD alice *"], "each side has its own");
}

/// <https://ircv3.net/specs/extensions/read-marker#read-timestamp-notes>
#[test]
fn read_markers_survive_a_crash() {
    let mut server = server();
    let home = server.home.clone();
    let mut alice = enter(&server, "alice", &reading());
    let (said, direct) = (alice.say("#room", "hello"), alice.say("bob", "hi"));
    let later = alice.say("#room", "later");
    for set in [marker("#room", &said), marker("bob", &direct), marker("#room", &later)] {
        assert_eq!(shown(&alice.request(&set)), [set]);
    }
    server.kill9();
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", &reading());
    assert!(alice.welcome.iter().any(|l| l.to_string() == marker("#room", &later)), "{:?}", alice.welcome);
    assert_eq!(shown(&alice.request("MARKREAD bob")), [marker("bob", &direct)]);
    assert_eq!(shown(&alice.request(&marker("#room", &said))), [marker("#room", &later)]);
}

/// <https://ircv3.net/specs/extensions/read-marker#errors-and-warnings>
#[test]
fn invalid_read_marker_is_refused() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = Client::login_with(&server, "bob", &reading());
    for (command, code) in [
        ("MARKREAD", "NEED_MORE_PARAMS"),
        ("MARKREAD #room *", "INVALID_PARAMS"),
        ("MARKREAD #room timestamp=noon", "INVALID_PARAMS"),
        ("MARKREAD #room 2024-01-01T00:00:00.000Z", "INVALID_PARAMS"),
        ("MARKREAD !!", "INVALID_PARAMS"),
        ("MARKREAD # timestamp=2024-01-01T00:00:00.000Z", "INVALID_PARAMS"),
    ] {
        let fail = alice.failure(command);
        assert!(fail.is(&format!("FAIL MARKREAD {code}")), "{command}: {fail}");
    }
    assert_eq!(shown(&bob.request("MARKREAD #room")), ["MARKREAD #room *"], "not his channel");
    assert_eq!(shown(&alice.request("MARKREAD #room")), ["MARKREAD #room *"]);
}

/// Clients request and set the markers of all their conversations before they join anything.
#[test]
fn early_read_marker_applies_at_join() {
    let mut server = server();
    let mut bob = enter(&server, "bob", &reading());
    let mut alice = Client::login_with(&server, "alice", &reading());
    // An unknown conversation has no marker.
    for unknown in ["#nowhere", "#room", "nobody", "NickServ"] {
        assert_eq!(shown(&alice.request(&format!("MARKREAD {unknown}"))), [format!("MARKREAD {unknown} *")]);
    }
    let fail = alice.failure("MARKREAD a!b@c");
    assert!(fail.is("FAIL MARKREAD INVALID_PARAMS a!b@c"), "{fail}");
    // The first marker is accepted however old it is; later ones only grow.
    let old = "timestamp=2011-09-05T20:07:03.001Z";
    for channel in ["#room", "#nowhere"] {
        let marker = format!("MARKREAD {channel} {old}");
        assert_eq!(shown(&alice.request(&marker)), [marker.as_str()]);
        let older = format!("MARKREAD {channel} timestamp=1999-01-01T00:00:00.000Z");
        assert_eq!(shown(&alice.request(&older)), [marker.as_str()]);
        assert_eq!(shown(&alice.request(&format!("MARKREAD {channel}"))), [marker.as_str()]);
    }
    assert_eq!(
        shown(&alice.request("MARKREAD nobody timestamp=2020-01-01T00:00:00.000Z")),
        ["MARKREAD nobody *"]
    );
    assert_eq!(bob.drain(), []);
    assert_eq!(shown(&bob.request("MARKREAD #nowhere")), ["MARKREAD #nowhere *"], "it is hers");
    let home = server.home.clone();
    server.kill9();
    drop(server);
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", &reading());
    for channel in ["#room", "#Nowhere"] {
        let lines = alice.request(&format!("JOIN {channel}"));
        assert!(shown(&lines).contains(&format!("MARKREAD {channel} {old}")), "{lines:?}");
    }
    // A channel that is removed with its last member, and created anew.
    alice.request("PART #Nowhere");
    assert_eq!(shown(&alice.request("MARKREAD #nowhere")), [format!("MARKREAD #nowhere {old}")]);
    let lines = alice.request("JOIN #nowhere");
    assert!(shown(&lines).contains(&format!("MARKREAD #nowhere {old}")), "{lines:?}");
}
