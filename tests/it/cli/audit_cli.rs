//! `parlour audit`, without a server and beside a running one.

use crate::support::{Client, Home, server};

/// Returns the entries without their times.
fn list(home: &Home, args: &[&str]) -> Vec<String> {
    let text = home.succeed(&[&["audit"], args].concat());
    // `2026-03-01 09:30 UTC` and two blanks.
    text.lines().skip(1).map(|line| line.get(22..).unwrap_or(line).to_owned()).collect()
}

#[test]
fn audit_is_listed_without_a_server_and_filtered_beside_one() {
    let server = server();
    server.home.succeed(&["user", "role", "alice", "admin"]);
    server.home.succeed(&["user", "disable", "carol"]);
    let mut alice = Client::login(&server, "alice");
    let mut bob = Client::login(&server, "bob");
    alice.request("JOIN #tea");
    bob.request("JOIN #tea");
    alice.request("KICK #tea bob :too loud");
    let home = &server.home;
    let kicked = list(home, &["1"]);
    assert_eq!(kicked.len(), 1);
    assert!(
        kicked[0].starts_with("alice ") && kicked[0].ends_with("channel kick bob: #tea: too loud"),
        "{kicked:?}"
    );
    let by_command_line = list(home, &["--by", "*"]);
    assert!(by_command_line[0].ends_with("  user disable carol"), "{by_command_line:?}");
    assert!(by_command_line[0].starts_with("command line"), "{by_command_line:?}");
    assert_eq!(list(home, &["--by", "ALICE"]), kicked);
    assert_eq!(list(home, &["--text", "user ROLE", "--since", "1h"]).len(), 1);
    assert_eq!(list(home, &["--until", "2001-01-01"]), <[String; 0]>::default());
    let json = home.succeed(&["audit", "1", "--json"]);
    let entry: serde_json::Value = serde_json::from_str(&json).expect("an object");
    assert_eq!(entry["by"], "alice");
    assert_eq!((&entry["action"], &entry["target"]), (&"channel kick".into(), &"bob".into()));
    assert!(entry["time"].as_str().is_some_and(|time| time.ends_with('Z')));
    let live = list(home, &[]);
    let home = server.home.clone();
    server.terminate();
    assert_eq!(list(&home, &[]), live, "the same without a server");
}
