//! Imports from other programs: IRC logs, Slack, Mattermost.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{counts, import, objects};
use crate::support::Home;

/// A home with a teacher's account and the files of a source, in the folder `source`.
fn home_with(files: &[(&str, &str)]) -> (Home, PathBuf) {
    let home = Home::new(&[]);
    home.import(&["teacher"]);
    let folder = home.path("source");
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    (home, folder)
}

/// The messages of an export of the server: time, conversation, sender, text.
fn messages(home: &Home, folder: &str) -> Vec<String> {
    home.succeed(&["export", "--to", folder]);
    let shown = |message: &Value| {
        let place =
            message["channel"].as_str().map_or_else(|| message["between"].to_string(), ToOwned::to_owned);
        let text = message["text"].as_str().expect("a text");
        let tags = message["tags"].as_str().unwrap_or_default();
        let tags = tags.split("+draft/reply=").next().unwrap_or_default();
        format!(
            "{} {place} {}: {tags}{text}",
            message["time"].as_str().expect("a time"),
            message["from"].as_str().expect("a name")
        )
    };
    objects(&home.path(folder), "messages.jsonl").iter().map(shown).collect()
}

const IRSSI: &str = "--- Log opened Sat Jan 31 09:00:00 2026
09:00 -!- Irssi: Join to #class was synced in 0 secs
09:00 < Ann> good morning
09:00 <@teacher> good morning
09:00 < Ann> good morning
09:01  * Ann yawns
--- Day changed Sun Feb 01 2026
00:05 < ann> late
";

#[test]
fn logs_of_irc_clients_become_history() {
    let weechat = "2026-01-31 10:00:00\t@Bob\thello\n2026-01-31 10:00:00\tBob\thello\n2026-01-31 10:00:01\t<--\tBob has quit\n";
    let query = "--- Log opened Sat Jan 31 11:00:00 2026\n11:00 <Ann> psst\n11:00 <teach> yes?\n";
    let (home, _) = home_with(&[
        ("libera/#class.log", IRSSI),
        ("irc.libera.#dev.weechatlog", weechat),
        ("libera/Ann.log", query),
        ("notes.md", "no log"),
    ]);
    let args = ["source", "--time-zone", "Europe/Berlin", "--me", "teach", "--as", "teach=teacher"];
    let planned = import(&home, &[&args[..], &["--dry-run"]].concat());
    assert_eq!(counts(&planned, "messages"), [9, 0, 0], "{planned}");
    assert_eq!(home.count("SELECT count(*) FROM messages"), 0);
    let report = import(&home, &args);
    assert_eq!(
        (counts(&report, "accounts"), counts(&report, "channels")),
        ([2, 0, 0], [2, 0, 0]),
        "{report}"
    );
    let expected = [
        "2026-01-31T08:00:00.000Z #class Ann: good morning",
        "2026-01-31T08:00:00.001Z #class teacher: good morning",
        "2026-01-31T08:00:00.002Z #class Ann: good morning",
        "2026-01-31T08:01:00.000Z #class Ann: \u{1}ACTION yawns\u{1}",
        "2026-01-31T09:00:00.000Z #dev Bob: hello",
        "2026-01-31T09:00:00.001Z #dev Bob: hello",
        "2026-01-31T10:00:00.000Z [\"teacher\",\"Ann\"] Ann: psst",
        "2026-01-31T10:00:00.001Z [\"teacher\",\"Ann\"] teacher: yes?",
        "2026-01-31T23:05:00.000Z #class Ann: late",
    ];
    assert_eq!(messages(&home, "first"), expected);
    // The logs have grown.
    fs::write(home.path("source/libera/#class.log"), format!("{IRSSI}00:06 < ann> later\n"))
        .expect("written");
    let report = import(&home, &args);
    assert_eq!(counts(&report, "messages"), [1, 9, 0]);
    assert_eq!(messages(&home, "second").len(), 10);
}

