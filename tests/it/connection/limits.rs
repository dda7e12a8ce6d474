//! Limits on the input of one client, and on the send queue of a slow reader.

use crate::support::{Client, LONG, server_with};

#[test]
fn flood_is_slowed_without_loss() {
    let server =
        server_with(&["limits.flood = true", "limits.messages_per_second = 100", "limits.burst = 10"]);
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    alice.drain();
    let started = std::time::Instant::now();
    alice.send_all((0..150).map(|n| format!("PRIVMSG #room :{n}")));
    for n in 0..150 {
        assert_eq!(bob.command("PRIVMSG #room").text(), n.to_string());
    }
    alice.send("PING after-all-that");
    // A client within the limits is not delayed by one that exceeds them.
    let quick = std::time::Instant::now();
    bob.send("PRIVMSG bob :quick");
    bob.message("quick");
    let quick = quick.elapsed();
    alice.command("PONG");
    let all = started.elapsed();
    assert!(all.as_millis() > 1000, "150 lines at 100 a second took {all:?}");
    assert!(quick * 2 < all, "bob waited {quick:?} of {all:?}");
}

#[test]
fn single_cap_requests_are_no_flood() {
    let server = server_with(&["limits.flood = true", "limits.messages_per_second = 1", "limits.burst = 5"]);
    let mut client = Client::connect(&server);
    client.send_all((0..30).map(|n| format!("CAP REQ no-such/capability-{n}")));
    let started = std::time::Instant::now();
    for _ in 0..30 {
        client.command("CAP * NAK");
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn slow_reader_is_closed_with_the_reason_and_without_gaps() {
    let server = server_with(&["limits.send_queue_bytes = 65536", "sessions.grace_s = 0"]);
    let [mut alice, mut bob, mut deaf] =
        ["alice", "bob", "carol"].map(|name| Client::login_with(&server, name, LONG));
    for client in [&mut alice, &mut bob, &mut deaf] {
        client.request("JOIN #room");
    }
    // Far more than the queue and the sockets' buffers hold, while carol reads nothing.
    let padding = "x".repeat(1900);
    let mut sent = 0;
    let mut closed = false;
    while !closed {
        // Little enough that those who read stay within their limit.
        for _ in 0..10 {
            alice.send(&format!("PRIVMSG #room :{sent} {padding}"));
            sent += 1;
        }
        let last = format!("{} {padding}", sent - 1);
        bob.message(&last);
        while let Some(line) = alice.next() {
            closed |= line.is("QUIT") && line.nick() == "carol";
            if line.text() == last {
                break;
            }
        }
        assert!(sent < 100_000, "carol is never closed");
    }
    let lines = deaf.until_closed();
    let numbers: Vec<usize> = lines
        .iter()
        .filter(|l| l.command == "PRIVMSG")
        .map(|l| l.text().split(' ').next().and_then(|n| n.parse().ok()).expect("a number"))
        .collect();
    assert!(numbers.iter().enumerate().all(|(n, got)| n == *got), "a gap in {numbers:?}");
    assert!(numbers.len() < sent);
    let last = lines.last().expect("a last word");
    assert!(last.is("ERROR") && last.text().contains("slow"), "{last}");
    let counted = server.home.succeed(&["metrics"]);
    assert!(counted.contains("\nparlour_slow_clients_closed_total 1\n"), "{counted}");
}

/// `SAFELIST` (<https://modern.ircdocs.horse/#safelist-parameter>): no list is too long for the requester's send queue.
#[test]
fn reply_longer_than_the_send_queue_arrives_in_order() {
    let server = server_with(&["limits.send_queue_bytes = 65536"]);
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    bob.request("JOIN #talk");
    let topic = "x".repeat(380);
    for tens in 0..24 {
        let names: Vec<String> = (0..10).map(|n| format!("#channel-{tens}-{n}")).collect();
        alice.send(&format!("JOIN {}", names.join(",")));
        alice.send_all(names.iter().map(|name| format!("TOPIC {name} :{topic}")));
        alice.barrier();
    }
    alice.send_all(["@label=all LIST", "@label=again LIST", "JOIN #talk", "PING after"].map(str::to_owned));
    let mut answers = Vec::new();
    let lines: Vec<_> = std::iter::from_fn(|| alice.next().filter(|line| !line.is("PONG"))).collect();
    for line in &lines {
        match line.command.as_str() {
            "BATCH" if line.param(0).starts_with('+') => answers.push(0),
            "322" => *answers.last_mut().expect("in a batch") += 1,
            _ => {}
        }
    }
    assert_eq!(answers, [241, 241]);
    let at = |command: &str| lines.iter().rposition(|line| line.is(command));
    assert!(at("322") < at("JOIN #talk"), "the answer comes before what was asked later");
    alice.message_to(&mut bob, "#talk", "still here");
    // The welcome of a member of all these channels is longer than the queue too.
    let again = Client::login(&server, "alice");
    assert_eq!(again.welcome.iter().filter(|line| line.is("366")).count(), 241);
}
