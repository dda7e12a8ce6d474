//! Results of CHATHISTORY: their messages, count, order and batches.
//!
//! <https://ircv3.net/specs/extensions/chathistory>, <https://ircv3.net/specs/batches/chathistory>

use crate::support::history::{
    count_distinct_ids, history_capabilities, log_in_and_join_room, message_texts, msgid, time_tag,
};
use crate::support::{Client, Line, Server, server};

/// Logs alice and bob in to `#room`, where they send six messages by turns, each at its own time. Returns the messages.
fn room_with_messages(server: &Server) -> (Client, Client, Vec<Line>) {
    let mut alice = log_in_and_join_room(server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(server, "bob", &history_capabilities());
    let said = (1..=6).map(|n| {
        if n % 2 == 1 { &mut alice } else { &mut bob }.send_and_await_echo("#room", &format!("m{n}"))
    });
    let said = said.collect();
    alice.drain();
    (alice, bob, said)
}

/// Returns both forms of reference to a message.
fn reference_params(line: &Line) -> [String; 2] {
    [format!("msgid={}", msgid(line)), format!("timestamp={}", time_tag(line))]
}

/// <https://ircv3.net/specs/extensions/chathistory#latest>
#[test]
fn latest_returns_the_newest_in_order() {
    let server = server();
    let (mut alice, _bob, said) = room_with_messages(&server);
    alice.send("CHATHISTORY LATEST #ROOM * 3");
    let (start, lines) = alice.read_batch();
    // The batch names its type and the channel as the client wrote it; its lines have the channel's canonical name.
    assert_eq!((start.params.len(), start.param(1), start.param(2)), (3, "chathistory", "#ROOM"));
    assert_eq!(message_texts(&lines), ["m4", "m5", "m6"]);
    for (line, live) in lines.iter().zip(&said[3..]) {
        assert_eq!((&line.source, &line.command, &line.params), (&live.source, &live.command, &live.params));
        for tag in ["msgid", "time", "account"] {
            assert_eq!(line.tag(tag), live.tag(tag), "{tag} as it was when it was said");
        }
    }
    assert_eq!(
        message_texts(&alice.query_history("LATEST #room * 100")),
        ["m1", "m2", "m3", "m4", "m5", "m6"]
    );
}

/// <https://ircv3.net/specs/extensions/chathistory#latest>
#[test]
fn latest_stops_at_its_lower_bound() {
    let server = server();
    let (mut alice, _bob, said) = room_with_messages(&server);
    for reference in reference_params(&said[2]) {
        assert_eq!(
            message_texts(&alice.query_history(&format!("LATEST #room {reference} 100"))),
            ["m4", "m5", "m6"]
        );
        assert_eq!(message_texts(&alice.query_history(&format!("LATEST #room {reference} 2"))), ["m5", "m6"]);
    }
    for reference in reference_params(&said[5]) {
        assert_eq!(alice.query_history(&format!("LATEST #room {reference} 2")), []);
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#before>
#[test]
fn before_returns_the_nearest_older_messages() {
    let server = server();
    let (mut alice, _bob, said) = room_with_messages(&server);
    for reference in reference_params(&said[3]) {
        assert_eq!(message_texts(&alice.query_history(&format!("BEFORE #room {reference} 2"))), ["m2", "m3"]);
        assert_eq!(
            message_texts(&alice.query_history(&format!("BEFORE #room {reference} 50"))),
            ["m1", "m2", "m3"]
        );
    }
    for reference in reference_params(&said[0]) {
        assert_eq!(alice.query_history(&format!("BEFORE #room {reference} 50")), []);
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#after>
#[test]
fn after_returns_the_nearest_newer_messages() {
    let server = server();
    let (mut alice, _bob, said) = room_with_messages(&server);
    for reference in reference_params(&said[2]) {
        assert_eq!(message_texts(&alice.query_history(&format!("AFTER #room {reference} 2"))), ["m4", "m5"]);
        assert_eq!(
            message_texts(&alice.query_history(&format!("AFTER #room {reference} 50"))),
            ["m4", "m5", "m6"]
        );
    }
    for reference in reference_params(&said[5]) {
        assert_eq!(alice.query_history(&format!("AFTER #room {reference} 50")), []);
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#around>
#[test]
fn around_returns_the_message_and_its_neighbours() {
    let server = server();
    let (mut alice, _bob, said) = room_with_messages(&server);
    for reference in reference_params(&said[3]) {
        for limit in 1..=8 {
            let lines = alice.query_history(&format!("AROUND #room {reference} {limit}"));
            let texts = message_texts(&lines);
            assert!(texts.len() <= limit && texts.contains(&"m4"), "{limit}: {texts:?}");
            assert!(texts.is_sorted() && count_distinct_ids(&lines) == texts.len(), "{limit}: {texts:?}");
            let first = texts[0].trim_start_matches('m').parse::<usize>().expect("a number");
            assert!((0..texts.len()).all(|n| texts[n] == format!("m{}", first + n)), "no gap: {texts:?}");
        }
        assert_eq!(
            message_texts(&alice.query_history(&format!("AROUND #room {reference} 3"))),
            ["m3", "m4", "m5"]
        );
    }
    // At the ends one side is empty, and the other has its room.
    assert_eq!(
        message_texts(&alice.query_history(&format!("AROUND #room msgid={} 2", msgid(&said[0])))),
        ["m1", "m2"]
    );
    assert_eq!(
        message_texts(&alice.query_history(&format!("AROUND #room msgid={} 4", msgid(&said[5])))),
        ["m3", "m4", "m5", "m6"]
    );
    for (time, found) in [("2001", ["m1", "m2", "m3"]), ("2100", ["m4", "m5", "m6"])] {
        let lines = alice.query_history(&format!("AROUND #room timestamp={time}-01-01T00:00:00.000Z 3"));
        assert_eq!(message_texts(&lines), found, "{time}");
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#between>
#[test]
fn between_counts_from_its_first_bound() {
    let server = server();
    let (mut alice, _bob, said) = room_with_messages(&server);
    for early in reference_params(&said[0]) {
        for late in reference_params(&said[5]) {
            let mut ask = |a: &str, b: &str, limit: usize| {
                let lines = alice.query_history(&format!("BETWEEN #room {a} {b} {limit}"));
                message_texts(&lines).join(" ")
            };
            assert_eq!(ask(&early, &late, 50), "m2 m3 m4 m5");
            assert_eq!(ask(&late, &early, 50), "m2 m3 m4 m5");
            assert_eq!(ask(&early, &late, 3), "m2 m3 m4");
            assert_eq!(ask(&late, &early, 3), "m3 m4 m5");
            assert_eq!(ask(&early, &early, 3), "");
        }
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#client-pseudocode>
#[test]
fn paging_visits_every_message_once() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    // Many at once, so that most share their time stamp with others.
    alice.send_all((0..100).map(|n| format!("PRIVMSG #room :{n}")));
    alice.wait_for_message("99");
    let all: Vec<String> = (0..100).map(|n| n.to_string()).collect();

    let mut back = alice.query_history("LATEST #room * 7");
    loop {
        let page = alice.query_history(&format!("BEFORE #room msgid={} 7", msgid(&back[0])));
        if page.is_empty() {
            break;
        }
        back.splice(0..0, page);
    }
    assert_eq!(message_texts(&back), all);
    assert!(back.is_sorted_by(|a, b| msgid(a) < msgid(b) && time_tag(a) <= time_tag(b)));

    let mut forth = alice.query_history("AFTER #room timestamp=2000-01-01T00:00:00.000Z 7");
    loop {
        let page =
            alice.query_history(&format!("AFTER #room msgid={} 7", msgid(forth.last().expect("a page"))));
        if page.is_empty() {
            break;
        }
        forth.extend(page);
    }
    assert_eq!(message_texts(&forth), all);
}

/// <https://ircv3.net/specs/extensions/chathistory#isupport-tokens>
#[test]
fn history_limit_is_advertised_and_enforced() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let token = |name: &str| {
        let lines = alice.welcome.iter().filter(|l| l.command == "005").flat_map(|l| &l.params);
        let mut values = lines.filter_map(|p| p.strip_prefix(name)?.strip_prefix('='));
        values.next().unwrap_or_else(|| panic!("no {name}")).to_owned()
    };
    assert_eq!(token("MSGREFTYPES"), "msgid,timestamp");
    let most: usize = token("CHATHISTORY").parse().expect("a number");
    alice.send_all((0..most + 10).map(|n| format!("PRIVMSG #room :{n}")));
    alice.wait_for_message(&(most + 9).to_string());
    let lines = alice.query_history(&format!("LATEST #room * {}", most + 5));
    assert_eq!((lines.len(), lines[0].text()), (most, "10"));
    assert_eq!(alice.query_history("LATEST #room * 0"), []);
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: without `batch` the lines come bare.
#[test]
fn history_respects_missing_capabilities() {
    let server = server();
    let (mut alice, _bob, _) = room_with_messages(&server);
    alice.send("@+note=n PRIVMSG #room :m7");
    alice.wait_for_message("m7");
    for (capabilities, tags) in [
        ("", &[][..]),
        ("server-time", &["time"]),
        ("message-tags", &["+note", "msgid"]),
        ("message-tags batch account-tag", &["+note", "account", "batch", "msgid"]),
    ] {
        let mut client = log_in_and_join_room(&server, "carol", &format!("draft/chathistory {capabilities}"));
        let lines = client.request("CHATHISTORY LATEST #room * 1");
        let (batches, lines): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|l| l.command == "BATCH");
        assert_eq!(batches.len(), if capabilities.contains("batch") { 2 } else { 0 });
        assert_eq!(message_texts(&lines), ["m7"]);
        assert_eq!(lines[0].tags.keys().map(String::as_str).collect::<Vec<_>>(), tags, "{capabilities:?}");
    }
}

/// <https://ircv3.net/specs/extensions/labeled-response>: the batch is the response and carries the label.
#[test]
fn label_is_on_the_batch_only() {
    let server = server();
    let (mut alice, _bob, _) = room_with_messages(&server);
    for ask in [
        "LATEST #room * 5",
        "LATEST #room * 1",
        "LATEST bob * 5",
        "TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 5",
    ] {
        let lines = alice.request(&format!("@label=h CHATHISTORY {ask}"));
        let labelled: Vec<&Line> = lines.iter().filter(|l| l.tag("label").is_some()).collect();
        assert_eq!((labelled.len(), labelled[0].tag("label")), (1, Some("h")), "{ask}: {lines:?}");
        assert!(labelled[0].command == "BATCH" && lines[0] == *labelled[0], "{ask}: {lines:?}");
        assert!(
            lines.last().is_some_and(|l| l.command == "BATCH" && l.param(0).starts_with('-')),
            "{lines:?}"
        );
    }
    for bad in ["LATEST #nowhere * 5", "SOON #room * 5"] {
        let lines = alice.request(&format!("@label=f CHATHISTORY {bad}"));
        assert_eq!((lines.len(), lines[0].tag("label")), (1, Some("f")), "{bad}: {lines:?}");
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#targets>
#[test]
fn targets_are_ordered_by_latest_message() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    bob.request("JOIN #other");
    alice.request("JOIN #silent");
    let early = alice.send_and_await_echo("#room", "early");
    let direct = bob.send_and_await_echo("alice", "to you");
    alice.wait_for_message("to you");
    let mine = alice.send_and_await_echo("carol", "from me");
    let elsewhere = bob.send_and_await_echo("#other", "where alice is not");
    let late = bob.send_and_await_echo("#room", "late");

    let line = |name: &str, of: &Line| format!("CHATHISTORY TARGETS {name} {}", time_tag(of));
    let shown = |lines: Vec<Line>| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
    let all = [line("bob", &direct), line("carol", &mine), line("#room", &late)];
    let (old, new) = ("timestamp=2000-01-01T00:00:00.000Z", "timestamp=2100-01-01T00:00:00.000Z");
    alice.send(&format!("CHATHISTORY TARGETS {old} {new} 50"));
    let (start, lines) = alice.read_batch();
    assert_eq!((start.params.len(), start.param(1)), (2, "draft/chathistory-targets"));
    assert_eq!(shown(lines), all);
    assert_eq!(shown(alice.query_history(&format!("TARGETS {new} {old} 50"))), all);
    // The limit counts from the first bound.
    assert_eq!(shown(alice.query_history(&format!("TARGETS {old} {new} 2"))), all[..2]);
    assert_eq!(shown(alice.query_history(&format!("TARGETS {new} {old} 2"))), all[1..]);
    // A conversation whose latest message is outside is left out, even if others are inside; the bounds are excluded.
    let until_late = format!("TARGETS {old} timestamp={} 50", time_tag(&late));
    assert_eq!(shown(alice.query_history(&until_late)), all[..2]);
    let since_direct = format!("TARGETS timestamp={} {new} 50", time_tag(&direct));
    assert_eq!(shown(alice.query_history(&since_direct)), all[1..]);
    assert_eq!(shown(alice.query_history(&format!("TARGETS timestamp={} {new} 50", time_tag(&early)))), all);
    // Bob gets bob's conversations.
    let bobs = [line("alice", &direct), line("#other", &elsewhere), line("#room", &late)];
    assert_eq!(shown(bob.query_history(&format!("TARGETS {old} {new} 50"))), bobs);
}

/// <https://ircv3.net/specs/extensions/chathistory#targets>: the bounds MUST be timestamps and not msgids.
#[test]
fn targets_accepts_timestamps_only() {
    let server = server();
    let (mut alice, _bob, said) = room_with_messages(&server);
    let (new, id) = ("timestamp=2100-01-01T00:00:00.000Z", msgid(&said[0]));
    for bounds in [format!("msgid={id} {new}"), format!("{new} msgid={id}"), format!("* {new}")] {
        let fail = alice.expect_failure(&format!("CHATHISTORY TARGETS {bounds} 5"));
        assert!(fail.starts_with("FAIL CHATHISTORY INVALID_PARAMS TARGETS"), "{bounds}: {fail}");
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#draftchathistory-end-tag>
#[test]
fn last_batch_is_marked_as_the_end() {
    let server = server();
    let (mut alice, mut bob, said) = room_with_messages(&server);
    let ends = |client: &mut Client, params: &str| {
        client.send(&format!("CHATHISTORY {params}"));
        client.read_batch().0.tag("draft/chathistory-end").is_some()
    };
    let (second, third, fifth) = (msgid(&said[1]), msgid(&said[2]), msgid(&said[4]));
    for (params, last) in [
        ("LATEST #room * 5".to_owned(), false),
        ("LATEST #room * 6".to_owned(), true),
        ("LATEST #room * 50".to_owned(), true),
        (format!("LATEST #room msgid={third} 2"), false),
        (format!("LATEST #room msgid={third} 3"), true),
        (format!("BEFORE #room msgid={third} 1"), false),
        (format!("BEFORE #room msgid={third} 2"), true),
        (format!("BEFORE #room msgid={} 2", msgid(&said[0])), true),
        (format!("AFTER #room msgid={fifth} 1"), true),
        (format!("AFTER #room msgid={third} 2"), false),
        (format!("BETWEEN #room msgid={second} msgid={fifth} 1"), false),
        (format!("BETWEEN #room msgid={second} msgid={fifth} 2"), true),
        (format!("BETWEEN #room msgid={fifth} msgid={second} 1"), false),
        (format!("AROUND #room msgid={third} 4"), false),
        (format!("AROUND #room msgid={third} 50"), true),
    ] {
        assert_eq!(ends(&mut alice, &params), last, "{params}");
    }
    bob.send_and_await_echo("alice", "between us");
    let span = "TARGETS timestamp=2001-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z";
    assert!(ends(&mut alice, &format!("{span} 2")) && !ends(&mut alice, &format!("{span} 1")));
    // With a label too; a client without message tags gets none.
    alice.send("@label=h CHATHISTORY LATEST #room * 50");
    let start = alice.read_batch().0;
    assert_eq!((start.tag("label"), start.tag("draft/chathistory-end")), (Some("h"), Some("")));
    let mut plain = Client::login_with(&server, "alice", "batch draft/chathistory");
    plain.send("CHATHISTORY LATEST #room * 50");
    assert!(plain.read_batch().0.tags.is_empty());
}
