//! MONITOR: notifications when accounts come online and go offline. <https://ircv3.net/specs/extensions/monitor>

use super::{Client, assert_refused, commands, request_one_line, server, without_tags};

/// The sections on each subcommand.
#[test]
fn monitor_notifies_online_and_offline() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let mut other = Client::login(&server, "alice");
    assert_eq!(
        without_tags(&alice.request("MONITOR + Alice,bob,BOB,Carol,no!nick")),
        ["730 alice alice!alice@parlour", "731 alice bob,Carol",]
    );
    let bob = Client::login(&server, "bob");
    assert_eq!(without_tags(&alice.drain()), ["730 alice bob!bob@parlour"]);
    // A second session does not count as coming online, nor its end as going offline.
    Client::login(&server, "bob").quit();
    assert_eq!(without_tags(&alice.drain()), Vec::<String>::new());
    bob.quit();
    assert_eq!(alice.wait_for_command("731").to_string(), "731 alice bob");
    let listed = without_tags(&alice.request("MONITOR L"));
    let mut nicks: Vec<String> =
        listed[0].trim_start_matches("732 alice ").split(',').map(str::to_ascii_lowercase).collect();
    nicks.sort();
    assert_eq!((nicks.join(",").as_str(), listed.len()), ("alice,bob,carol", 2));
    assert!(listed[1].starts_with("733 alice "));
    assert_eq!(alice.request("MONITOR - CAROL,nobody"), []);
    let status = without_tags(&alice.request("MONITOR S"));
    assert_eq!(status, ["730 alice alice!alice@parlour", "731 alice bob"]);
    // Each session has its own list.
    assert_eq!(commands(&other.request("MONITOR L")), ["733"]);
    assert_eq!(other.request("MONITOR S"), []);
    assert_eq!(alice.request("MONITOR C"), []);
    assert_eq!(commands(&alice.request("MONITOR l")), ["733"]);
    Client::login(&server, "bob");
    assert_eq!(without_tags(&alice.drain()), Vec::<String>::new());
    assert_refused(&mut alice, "MONITOR", "461 alice MONITOR");
    assert_refused(&mut alice, "MONITOR X", "400 alice MONITOR X");
    assert_eq!(request_one_line(&mut alice, "MONITOR + echo"), "730 alice echo!echo@parlour");
}

/// "734 - `ERR_MONLISTFULL`", and the token `MONITOR`
#[test]
fn full_monitor_list_names_the_rejected_targets() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let token = alice.welcome.iter().flat_map(|line| &line.params).find_map(|p| p.strip_prefix("MONITOR="));
    let most: usize = token.and_then(|n| n.parse().ok()).expect("a number");
    let nick = |n: usize| format!("somebody-number-{n:08}");
    for start in (0..most).step_by(50) {
        let nicks: Vec<String> = (start..most.min(start + 50)).map(nick).collect();
        let lines = alice.request(&format!("MONITOR + {}", nicks.join(",")));
        assert!(!lines.is_empty() && lines.iter().all(|line| line.command == "731"), "{lines:?}");
    }
    // Names in the list may be added again.
    let more: Vec<String> = (most - 1..most + 60).map(nick).collect();
    let lines = alice.request(&format!("MONITOR + {}", more.join(",")));
    let refused: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with(&format!("734 alice {most}")))
        .flat_map(|line| line.param(2).split(','))
        .collect();
    assert_eq!(refused, more[1..], "{lines:?}");
    for line in &lines {
        let bytes = line.source.len() + line.to_string().len() + ": :\r\n".len();
        assert!(bytes <= 512, "{bytes} bytes: {line}");
    }
    let lines = alice.request("MONITOR L");
    let listed: usize =
        lines.iter().filter(|l| l.command == "732").map(|l| l.text().split(',').count()).sum();
    assert_eq!(listed, most);
}

/// <https://ircv3.net/specs/extensions/extended-monitor>
#[test]
fn extended_monitor_sends_more_events() {
    let server = server();
    let mut bob = Client::login_with(&server, "bob", "setname");
    for (capabilities, expected) in [
        ("extended-monitor away-notify setname", &["AWAY out", "SETNAME Bob", "AWAY"][..]),
        ("draft/extended-monitor away-notify", &["AWAY out", "AWAY"]),
        ("extended-monitor setname", &["SETNAME Bob"]),
        ("extended-monitor", &[]),
        ("away-notify setname", &[]),
    ] {
        let mut alice = Client::login_with(&server, "alice", capabilities);
        alice.request("MONITOR + bob");
        for line in ["AWAY :out", "SETNAME :Bob", "AWAY"] {
            bob.request(line);
        }
        assert_eq!(without_tags(&alice.drain()), expected, "{capabilities}");
        // Once, even if they share a channel.
        for client in [&mut alice, &mut bob] {
            client.request("JOIN #room");
        }
        alice.drain();
        bob.request("AWAY :out");
        bob.request("AWAY");
        let both = if capabilities.contains("away-notify") { 2 } else { 0 };
        assert_eq!(alice.drain().len(), both, "{capabilities}");
        for client in [&mut alice, &mut bob] {
            client.request("PART #room");
        }
        alice.request("MONITOR C");
        bob.request("AWAY :unheard");
        bob.request("AWAY");
        assert_eq!(alice.drain(), []);
    }
}
