//! REDACT: permissions, audience, and complete removal of the messages.
//!
//! <https://ircv3.net/specs/extensions/message-redaction>

use std::fs;
use std::thread;

use crate::support::history::{enter, id, playing, reading, texts};
use crate::support::{Client, FULL, Home, Line, server};

fn shown(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|l| format!("{}: {l}", l.nick())).collect()
}

/// <https://ircv3.net/specs/extensions/message-redaction#command>
#[test]
fn own_message_redaction_reaches_capable_clients() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = enter(&server, "bob", &reading());
    let mut carol = enter(&server, "carol", FULL);
    let mut elsewhere = Client::login_with(&server, "alice", &reading());
    let said = alice.say("#room", "oops");
    carol.message("oops");
    let answer = alice.request(&format!("@label=r REDACT #ROOM {} :not for here", id(&said)));
    let expected = format!("alice: REDACT #room {} not for here", id(&said));
    assert_eq!(shown(&answer), [expected.as_str()]);
    assert_eq!(answer[0].tag("label"), Some("r"));
    for client in [&mut bob, &mut elsewhere] {
        let line = client.command("REDACT #room");
        assert_eq!(format!("{}: {line}", line.nick()), expected);
        assert_eq!(line.tag("label"), None);
        assert_eq!((line.tag("msgid"), line.tag("time")), (answer[0].tag("msgid"), answer[0].tag("time")));
        assert!(line.source.contains('@') && line.tag("account") == Some("alice"), "{line:?}");
    }
    // A client without the capability is not told.
    assert_eq!(carol.drain(), []);
    // Without a reason there is none.
    let said = bob.say("#room", "mine");
    bob.send(&format!("REDACT #room {}", id(&said)));
    assert_eq!(alice.command("REDACT #room").params, ["#room", id(&said)]);
}

/// <https://ircv3.net/specs/extensions/message-redaction#errors>
#[test]
fn redacting_others_requires_half_op() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = enter(&server, "bob", &reading());
    let mut carol = enter(&server, "carol", &reading());
    let said = alice.say("#room", "from the founder");
    let redact = format!("REDACT #room {}", id(&said));
    for (mode, allowed) in [("-v", false), ("+v", false), ("+h", true), ("+o", true)] {
        let said = alice.say("#room", &format!("for {mode}"));
        alice.request(&format!("MODE #room {mode} bob"));
        bob.drain();
        if allowed {
            let lines = bob.request(&format!("REDACT #room {}", id(&said)));
            assert_eq!(shown(&lines), [format!("bob: REDACT #room {}", id(&said))]);
            carol.command(&format!("REDACT #room {}", id(&said)));
        } else {
            let fail = bob.failure(&format!("REDACT #room {}", id(&said)));
            assert_eq!(fail.params[..4], ["REDACT", "REDACT_FORBIDDEN", "#room", id(&said)], "{fail}");
        }
        alice.request("MODE #room -hov bob bob bob");
    }
    carol.drain();
    let fail = carol.failure(&redact);
    assert!(fail.is(&format!("FAIL REDACT REDACT_FORBIDDEN #room {}", id(&said))), "{fail}");
    // Refused redactions had no effect.
    let lines = carol.history("LATEST #room * 50");
    let left: Vec<&str> = lines.iter().filter(|l| l.command == "PRIVMSG").map(Line::text).collect();
    assert_eq!(left, ["from the founder", "for -v", "for +v"]);
    let kept = server.home.count("SELECT count(*) FROM messages WHERE kind < 2 AND redacted IS NULL");
    assert_eq!(kept, 3);
}

/// The target is checked before the message, so a wrong target is the error.
#[test]
fn redact_in_a_missing_conversation_fails() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let said = alice.say("#room", "here");
    for target in ["#nowhere", "nobody", "a!b@c"] {
        for message in [id(&said), "no-id"] {
            let fail = alice.failure(&format!("@label=r REDACT {target} {message}"));
            assert!(fail.is(&format!("FAIL REDACT INVALID_TARGET {target}")), "{fail}");
            assert_eq!(fail.tag("label"), Some("r"));
        }
    }
    let fail = alice.failure("REDACT #room no-id");
    assert!(fail.is("FAIL REDACT UNKNOWN_MSGID #room no-id"), "{fail}");
}

