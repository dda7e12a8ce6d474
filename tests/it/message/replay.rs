//! Replay to clients without history queries: missed messages, as if sent now.
//!
//! <https://ircv3.net/specs/extensions/chathistory#implementation>: a client with the capability gets nothing unasked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::history::{history_capabilities, log_in_and_join_room, message_texts, msgid, time_tag};
use crate::support::{Client, Line, Server, server, server_with};

/// Capabilities of a client from before CHATHISTORY, with times and ids.
const OLD_CLIENT_CAPABILITIES: &str =
    "message-tags server-time account-tag echo-message batch labeled-response";

fn messages_only(lines: &[Line]) -> Vec<Line> {
    lines.iter().filter(|l| matches!(l.command.as_str(), "PRIVMSG" | "NOTICE")).cloned().collect()
}

/// Ends a session with QUIT. Returns the lines that it still got.
fn quit_and_drain(mut client: Client) -> Vec<Line> {
    client.send("QUIT");
    client.read_until_closed()
}

/// Logs in and quits. Returns the replayed messages.
fn log_in_for_replay(server: &Server, name: &str, capabilities: &str) -> Vec<Line> {
    let client = Client::login_with(server, name, capabilities);
    let lines = messages_only(&client.welcome);
    quit_and_drain(client);
    lines
}

/// <https://ircv3.net/specs/extensions/server-time>: a replayed message has its original time.
#[test]
fn missed_messages_are_replayed_once_at_login() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES);
    alice.send_and_await_echo("#room", "before");
    bob.wait_for_message("before");
    quit_and_drain(bob);
    let missed = [
        alice.send_and_await_echo("#room", "while you were away"),
        alice.send_and_await_echo("#room", "\u{1}ACTION waves\u{1}"),
        alice.send_and_await_echo("bob", "just for you"),
    ];
    alice.request("TOPIC #room :Tea");
    alice.request("@+draft/react=x TAGMSG #room");
    alice.request("NOTICE #room :take note");

    let mut bob = Client::login_with(&server, "bob", OLD_CLIENT_CAPABILITIES);
    let lines = messages_only(&bob.welcome);
    assert_eq!(
        message_texts(&lines),
        ["while you were away", "\u{1}ACTION waves\u{1}", "take note", "just for you"]
    );
    for live in &missed {
        let line = lines.iter().find(|l| l.text() == live.text()).expect("it is there");
        assert_eq!((msgid(line), time_tag(line)), (msgid(live), time_tag(live)));
        assert_eq!((&line.source, line.param(0)), (&live.source, live.param(0)));
        assert_eq!((line.tag("batch"), line.tag("account")), (None, Some("alice")));
    }
    // First the channel, then its messages; of other events only the present state.
    let place = |start: &str| bob.welcome.iter().position(|l| l.starts_with(start)).expect(start);
    assert!(place("366 bob #room") < place("PRIVMSG #room"));
    assert_eq!(bob.welcome.iter().filter(|l| l.command == "TOPIC" || l.command == "TAGMSG").count(), 0);
    // New messages follow.
    alice.deliver_message(&mut bob, "#room", "and now");
    quit_and_drain(bob);
    assert_eq!(log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES), []);
    alice.send_and_await_echo("#room", "one more");
    assert_eq!(message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)), ["one more"]);
}

/// Without server-time a client would show it as sent now.
#[test]
fn replay_without_server_time_has_the_time_in_the_text() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    quit_and_drain(log_in_and_join_room(&server, "bob", ""));
    let spoken = alice.send_and_await_echo("#room", "hello");
    alice.send_and_await_echo("bob", "\u{1}ACTION waves\u{1}");
    let at = time_tag(&spoken)[..16].replace('T', " ");
    let lines = log_in_for_replay(&server, "bob", "");
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
    let told = alice.send_and_await_echo("carol", "welcome, when you come");
    let lines = log_in_for_replay(&server, "carol", OLD_CLIENT_CAPABILITIES);
    assert_eq!(lines.len(), 1);
    assert_eq!((msgid(&lines[0]), lines[0].param(0), lines[0].nick()), (msgid(&told), "carol", "alice"));
    // To the sender's own clients it is an echo, for those with the capability.
    quit_and_drain(alice);
    assert_eq!(message_texts(&log_in_for_replay(&server, "alice", OLD_CLIENT_CAPABILITIES)), [""; 0]);
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    bob.send_and_await_echo("alice", "from bob");
    bob.send_and_await_echo("carol", "from bob");
    assert_eq!(message_texts(&log_in_for_replay(&server, "carol", "server-time")), ["from bob"]);
    quit_and_drain(bob);
    // Messages that one session of an account sends count as seen by the account.
    assert_eq!(log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES), []);
}

