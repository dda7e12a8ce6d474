//! Removal of channels and accounts, and of the state that depends on them.

use crate::support::{
    Client, Home, assert_refused, commands, log_in_and_join, names_reply, only_line, request_one_line,
    server_with, without_tags,
};

/// A channel without anything worth keeping is removed with its last member, and all of its state with it.
/// <https://modern.ircdocs.horse/#channels>
#[test]
fn empty_channel_is_removed_with_its_state() {
    let mut server = server_with(&["sessions.grace_s = 0"]);
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    for client in [&mut alice, &mut bob] {
        client.request("JOIN #first");
    }
    // Member statuses, an invitation and an old name depend on it; none is a reason to keep it.
    alice.request("MODE #first +o bob");
    alice.request("INVITE carol #first");
    alice.request("RENAME #first #second");
    for client in [&mut alice, &mut bob] {
        client.request("PART #second");
        client.drain();
    }
    assert_eq!(commands(&alice.request("LIST")), ["321", "323"]);
    assert_eq!(commands(&bob.request("JOIN #first,#second")).iter().filter(|c| **c == "JOIN").count(), 2);
    assert_eq!(
        (names_reply(&mut bob, "#first"), names_reply(&mut bob, "#second")),
        (vec!["~@bob".into()], vec!["~@bob".into()])
    );
    bob.request("MODE #first +i");
    let mut carol = Client::login(&server, "carol");
    assert_refused(&mut carol, "JOIN #first", "473 carol #first");
    // Later changes are as durable as announced.
    bob.deliver_message(&mut Client::login(&server, "bob"), "#first", "still here");
    let home = server.home.clone();
    server.kill9();
    drop(server);
    let server = home.serve();
    let mut bob = Client::login(&server, "bob");
    let mut channels: Vec<&str> =
        bob.welcome.iter().filter(|line| line.command == "JOIN").map(|line| line.param(0)).collect();
    channels.sort_unstable();
    assert_eq!(channels, ["#first", "#second"]);
    assert_eq!(names_reply(&mut bob, "#first"), ["~@bob"]);
}

/// Invitations outlast the invitee's absence and a restart, and are good for one JOIN.
/// <https://modern.ircdocs.horse/#invite-message>
#[test]
fn channel_with_a_pending_invitation_is_kept() {
    let mut server = server_with(&["sessions.grace_s = 0"]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    alice.request("MODE #room +ik sesame");
    bob.request("PART #room");
    alice.drain();
    assert_eq!(
        request_one_line(&mut alice, "INVITE carol #room"),
        "341 alice carol #room",
        "who is not there now"
    );
    assert_eq!(request_one_line(&mut alice, "INVITE bob #room"), "341 alice bob #room");
    assert!(commands(&bob.request("JOIN #room")).contains(&"JOIN"), "an invitation opens every lock");
    bob.request("PART #room");
    let home = server.home.clone();
    server.kill9();
    drop(server);
    let server = home.serve();
    let (mut bob, mut carol) = (Client::login(&server, "bob"), Client::login(&server, "carol"));
    assert_refused(&mut bob, "JOIN #room", "473 bob #room");
    assert!(carol.request("JOIN #room")[0].starts_with("JOIN #room"));
    carol.request("PART #room");
    assert_refused(&mut carol, "JOIN #room", "473 carol #room");
}

/// A removed account loses its member statuses, but its actions for others stay.
#[test]
fn channels_of_a_removed_account_stay_with_their_members() {
    let home = Home::with_accounts(&["sessions.grace_s = 0"]);
    home.import(&["mallory"]);
    let mut server = home.serve();
    let [mut mallory, mut alice, mut bob] = log_in_and_join(&server, ["mallory", "alice", "bob"], "#room");
    mallory.request("MODE #room +ob alice nobody");
    mallory.request("TOPIC #room :mine");
    mallory.request("INVITE carol #room");
    bob.request("MONITOR + mallory");
    bob.drain();
    alice.request("JOIN #den");
    alice.request("INVITE mallory #den");
    home.succeed(&["user", "remove", "--yes", "mallory"]);
    let farewell = mallory.read_until_closed();
    assert!(farewell.last().expect("a last word").starts_with("ERROR"), "{farewell:?}");
    let told = bob.drain();
    assert_eq!(commands(&told).iter().filter(|c| **c == "QUIT").count(), 1, "{told:?}");
    assert!(only_line(&told, "731").starts_with("731 bob mallory"));
    alice.drain();
    assert_refused(&mut alice, "MODE #room +v mallory", "401 alice mallory");
    assert_eq!(names_reply(&mut alice, "#room"), ["@alice", "bob"]);
    assert_eq!(only_line(&alice.request("MODE #room b"), "367").param(3), "mallory");
    assert_eq!(without_tags(&alice.request("TOPIC #room"))[0], "332 alice #room mine");
    alice.deliver_message(&mut bob, "#room", "good riddance");
    server.kill9();
    drop(server);
    let server = home.serve();
    let mut alice = Client::login(&server, "alice");
    assert_eq!(names_reply(&mut alice, "#room"), ["@alice"]);
}
