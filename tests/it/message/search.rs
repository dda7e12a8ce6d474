//! SEARCH (`soju.im/search`): results, access, and damage to the index.
//!
//! <https://codeberg.org/emersion/soju/src/branch/master/doc/ext/search.md>

use std::fs;

use crate::support::history::{message_texts, msgid, time_tag};
use crate::support::{Client, Line, Server, assert_refused, request_one_line, server};

const SEARCH_CAPABILITIES: &str = "batch echo-message labeled-response message-tags server-time account-tag draft/chathistory \
                         draft/message-redaction soju.im/search standard-replies";

#[track_caller]
fn log_in_and_join(server: &Server, name: &str, channel: &str) -> Client {
    let mut client = Client::login_with(server, name, SEARCH_CAPABILITIES);
    client.request(&format!("JOIN {channel}"));
    client
}

/// Searches, and returns the batch that is the whole reply.
#[track_caller]
fn search_messages(client: &mut Client, attributes: &str) -> Vec<Line> {
    client.drain();
    // The server says if its index is behind, which happens on a busy machine.
    let lines = loop {
        let lines = client.request(&format!("SEARCH {attributes}"));
        if !lines.iter().any(|line| line.starts_with("NOTE SEARCH INCOMPLETE")) {
            break lines;
        }
    };
    let [open, inner @ .., end] = &lines[..] else { panic!("{attributes}: no batch: {lines:?}") };
    let reference = open.param(0).trim_start_matches('+');
    assert_eq!((open.params.len(), open.param(1)), (2, "soju.im/search"), "{attributes}: {open}");
    assert!(end.starts_with(&format!("BATCH -{reference}")), "{attributes}: {lines:?}");
    assert!(inner.iter().all(|line| line.tag("batch") == Some(reference)), "{attributes}: {lines:?}");
    inner.to_vec()
}

/// The same under the name of the draft, whose batch type is `search`
/// (<https://github.com/ircv3/ircv3-specifications/pull/496>).
#[test]
fn both_forms_of_the_search_specification_work() {
    let server = server();
    let mut alice = log_in_and_join(&server, "alice", "#room");
    alice.send_and_await_echo("#room", "a needle");
    for (capabilities, kind) in [
        ("draft/search", "search"),
        ("soju.im/search", "soju.im/search"),
        ("draft/search soju.im/search", "search"),
    ] {
        let mut again = Client::login_with(&server, "alice", &format!("batch message-tags {capabilities}"));
        for attributes in ["text=needle", ":"] {
            let lines = again.request(&format!("SEARCH {attributes}"));
            assert!(
                lines.len() == 3 && lines[0].param(1) == kind && lines[1].text() == "a needle",
                "{lines:?}"
            );
        }
        assert_refused(&mut again, "SEARCH", "461 alice SEARCH");
    }
    let mut none = Client::login_with(&server, "alice", "batch");
    assert_refused(&mut none, "SEARCH text=needle", "FAIL SEARCH NEED_CAPABILITY");
}

