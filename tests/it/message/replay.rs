//! Replay to clients without history queries: missed messages, as if sent now.
//!
//! <https://ircv3.net/specs/extensions/chathistory#implementation>: a client with the capability gets nothing unasked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::history::{enter, id, reading, texts, time};
use crate::support::{Client, Line, Server, server, server_with};

/// Capabilities of a client from before CHATHISTORY, with times and ids.
const OLD: &str = "message-tags server-time account-tag echo-message batch labeled-response";

fn said(lines: &[Line]) -> Vec<Line> {
    lines.iter().filter(|l| matches!(l.command.as_str(), "PRIVMSG" | "NOTICE")).cloned().collect()
}

/// Ends a session with QUIT. Returns the lines that it still got.
fn quit(mut client: Client) -> Vec<Line> {
    client.send("QUIT");
    client.until_closed()
}

/// Logs in and quits. Returns the replayed messages.
fn replayed(server: &Server, name: &str, capabilities: &str) -> Vec<Line> {
    let client = Client::login_with(server, name, capabilities);
    let lines = said(&client.welcome);
    quit(client);
    lines
}

/// <https://ircv3.net/specs/extensions/server-time>: a replayed message has its original time.
#[test]
fn missed_messages_are_replayed_once_at_login() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = enter(&server, "bob", OLD);
    alice.say("#room", "before");
    bob.message("before");
    quit(bob);
    let missed = [
        alice.say("#room", "while you were away"),
        alice.say("#room", "\u{1}ACTION waves\u{1}"),
        alice.say("bob", "just for you"),
    ];
    alice.request("TOPIC #room :Tea");
    alice.request("@+draft/react=x TAGMSG #room");
    alice.request("NOTICE #room :take note");

    let mut bob = Client::login_with(&server, "bob", OLD);
    let lines = said(&bob.welcome);
    assert_eq!(texts(&lines), ["while you were away", "\u{1}ACTION waves\u{1}", "take note", "just for you"]);
    for live in &missed {
        let line = lines.iter().find(|l| l.text() == live.text()).expect("it is there");
        assert_eq!((id(line), time(line)), (id(live), time(live)));
        assert_eq!((&line.source, line.param(0)), (&live.source, live.param(0)));
        assert_eq!((line.tag("batch"), line.tag("account")), (None, Some("alice")));
    }
    // First the channel, then its messages; of other events only the present state.
    let place = |start: &str| bob.welcome.iter().position(|l| l.is(start)).expect(start);
    assert!(place("366 bob #room") < place("PRIVMSG #room"));
    assert_eq!(bob.welcome.iter().filter(|l| l.command == "TOPIC" || l.command == "TAGMSG").count(), 0);
    // New messages follow.
    alice.message_to(&mut bob, "#room", "and now");
    quit(bob);
    assert_eq!(replayed(&server, "bob", OLD), []);
    alice.say("#room", "one more");
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["one more"]);
}

/// Without server-time a client would show it as sent now.
#[test]
fn replay_without_server_time_has_the_time_in_the_text() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    quit(enter(&server, "bob", ""));
    let spoken = alice.say("#room", "hello");
    alice.say("bob", "\u{1}ACTION waves\u{1}");
    let at = time(&spoken)[..16].replace('T', " ");
    let lines = replayed(&server, "bob", "");
    assert_eq!(lines[0].text(), format!("[{at}] hello"));
    assert!(lines[1].text().starts_with("\u{1}ACTION [20") && lines[1].text().ends_with("] waves\u{1}"));
    assert!(lines.len() == 2 && lines.iter().all(|l| l.tags.is_empty()), "{lines:?}");
}

/// <https://modern.ircdocs.horse/#privmsg-message>: any account can get messages, online or not.
#[test]
fn direct_message_to_an_absent_account_is_replayed() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    // Carol has never logged in.
    let told = alice.say("carol", "welcome, when you come");
    let lines = replayed(&server, "carol", OLD);
    assert_eq!(lines.len(), 1);
    assert_eq!((id(&lines[0]), lines[0].param(0), lines[0].nick()), (id(&told), "carol", "alice"));
    // To the sender's own clients it is an echo, for those with the capability.
    quit(alice);
    assert_eq!(texts(&replayed(&server, "alice", OLD)), [""; 0]);
    let mut bob = Client::login_with(&server, "bob", &reading());
    bob.say("alice", "from bob");
    bob.say("carol", "from bob");
    assert_eq!(texts(&replayed(&server, "carol", "server-time")), ["from bob"]);
    quit(bob);
    // Messages that one session of an account sends count as seen by the account.
    assert_eq!(replayed(&server, "bob", OLD), []);
}

