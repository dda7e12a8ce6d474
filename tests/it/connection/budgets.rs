//! Accounts with many sessions: limits apply to the account, and one account delays no other.

use crate::support::{Client, Server, log_in_and_join, server_with};

fn read_metric(server: &Server, name: &str) -> f64 {
    let text = server.home.succeed(&["metrics"]);
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    line.trim().parse().expect("a number")
}

#[test]
fn excess_session_is_closed_with_the_reason() {
    let server = server_with(&["limits.sessions_per_account = 2"]);
    let (mut one, mut two) = (Client::login(&server, "alice"), Client::login(&server, "alice"));
    let mut bob = Client::login(&server, "bob");
    one.request("JOIN #room");
    bob.request("JOIN #room");
    let mut three = Client::connect(&server);
    three.begin_login("alice", "standard-replies");
    three.authenticate_with_password("alice");
    three.send("CAP END");
    let lines = three.read_until_closed();
    let [.., fail, error] = &lines[..] else { panic!("{lines:?}") };
    assert!(fail.starts_with("FAIL * TOO_MANY_SESSIONS"), "{fail}");
    assert!(error.command == "ERROR" && error.text().contains("2 sessions"), "{error}");
    assert!(lines.iter().all(|line| line.command != "001"), "{lines:?}");
    one.drain();
    two.drain();
    one.deliver_message(&mut two, "#room", "both are here");
    two.deliver_message(&mut bob, "#room", "and heard");
    assert!((read_metric(&server, "parlour_sessions_refused_total ") - 1.0).abs() < 0.5);
    two.send("QUIT");
    two.read_until_closed();
    let mut four = Client::login(&server, "alice");
    four.deliver_message(&mut bob, "#room", "there is room again");
}

/// Parlour's own client shows the refusal as a sentence.
#[test]
fn client_reports_too_many_sessions() {
    let server = server_with(&["limits.sessions_per_account = 1"]);
    let _alice = Client::login(&server, "alice");
    let mut again = Client::connect(&server);
    again.begin_login("alice", "");
    again.authenticate_with_password("alice");
    again.send("CAP END");
    let last = again.read_until_closed().pop().expect("a last line");
    assert_eq!(last.to_string(), "ERROR Your account has 1 session, the maximum; end one of them first");
}

#[test]
fn sessions_of_an_account_share_its_budget() {
    let server =
        server_with(&["limits.flood = true", "limits.messages_per_second = 400", "limits.burst = 20"]);
    let mut alice: Vec<Client> = (0..3).map(|_| Client::login(&server, "alice")).collect();
    let mut bob = Client::in_channel(&server, "bob", "#room");
    alice[0].request("JOIN #room");
    alice.iter_mut().for_each(Client::barrier);
    for (n, client) in alice.iter_mut().enumerate() {
        client.send_all((0..150).map(|line| format!("PRIVMSG #room :{n} {line}")));
    }
    let mut next = [0; 3];
    while next != [150; 3] {
        let line = bob.wait_for_line("all of them", |line| line.command == "PRIVMSG");
        let (n, count) = line.text().split_once(' ').map(|(n, c)| (n.to_owned(), c.to_owned())).expect("two");
        let n: usize = n.parse().expect("a number");
        assert_eq!(count, next[n].to_string(), "in order, each once");
        next[n] += 1;
    }
    assert!(read_metric(&server, "parlour_accounts_throttled_total ") > 1.0);
}

#[test]
fn throttled_lines_are_processed_after_disconnect() {
    let server =
        server_with(&["limits.flood = true", "limits.messages_per_second = 200", "limits.burst = 5"]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    alice.send_all((0..60).map(|n| format!("PRIVMSG #room :{n}")).chain(["QUIT :done".to_owned()]));
    drop(alice);
    for n in 0..60 {
        bob.wait_for_message(&n.to_string());
    }
    assert_eq!(bob.wait_for_command("QUIT").text(), "Quit: done");
}

#[test]
fn expensive_commands_do_not_delay_another_account() {
    let server = server_with(&["limits.flood = true"]);
    let mut alice: Vec<Client> = (0..4).map(|_| Client::login(&server, "alice")).collect();
    let mut bob = Client::login(&server, "bob");
    for client in &mut alice {
        client.send_all((0..200).map(|_| "WHO *".to_owned()));
    }
    // Alice's commands take a minute at ten a second; bob's replies do not wait for them.
    for n in 0..20 {
        bob.send(&format!("PING {n}"));
        assert_eq!(bob.wait_for_command("PONG").text(), n.to_string());
    }
    assert!(read_metric(&server, "parlour_accounts_throttled_total ") >= 1.0);
}

#[test]
fn lines_beyond_the_inbox_are_read_later_intact() {
    let server = server_with(&[]);
    let mut alice = Client::login(&server, "alice");
    // Many lines in one TLS record, a long one among them, the last one in two parts.
    let mut bytes: Vec<u8> = (0..3000).flat_map(|n| format!("PING {n}\r\n\r\n").into_bytes()).collect();
    bytes.extend(format!("PRIVMSG alice :{}\r\n", "y".repeat(9000)).into_bytes());
    bytes.extend(b"PING la");
    alice.send_bytes(&bytes).expect("the server reads");
    for n in 0..3000 {
        let pong = alice.wait_for_line("a PONG", |line| line.command == "PONG");
        assert_eq!(pong.text(), n.to_string());
    }
    alice.wait_for_command("417");
    alice.send("st");
    assert_eq!(alice.wait_for_command("PONG").text(), "last");
}
