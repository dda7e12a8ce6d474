//! REDACT: permissions, audience, and complete removal of the messages.
//!
//! <https://ircv3.net/specs/extensions/message-redaction>

use std::fs;
use std::thread;

use crate::support::history::{
    history_capabilities, log_in_and_join_room, message_texts, msgid, playback_capabilities,
};
use crate::support::{ALL_CAPABILITIES, Client, Home, Line, server, with_nicks};

/// <https://ircv3.net/specs/extensions/message-redaction#command>
#[test]
fn own_message_redaction_reaches_capable_clients() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    let mut carol = log_in_and_join_room(&server, "carol", ALL_CAPABILITIES);
    let mut elsewhere = Client::login_with(&server, "alice", &history_capabilities());
    let said = alice.send_and_await_echo("#room", "oops");
    carol.wait_for_message("oops");
    let answer = alice.request(&format!("@label=r REDACT #ROOM {} :not for here", msgid(&said)));
    let expected = format!("alice: REDACT #room {} not for here", msgid(&said));
    assert_eq!(with_nicks(&answer), [expected.as_str()]);
    assert_eq!(answer[0].tag("label"), Some("r"));
    for client in [&mut bob, &mut elsewhere] {
        let line = client.wait_for_command("REDACT #room");
        assert_eq!(format!("{}: {line}", line.nick()), expected);
        assert_eq!(line.tag("label"), None);
        assert_eq!((line.tag("msgid"), line.tag("time")), (answer[0].tag("msgid"), answer[0].tag("time")));
        assert!(line.source.contains('@') && line.tag("account") == Some("alice"), "{line:?}");
    }
    // A client without the capability gets no line.
    assert_eq!(carol.drain(), []);
    // Without a reason there is none.
    let said = bob.send_and_await_echo("#room", "mine");
    bob.send(&format!("REDACT #room {}", msgid(&said)));
    assert_eq!(alice.wait_for_command("REDACT #room").params, ["#room", msgid(&said)]);
}

/// <https://ircv3.net/specs/extensions/message-redaction#errors>
#[test]
fn redacting_others_requires_half_op() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    let mut carol = log_in_and_join_room(&server, "carol", &history_capabilities());
    let said = alice.send_and_await_echo("#room", "from the founder");
    let redact = format!("REDACT #room {}", msgid(&said));
    for (mode, allowed) in [("-v", false), ("+v", false), ("+h", true), ("+o", true)] {
        let said = alice.send_and_await_echo("#room", &format!("for {mode}"));
        alice.request(&format!("MODE #room {mode} bob"));
        bob.drain();
        if allowed {
            let lines = bob.request(&format!("REDACT #room {}", msgid(&said)));
            assert_eq!(with_nicks(&lines), [format!("bob: REDACT #room {}", msgid(&said))]);
            carol.wait_for_command(&format!("REDACT #room {}", msgid(&said)));
        } else {
            let fail = bob.expect_failure(&format!("REDACT #room {}", msgid(&said)));
            assert_eq!(fail.params[..4], ["REDACT", "REDACT_FORBIDDEN", "#room", msgid(&said)], "{fail}");
        }
        alice.request("MODE #room -hov bob bob bob");
    }
    carol.drain();
    let fail = carol.expect_failure(&redact);
    assert!(fail.starts_with(&format!("FAIL REDACT REDACT_FORBIDDEN #room {}", msgid(&said))), "{fail}");
    // Refused redactions had no effect.
    let lines = carol.query_history("LATEST #room * 50");
    let left: Vec<&str> = lines.iter().filter(|l| l.command == "PRIVMSG").map(Line::text).collect();
    assert_eq!(left, ["from the founder", "for -v", "for +v"]);
    let kept = server.home.count("SELECT count(*) FROM messages WHERE kind < 2 AND redacted IS NULL");
    assert_eq!(kept, 3);
}

