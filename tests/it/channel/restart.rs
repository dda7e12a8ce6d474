//! Channels over a restart of the server.

use crate::support::{Client, Home, log_in_and_join, names_reply, server, without_tags};

/// Member status belongs to accounts (ARCHITECTURE.md).
#[test]
fn member_status_and_lists_survive_part_kick_and_restart() {
    let home = Home::with_accounts(&["sessions.grace_s = 0"]);
    let mut server = home.serve();
    let [mut alice, mut bob, mut carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#room");
    alice.request("MODE #room +okl-n bob sesame 30");
    alice.request("MODE #room +beI mallory a:trent *@host");
    bob.request("PART #room");
    alice.request("PRIVMSG #room :worth keeping");
    carol.drain();
    let lines = bob.request("JOIN #room sesame");
    assert!(lines.iter().any(|line| line.command == "353" && line.text().contains("@bob")), "{lines:?}");
    // The others learn of bob's status at the JOIN.
    assert_eq!(without_tags(&carol.drain()), ["JOIN #room", "MODE #room +o bob"]);
    alice.request("KICK #room bob");
    bob.request("JOIN #room sesame");
    assert_eq!(names_reply(&mut bob, "#room"), ["@bob", "carol", "~@alice"]);
    for client in [alice, bob, carol] {
        client.close();
    }
    server.kill9();
    drop(server);
    let server = home.serve();
    let mut alice = Client::login(&server, "alice");
    assert_eq!(names_reply(&mut alice, "#room"), ["~@alice"]);
    let mut bob = Client::login(&server, "bob");
    assert_eq!(without_tags(&alice.drain()), ["JOIN #room", "MODE #room +o bob"]);
    assert_eq!(names_reply(&mut bob, "#room"), ["@bob", "~@alice"]);
    let lines = bob.request("MODE #room");
    assert_eq!(lines[0].to_string(), "324 bob #room +kl sesame 30");
    let masks =
        |list: &str, bob: &mut Client| bob.request(&format!("MODE #room {list}"))[0].param(2).to_owned();
    for (list, mask) in [("b", "mallory!*@*"), ("e", "a:trent"), ("I", "*!*@host")] {
        assert_eq!(masks(list, &mut bob), mask);
    }
}

/// Redirections are durable.
#[test]
fn renamed_channel_survives_a_restart() {
    let mut server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#old");
    alice.request("MODE #old +v bob");
    alice.request("RENAME #old #new");
    bob.drain();
    bob.request("PART #new");
    let home = server.home.clone();
    server.kill9();
    drop(server);
    let server = home.serve();
    let mut alice = Client::login(&server, "alice");
    assert_eq!(names_reply(&mut alice, "#new"), ["~@alice"]);
    let mut bob = Client::login(&server, "bob");
    let lines = bob.request("JOIN #old");
    assert!(lines[0].starts_with("470 bob #old #new") && lines[1].starts_with("JOIN #new"), "{lines:?}");
    assert_eq!(names_reply(&mut bob, "#new"), ["+bob", "~@alice"]);
}
