//! History with events as well as messages.
//!
//! <https://ircv3.net/specs/extensions/chathistory>, capability `draft/event-playback`

use crate::support::history::{
    count_distinct_ids, history_capabilities, log_in_and_join_room, message_texts, msgid,
    playback_capabilities, time_tag,
};
use crate::support::{Client, Line, server, server_with, with_nicks};

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: JOIN, PART, KICK, TOPIC, MODE and TAGMSG come
/// back with the capability, and only PRIVMSG and NOTICE without.
#[test]
fn event_playback_requires_the_capability() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &playback_capabilities());
    let message = alice.send_and_await_echo("#room", "hello");
    bob.request("NOTICE #room :take note");
    alice.request("TOPIC #room :Tea");
    alice.request("MODE #room +v bob");
    alice.request("MODE #room +mk secret-key");
    bob.request(&format!("@+draft/reply={};+draft/react=👍 TAGMSG #room", msgid(&message)));
    bob.request("@+typing=active TAGMSG #room");
    bob.request("PART #room :so long");
    alice.request("MODE #room -k x");
    bob.request("JOIN #room");
    alice.request("KICK #room bob :and stay out");

    let mut lines = alice.query_history("LATEST #room * 50");
    // The nick that a MODE concerns is in its parameters; the history does not store the key.
    assert!(lines.iter().all(|l| !l.to_string().contains("secret-key")), "{:?}", with_nicks(&lines));
    assert_eq!(
        with_nicks(&lines),
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
        (Some("👍"), Some(msgid(&message))),
        "a reaction comes back whole, and a note that somebody types does not come back"
    );
    assert_eq!(count_distinct_ids(&lines), 12, "everything has an id of its own");
    assert!(lines.is_sorted_by(|a, b| msgid(a) < msgid(b) && time_tag(a) <= time_tag(b)), "one order");

    let mut reader = log_in_and_join_room(&server, "carol", &history_capabilities());
    lines.retain(|l| matches!(l.command.as_str(), "PRIVMSG" | "NOTICE"));
    let read = reader.query_history("LATEST #room * 50");
    assert_eq!(with_nicks(&read), with_nicks(&lines));
    // The limit counts the lines that the client gets.
    assert_eq!(message_texts(&reader.query_history("LATEST #room * 1")), ["take note"]);
}