#[test]
fn people_without_an_account_may_share_one() {
    let (home, _) = home_with(&[("#class.log", IRSSI)]);
    home.import(&["archive"]);
    let report = import(&home, &["source/#class.log", "--others", "archive", "--time-zone", "UTC"]);
    assert_eq!(counts(&report, "accounts"), [0, 0, 0], "{report}");
    let found = messages(&home, "shown");
    assert_eq!(found[0], "2026-01-31T09:00:00.000Z #class archive: <Ann> good morning");
    assert_eq!(found[1], "2026-01-31T09:00:00.001Z #class teacher: good morning");
    assert_eq!(found[3], "2026-01-31T09:01:00.000Z #class archive: <Ann> * yawns");
    let error = home.fail(&["import", "source", "--others", "nobody"]);
    assert!(error.contains("there is no account nobody"), "{error}");
}

fn slack() -> Vec<(&'static str, String)> {
    let users = json!([
        {"id": "U1", "name": "jmueller", "profile": {"display_name": "Jürgen Müller"}},
        {"id": "U2", "name": "teacher", "real_name": "The Teacher"},
        {"id": "U3", "name": "gone", "deleted": true},
    ]);
    let channels = json!([{
        "id": "C1", "name": "general", "created": 1_700_000_000, "creator": "U2", "members": ["U1", "U2"],
        "topic": {"value": "All &amp; everything", "creator": "U2", "last_set": 1_700_000_100},
    }]);
    let groups = json!([{"id": "G1", "name": "staff", "created": 1_700_000_000, "members": ["U2"]}]);
    let dms = json!([{"id": "D1", "created": 1_700_000_000, "members": ["U1", "U2"]}]);
    let day = json!([
        {"type": "message", "subtype": "channel_join", "user": "U1", "ts": "1700000001.000100", "text": "joined"},
        {"type": "message", "user": "U1", "ts": "1700000002.000200", "text": "hi <@U2>",
         "reactions": [{"name": "+1", "users": ["U2"], "count": 1}]},
        {"type": "message", "user": "U2", "ts": "1700000003.000300", "thread_ts": "1700000002.000200", "text": "in <#C1|general>"},
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "Build Bot", "ts": "1700000004.000400", "text": "ok"},
        {"type": "message", "user": "U1", "ts": "1700000005.000500", "text": "",
         "files": [{"name": "plan.pdf", "url_private": "https://files.example/plan.pdf"}]},
        {"type": "message", "user": "U1", "ts": 7},
        {"type": "message", "user": "U1", "ts": "x", "text": "no time"},
    ]);
    let direct = json!([{"type": "message", "user": "U1", "ts": "1700000006.000000", "text": "psst"}]);
    vec![
        ("users.json", users.to_string()),
        ("channels.json", channels.to_string()),
        ("groups.json", groups.to_string()),
        ("dms.json", dms.to_string()),
        ("general/2023-11-14.json", day.to_string()),
        ("D1/2023-11-14.json", direct.to_string()),
        ("general/2023-11-15.json", "[{\"type\": \"message\"".to_owned()),
    ]
}

#[test]
fn an_export_of_slack_becomes_history() {
    let files = slack();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let (home, _) = home_with(&files);
    let report = import(&home, &["source"]);
    assert_eq!(
        (counts(&report, "accounts"), counts(&report, "channels")),
        ([3, 0, 0], [2, 0, 0]),
        "{report}"
    );
    let expected = [
        "2023-11-14T22:13:22.000Z #general jmueller: hi @teacher",
        "2023-11-14T22:13:22.001Z #general teacher: +draft/react=👍;",
        "2023-11-14T22:13:23.000Z #general teacher: in #general",
        "2023-11-14T22:13:24.000Z #general build-bot: ok",
        "2023-11-14T22:13:25.000Z #general jmueller: [plan.pdf] https://files.example/plan.pdf",
        "2023-11-14T22:13:26.000Z [\"teacher\",\"jmueller\"] jmueller: psst",
    ];
    assert_eq!(messages(&home, "first"), expected);
    let left_out = report["left_out"].as_object().expect("reasons");
    assert_eq!(left_out.len(), 5, "{left_out:?}");
    let channels = objects(&home.path("first"), "channels.jsonl");
    let general = &channels[0];
    assert_eq!(
        (&general["topic"]["text"], &general["creator"]),
        (&json!("All & everything"), &json!("teacher"))
    );
    assert_eq!(channels[1]["modes"], "ins");
    let accounts = objects(&home.path("first"), "accounts.jsonl");
    let named = |name: &str| accounts.iter().find(|account| account["name"] == name).expect("an account");
    assert_eq!(named("jmueller")["metadata"]["display-name"], "Jürgen Müller");
    assert_eq!(named("gone")["disabled"], true);
    let report = import(&home, &["source"]);
    assert_eq!(counts(&report, "messages"), [0, 6, 0]);
}

