//! History within the other traffic: replies come in the order of the commands, nothing comes between the lines of a
//! batch, and concurrent messages arrive once.
//!
//! <https://ircv3.net/specs/extensions/chathistory>, <https://ircv3.net/specs/extensions/batch>

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::history::{
    count_distinct_ids, history_capabilities, log_in_and_join_room, message_texts, msgid,
};
use crate::support::{Client, server, server_with};

/// <https://modern.ircdocs.horse/#ping-message>: clients take a PONG as proof that everything before it is answered.
#[test]
fn replies_keep_the_order_of_commands_around_a_query() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    alice.send_and_await_echo("#room", "first");
    bob.wait_for_message("first");
    for round in 0..20 {
        let commands = [
            "CHATHISTORY LATEST #room * 1".to_owned(),
            "PING token".to_owned(),
            format!("PRIVMSG #room :round {round}"),
            "CHATHISTORY LATEST #room * 1".to_owned(),
            "CHATHISTORY LATEST #nowhere * 1".to_owned(),
            "REDACT #room 1".to_owned(),
            "MARKREAD #room".to_owned(),
        ];
        alice.send_all(commands);
        let before = if round == 0 { "first".to_owned() } else { format!("round {}", round - 1) };
        let got: Vec<String> = alice.drain().iter().map(ToString::to_string).collect();
        let expected = [
            "BATCH +h chathistory #room".to_owned(),
            format!("PRIVMSG #room {before}"),
            "BATCH -h".to_owned(),
            "PONG chat.parlour token".to_owned(),
            format!("PRIVMSG #room round {round}"),
            "BATCH +h chathistory #room".to_owned(),
            format!("PRIVMSG #room round {round}"),
            "BATCH -h".to_owned(),
        ];
        assert_eq!(got[..expected.len()], expected);
        let rest: Vec<&str> = got[expected.len()..].iter().map(|l| &l[..13]).collect();
        assert_eq!(rest, ["FAIL CHATHIST", "FAIL REDACT U", "MARKREAD #roo"]);
        bob.wait_for_message(&format!("round {round}"));
    }
}

/// <https://ircv3.net/specs/extensions/labeled-response>
#[test]
fn many_queries_are_answered_in_order() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    for n in 1..=10 {
        alice.send_and_await_echo("#room", &format!("m{n}"));
    }
    alice.send_all((0..200).map(|n| format!("@label=q{n} CHATHISTORY LATEST #room * {}", n % 10 + 1)));
    for n in 0..200 {
        let (start, lines) = alice.read_batch();
        assert_eq!(start.tag("label"), Some(format!("q{n}").as_str()));
        assert_eq!((lines.len(), lines[lines.len() - 1].text()), (n % 10 + 1, "m10"));
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#returned-message-notes>: one order, valid over the connection.
#[test]
fn messages_during_a_query_arrive_once_and_in_order() {
    const SAID: usize = 3000;
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    alice.drain();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for part in 0..SAID / 50 {
                bob.send_all((0..50).map(|n| format!("PRIVMSG #room :{}", part * 50 + n)));
                bob.wait_for_message(&(part * 50 + 49).to_string());
            }
            over.store(true, Ordering::Relaxed);
        });
        let (mut told, mut batched, mut open) = (Vec::new(), BTreeSet::new(), None);
        let mut asked = 0;
        alice.send("CHATHISTORY LATEST #room * 20");
        while told.len() < SAID {
            let line = alice.next().expect("a line");
            match (line.command.as_str(), line.tag("batch"), &open) {
                ("BATCH", ..) if line.param(0).starts_with('+') => {
                    open = Some(line.param(0).trim_start_matches('+').to_owned());
                }
                ("BATCH", ..) => {
                    open = None;
                    if !over.load(Ordering::Relaxed) {
                        asked += 1;
                        alice.send("CHATHISTORY LATEST #room * 20");
                    }
                }
                ("PRIVMSG", Some(_), Some(_)) => drop(batched.insert(msgid(&line).to_owned())),
                ("PRIVMSG", None, None) => {
                    assert!(!batched.contains(msgid(&line)), "{line} was in the history before it was said");
                    told.push(line);
                }
                other => panic!("{other:?} out of place: {line}"),
            }
        }
        assert!(asked > 10, "{asked} questions while they talked");
        let all: Vec<String> = (0..SAID).map(|n| n.to_string()).collect();
        assert!(message_texts(&told) == all, "each message once, in order");
        assert_eq!(count_distinct_ids(&told), SAID);
    });
}

/// <https://ircv3.net/specs/extensions/chathistory#security-considerations>: queries cannot be used to harm the server.
#[test]
fn queries_of_a_stalled_reader_end_with_its_connection() {
    let server = server_with(&["sessions.grace_s = 0", "limits.send_queue_bytes = 65536"]);
    let mut alice =
        log_in_and_join_room(&server, "alice", &format!("{} draft/multiline", history_capabilities()));
    for n in 0..30 {
        alice.send_and_await_echo("#room", &format!("{n} {}", "x".repeat(1500)));
    }
    let mut bob = log_in_and_join_room(&server, "bob", &history_capabilities());
    alice.wait_for_command("JOIN #room");
    // More than all buffers on the way hold; bob reads nothing of it.
    bob.send_all((0..3000).map(|_| "CHATHISTORY LATEST #room * 100".to_owned()));
    alice.barrier();
    drop(bob);
    assert_eq!(alice.wait_for_command("QUIT").nick(), "bob");
}

/// <https://modern.ircdocs.horse/#quit-message>
#[test]
fn query_before_quit_is_answered() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    alice.send_and_await_echo("#room", "the last words");
    let mut bob: Client = log_in_and_join_room(&server, "bob", &history_capabilities());
    bob.send_all(["CHATHISTORY LATEST #room * 5".to_owned(), "QUIT :done".to_owned()]);
    assert_eq!(message_texts(&bob.read_batch().1), ["the last words"]);
    let last = bob.read_until_closed();
    assert!(last.last().is_some_and(|l| l.command == "ERROR"), "{last:?}");
    assert_eq!(alice.wait_for_command("QUIT").text(), "Quit: done");
}