/// The target is checked before the message, so a wrong target is the error.
#[test]
fn redact_in_a_missing_conversation_fails() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let said = alice.send_and_await_echo("#room", "here");
    for target in ["#nowhere", "nobody", "a!b@c"] {
        for message in [msgid(&said), "no-id"] {
            let fail = alice.expect_failure(&format!("@label=r REDACT {target} {message}"));
            assert!(fail.starts_with(&format!("FAIL REDACT INVALID_TARGET {target}")), "{fail}");
            assert_eq!(fail.tag("label"), Some("r"));
        }
    }
    let fail = alice.expect_failure("REDACT #room no-id");
    assert!(fail.starts_with("FAIL REDACT UNKNOWN_MSGID #room no-id"), "{fail}");
}

/// <https://ircv3.net/specs/extensions/message-redaction#server-implementation-considerations>
#[test]
fn admins_redact_messages_of_others() {
    let home = Home::with_accounts(&[]);
    home.succeed(&["user", "role", "carol", "admin"]);
    let server = home.serve();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut carol = log_in_and_join_room(&server, "carol", &history_capabilities());
    let said = alice.send_and_await_echo("#room", "spam");
    carol.send(&format!("REDACT #room {} :spam", msgid(&said)));
    let line = alice.wait_for_command("REDACT #room");
    assert_eq!((line.nick(), line.text()), ("carol", "spam"));
    let noted = server.home.count("SELECT count(*) FROM audit WHERE action = 'message redact'");
    assert_eq!(noted, 1, "what is done to others is in the audit");
}

/// <https://ircv3.net/specs/extensions/message-redaction#errors>
#[test]
fn unknown_message_cannot_be_redacted() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    alice.request("JOIN #other");
    let said = alice.send_and_await_echo("#room", "here");
    let there = alice.send_and_await_echo("#other", "there");
    let direct = alice.send_and_await_echo("carol", "between us");
    let join = msgid(&alice.query_history("LATEST #other * 50")[0]).to_owned();
    bob.drain();
    for unknown in [
        "1",
        "0000000000000001",
        "00000000000000AF",
        "ffffffffffffffff",
        "nonsense",
        &join,
        msgid(&there),
        msgid(&direct),
    ] {
        let fail = alice.expect_failure(&format!("REDACT #room {unknown}"));
        assert_eq!(fail.params[..4], ["REDACT", "UNKNOWN_MSGID", "#room", unknown], "as it was sent: {fail}");
    }
    // An event is not a message.
    let fail = alice.expect_failure(&format!("REDACT #other {join}"));
    assert!(fail.starts_with("FAIL REDACT UNKNOWN_MSGID #other"), "{fail}");
    // In the wrong direct conversation, in a channel as a non-member, at an account that does not exist.
    assert!(
        alice
            .expect_failure(&format!("REDACT bob {}", msgid(&direct)))
            .starts_with("FAIL REDACT UNKNOWN_MSGID bob")
    );
    for (target, of) in [("#other", &there), ("#nowhere", &said), ("nobody", &direct)] {
        let fail = bob.expect_failure(&format!("@label=f REDACT {target} {}", msgid(of)));
        assert!(fail.starts_with(&format!("FAIL REDACT INVALID_TARGET {target}")), "{fail}");
        assert_eq!(fail.tag("label"), Some("f"));
    }
    assert_eq!(alice.request("REDACT #room").iter().map(|l| l.command.as_str()).collect::<Vec<_>>(), ["461"]);
    // A message is redacted once, and a redaction cannot be redacted.
    alice.send(&format!("REDACT #room {}", msgid(&said)));
    let redaction = alice.wait_for_command("REDACT #room");
    for gone in [msgid(&said), msgid(&redaction)] {
        assert!(
            alice
                .expect_failure(&format!("REDACT #room {gone}"))
                .starts_with("FAIL REDACT UNKNOWN_MSGID #room")
        );
    }
    assert_eq!(bob.drain().iter().filter(|l| l.command == "REDACT").count(), 1);
}