/// <https://ircv3.net/specs/extensions/chathistory#before>: events count towards the limit and pages have no gaps.
#[test]
fn paging_returns_every_event() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    for n in 0..10 {
        alice.send_and_await_echo("#room", &format!("m{n}"));
        alice.request(&format!("TOPIC #room :t{n}"));
        alice.request(&format!("@+draft/react=r{n} TAGMSG #room"));
    }
    let all = alice.query_history("LATEST #room * 100");
    assert_eq!(all.len(), 31);
    let mut paged = alice.query_history("LATEST #room * 4");
    loop {
        let page = alice.query_history(&format!("BEFORE #room msgid={} 4", msgid(&paged[0])));
        if page.is_empty() {
            break;
        }
        assert!(page.len() == 4 || msgid(&page[0]) == msgid(&all[0]), "a full page: {page:?}");
        paged.splice(0..0, page);
    }
    assert_eq!(with_nicks(&paged), with_nicks(&all));
    let middle = msgid(&all[15]);
    assert_eq!(
        with_nicks(&alice.query_history(&format!("AROUND #room msgid={middle} 4"))),
        with_nicks(&all[13..17])
    );
    let between = format!("BETWEEN #room msgid={} msgid={} 5", msgid(&all[20]), msgid(&all[10]));
    assert_eq!(with_nicks(&alice.query_history(&between)), with_nicks(&all[15..20]));
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: an event has the same id live and in the
/// history.
#[test]
fn events_have_the_same_msgid_live_and_in_history() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &playback_capabilities());
    let mut seen = vec![];
    for (command, start) in [
        ("TOPIC #room :Tea", "TOPIC #room"),
        ("MODE #room +v bob", "MODE #room +v bob"),
        ("@+draft/react=x TAGMSG #room", "TAGMSG #room"),
        ("KICK #room bob :out", "KICK #room bob"),
    ] {
        alice.send(command);
        let line = alice.wait_for_command(start);
        let other = bob.wait_for_command(start);
        assert_eq!((line.tag("msgid"), line.tag("time")), (other.tag("msgid"), other.tag("time")), "{start}");
        seen.push(line);
    }
    let later = alice.query_history(&format!("AFTER #room msgid={} 50", msgid(&seen[0])));
    let refs = |lines: &[Line]| {
        lines.iter().map(|l| (msgid(l).to_owned(), time_tag(l).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(refs(&later), refs(&seen[1..]));
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>
#[test]
fn direct_reactions_are_played_back_to_both_accounts() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &playback_capabilities());
    let message = alice.send_and_await_echo("bob", "hi");
    bob.send(&format!("@+draft/reply={};+draft/react=x TAGMSG alice", msgid(&message)));
    alice.wait_for_command("TAGMSG alice");
    for (client, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let lines = client.query_history(&format!("LATEST {other} * 5"));
        assert_eq!(with_nicks(&lines), ["alice: PRIVMSG bob hi", "bob: TAGMSG alice"]);
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: TAGMSG is played back too, except for
/// transient ones such as typing, and within limits that keep a chatty program from filling the disk.
#[test]
fn tagmsg_playback_excludes_typing_and_is_bounded() {
    let server = server_with(&["limits.flood = false"]);
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    alice.request("@+typing=active TAGMSG #room");
    alice.request("@+draft/typing=active TAGMSG #room");
    alice.request("TAGMSG #room");
    let echo = alice.request("@+example.org/poll=42;+typing=done TAGMSG #room");
    alice.request("@+example.org/call=now TAGMSG bob");
    let tags = |lines: &[Line], key: &str| {
        let found = lines.iter().filter(|line| line.command == "TAGMSG");
        found.filter_map(|line| Some((line.tag(key)?.to_owned(), msgid(line).to_owned()))).collect::<Vec<_>>()
    };
    let history = alice.query_history("LATEST #room * 50");
    assert_eq!(history.iter().filter(|line| line.command == "TAGMSG").count(), 1, "{history:?}");
    assert_eq!(tags(&history, "+example.org/poll"), [("42".to_owned(), msgid(&echo[0]).to_owned())]);
    assert_eq!(tags(&alice.query_history("LATEST bob * 50"), "+example.org/call").len(), 1);
    assert!(!bob.query_history("LATEST #room * 50").iter().any(|line| line.command == "TAGMSG"));
    for n in 0..150 {
        alice.send(&format!("@+example.org/n={n} TAGMSG #room"));
    }
    alice.barrier();
    assert_eq!(bob.drain().iter().filter(|line| line.tag("+example.org/n").is_some()).count(), 150);
    assert_eq!(tags(&alice.query_history("LATEST #room * 500"), "+example.org/n").len(), 98);
    // Reactions are not affected.
    alice.request("@+draft/react=x TAGMSG #room");
    assert_eq!(tags(&alice.query_history("LATEST #room * 500"), "+draft/react").len(), 1);
}

/// <https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag>
#[test]
fn later_reactions_come_with_their_message() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    let first = alice.send_and_await_echo("#room", "first");
    let second = alice.send_and_await_echo("#room", "second");
    let react = |client: &mut Client, tags: &str| {
        let lines = client.request(&format!("@{tags} TAGMSG #room"));
        msgid(&lines[0]).to_owned()
    };
    let late = react(&mut alice, &format!("+draft/reply={};+draft/react=x", msgid(&first)));
    let gone = react(&mut alice, &format!("+draft/react=y;+reply={}", msgid(&first)));
    alice.request(&format!("REDACT #room {gone}"));
    react(&mut alice, &format!("+draft/reply={};+example.org/other=z", msgid(&first)));
    alice.send_and_await_echo("#room", "third");
    let ids = |lines: &[Line]| lines.iter().map(|line| msgid(line).to_owned()).collect::<Vec<_>>();
    let is_context = |line: &Line| line.tag("draft/chathistory-context").is_some();
    let page = alice.query_history(&format!("BEFORE #room msgid={late} 2"));
    assert_eq!(ids(&page), [msgid(&first), &late, msgid(&second)]);
    assert_eq!(page.iter().map(is_context).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((page[1].command.as_str(), page[1].tag("+draft/react")), ("TAGMSG", Some("x")));
    // In the page itself it is at its position, once.
    let all = alice.query_history("LATEST #room * 50");
    assert_eq!(all.iter().filter(|line| msgid(line) == late).count(), 1);
    assert!(all.iter().filter(|line| is_context(line)).all(|line| line.command == "REDACT"), "{all:?}");
    count_distinct_ids(&all);
    // Clients without event playback get none.
    assert_eq!(
        ids(&bob.query_history(&format!("BEFORE #room msgid={late} 2"))),
        [msgid(&first), msgid(&second)]
    );
}
