//! History with events as well as messages.
//!
//! <https://ircv3.net/specs/extensions/chathistory>, capability `draft/event-playback`

use crate::support::history::{distinct, enter, id, playing, reading, texts, time};
use crate::support::{Client, Line, server, server_with};

/// Returns the lines with their nicks and without tags.
fn shown(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|l| format!("{}: {l}", l.nick())).collect()
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: JOIN, PART, KICK, TOPIC, MODE and TAGMSG come
/// back with the capability, and only PRIVMSG and NOTICE without.
#[test]
fn event_playback_requires_the_capability() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &playing());
    let message = alice.say("#room", "hello");
    bob.request("NOTICE #room :take note");
    alice.request("TOPIC #room :Tea");
    alice.request("MODE #room +v bob");
    alice.request("MODE #room +mk secret-key");
    bob.request(&format!("@+draft/reply={};+draft/react=👍 TAGMSG #room", id(&message)));
    bob.request("@+typing=active TAGMSG #room");
    bob.request("PART #room :so long");
    alice.request("MODE #room -k x");
    bob.request("JOIN #room");
    alice.request("KICK #room bob :and stay out");

    let mut lines = alice.history("LATEST #room * 50");
    // The nick that a MODE concerns is in its parameters; the history does not store the key.
    assert!(lines.iter().all(|l| !l.to_string().contains("secret-key")), "{:?}", shown(&lines));
    assert_eq!(
        shown(&lines),
        [
            "alice: JOIN #room",
            "bob: JOIN #room",
            "alice: PRIVMSG #room hello",
            "bob: NOTICE #room take note",
            "alice: TOPIC #room Tea",
            "alice: MODE #room +v bob",
            "alice: MODE #room +mk *",
            "bob: TAGMSG #room",
            "bob: PART #room so long",
            "alice: MODE #room -k *",
            "bob: JOIN #room",
            "alice: KICK #room bob and stay out",
        ]
    );
    let reaction = &lines[7];
    assert_eq!(
        (reaction.tag("+draft/react"), reaction.tag("+draft/reply")),
        (Some("👍"), Some(id(&message))),
        "a reaction comes back whole, and a note that somebody types does not come back"
    );
    assert_eq!(distinct(&lines), 12, "everything has an id of its own");
    assert!(lines.is_sorted_by(|a, b| id(a) < id(b) && time(a) <= time(b)), "one order");

    let mut reader = enter(&server, "carol", &reading());
    lines.retain(|l| matches!(l.command.as_str(), "PRIVMSG" | "NOTICE"));
    let read = reader.history("LATEST #room * 50");
    assert_eq!(shown(&read), shown(&lines));
    // The limit counts the lines that the client gets.
    assert_eq!(texts(&reader.history("LATEST #room * 1")), ["take note"]);
}