/// <https://ircv3.net/specs/extensions/message-redaction#command>: both sides of a direct conversation get it, and no
/// one else.
#[test]
fn direct_messages_are_redacted_by_their_sender_only() {
    let server = server();
    let [mut alice, mut bob, mut carol] =
        ["alice", "bob", "carol"].map(|name| Client::login_with(&server, name, &playback_capabilities()));
    let mut elsewhere = Client::login_with(&server, "alice", &history_capabilities());
    let mine = alice.send_and_await_echo("bob", "mine");
    let theirs = bob.send_and_await_echo("alice", "theirs");
    alice.drain();
    let fail = alice.expect_failure(&format!("REDACT bob {}", msgid(&theirs)));
    assert!(fail.starts_with(&format!("FAIL REDACT REDACT_FORBIDDEN bob {}", msgid(&theirs))), "{fail}");
    alice.send(&format!("REDACT bob {} :wrong", msgid(&mine)));
    let expected = format!("alice: REDACT bob {} wrong", msgid(&mine));
    for client in [&mut alice, &mut bob, &mut elsewhere] {
        assert_eq!(with_nicks(&[client.wait_for_command("REDACT bob")]), std::slice::from_ref(&expected));
    }
    assert_eq!(carol.drain(), []);
    for (client, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let lines = client.query_history(&format!("LATEST {other} * 5"));
        assert_eq!(with_nicks(&lines), ["bob: PRIVMSG alice theirs".to_owned(), expected.clone()]);
    }
    // Notes to oneself too.
    let note = alice.send_and_await_echo("alice", "note");
    alice.drain();
    let lines = alice.request(&format!("REDACT alice {}", msgid(&note)));
    assert_eq!(with_nicks(&lines), [format!("alice: REDACT alice {}", msgid(&note))]);
}

/// <https://ircv3.net/specs/extensions/message-redaction#chat-history>: the message is gone; clients that know the
/// capability get REDACT, with `draft/event-playback` or without, and it does not count towards the limit.
#[test]
fn history_has_the_redaction_instead_of_the_message() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    let mut carol = log_in_and_join_room(
        &server,
        "carol",
        &format!("{ALL_CAPABILITIES} draft/chathistory draft/event-playback"),
    );
    let said: Vec<Line> = (0..6).map(|n| alice.send_and_await_echo("#room", &format!("m{n}"))).collect();
    alice.send(&format!("REDACT #room {} :gone", msgid(&said[2])));
    let live = alice.wait_for_command("REDACT #room");
    alice.send_and_await_echo("#room", "m6");
    let redaction = format!("alice: REDACT #room {} gone", msgid(&said[2]));
    for client in [&mut alice, &mut bob] {
        let lines = client.query_history("LATEST #room * 50");
        let mut read = with_nicks(&lines);
        read.retain(|l| !l.contains("JOIN"));
        let expected = ["m0", "m1", "m3", "m4", "m5"].map(|text| format!("alice: PRIVMSG #room {text}"));
        let last = ["alice: PRIVMSG #room m6".to_owned()];
        assert_eq!(read, [&expected[..], std::slice::from_ref(&redaction), &last].concat());
        let played = lines.iter().find(|l| l.command == "REDACT").expect("the redaction");
        assert_eq!((played.tag("msgid"), played.tag("time")), (live.tag("msgid"), live.tag("time")));
        // It comes in addition to the limit.
        assert_eq!(message_texts(&client.query_history("LATEST #room * 2")), ["m5", "gone", "m6"]);
        assert_eq!(message_texts(&client.query_history("LATEST #room * 1")), ["m6"]);
        let after = client.query_history(&format!("AFTER #room msgid={} 4", msgid(&said[1])));
        assert_eq!(message_texts(&after), ["m3", "m4", "m5", "gone", "m6"]);
        // The id of a removed message is still a position in the order.
        let around = client.query_history(&format!("AROUND #room msgid={} 4", msgid(&said[2])));
        assert_eq!(message_texts(&around), ["m0", "m1", "m3", "m4"]);
    }
    let lines = carol.query_history("LATEST #room * 50");
    assert!(lines.iter().all(|l| l.command != "REDACT" && l.text() != "m2"), "{lines:?}");
    assert_eq!(lines.iter().filter(|l| l.command == "PRIVMSG").count(), 6);
}

