//! Messages on their way through the store: order, ids and durability.

use crate::support::{ALL_CAPABILITIES, Client, Home, Server, log_in_and_join, server};

#[test]
fn all_members_see_the_same_order() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    std::thread::scope(|scope| {
        for client in [&mut alice, &mut bob] {
            scope.spawn(move || client.send_all((0..500).map(|n| format!("PRIVMSG #room :{n}"))));
        }
    });
    let take = |client: &mut Client| -> Vec<(String, String, String)> {
        std::iter::from_fn(|| Some(client.wait_for_command("PRIVMSG #room")))
            .take(1000)
            .map(|l| (l.tag("msgid").expect("a msgid").to_owned(), l.nick().to_owned(), l.text().to_owned()))
            .collect()
    };
    let (seen, also) = (take(&mut alice), take(&mut bob));
    assert!(seen == also, "two members saw different orders");
    assert!(seen.is_sorted_by(|a, b| a.0 < b.0), "ids grow in the order of delivery");
    for nick in ["alice", "bob"] {
        let own: Vec<&str> = seen.iter().filter(|(_, n, _)| n == nick).map(|(_, _, t)| t.as_str()).collect();
        assert!(own.iter().enumerate().all(|(n, t)| *t == n.to_string()), "{nick}'s own order");
    }
}

#[test]
fn repeated_send_id_is_one_message() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &format!("{ALL_CAPABILITIES} parlour/send-id"));
    let mut bob = Client::login(&server, "bob");
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    let send = "@parlour/send-id=first PRIVMSG #room :once";
    alice.send(send);
    let echo = alice.wait_for_message("once");
    alice.send(send);
    let again = alice.wait_for_message("once");
    assert_eq!(echo.tag("msgid"), again.tag("msgid"));
    assert_eq!(echo.tag("time"), again.tag("time"));
    // Over another connection, as after a break, and pipelined.
    let mut back = Client::login_with(&server, "alice", &format!("{ALL_CAPABILITIES} parlour/send-id"));
    back.send_bytes(format!("{send}\r\n{send}\r\n").as_bytes()).expect("the server reads");
    for _ in 0..2 {
        assert_eq!(back.wait_for_message("once").tag("msgid"), echo.tag("msgid"));
    }
    // Another id is another message, and so is the same id from another account.
    back.send("@parlour/send-id=second PRIVMSG #room :once");
    assert_ne!(back.wait_for_message("once").tag("msgid"), echo.tag("msgid"));
    bob.send("PRIVMSG #room :the end");
    let texts: Vec<String> =
        bob.drain().into_iter().filter(|l| l.command == "PRIVMSG").map(|l| l.text().to_owned()).collect();
    assert_eq!(texts, ["once", "once", "the end"]);
    let count = server.home.count("SELECT count(*) FROM messages WHERE kind < 2");
    assert_eq!(count, 3);
}

#[test]
fn send_ids_are_per_account_and_survive_restart() {
    let mut server = server();
    let home = server.home.clone();
    let capabilities = format!("{ALL_CAPABILITIES} parlour/send-id");
    let login = |server: &Server, name| {
        let mut client = Client::login_with(server, name, &capabilities);
        client.request("JOIN #room");
        client
    };
    let send = "@parlour/send-id=7 PRIVMSG #room :kept";
    let (mut alice, mut bob) = (login(&server, "alice"), login(&server, "bob"));
    alice.send(send);
    let id = alice.wait_for_message("kept").tag("msgid").map(str::to_owned);
    bob.drain();
    bob.send(send);
    assert_ne!(bob.wait_for_message("kept").tag("msgid"), id.as_deref());
    server.kill9();
    let server = home.serve();
    let mut alice = login(&server, "alice");
    alice.send(send);
    assert_eq!(alice.wait_for_message("kept").tag("msgid"), id.as_deref());
}

#[test]
fn message_is_on_disk_before_its_echo() {
    let home = Home::with_accounts(&[]);
    let mut server = home.serve();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let (echo, _) = alice.deliver_message(&mut bob, "#room", "durable");
    server.kill9();
    let (id, text): (i64, String) = home
        .database()
        .query_row("SELECT id, text FROM messages WHERE kind < 2", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("one message");
    assert_eq!(
        (format!("{id:016x}").as_str(), text.as_str()),
        (echo.tag("msgid").expect("a msgid"), "durable")
    );
}