/// The configuration's `history.replay`.
#[test]
fn replay_is_limited_by_configuration() {
    let server = server_with(&["history.replay = 3"]);
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    alice.request("JOIN #other");
    let mut bob = log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES);
    bob.request("JOIN #other");
    quit_and_drain(bob);
    let mut carol = Client::login_with(&server, "carol", &history_capabilities());
    for n in 0..5 {
        alice.send_and_await_echo("#room", &format!("room {n}"));
        alice.send_and_await_echo("#other", &format!("other {n}"));
        alice.send_and_await_echo("bob", &format!("alice {n}"));
        carol.send_and_await_echo("bob", &format!("carol {n}"));
    }
    let lines = log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES);
    let of = |target: &str| lines.iter().filter(|l| l.param(0) == target).map(Line::text).collect::<Vec<_>>();
    assert_eq!(of("#room"), ["room 2", "room 3", "room 4"], "the latest of each channel");
    assert_eq!(of("#other"), ["other 2", "other 3", "other 4"]);
    assert_eq!(of("bob"), ["carol 3", "alice 4", "carol 4"], "and of all talks together");

    let server = server_with(&["history.replay = 0"]);
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    quit_and_drain(log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES));
    alice.send_and_await_echo("#room", "for those who ask");
    assert_eq!(log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES), []);
}

/// Replay at a first JOIN; not for clients with history queries.
#[test]
fn first_join_replays_recent_messages() {
    let server = server_with(&["history.replay = 2"]);
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    for n in 0..4 {
        alice.send_and_await_echo("#room", &format!("m{n}"));
    }
    let mut bob = Client::login_with(&server, "bob", OLD_CLIENT_CAPABILITIES);
    let mut modern = Client::login_with(&server, "bob", &history_capabilities());
    let lines = bob.request("@label=j JOIN #room");
    assert_eq!(message_texts(&messages_only(&lines)), ["m2", "m3"]);
    // After the reply to JOIN and not in it.
    let place = |what: &dyn Fn(&Line) -> bool| lines.iter().position(what).expect("it is there");
    assert!(
        place(&|l| l.starts_with("366 bob #room"))
            < place(&|l| l.command == "BATCH" && l.param(0).starts_with('-'))
    );
    assert!(place(&|l| l.command == "BATCH" && l.param(0).starts_with('-')) < place(&|l| l.text() == "m2"));
    assert!(
        messages_only(&lines).iter().all(|l| l.tag("batch").is_none() && l.tag("label").is_none()),
        "{lines:?}"
    );
    assert_eq!(messages_only(&modern.drain()), []);
    // A member gets nothing, and at the next login nothing is new.
    assert_eq!(bob.request("JOIN #room"), []);
    quit_and_drain(bob);
    quit_and_drain(modern);
    assert_eq!(log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES), []);
}

/// <https://ircv3.net/specs/extensions/chathistory#implementation>
#[test]
fn client_with_chathistory_gets_no_replay() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    quit_and_drain(log_in_and_join_room(&server, "bob", &history_capabilities()));
    alice.send_and_await_echo("#room", "missed");
    alice.send_and_await_echo("bob", "missed too");
    assert_eq!(log_in_for_replay(&server, "bob", "draft/chathistory"), []);
    // Bob's old client has missed them all the same.
    assert_eq!(
        message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)),
        ["missed", "missed too"]
    );
}

/// <https://ircv3.net/specs/extensions/message-redaction#chat-history>
#[test]
fn redacted_messages_are_not_replayed() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    quit_and_drain(log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES));
    let oops = alice.send_and_await_echo("#room", "oops");
    alice.send_and_await_echo("#room", "fine");
    alice.request(&format!("REDACT #room {}", msgid(&oops)));
    assert_eq!(
        message_texts(&log_in_for_replay(
            &server,
            "bob",
            &format!("{OLD_CLIENT_CAPABILITIES} draft/message-redaction")
        )),
        ["fine"]
    );
}