/// <https://ircv3.net/specs/extensions/message-redaction#command>: a TAGMSG can be redacted too.
#[test]
fn reaction_can_be_redacted() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let said = alice.send_and_await_echo("#room", "hello");
    alice.send(&format!("@+draft/reply={};+draft/react=x TAGMSG #room", msgid(&said)));
    let reaction = alice.wait_for_command("TAGMSG #room");
    alice.request(&format!("REDACT #room {}", msgid(&reaction)));
    let lines = alice.query_history(&format!("AFTER #room msgid={} 5", msgid(&said)));
    assert_eq!(with_nicks(&lines), [format!("alice: REDACT #room {}", msgid(&reaction))]);
}

/// ARCHITECTURE.md: a redacted message is erased from the database.
#[test]
fn redacted_text_is_in_no_file() {
    let server = server();
    let home = server.home.clone();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let (secret, tag) = ("the-password-is-swordfish", "a-tag-with-swordfish-in-it");
    alice.send(&format!("@+note={tag} PRIVMSG #room :{secret}"));
    let said = alice.wait_for_message(secret);
    for n in 0..50 {
        alice.send_and_await_echo("#room", &format!("noise {n}"));
    }
    let left = |of: &str| {
        let files = fs::read_dir(home.path("data")).expect("the folder").map(|f| f.expect("a file").path());
        let has = |bytes: &[u8]| bytes.windows(of.len()).any(|w| w == of.as_bytes());
        files.filter(|path| fs::read(path).is_ok_and(|bytes| has(&bytes))).collect::<Vec<_>>()
    };
    assert!(!left(secret).is_empty() && !left(tag).is_empty(), "the search finds what is there");
    alice.request(&format!("REDACT #room {} :for the files", msgid(&said)));
    let erased: (String, Option<String>) = home
        .database()
        .query_row("SELECT text, tags FROM messages WHERE redacted = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("what was redacted");
    assert_eq!(erased, (String::new(), None));
    drop(alice);
    assert!(server.terminate().0.success());
    assert_eq!((left(secret).as_slice(), left(tag).as_slice()), (&[][..], &[][..]));
    assert!(!left("noise 7").is_empty(), "what was not redacted is there");
    // It stays so after a restart.
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    let lines = alice.query_history(&format!("AROUND #room msgid={} 2", msgid(&said)));
    assert!(lines.iter().all(|l| !l.to_string().contains("swordfish")), "{lines:?}");
}

/// <https://ircv3.net/specs/extensions/message-redaction#command>: one message, one redaction.
#[test]
fn concurrent_redactions_happen_once() {
    const ROUNDS: usize = 40;
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &playback_capabilities());
    let mut phone = Client::login_with(&server, "alice", &playback_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &playback_capabilities());
    for round in 0..ROUNDS {
        let said = alice.send_and_await_echo("#room", &format!("m{round}"));
        let redact = format!("REDACT #room {}", msgid(&said));
        thread::scope(|scope| {
            for client in [&mut alice, &mut phone] {
                scope.spawn(|| client.send(&redact));
            }
        });
        alice.barrier();
        phone.barrier();
        let told = bob.drain().iter().filter(|l| l.command == "REDACT").count();
        assert_eq!(told, 1, "round {round}");
    }
    let kept = server.home.count("SELECT count(*) FROM messages WHERE class = 2");
    assert_eq!(kept, i64::try_from(ROUNDS).expect("few"));
}