/// The configuration's `history.replay`.
#[test]
fn replay_is_limited_by_configuration() {
    let server = server_with(&["history.replay = 3"]);
    let mut alice = enter(&server, "alice", &reading());
    alice.request("JOIN #other");
    let mut bob = enter(&server, "bob", OLD);
    bob.request("JOIN #other");
    quit(bob);
    let mut carol = Client::login_with(&server, "carol", &reading());
    for n in 0..5 {
        alice.say("#room", &format!("room {n}"));
        alice.say("#other", &format!("other {n}"));
        alice.say("bob", &format!("alice {n}"));
        carol.say("bob", &format!("carol {n}"));
    }
    let lines = replayed(&server, "bob", OLD);
    let of = |target: &str| lines.iter().filter(|l| l.param(0) == target).map(Line::text).collect::<Vec<_>>();
    assert_eq!(of("#room"), ["room 2", "room 3", "room 4"], "the latest of each channel");
    assert_eq!(of("#other"), ["other 2", "other 3", "other 4"]);
    assert_eq!(of("bob"), ["carol 3", "alice 4", "carol 4"], "and of all talks together");

    let server = server_with(&["history.replay = 0"]);
    let mut alice = enter(&server, "alice", &reading());
    quit(enter(&server, "bob", OLD));
    alice.say("#room", "for those who ask");
    assert_eq!(replayed(&server, "bob", OLD), []);
}

/// Replay at a first JOIN; not for clients with history queries.
#[test]
fn first_join_replays_recent_messages() {
    let server = server_with(&["history.replay = 2"]);
    let mut alice = enter(&server, "alice", &reading());
    for n in 0..4 {
        alice.say("#room", &format!("m{n}"));
    }
    let mut bob = Client::login_with(&server, "bob", OLD);
    let mut modern = Client::login_with(&server, "bob", &reading());
    let lines = bob.request("@label=j JOIN #room");
    assert_eq!(texts(&said(&lines)), ["m2", "m3"]);
    // After the reply to JOIN and not in it.
    let place = |what: &dyn Fn(&Line) -> bool| lines.iter().position(what).expect("it is there");
    assert!(
        place(&|l| l.is("366 bob #room")) < place(&|l| l.command == "BATCH" && l.param(0).starts_with('-'))
    );
    assert!(place(&|l| l.command == "BATCH" && l.param(0).starts_with('-')) < place(&|l| l.text() == "m2"));
    assert!(said(&lines).iter().all(|l| l.tag("batch").is_none() && l.tag("label").is_none()), "{lines:?}");
    assert_eq!(said(&modern.drain()), []);
    // A member gets nothing, and at the next login nothing is new.
    assert_eq!(bob.request("JOIN #room"), []);
    quit(bob);
    quit(modern);
    assert_eq!(replayed(&server, "bob", OLD), []);
}

/// <https://ircv3.net/specs/extensions/chathistory#implementation>
#[test]
fn client_with_chathistory_gets_no_replay() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    quit(enter(&server, "bob", &reading()));
    alice.say("#room", "missed");
    alice.say("bob", "missed too");
    assert_eq!(replayed(&server, "bob", "draft/chathistory"), []);
    // Bob's old client has missed them all the same.
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["missed", "missed too"]);
}

/// <https://ircv3.net/specs/extensions/message-redaction#chat-history>
#[test]
fn redacted_messages_are_not_replayed() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    quit(enter(&server, "bob", OLD));
    let oops = alice.say("#room", "oops");
    alice.say("#room", "fine");
    alice.request(&format!("REDACT #room {}", id(&oops)));
    assert_eq!(texts(&replayed(&server, "bob", &format!("{OLD} draft/message-redaction"))), ["fine"]);
}