/// Messages on their way to a connection that broke may not have arrived, so they are replayed.
#[test]
fn messages_lost_with_a_broken_connection_are_replayed() {
    let mut server = server();
    let home = server.home.clone();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES);
    alice.deliver_message(&mut bob, "#room", "heard");
    bob.barrier();
    alice.send_and_await_echo("#room", "perhaps not heard");
    drop(bob);
    server.wait_for_log(|line| line.contains("disconnected") && line.contains("account=bob"));
    alice.send_and_await_echo("#room", "not heard");
    let bob = Client::login_with(&server, "bob", OLD_CLIENT_CAPABILITIES);
    assert_eq!(message_texts(&messages_only(&bob.welcome)), ["perhaps not heard", "not heard"]);
    quit_and_drain(bob);
    // The same after a crash of the server.
    alice.send_and_await_echo("bob", "kept");
    server.kill9();
    let server = home.serve();
    assert_eq!(message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)), ["kept"]);
}

/// <https://ircv3.net/specs/extensions/chathistory#implementation>: replay and new messages meet without a gap and
/// without an overlap.
#[test]
fn replay_over_many_logins_is_exactly_once() {
    const SAID: usize = 1000;
    // As many as are sent, because a login may take any time on a busy machine.
    let server = server_with(&[&format!("history.replay = {SAID}")]);
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    quit_and_drain(log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES));
    let over = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        scope.spawn(|| {
            for part in 0..SAID / 10 {
                alice.send_all((0..10).map(|n| format!("PRIVMSG #room :{}", part * 10 + n)));
                alice.wait_for_message(&(part * 10 + 9).to_string());
            }
            over.store(true, Ordering::Release);
        });
        let mut seen = Vec::new();
        let mut logins = 0;
        loop {
            let last = over.load(Ordering::Acquire);
            let client = Client::login_with(&server, "bob", OLD_CLIENT_CAPABILITIES);
            seen.extend(messages_only(&client.welcome));
            seen.extend(messages_only(&quit_and_drain(client)));
            logins += 1;
            if last {
                assert!(logins > 2, "{logins} logins while she talked");
                return seen;
            }
        }
    });
    let all: Vec<String> = (0..SAID).map(|n| n.to_string()).collect();
    let texts = message_texts(&seen);
    let wrong = texts.iter().zip(&all).find(|(got, wanted)| got != wanted);
    assert!(texts == all, "{} of {SAID}, {wrong:?}", texts.len());
}

/// A program would answer such requests again: a DCC offer, a VERSION.
#[test]
fn ctcp_requests_are_not_replayed() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    quit_and_drain(log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES));
    for text in ["\u{1}VERSION\u{1}", "\u{1}DCC SEND x 1 2 3\u{1}", "\u{1}ACTION waves\u{1}", "hello"] {
        alice.send_and_await_echo("#room", text);
        alice.send_and_await_echo("bob", text);
        alice.request(&format!("NOTICE #room :{text}"));
    }
    let lines = log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES);
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
    for capabilities in [OLD_CLIENT_CAPABILITIES, "draft/chathistory"] {
        let server = server_with(&["sessions.grace_s = 0"]);
        let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
        quit_and_drain(log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES));
        alice.send_and_await_echo("#room", "missed");
        let mut first = Client::login_with(&server, "bob", capabilities);
        alice.deliver_message(&mut first, "#room", "seen live");
        alice.deliver_message(&mut first, "bob", "seen too");
        let expected: &[&str] = if capabilities == OLD_CLIENT_CAPABILITIES { &[] } else { &["missed"] };
        let second = Client::login_with(&server, "bob", OLD_CLIENT_CAPABILITIES);
        assert_eq!(message_texts(&messages_only(&second.welcome)), expected, "beside {capabilities}");
        quit_and_drain(second);
        quit_and_drain(first);
        alice.send_and_await_echo("#room", "and this");
        assert_eq!(
            message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)),
            ["and this"],
            "behind {capabilities}"
        );
    }
}