#[test]
fn a_bulk_export_of_mattermost_becomes_history() {
    let lines = [
        json!({"type": "version", "version": 1}),
        json!({"type": "team", "team": {"name": "school"}}),
        json!({"type": "channel", "channel": {"team": "school", "name": "town-square", "type": "O", "header": "Welcome"}}),
        json!({"type": "channel", "channel": {"team": "school", "name": "staff", "type": "P"}}),
        json!({"type": "user", "user": {"username": "teacher", "first_name": "The", "last_name": "Teacher", "teams": [
            {"name": "school", "channels": [{"name": "town-square", "roles": "channel_user channel_admin"}, {"name": "staff", "roles": "channel_user"}]}]}}),
        json!({"type": "user", "user": {"username": "jm", "nickname": "Jürgen", "teams": [{"name": "school", "channels": [{"name": "town-square", "roles": "channel_user"}]}]}}),
        json!({"type": "post", "post": {"team": "school", "channel": "town-square", "user": "jm", "message": "hello", "create_at": 1_700_000_000_000_u64,
            "reactions": [{"user": "teacher", "create_at": 1_700_000_000_500_u64, "emoji_name": "tada"}],
            "replies": [{"user": "teacher", "message": "hi", "create_at": 1_700_000_001_000_u64}]}}),
        json!({"type": "post", "post": {"team": "school", "channel": "town-square", "user": "jm", "type": "system_join_channel", "message": "jm joined", "create_at": 1_u64}}),
        json!({"type": "direct_channel", "direct_channel": {"members": ["teacher", "jm"]}}),
        json!({"type": "direct_post", "direct_post": {"channel_members": ["teacher", "jm"], "user": "jm", "message": "psst", "create_at": 1_700_000_002_000_u64, "attachments": [{"path": "data/x/notes.txt"}]}}),
        json!({"type": "emoji", "emoji": {"name": "x"}}),
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let (home, _) = home_with(&[("import.jsonl", &format!("{text}\n{{broken\n"))]);
    let report = import(&home, &["source"]);
    assert_eq!(
        (counts(&report, "accounts"), counts(&report, "channels")),
        ([1, 0, 0], [2, 0, 0]),
        "{report}"
    );
    let expected = [
        "2023-11-14T22:13:20.000Z #town-square jm: hello",
        "2023-11-14T22:13:20.500Z #town-square teacher: +draft/react=🎉;",
        "2023-11-14T22:13:21.000Z #town-square teacher: hi",
        "2023-11-14T22:13:22.000Z [\"teacher\",\"jm\"] jm: psst\n[notes.txt]",
    ];
    assert_eq!(messages(&home, "first"), expected);
    let channels = objects(&home.path("first"), "channels.jsonl");
    let square = &channels[1];
    assert_eq!((&square["topic"]["text"], &square["creator"]), (&json!("Welcome"), &json!("teacher")));
    assert_eq!(square["members"].as_array().expect("members").len(), 2);
    assert_eq!(report["left_out"].as_object().expect("reasons").len(), 4, "{report}");
    assert_eq!(counts(&import(&home, &["source/import.jsonl"]), "messages"), [0, 4, 0]);
}

#[test]
fn what_is_no_export_is_refused() {
    let (home, _) = home_with(&[("x.txt", "hello"), ("empty.zip", "PK\u{3}\u{4}")]);
    for (path, why) in [
        ("source/x.txt", "looks like no export"),
        ("source/empty.zip", "damaged zip archive"),
        ("nowhere", "cannot read nowhere"),
    ] {
        let error = home.fail(&["import", path]);
        assert!(error.contains(why), "{path}: {error}");
    }
}
