//! Accounts with several sessions, and memberships that last.

use crate::support::{Client, Line, log_in_and_join, names_reply, server, server_with};

fn without_tags(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|l| format!("{} {l}", l.nick())).collect()
}

#[test]
fn sessions_of_an_account_share_nick_and_channels() {
    let server = server();
    let mut laptop = Client::login(&server, "alice");
    let mut bob = Client::login(&server, "bob");
    laptop.request("JOIN #room");
    bob.request("JOIN #room");
    laptop.drain();

    let mut phone = Client::login(&server, "alice");
    let joined: Vec<&str> =
        phone.welcome.iter().filter(|l| l.command == "JOIN").map(|l| l.param(0)).collect();
    assert_eq!(joined, ["#room"], "the channels come without asking");
    assert!(phone.welcome.iter().any(|l| l.starts_with("366 alice #room")), "{:?}", phone.welcome);
    // Other members get no line.
    assert_eq!(bob.drain(), []);

    // Each session sees the messages of the other one, and those to the account.
    laptop.send("PRIVMSG #room :from the laptop");
    let ids = [&mut laptop, &mut phone, &mut bob]
        .map(|c| c.wait_for_message("from the laptop").tag("msgid").map(str::to_owned));
    assert!(ids[0].is_some() && ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
    phone.send("PRIVMSG bob :psst");
    for client in [&mut laptop, &mut phone, &mut bob] {
        assert_eq!(client.wait_for_message("psst").param(0), "bob");
    }
    bob.send("PRIVMSG alice :yes?");
    for client in [&mut laptop, &mut phone, &mut bob] {
        client.wait_for_message("yes?");
    }
    // A JOIN or PART of one session applies to all of them.
    phone.request("JOIN #other");
    laptop.wait_for_command("JOIN #other");
    laptop.wait_for_command("366 alice #other");
    laptop.request("PART #other");
    phone.wait_for_command("PART #other");
}

#[test]
fn own_messages_reach_other_sessions_without_echo_message() {
    let server = server();
    let mut old = Client::login_with(&server, "alice", "");
    let mut new = Client::login(&server, "alice");
    old.request("JOIN #room");
    new.drain();
    assert_eq!(old.request("PRIVMSG #room :from the old one"), []);
    new.wait_for_message("from the old one");
    // A session without echo-message still gets its account's messages from other sessions.
    new.send("PRIVMSG #room :from the new one");
    assert_eq!(old.wait_for_message("from the new one").nick(), "alice");
}

#[test]
fn account_quits_with_its_last_session() {
    let server = server();
    let mut bob = Client::in_channel(&server, "bob", "#room");
    let mut laptop = Client::in_channel(&server, "alice", "#room");
    let mut phone = Client::login(&server, "alice");
    bob.drain();

    laptop.send("QUIT :battery");
    let last = laptop.read_until_closed();
    assert!(last.last().is_some_and(|l| l.command == "ERROR"), "{last:?}");
    phone.barrier();
    assert_eq!(bob.drain(), [], "the phone is still there");
    phone.send("QUIT :good night");
    phone.read_until_closed();
    let quit = bob.wait_for_command("QUIT");
    assert_eq!((quit.nick(), quit.text()), ("alice", "Quit: good night"));
    assert_eq!(names_reply(&mut bob, "#room"), ["~@bob"]);
}

#[test]
fn membership_is_restored_at_login() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    alice.request("JOIN #one,#two,#three");
    alice.request("TOPIC #two :The second");
    alice.request("PART #three");
    bob.request("JOIN #two");
    alice.send("QUIT");
    alice.read_until_closed();
    bob.wait_for_command("QUIT");

    let mut alice = Client::login(&server, "alice");
    let mut joined: Vec<&str> =
        alice.welcome.iter().filter(|l| l.command == "JOIN").map(|l| l.param(0)).collect();
    joined.sort_unstable();
    assert_eq!(joined, ["#one", "#two"], "and not the one that was parted");
    let two: Vec<&Line> = alice.welcome.iter().skip_while(|l| !l.starts_with("JOIN #two")).take(5).collect();
    assert_eq!(
        two.iter().map(|l| l.command.as_str()).collect::<Vec<_>>(),
        ["JOIN", "332", "333", "353", "366"]
    );
    assert_eq!(two[1].text(), "The second");
    // The others see alice join.
    assert_eq!(without_tags(&bob.drain()), ["alice JOIN #two", "chat.parlour MODE #two +qo alice alice"]);
    alice.deliver_message(&mut bob, "#two", "back again");
}

#[test]
fn membership_and_topics_survive_a_crash() {
    let mut server = server();
    let home = server.home.clone();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    alice.request("TOPIC #room :Lasting");
    server.kill9();
    let server = home.serve();
    let alice = Client::login(&server, "alice");
    assert!(alice.welcome.iter().any(|l| l.starts_with("JOIN #room")), "{:?}", alice.welcome);
    assert!(alice.welcome.iter().any(|l| l.to_string() == "332 alice #room Lasting"), "{:?}", alice.welcome);
}

#[test]
fn broken_connection_ends_the_session() {
    let server = crate::support::server_with(&["sessions.grace_s = 0"]);
    let [alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    drop(alice);
    let quit = bob.wait_for_command("QUIT");
    assert_eq!(quit.nick(), "alice");
    assert!(!quit.text().is_empty() && !quit.text().starts_with("Quit"), "it says how she went: {quit}");
}

#[test]
fn client_that_does_not_read_is_closed() {
    let server = server_with(&["limits.send_queue_bytes = 65536"]);
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login_with(&server, "bob", ""));
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    alice.drain();
    // More than the kernel's buffers hold, and then the send queue.
    let mut carol = Client::login_with(&server, "carol", "");
    for _ in 0..64 {
        carol.send_all((0..128).map(|_| format!("PRIVMSG bob :{}", "x".repeat(1900))));
        carol.barrier();
    }
    let quit = alice.wait_for_command("QUIT");
    assert_eq!(quit.nick(), "bob");
    assert!(quit.text().contains("SendQ"), "{quit}");
    server.wait_for_log(|line| line.contains("disconnected") && line.contains("account=bob"));
}

#[test]
fn error_line_reaches_a_client_that_is_still_sending() {
    let server = server();
    for _ in 0..5 {
        let mut alice = Client::login(&server, "alice");
        let more =
            ["QUIT :bye\r\n".to_owned(), format!("PING {}\r\n", "x".repeat(1000)).repeat(200)].concat();
        alice.send_bytes(more.as_bytes()).expect("the server listens to the end");
        let last = alice.read_until_closed();
        assert!(last.last().is_some_and(|l| l.command == "ERROR"), "{last:?}");
    }
}