/// <https://ircv3.net/specs/extensions/message-redaction#server-implementation-considerations>
#[test]
fn admins_redact_messages_of_others() {
    let home = Home::with_people(&[]);
    home.succeed(&["user", "role", "carol", "admin"]);
    let server = home.serve();
    let mut alice = enter(&server, "alice", &reading());
    let mut carol = enter(&server, "carol", &reading());
    let said = alice.say("#room", "spam");
    carol.send(&format!("REDACT #room {} :spam", id(&said)));
    let line = alice.command("REDACT #room");
    assert_eq!((line.nick(), line.text()), ("carol", "spam"));
    let noted = server.home.count("SELECT count(*) FROM audit WHERE action = 'message redact'");
    assert_eq!(noted, 1, "what is done to others is in the audit");
}

/// <https://ircv3.net/specs/extensions/message-redaction#errors>
#[test]
fn unknown_message_cannot_be_redacted() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &reading());
    alice.request("JOIN #other");
    let said = alice.say("#room", "here");
    let there = alice.say("#other", "there");
    let direct = alice.say("carol", "between us");
    let join = id(&alice.history("LATEST #other * 50")[0]).to_owned();
    bob.drain();
    for unknown in [
        "1",
        "0000000000000001",
        "00000000000000AF",
        "ffffffffffffffff",
        "nonsense",
        &join,
        id(&there),
        id(&direct),
    ] {
        let fail = alice.failure(&format!("REDACT #room {unknown}"));
        assert_eq!(fail.params[..4], ["REDACT", "UNKNOWN_MSGID", "#room", unknown], "as it was sent: {fail}");
    }
    // An event is not a message.
    let fail = alice.failure(&format!("REDACT #other {join}"));
    assert!(fail.is("FAIL REDACT UNKNOWN_MSGID #other"), "{fail}");
    // In the wrong direct conversation, in a channel as a non-member, at an account that does not exist.
    assert!(alice.failure(&format!("REDACT bob {}", id(&direct))).is("FAIL REDACT UNKNOWN_MSGID bob"));
    for (target, of) in [("#other", &there), ("#nowhere", &said), ("nobody", &direct)] {
        let fail = bob.failure(&format!("@label=f REDACT {target} {}", id(of)));
        assert!(fail.is(&format!("FAIL REDACT INVALID_TARGET {target}")), "{fail}");
        assert_eq!(fail.tag("label"), Some("f"));
    }
    assert_eq!(alice.request("REDACT #room").iter().map(|l| l.command.as_str()).collect::<Vec<_>>(), ["461"]);
    // A message is redacted once, and a redaction cannot be redacted.
    alice.send(&format!("REDACT #room {}", id(&said)));
    let redaction = alice.command("REDACT #room");
    for gone in [id(&said), id(&redaction)] {
        assert!(alice.failure(&format!("REDACT #room {gone}")).is("FAIL REDACT UNKNOWN_MSGID #room"));
    }
    assert_eq!(bob.drain().iter().filter(|l| l.command == "REDACT").count(), 1);
}

/// <https://ircv3.net/specs/extensions/message-redaction#command>: both sides of a direct conversation are told, and no
/// one else.
#[test]
fn direct_messages_are_redacted_by_their_sender_only() {
    let server = server();
    let [mut alice, mut bob, mut carol] =
        ["alice", "bob", "carol"].map(|name| Client::login_with(&server, name, &playing()));
    let mut elsewhere = Client::login_with(&server, "alice", &reading());
    let mine = alice.say("bob", "mine");
    let theirs = bob.say("alice", "theirs");
    alice.drain();
    let fail = alice.failure(&format!("REDACT bob {}", id(&theirs)));
    assert!(fail.is(&format!("FAIL REDACT REDACT_FORBIDDEN bob {}", id(&theirs))), "{fail}");
    alice.send(&format!("REDACT bob {} :wrong", id(&mine)));
    let expected = format!("alice: REDACT bob {} wrong", id(&mine));
    for client in [&mut alice, &mut bob, &mut elsewhere] {
        assert_eq!(shown(&[client.command("REDACT bob")]), std::slice::from_ref(&expected));
    }
    assert_eq!(carol.drain(), []);
    for (client, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        let lines = client.history(&format!("LATEST {other} * 5"));
        assert_eq!(shown(&lines), ["bob: PRIVMSG alice theirs".to_owned(), expected.clone()]);
    }
    // Notes to oneself too.
    let note = alice.say("alice", "note");
    alice.drain();
    let lines = alice.request(&format!("REDACT alice {}", id(&note)));
    assert_eq!(shown(&lines), [format!("alice: REDACT alice {}", id(&note))]);
}