/// Messages on their way to a connection that broke may not have arrived, so they are replayed.
#[test]
fn messages_lost_with_a_broken_connection_are_replayed() {
    let mut server = server();
    let home = server.home.clone();
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = enter(&server, "bob", OLD);
    alice.message_to(&mut bob, "#room", "heard");
    bob.barrier();
    alice.say("#room", "perhaps not heard");
    drop(bob);
    server.wait_for_log(|line| line.contains("disconnected") && line.contains("account=bob"));
    alice.say("#room", "not heard");
    let bob = Client::login_with(&server, "bob", OLD);
    assert_eq!(texts(&said(&bob.welcome)), ["perhaps not heard", "not heard"]);
    quit(bob);
    // The same after a crash of the server.
    alice.say("bob", "kept");
    server.kill9();
    let server = home.serve();
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["kept"]);
}

/// <https://ircv3.net/specs/extensions/chathistory#implementation>: replay and new messages meet without a gap and
/// without an overlap.
#[test]
fn replay_over_many_logins_is_exactly_once() {
    const SAID: usize = 1000;
    // As many as are sent, because a login may take any time on a busy machine.
    let server = server_with(&[&format!("history.replay = {SAID}")]);
    let mut alice = enter(&server, "alice", &reading());
    quit(enter(&server, "bob", OLD));
    let over = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        scope.spawn(|| {
            for part in 0..SAID / 10 {
                alice.send_all((0..10).map(|n| format!("PRIVMSG #room :{}", part * 10 + n)));
                alice.message(&(part * 10 + 9).to_string());
            }
            over.store(true, Ordering::Release);
        });
        let mut seen = Vec::new();
        let mut logins = 0;
        loop {
            let last = over.load(Ordering::Acquire);
            let client = Client::login_with(&server, "bob", OLD);
            seen.extend(said(&client.welcome));
            seen.extend(said(&quit(client)));
            logins += 1;
            if last {
                assert!(logins > 2, "{logins} logins while she talked");
                return seen;
            }
        }
    });
    let all: Vec<String> = (0..SAID).map(|n| n.to_string()).collect();
    let texts = texts(&seen);
    let wrong = texts.iter().zip(&all).find(|(got, wanted)| got != wanted);
    assert!(texts == all, "{} of {SAID}, {wrong:?}", texts.len());
}

/// A program would answer such requests again: a DCC offer, a VERSION.
#[test]
fn ctcp_requests_are_not_replayed() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    quit(enter(&server, "bob", OLD));
    for text in ["\u{1}VERSION\u{1}", "\u{1}DCC SEND x 1 2 3\u{1}", "\u{1}ACTION waves\u{1}", "hello"] {
        alice.say("#room", text);
        alice.say("bob", text);
        alice.request(&format!("NOTICE #room :{text}"));
    }
    let lines = replayed(&server, "bob", OLD);
    let of = |command: &str, target: &str| -> Vec<&str> {
        lines.iter().filter(|l| l.command == command && l.param(0) == target).map(Line::text).collect()
    };
    for (command, target) in [("PRIVMSG", "#room"), ("PRIVMSG", "bob"), ("NOTICE", "#room")] {
        assert_eq!(of(command, target), ["\u{1}ACTION waves\u{1}", "hello"], "{command} {target}");
    }
}

/// Messages that any session of the account saw, whatever its capabilities.
#[test]
fn messages_seen_by_another_session_are_not_replayed() {
    for capabilities in [OLD, "draft/chathistory"] {
        let server = server_with(&["sessions.grace_s = 0"]);
        let mut alice = enter(&server, "alice", &reading());
        quit(enter(&server, "bob", OLD));
        alice.say("#room", "missed");
        let mut first = Client::login_with(&server, "bob", capabilities);
        alice.message_to(&mut first, "#room", "seen live");
        alice.message_to(&mut first, "bob", "seen too");
        let expected: &[&str] = if capabilities == OLD { &[] } else { &["missed"] };
        let second = Client::login_with(&server, "bob", OLD);
        assert_eq!(texts(&said(&second.welcome)), expected, "beside {capabilities}");
        quit(second);
        quit(first);
        alice.say("#room", "and this");
        assert_eq!(texts(&replayed(&server, "bob", OLD)), ["and this"], "behind {capabilities}");
    }
}