/// <https://ircv3.net/specs/extensions/chathistory#before>: events count towards the limit and pages have no gaps.
#[test]
fn paging_returns_every_event() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    for n in 0..10 {
        alice.say("#room", &format!("m{n}"));
        alice.request(&format!("TOPIC #room :t{n}"));
        alice.request(&format!("@+draft/react=r{n} TAGMSG #room"));
    }
    let all = alice.history("LATEST #room * 100");
    assert_eq!(all.len(), 31);
    let mut paged = alice.history("LATEST #room * 4");
    loop {
        let page = alice.history(&format!("BEFORE #room msgid={} 4", id(&paged[0])));
        if page.is_empty() {
            break;
        }
        assert!(page.len() == 4 || id(&page[0]) == id(&all[0]), "a full page: {page:?}");
        paged.splice(0..0, page);
    }
    assert_eq!(shown(&paged), shown(&all));
    let middle = id(&all[15]);
    assert_eq!(shown(&alice.history(&format!("AROUND #room msgid={middle} 4"))), shown(&all[13..17]));
    let between = format!("BETWEEN #room msgid={} msgid={} 5", id(&all[20]), id(&all[10]));
    assert_eq!(shown(&alice.history(&between)), shown(&all[15..20]));
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: an event has the same id live and in the
/// history.
#[test]
fn events_have_the_same_msgid_live_and_in_history() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &playing());
    let mut seen = vec![];
    for (command, start) in [
        ("TOPIC #room :Tea", "TOPIC #room"),
        ("MODE #room +v bob", "MODE #room +v bob"),
        ("@+draft/react=x TAGMSG #room", "TAGMSG #room"),
        ("KICK #room bob :out", "KICK #room bob"),
    ] {
        alice.send(command);
        let line = alice.command(start);
        let other = bob.command(start);
        assert_eq!((line.tag("msgid"), line.tag("time")), (other.tag("msgid"), other.tag("time")), "{start}");
        seen.push(line);
    }
    let later = alice.history(&format!("AFTER #room msgid={} 50", id(&seen[0])));
    let refs =
        |lines: &[Line]| lines.iter().map(|l| (id(l).to_owned(), time(l).to_owned())).collect::<Vec<_>>();
    assert_eq!(refs(&later), refs(&seen[1..]));
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>
#[test]
fn direct_reactions_are_played_back_to_both_accounts() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &playing());
    let message = alice.say("bob", "hi");
    bob.send(&format!("@+draft/reply={};+draft/react=x TAGMSG alice", id(&message)));
    alice.command("TAGMSG alice");
    for (client, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let lines = client.history(&format!("LATEST {other} * 5"));
        assert_eq!(shown(&lines), ["alice: PRIVMSG bob hi", "bob: TAGMSG alice"]);
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: TAGMSG is played back too, except for
/// transient ones such as typing, and within limits that keep a chatty program from filling the disk.
#[test]
fn tagmsg_playback_excludes_typing_and_is_bounded() {
    let server = server_with(&["limits.flood = false"]);
    let mut alice = enter(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &reading());
    alice.request("@+typing=active TAGMSG #room");
    alice.request("@+draft/typing=active TAGMSG #room");
    alice.request("TAGMSG #room");
    let echo = alice.request("@+example.org/poll=42;+typing=done TAGMSG #room");
    alice.request("@+example.org/call=now TAGMSG bob");
    let tags = |lines: &[Line], key: &str| {
        let found = lines.iter().filter(|line| line.command == "TAGMSG");
        found.filter_map(|line| Some((line.tag(key)?.to_owned(), id(line).to_owned()))).collect::<Vec<_>>()
    };
    let history = alice.history("LATEST #room * 50");
    assert_eq!(history.iter().filter(|line| line.command == "TAGMSG").count(), 1, "{history:?}");
    assert_eq!(tags(&history, "+example.org/poll"), [("42".to_owned(), id(&echo[0]).to_owned())]);
    assert_eq!(tags(&alice.history("LATEST bob * 50"), "+example.org/call").len(), 1);
    assert!(!bob.history("LATEST #room * 50").iter().any(|line| line.command == "TAGMSG"));
    for n in 0..150 {
        alice.send(&format!("@+example.org/n={n} TAGMSG #room"));
    }
    alice.barrier();
    assert_eq!(bob.drain().iter().filter(|line| line.tag("+example.org/n").is_some()).count(), 150);
    assert_eq!(tags(&alice.history("LATEST #room * 500"), "+example.org/n").len(), 98);
    // Reactions are not affected.
    alice.request("@+draft/react=x TAGMSG #room");
    assert_eq!(tags(&alice.history("LATEST #room * 500"), "+draft/react").len(), 1);
}

/// <https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag>
#[test]
fn later_reactions_come_with_their_message() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &reading());
    let first = alice.say("#room", "first");
    let second = alice.say("#room", "second");
    let react = |client: &mut Client, tags: &str| {
        let lines = client.request(&format!("@{tags} TAGMSG #room"));
        id(&lines[0]).to_owned()
    };
    let late = react(&mut alice, &format!("+draft/reply={};+draft/react=x", id(&first)));
    let gone = react(&mut alice, &format!("+draft/react=y;+reply={}", id(&first)));
    alice.request(&format!("REDACT #room {gone}"));
    react(&mut alice, &format!("+draft/reply={};+example.org/other=z", id(&first)));
    alice.say("#room", "third");
    let ids = |lines: &[Line]| lines.iter().map(|line| id(line).to_owned()).collect::<Vec<_>>();
    let is_context = |line: &Line| line.tag("draft/chathistory-context").is_some();
    let page = alice.history(&format!("BEFORE #room msgid={late} 2"));
    assert_eq!(ids(&page), [id(&first), &late, id(&second)]);
    assert_eq!(page.iter().map(is_context).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((page[1].command.as_str(), page[1].tag("+draft/react")), ("TAGMSG", Some("x")));
    // In the page itself it stands in its place, once.
    let all = alice.history("LATEST #room * 50");
    assert_eq!(all.iter().filter(|line| id(line) == late).count(), 1);
    assert!(all.iter().filter(|line| is_context(line)).all(|line| line.command == "REDACT"), "{all:?}");
    distinct(&all);
    // Clients without event playback get none.
    assert_eq!(ids(&bob.history(&format!("BEFORE #room msgid={late} 2"))), [id(&first), id(&second)]);
}