/// A session that counted as present turns out to have been broken: no message is lost by it.
#[test]
fn undelivered_messages_are_replayed_to_another_session() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut ghost = log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES);
    alice.deliver_message(&mut ghost, "#room", "heard");
    ghost.barrier();
    alice.send_and_await_echo("#room", "perhaps not heard");
    let mut second = Client::login_with(&server, "bob", OLD_CLIENT_CAPABILITIES);
    assert_eq!(messages_only(&second.welcome), []);
    drop(ghost);
    assert_eq!(second.wait_for_message("perhaps not heard").nick(), "alice");
    alice.deliver_message(&mut second, "#room", "both are here");
    second.barrier();
    assert_eq!(messages_only(&quit_and_drain(second)), []);
    assert_eq!(log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES), [], "once");
}

/// <https://ircv3.net/specs/extensions/read-marker>
#[test]
fn read_messages_are_not_replayed() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES);
    alice.deliver_message(&mut bob, "#room", "before");
    quit_and_drain(bob);
    alice.send_and_await_echo("#room", "read");
    let read = alice.send_and_await_echo("bob", "read too");
    alice.send_and_await_echo("#room", "not read");
    alice.send_and_await_echo("bob", "not read either");
    let mut reader = Client::login_with(&server, "bob", &history_capabilities());
    reader.request(&format!("MARKREAD #room timestamp={}", time_tag(&read)));
    reader.request(&format!("MARKREAD alice timestamp={}", time_tag(&read)));
    quit_and_drain(reader);
    assert_eq!(
        message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)),
        ["not read", "not read either"]
    );
}

#[test]
fn rejoin_replays_messages_since_the_part() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES);
    alice.deliver_message(&mut bob, "#room", "with bob");
    bob.request("PART #room");
    alice.send_and_await_echo("#room", "without bob");
    assert_eq!(message_texts(&messages_only(&bob.request("JOIN #room"))), ["without bob"]);
    alice.request("KICK #room bob");
    bob.wait_for_command("KICK");
    alice.send_and_await_echo("#room", "behind the door");
    assert_eq!(message_texts(&messages_only(&bob.request("JOIN #room"))), ["behind the door"]);
}

/// `NS SET REPLAY`, `parlour user set`, and the mode of bots.
#[test]
fn replay_length_is_an_account_preference() {
    let server = server_with(&["history.replay = 3"]);
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut bob = log_in_and_join_room(&server, "bob", OLD_CLIENT_CAPABILITIES);
    let mut say =
        |texts: &[&str]| texts.iter().for_each(|text| drop(alice.send_and_await_echo("#room", text)));
    let lines = bob.request("NS SET REPLAY 1");
    assert!(lines[0].text().starts_with("Up to 1 missed message"), "{lines:?}");
    for wrong in ["101", "-1", "many", ""] {
        assert!(bob.request(&format!("NS SET REPLAY {wrong}"))[0].text().starts_with("Usage: SET REPLAY"));
    }
    quit_and_drain(bob);
    say(&["one", "two"]);
    assert_eq!(message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)), ["two"]);
    // The setting belongs to the account, survives a restart, and an admin can set it.
    let home = server.home.clone();
    server.terminate();
    let server = home.serve();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut say =
        |texts: &[&str]| texts.iter().for_each(|text| drop(alice.send_and_await_echo("#room", text)));
    say(&["three", "four"]);
    assert_eq!(message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)), ["four"]);
    home.succeed(&["user", "set", "bob", "replay", "0"]);
    say(&["five"]);
    assert_eq!(log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES), []);
    home.succeed(&["user", "set", "bob", "replay", "default"]);
    say(&["six", "seven", "eight", "nine"]);
    assert_eq!(
        message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)),
        ["seven", "eight", "nine"]
    );
    assert!(home.fail(&["user", "set", "bob", "replay", "101"]).contains("0 to 100"));
    // A bot gets no replay.
    let mut bob = Client::login_with(&server, "bob", OLD_CLIENT_CAPABILITIES);
    bob.request("MODE bob +B");
    quit_and_drain(bob);
    say(&["ten"]);
    assert_eq!(log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES), []);
    home.succeed(&["user", "set", "bob", "bot", "off"]);
    say(&["eleven"]);
    assert_eq!(message_texts(&log_in_for_replay(&server, "bob", OLD_CLIENT_CAPABILITIES)), ["eleven"]);
}