/// A session that counted as present turns out to have been broken: no message is lost by it.
#[test]
fn undelivered_messages_are_replayed_to_another_session() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let mut ghost = enter(&server, "bob", OLD);
    alice.message_to(&mut ghost, "#room", "heard");
    ghost.barrier();
    alice.say("#room", "perhaps not heard");
    let mut second = Client::login_with(&server, "bob", OLD);
    assert_eq!(said(&second.welcome), []);
    drop(ghost);
    assert_eq!(second.message("perhaps not heard").nick(), "alice");
    alice.message_to(&mut second, "#room", "both are here");
    second.barrier();
    assert_eq!(said(&quit(second)), []);
    assert_eq!(replayed(&server, "bob", OLD), [], "once");
}

/// <https://ircv3.net/specs/extensions/read-marker>
#[test]
fn read_messages_are_not_replayed() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = enter(&server, "bob", OLD);
    alice.message_to(&mut bob, "#room", "before");
    quit(bob);
    alice.say("#room", "read");
    let read = alice.say("bob", "read too");
    alice.say("#room", "not read");
    alice.say("bob", "not read either");
    let mut reader = Client::login_with(&server, "bob", &reading());
    reader.request(&format!("MARKREAD #room timestamp={}", time(&read)));
    reader.request(&format!("MARKREAD alice timestamp={}", time(&read)));
    quit(reader);
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["not read", "not read either"]);
}

#[test]
fn rejoin_replays_messages_since_the_part() {
    let server = server();
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = enter(&server, "bob", OLD);
    alice.message_to(&mut bob, "#room", "with bob");
    bob.request("PART #room");
    alice.say("#room", "without bob");
    assert_eq!(texts(&said(&bob.request("JOIN #room"))), ["without bob"]);
    alice.request("KICK #room bob");
    bob.command("KICK");
    alice.say("#room", "behind the door");
    assert_eq!(texts(&said(&bob.request("JOIN #room"))), ["behind the door"]);
}

/// `NS SET REPLAY`, `parlour user set`, and the mode of bots.
#[test]
fn replay_length_is_an_account_preference() {
    let server = server_with(&["history.replay = 3"]);
    let mut alice = enter(&server, "alice", &reading());
    let mut bob = enter(&server, "bob", OLD);
    let mut say = |texts: &[&str]| texts.iter().for_each(|text| drop(alice.say("#room", text)));
    let lines = bob.request("NS SET REPLAY 1");
    assert!(lines[0].text().starts_with("Up to 1 missed message"), "{lines:?}");
    for wrong in ["101", "-1", "many", ""] {
        assert!(bob.request(&format!("NS SET REPLAY {wrong}"))[0].text().starts_with("Usage: SET REPLAY"));
    }
    quit(bob);
    say(&["one", "two"]);
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["two"]);
    // The setting belongs to the account, survives a restart, and an admin can set it.
    let home = server.home.clone();
    server.terminate();
    let server = home.serve();
    let mut alice = enter(&server, "alice", &reading());
    let mut say = |texts: &[&str]| texts.iter().for_each(|text| drop(alice.say("#room", text)));
    say(&["three", "four"]);
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["four"]);
    home.succeed(&["user", "set", "bob", "replay", "0"]);
    say(&["five"]);
    assert_eq!(replayed(&server, "bob", OLD), []);
    home.succeed(&["user", "set", "bob", "replay", "default"]);
    say(&["six", "seven", "eight", "nine"]);
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["seven", "eight", "nine"]);
    assert!(home.fail(&["user", "set", "bob", "replay", "101"]).contains("0 to 100"));
    // A bot gets no replay.
    let mut bob = Client::login_with(&server, "bob", OLD);
    bob.request("MODE bob +B");
    quit(bob);
    say(&["ten"]);
    assert_eq!(replayed(&server, "bob", OLD), []);
    home.succeed(&["user", "set", "bob", "bot", "off"]);
    say(&["eleven"]);
    assert_eq!(texts(&replayed(&server, "bob", OLD)), ["eleven"]);
}
