//! `parlour channel` and `parlour ban`, beside a running server and without one.

use serde_json::Value;

use crate::support::{Client, only_line, server};

/// Returns the objects of a listing.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn members_see_what_the_command_line_changes_and_a_restart_keeps_it() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let home = server.home.clone();
    home.succeed(&["channel", "create", "#Class", "--founder", "alice", "--topic", "Maths"]);
    alice.wait_for_command("366");
    alice.wait_for_command("TOPIC #Class");
    home.succeed(&["channel", "members", "#class", "--add", "bob", "carol"]);
    assert_eq!(alice.wait_for_command("JOIN #Class").nick(), "bob");
    bob.wait_for_command("366");
    home.succeed(&["channel", "role", "#class", "bob", "half-op"]);
    assert!(bob.wait_for_command("MODE #Class +h bob").nick().contains("chat.parlour"));
    alice.deliver_message(&mut bob, "#Class", "kept");
    home.succeed(&["channel", "archive", "#class"]);
    bob.wait_for_message("This channel was archived: it can be read, and nobody can write here any more");
    only_line(&alice.request("PRIVMSG #Class :more"), "404");
    home.succeed(&["ban", "add", "#class", "a:dora"]);
    assert!(home.fail(&["ban", "add", "#class", "a:dora"]).contains("already"));
    let shown = objects(&home.succeed(&["channel", "show", "#class", "--json"]));
    assert_eq!((&shown[0]["members"], &shown[0]["history"]["messages"]), (&3.into(), &1.into()));
    server.terminate();
    let members = objects(&home.succeed(&["channel", "members", "#class", "--json"]));
    let members: Vec<String> =
        members.iter().map(|member| format!("{} {}", member["name"], member["role"])).collect();
    assert_eq!(members, [r#""alice" "founder""#, r#""bob" "half-op""#, r#""carol" null"#]);
    let bans = objects(&home.succeed(&["ban", "list", "--json"]));
    assert_eq!((&bans[0]["mask"], &bans[0]["by"]), (&"a:dora".into(), &"server".into()));
    let channels = objects(&home.succeed(&["channel", "list", "--json"]));
    assert!(channels[0]["archived"].is_string());
    let by_command_line = home.succeed(&["audit", "--by", "*", "--text", "channel"]);
    assert_eq!(by_command_line.lines().count(), 8, "{by_command_line}");
}

#[test]
fn wrong_name_among_several_changes_nothing() {
    let server = server();
    let home = server.home.clone();
    home.succeed(&["channel", "create", "#class", "--founder", "alice"]);
    let members = |args: &[&str]| home.fail(&[&["channel", "members", "#class"], args].concat());
    assert!(members(&["--add", "bob", "nobody", "carol"]).contains("there is no account nobody"));
    assert!(members(&["--add", "bob", "alice"]).contains("alice is in #class already"));
    assert!(members(&["--add", "bob", "--remove", "carol"]).contains("carol is not in #class"));
    assert!(members(&["--add", "bob", "bob"]).contains("named twice"));
    home.succeed(&["user", "disable", "carol"]);
    assert!(members(&["--add", "bob", "carol"]).contains("carol is disabled"));
    let left = objects(&home.succeed(&["channel", "members", "#class", "--json"]));
    assert_eq!(left.len(), 1, "{left:?}");
    let banned = home.run(&["ban", "add", "#class", "m:a:nobody"]);
    let said = String::from_utf8(banned.stderr).expect("UTF-8");
    assert!(banned.status.success() && said.contains("no account is called nobody"), "{said}");
}

#[test]
fn purged_and_deleted_channels_leave_no_text_behind() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let home = server.home.clone();
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    // More than one step of a purge removes.
    let texts = (0..1100).map(|n| format!("PRIVMSG #room :number {n}"));
    alice.send_all(texts);
    bob.wait_for_message("number 1099");
    assert!(home.fail(&["channel", "purge", "#room"]).contains("--yes"), "nobody can be asked here");
    home.succeed(&["channel", "purge", "#room", "--yes"]);
    assert_eq!(home.count("SELECT count(*) FROM messages"), 0);
    alice.deliver_message(&mut bob, "#room", "after the purge");
    let purges = home.succeed(&["audit", "--text", "channel purge"]);
    assert_eq!(purges.lines().count(), 2, "one entry: {purges}");
    home.succeed(&["channel", "delete", "#room", "--yes"]);
    assert!(bob.wait_for_command("KICK #room bob").text().contains("deleted"));
    assert_eq!(home.count("SELECT count(*) FROM messages"), 0);
    assert_eq!(home.count("SELECT count(*) FROM channels"), 0);
    bob.request("JOIN #room");
    assert!(home.fail(&["channel", "delete", "#other", "--yes"]).contains("there is no channel #other"));
}

#[test]
fn a_channels_own_retention_is_applied_at_once() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let home = server.home.clone();
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    for n in 0..5 {
        alice.deliver_message(&mut bob, "#room", &format!("number {n}"));
    }
    let shown = home.succeed(&["channel", "retention", "#room", "--messages", "2"]);
    assert_eq!(shown, "#room: as many days as parlour.toml says, the latest 2 messages\n");
    crate::support::until(
        || home.count("SELECT count(*) FROM messages WHERE class = 0") == 2,
        || "older messages stay".to_owned(),
    );
}
