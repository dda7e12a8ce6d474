//! Access to the history, and the replies to queries that are refused.
//!
//! <https://ircv3.net/specs/extensions/chathistory#errors-and-warnings>

use crate::support::history::{history_capabilities, log_in_and_join_room, message_texts, msgid};
use crate::support::{Client, server};

/// <https://ircv3.net/specs/extensions/chathistory#security-considerations>: only members read a channel's history.
#[test]
fn channel_history_requires_membership() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let mut carol = Client::login_with(&server, "carol", &history_capabilities());
    let said = alice.send_and_await_echo("#room", "among us");
    let asks = ["LATEST #room * 5".to_owned(), format!("AROUND #room msgid={} 5", msgid(&said))];
    let refused = |carol: &mut Client| {
        for ask in &asks {
            let fail = carol.expect_failure(&format!("CHATHISTORY {ask}"));
            let subcommand = ask.split(' ').next().expect("a word");
            assert!(
                fail.starts_with(&format!("FAIL CHATHISTORY INVALID_TARGET {subcommand} #room")),
                "{fail}"
            );
        }
        let (old, new) = ("timestamp=2000-01-01T00:00:00.000Z", "timestamp=2100-01-01T00:00:00.000Z");
        assert_eq!(carol.query_history(&format!("TARGETS {old} {new} 5")), []);
    };
    refused(&mut carol);
    carol.request("JOIN #room");
    assert_eq!(message_texts(&carol.query_history(&asks[0])), ["among us"]);
    carol.request("PART #room");
    refused(&mut carol);
    carol.request("JOIN #room");
    alice.request("KICK #room carol :out");
    carol.wait_for_command("KICK #room carol");
    refused(&mut carol);
    // A channel that does not exist looks the same.
    let there = carol.expect_failure("CHATHISTORY LATEST #room * 5").to_string();
    let nowhere = carol.expect_failure("CHATHISTORY LATEST #nowhere * 5").to_string();
    assert_eq!(there.replace("#room", "#nowhere"), nowhere);
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>: a nick's history has both directions.
#[test]
fn direct_history_is_readable_by_both_accounts() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    let mut carol = Client::login_with(&server, "carol", &history_capabilities());
    let question = alice.send_and_await_echo("bob", "how are you?");
    bob.send_and_await_echo("alice", "fine");
    bob.send_and_await_echo("carol", "something else");
    let shown = |client: &mut Client, target: &str| {
        client.send(&format!("CHATHISTORY LATEST {target} * 50"));
        let (start, lines) = client.read_batch();
        let lines = lines.iter().map(|l| format!("{} > {}: {}", l.nick(), l.param(0), l.text()));
        (start.param(2).to_owned(), lines.collect::<Vec<_>>())
    };
    let talk = ["alice > bob: how are you?", "bob > alice: fine"].map(str::to_owned).to_vec();
    assert_eq!(shown(&mut alice, "BOB"), ("BOB".to_owned(), talk.clone()));
    assert_eq!(shown(&mut bob, "alice"), ("alice".to_owned(), talk));
    // A third account that names either of them reads its own conversation with that one, which is empty.
    assert_eq!(shown(&mut carol, "alice").1, [""; 0]);
    assert_eq!(shown(&mut carol, "bob").1, ["bob > carol: something else"]);
    let around = format!("AROUND bob msgid={} 50", msgid(&question));
    assert_eq!(message_texts(&carol.query_history(&around)), ["something else"]);
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-command>
#[test]
fn messages_to_oneself_have_a_history() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    alice.send_and_await_echo("alice", "buy milk");
    let lines = alice.query_history("LATEST alice * 5");
    assert_eq!(
        (message_texts(&lines), lines[0].nick(), lines[0].param(0)),
        (vec!["buy milk"], "alice", "alice")
    );
}

/// <https://ircv3.net/specs/extensions/chathistory#errors-and-warnings>
#[test]
fn malformed_history_queries_are_refused() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    let time = "timestamp=2024-01-01T00:00:00.000Z";
    for (ask, answer) in [
        (String::new(), "INVALID_PARAMS"),
        ("LATEST".into(), "INVALID_PARAMS LATEST"),
        ("LATEST #room".into(), "INVALID_PARAMS LATEST"),
        ("LATEST #room *".into(), "INVALID_PARAMS LATEST"),
        ("LATEST #room * 5 6".into(), "INVALID_PARAMS LATEST"),
        ("LATEST #room * many".into(), "INVALID_PARAMS LATEST"),
        ("LATEST #room * -1".into(), "INVALID_PARAMS LATEST"),
        ("SOON #room * 5".into(), "INVALID_PARAMS SOON"),
        (format!("BETWEEN #room {time} 5"), "INVALID_PARAMS BETWEEN"),
        (format!("TARGETS {time} 5"), "INVALID_PARAMS TARGETS"),
        ("BEFORE #room timestamp=noon 5".into(), "INVALID_PARAMS BEFORE timestamp=noon"),
        ("AFTER #room timestamp=2024-13-01T00:00:00.000Z 5".into(), "INVALID_PARAMS AFTER"),
        ("AROUND #room timestamp= 5".into(), "INVALID_PARAMS AROUND timestamp="),
        ("BEFORE #room id=5 5".into(), "INVALID_MSGREFTYPE BEFORE #room"),
        (format!("BETWEEN #room {time} id=5 5"), "INVALID_MSGREFTYPE BETWEEN #room"),
        ("LATEST nobody * 5".into(), "INVALID_TARGET LATEST nobody"),
        ("LATEST #bad,name * 5".into(), "INVALID_TARGET LATEST #bad,name"),
        (format!("BETWEEN #nowhere {time} {time} 5"), "INVALID_TARGET BETWEEN #nowhere"),
    ] {
        let fail = alice.expect_failure(&format!("CHATHISTORY {ask}"));
        assert!(fail.starts_with(&format!("FAIL CHATHISTORY {answer}")), "{ask:?}: {fail}");
        assert!(fail.text().contains(' '), "it says why in words: {fail}");
    }
}

/// <https://ircv3.net/specs/extensions/chathistory#implementation>: the capability MUST be negotiated.
#[test]
fn history_requires_the_capability() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", "batch server-time message-tags");
    alice.request("PRIVMSG #room :hello");
    alice.expect_failure("CHATHISTORY LATEST #room * 5");
    alice.request_capabilities("draft/chathistory");
    assert_eq!(message_texts(&alice.query_history("LATEST #room * 5")), ["hello"]);
}

/// <https://ircv3.net/specs/extensions/chathistory#introduction>
#[test]
fn history_survives_a_crash() {
    let mut server = server();
    let home = server.home.clone();
    let mut alice = log_in_and_join_room(&server, "alice", &history_capabilities());
    alice.send_and_await_echo("#room", "in the channel");
    alice.send_and_await_echo("bob", "between us");
    let before = (alice.query_history("LATEST #room * 5"), alice.query_history("LATEST bob * 5"));
    server.kill9();
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    assert_eq!((alice.query_history("LATEST #room * 5"), alice.query_history("LATEST bob * 5")), before);
    let after = alice.send_and_await_echo("#room", "after it");
    assert!(msgid(&after) > msgid(&before.1[0]), "ids go on");
}