/// "Standard search attributes", "Returned message notes", "Examples"
#[test]
fn search_filters_by_words_target_sender_and_time() {
    let server = server();
    let (mut alice, mut bob) =
        (log_in_and_join(&server, "alice", "#room"), log_in_and_join(&server, "bob", "#room"));
    alice.request("JOIN #other");
    let said: Vec<Line> = [
        (true, "#room", "That was fast!"),
        (false, "#room", "Fasting is hard, Zoë"),
        (true, "#other", "a fast car"),
        (false, "alice", "be fast, please"),
        (true, "bob", "I am"),
    ]
    .map(|(by_alice, target, text)| {
        if by_alice { &mut alice } else { &mut bob }.send_and_await_echo(target, text)
    })
    .into();
    bob.request("NOTICE #room :a fast notice");
    bob.request("TOPIC #room :fast topic");
    bob.request("@+draft/react=fast TAGMSG #room");

    let found = search_messages(&mut alice, "text=fast");
    assert_eq!(
        message_texts(&found),
        ["That was fast!", "Fasting is hard, Zoë", "a fast car", "be fast, please", "a fast notice"],
        "from their beginning, in any case, in order of time, and only what was said"
    );
    for (line, live) in found.iter().zip(&said[..4]) {
        assert_eq!((msgid(line), time_tag(line), &line.source), (msgid(live), time_tag(live), &live.source));
        assert_eq!((line.to_string(), line.tag("account")), (live.to_string(), Some(live.nick())));
    }
    let mut finds = |attributes: &str| {
        let found = search_messages(&mut alice, attributes);
        found.iter().map(|line| line.text().to_owned()).collect::<Vec<_>>().join("|")
    };
    assert_eq!(finds("text=fast;in=#ROOM"), "That was fast!|Fasting is hard, Zoë|a fast notice");
    assert_eq!(finds("text=fast;in=#room;limit=2"), "Fasting is hard, Zoë|a fast notice", "the newest");
    assert_eq!(finds("from=Bob;text=fast"), "Fasting is hard, Zoë|be fast, please|a fast notice");
    assert_eq!(finds("from=bob;in=#room"), "Fasting is hard, Zoë|a fast notice");
    assert_eq!(finds("in=bob"), "be fast, please|I am", "a talk, both sides of it");
    assert_eq!(finds("in=bob;from=alice"), "I am");
    assert_eq!(finds(r"text=zoe\shard"), "Fasting is hard, Zoë", "every word, with or without accents");
    assert_eq!(finds("text=ast"), "");
    assert_eq!(finds(r#"text="fast"\sOR\s*"#), "", "words are words, not a language");
    assert_eq!(finds("text=fast;limit=0"), "");
    assert_eq!(finds("text=!"), "That was fast!", "without a letter, what contains it");
    // Both bounds are included; with `after` the earliest results count.
    let (second, third) = (time_tag(&said[1]), time_tag(&said[2]));
    assert_eq!(finds(&format!("text=fast;before={second}")), "That was fast!|Fasting is hard, Zoë");
    assert_eq!(finds(&format!("text=fast;before={third};limit=1")), "a fast car");
    assert_eq!(finds(&format!("text=fast;after={second};limit=1")), "Fasting is hard, Zoë");
    assert_eq!(finds(&format!("text=fast;after={second};before={third}")), "Fasting is hard, Zoë|a fast car");
    assert_eq!(finds("before=2010-01-01T00:00:00.000Z;in=#room"), "");

    alice.drain();
    for (wrong, what) in [
        ("colour=red", "colour"),
        ("after=noon", "after"),
        ("limit=-1", "limit"),
        ("in=#nowhere", "in"),
        ("in=nobody", "in"),
        ("from=nobody", "from"),
        ("text=", "text"),
        (r"text=\s", "text"),
        (&format!("text={}", "x".repeat(301)), "text"),
    ] {
        assert_refused(&mut alice, &format!("SEARCH {wrong}"), &format!("FAIL SEARCH INVALID_PARAMS {what}"));
    }
    assert_refused(&mut alice, "SEARCH", "461 alice SEARCH");
    let labelled = alice.request("@label=it SEARCH text=fast;limit=1");
    assert_eq!((labelled.len(), labelled[0].tag("label")), (3, Some("it")), "{labelled:?}");
    let mut old = Client::login(&server, "alice");
    assert_refused(&mut old, "SEARCH text=fast", "FAIL SEARCH NEED_CAPABILITY");
    old.request("CAP REQ :soju.im/search -batch");
    let lines = old.request("SEARCH text=fast;in=#other");
    assert_eq!(message_texts(&lines), ["a fast car"], "without batch, the lines alone");
}

/// A search returns only messages that the searcher may read.
#[test]
fn search_excludes_conversations_of_others() {
    let server = server();
    let (mut alice, mut bob) =
        (log_in_and_join(&server, "alice", "#room"), log_in_and_join(&server, "bob", "#room"));
    let mut carol = log_in_and_join(&server, "carol", "#hall");
    alice.send_and_await_echo("bob", "a secret between two");
    alice.send_and_await_echo("#room", "a secret of the room");
    carol.send_and_await_echo("#hall", "a secret of the hall");
    let gone = alice.send_and_await_echo("#room", "a secret to be redacted");
    assert_eq!(search_messages(&mut bob, "text=secret").len(), 3);
    assert_eq!(message_texts(&search_messages(&mut carol, "text=secret")), ["a secret of the hall"]);
    assert_eq!(search_messages(&mut carol, "from=alice"), []);
    assert_eq!(search_messages(&mut carol, "in=alice"), []);
    assert_refused(&mut carol, "SEARCH in=#room", "FAIL SEARCH INVALID_PARAMS in");
    // A redacted message is not found from that moment on.
    alice.request(&format!("REDACT #room {} :oops", msgid(&gone)));
    assert_eq!(search_messages(&mut alice, "text=redacted"), []);
    assert_eq!(search_messages(&mut bob, "text=secret").len(), 2);
    // After leaving a channel a member finds nothing of it; after joining, everything that they may read.
    bob.request("PART #room");
    assert_eq!(message_texts(&search_messages(&mut bob, "text=secret")), ["a secret between two"]);
    carol.request("JOIN #room");
    assert_eq!(message_texts(&search_messages(&mut carol, "text=secret;in=#room")), ["a secret of the room"]);
}

/// The index holds nothing that is not in the database, so its loss loses nothing.
#[test]
fn lost_or_damaged_search_index_is_rebuilt() {
    let mut server = server();
    let mut alice = log_in_and_join(&server, "alice", "#room");
    let mut bob = log_in_and_join(&server, "bob", "#room");
    for n in 0..1200 {
        alice.send(&format!("PRIVMSG #room :word number{n:04}"));
    }
    alice.wait_for_message("word number1199");
    let gone = bob.send_and_await_echo("#room", "an unword to forget");
    assert_eq!(message_texts(&search_messages(&mut bob, "text=number1199")), ["word number1199"]);
    bob.request(&format!("REDACT #room {}", msgid(&gone)));
    let home = server.home.clone();
    let index = home.path("data/search.db");
    for damage in 0..5 {
        if damage == 2 {
            // While it is in use, which the server does not notice; messages that are not copied into it yet are not
            // searched.
            fs::remove_file(&index).expect("an index");
            assert_eq!(search_messages(&mut bob, "text=number0007").len(), 1);
        }
        server.kill9();
        let files = [index.clone(), home.path("data/search.db-wal"), home.path("data/search.db-shm")];
        // After a crash alone, nothing has changed.
        if damage == 1 || damage == 4 {
            for file in &files {
                drop(fs::remove_file(file));
            }
        }
        match damage {
            3 => {
                for file in &files {
                    fs::write(file, "no index at all").expect("written");
                }
            }
            4 => {
                // A database of another program.
                let other = rusqlite::Connection::open(&index).expect("a database");
                other.execute_batch("CREATE TABLE said (x); CREATE TABLE progress (y)").expect("tables");
            }
            _ => {}
        }
        server = home.serve();
        bob = Client::login_with(&server, "bob", SEARCH_CAPABILITIES);
        let text = format!("text=number{:04}", 10 + damage);
        assert_eq!(search_messages(&mut bob, &text).len(), 1, "{damage}: {}", server.log());
        assert_eq!(search_messages(&mut bob, "text=word;limit=1000").len(), 1000, "{damage}");
        assert_eq!(search_messages(&mut bob, "text=unword"), [], "{damage}");
        bob.send_and_await_echo("#room", &format!("after{damage}"));
        assert_eq!(search_messages(&mut bob, &format!("text=after{damage}")).len(), 1, "it goes on learning");
    }
    assert!(request_one_line(&mut bob, "SEARCH colour=x").starts_with("FAIL SEARCH"), "and all is well");
}