/// <https://ircv3.net/specs/extensions/message-redaction#chat-history>: the message is gone; clients that know the
/// capability get REDACT, with `draft/event-playback` or without, and it does not count towards the limit.
#[test]
fn history_has_the_redaction_instead_of_the_message() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &reading());
    let mut carol = enter(&server, "carol", &format!("{FULL} draft/chathistory draft/event-playback"));
    let said: Vec<Line> = (0..6).map(|n| alice.say("#room", &format!("m{n}"))).collect();
    alice.send(&format!("REDACT #room {} :gone", id(&said[2])));
    let live = alice.command("REDACT #room");
    alice.say("#room", "m6");
    let redaction = format!("alice: REDACT #room {} gone", id(&said[2]));
    for client in [&mut alice, &mut bob] {
        let lines = client.history("LATEST #room * 50");
        let mut read = shown(&lines);
        read.retain(|l| !l.contains("JOIN"));
        let expected = ["m0", "m1", "m3", "m4", "m5"].map(|text| format!("alice: PRIVMSG #room {text}"));
        let last = ["alice: PRIVMSG #room m6".to_owned()];
        assert_eq!(read, [&expected[..], std::slice::from_ref(&redaction), &last].concat());
        let played = lines.iter().find(|l| l.command == "REDACT").expect("the redaction");
        assert_eq!((played.tag("msgid"), played.tag("time")), (live.tag("msgid"), live.tag("time")));
        // It comes in addition to the limit.
        assert_eq!(texts(&client.history("LATEST #room * 2")), ["m5", "gone", "m6"]);
        assert_eq!(texts(&client.history("LATEST #room * 1")), ["m6"]);
        let after = client.history(&format!("AFTER #room msgid={} 4", id(&said[1])));
        assert_eq!(texts(&after), ["m3", "m4", "m5", "gone", "m6"]);
        // The id of a removed message is still a position in the order.
        let around = client.history(&format!("AROUND #room msgid={} 4", id(&said[2])));
        assert_eq!(texts(&around), ["m0", "m1", "m3", "m4"]);
    }
    let lines = carol.history("LATEST #room * 50");
    assert!(lines.iter().all(|l| l.command != "REDACT" && l.text() != "m2"), "{lines:?}");
    assert_eq!(lines.iter().filter(|l| l.command == "PRIVMSG").count(), 6);
}

/// <https://ircv3.net/specs/extensions/message-redaction#command>: a TAGMSG can be redacted too.
#[test]
fn reaction_can_be_redacted() {
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let said = alice.say("#room", "hello");
    alice.send(&format!("@+draft/reply={};+draft/react=x TAGMSG #room", id(&said)));
    let reaction = alice.command("TAGMSG #room");
    alice.request(&format!("REDACT #room {}", id(&reaction)));
    let lines = alice.history(&format!("AFTER #room msgid={} 5", id(&said)));
    assert_eq!(shown(&lines), [format!("alice: REDACT #room {}", id(&reaction))]);
}

/// ARCHITECTURE.md: a redacted message is erased from the database.
#[test]
fn redacted_text_is_in_no_file() {
    let server = server();
    let home = server.home.clone();
    let mut alice = enter(&server, "alice", &reading());
    let (secret, tag) = ("the-password-is-swordfish", "a-tag-with-swordfish-in-it");
    alice.send(&format!("@+note={tag} PRIVMSG #room :{secret}"));
    let said = alice.message(secret);
    for n in 0..50 {
        alice.say("#room", &format!("noise {n}"));
    }
    let left = |of: &str| {
        let files = fs::read_dir(home.path("data")).expect("the folder").map(|f| f.expect("a file").path());
        let has = |bytes: &[u8]| bytes.windows(of.len()).any(|w| w == of.as_bytes());
        files.filter(|path| fs::read(path).is_ok_and(|bytes| has(&bytes))).collect::<Vec<_>>()
    };
    assert!(!left(secret).is_empty() && !left(tag).is_empty(), "the search finds what is there");
    alice.request(&format!("REDACT #room {} :for the files", id(&said)));
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
    let mut alice = Client::login_with(&server, "alice", &reading());
    let lines = alice.history(&format!("AROUND #room msgid={} 2", id(&said)));
    assert!(lines.iter().all(|l| !l.to_string().contains("swordfish")), "{lines:?}");
}

/// <https://ircv3.net/specs/extensions/message-redaction#command>: one message, one redaction.
#[test]
fn concurrent_redactions_happen_once() {
    const ROUNDS: usize = 40;
    let server = server();
    let mut alice = enter(&server, "alice", &playing());
    let mut phone = Client::login_with(&server, "alice", &playing());
    let mut bob = enter(&server, "bob", &playing());
    for round in 0..ROUNDS {
        let said = alice.say("#room", &format!("m{round}"));
        let redact = format!("REDACT #room {}", id(&said));
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
