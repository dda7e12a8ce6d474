//! Limits on the input of one client, and on the send queue of a slow reader.

use crate::support::history::time_tag;
use crate::support::{Client, LONG_LINE_CAPABILITIES, log_in_and_join, server_with};

#[test]
fn flood_is_slowed_without_loss() {
    let server =
        server_with(&["limits.flood = true", "limits.messages_per_second = 100", "limits.burst = 10"]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    alice.send_all((0..150).map(|n| format!("PRIVMSG #room :{n}")));
    let first = bob.wait_for_message("0");
    // A client within the limits is not delayed by one that exceeds them.
    bob.send("PRIVMSG bob :quick");
    bob.wait_for_line("quick", |line| {
        assert_ne!(line.text(), "149", "bob waited for all of the flood");
        line.text() == "quick" && line.starts_with("PRIVMSG bob")
    });
    let last = bob.wait_for_message("149");
    let echoes = (0..150).map(|n| alice.wait_for_message(&n.to_string()));
    assert_eq!(echoes.count(), 150);
    // By the server's own time stamps, 140 lines at 100 a second take 1.4 seconds, however slow the machine is.
    let [first, last] =
        [&first, &last].map(|line| time_tag(line).parse::<jiff::Timestamp>().expect("a time"));
    assert!(last.duration_since(first).as_millis() > 1000, "150 lines from {first} to {last}");
}

#[test]
fn single_cap_requests_are_no_flood() {
    // As a flood they would take longer than the login may.
    let server = server_with(&[
        "limits.flood = true",
        "limits.messages_per_second = 1",
        "limits.burst = 5",
        "limits.login_timeout_s = 25",
    ]);
    let mut client = Client::connect(&server);
    client.send_all((0..60).map(|n| format!("CAP REQ no-such/capability-{n}")));
    for _ in 0..60 {
        client.wait_for_command("CAP * NAK");
    }
}

#[test]
fn slow_reader_is_closed_with_the_reason_and_without_gaps() {
    let server = server_with(&["limits.send_queue_bytes = 65536", "sessions.grace_s = 0"]);
    let [mut alice, mut bob, mut deaf] =
        ["alice", "bob", "carol"].map(|name| Client::login_with(&server, name, LONG_LINE_CAPABILITIES));
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
        bob.wait_for_message(&last);
        while let Some(line) = alice.next() {
            closed |= line.starts_with("QUIT") && line.nick() == "carol";
            if line.text() == last {
                break;
            }
        }
        assert!(sent < 100_000, "carol is never closed");
    }
    let lines = deaf.read_until_closed();
    let numbers: Vec<usize> = lines
        .iter()
        .filter(|l| l.command == "PRIVMSG")
        .map(|l| l.text().split(' ').next().and_then(|n| n.parse().ok()).expect("a number"))
        .collect();
    assert!(numbers.iter().enumerate().all(|(n, got)| n == *got), "a gap in {numbers:?}");
    assert!(!numbers.is_empty() && numbers.len() < sent);
    let last = lines.last().expect("a last word");
    assert!(last.starts_with("ERROR") && last.text().contains("slow"), "{last}");
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
    let lines: Vec<_> =
        std::iter::from_fn(|| alice.next().filter(|line| !line.starts_with("PONG"))).collect();
    for line in &lines {
        match line.command.as_str() {
            "BATCH" if line.param(0).starts_with('+') => answers.push(0),
            "322" => *answers.last_mut().expect("in a batch") += 1,
            _ => {}
        }
    }
    assert_eq!(answers, [241, 241]);
    let at = |command: &str| lines.iter().rposition(|line| line.starts_with(command));
    assert!(at("322") < at("JOIN #talk"), "the answer comes before what was asked later");
    alice.deliver_message(&mut bob, "#talk", "still here");
    // The welcome of a member of all these channels is longer than the queue too.
    let again = Client::login(&server, "alice");
    assert_eq!(again.welcome.iter().filter(|line| line.starts_with("366")).count(), 241);
}
