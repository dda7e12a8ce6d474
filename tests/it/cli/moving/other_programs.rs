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
fn a_line_of_the_future_is_left_out_alone() {
    let log = "--- Log opened Sat Jan 31 09:00:00 2026\n09:00 <Ann> first\n--- Day changed Tue Jan 19 2038\n\
               03:14 <Ann> wrong\n--- Day changed Sun Mar 01 2026\n10:00 <Ann> second\n10:00 <Ann> third\n";
    let (home, _) = home_with(&[("#class.log", log)]);
    let args = ["source", "--time-zone", "UTC"];
    for dry_run in [&["--dry-run"][..], &[]] {
        let report = import(&home, &[&args[..], dry_run].concat());
        assert_eq!(counts(&report, "messages"), [3, 0, 0], "{report}");
        assert_eq!(report["left_out"], json!({"a line of a log whose time is in the future": 1}));
    }
    let expected = [
        "2026-01-31T09:00:00.000Z #class Ann: first",
        "2026-03-01T10:00:00.000Z #class Ann: second",
        "2026-03-01T10:00:00.001Z #class Ann: third",
    ];
    assert_eq!(messages(&home, "first"), expected);
}

#[test]
fn rotated_logs_belong_to_their_channel() {
    let log = |text: &str| format!("--- Log opened Sat Jan 31 09:00:00 2026\n09:00 <Ann> {text}\n");
    let (third, second, first) = (log("third"), log("second"), log("first"));
    let (home, _) = home_with(&[
        ("#x.log", &third),
        ("#x.log.1", &second),
        ("#x.log.2", &first),
        ("#x.log.3.gz", "packed"),
        ("#gz.log.gz", "packed"),
    ]);
    let report = import(&home, &["source", "--time-zone", "UTC"]);
    assert_eq!(
        (counts(&report, "channels"), counts(&report, "messages")),
        ([1, 0, 0], [3, 0, 0]),
        "{report}"
    );
    assert_eq!(report["left_out"], json!({"a compressed log; unpack it and import it again": 2}));
    let expected = [
        "2026-01-31T09:00:00.000Z #x Ann: first",
        "2026-01-31T09:00:00.001Z #x Ann: second",
        "2026-01-31T09:00:00.002Z #x Ann: third",
    ];
    assert_eq!(messages(&home, "first"), expected);
    fs::create_dir(home.path("packed")).expect("made");
    fs::write(home.path("packed/#gz.log.gz"), "packed").expect("written");
    assert!(home.fail(&["import", "packed"]).contains("a compressed log"));
}

#[test]
fn slack_has_archived_channels_folders_without_a_list_and_stamps_that_come_twice() {
    let future = json!({"type": "message", "user": "U1", "ts": "4102444800.000000", "text": "later"});
    let message = |user: &str, text: &str| json!({"type": "message", "user": user, "ts": "1700000002.000200", "text": text});
    let day = json!([
        message("U1", "one"),
        message("U2", "two"),
        message("U1", "three"),
        message("U1", "one"),
        future
    ]);
    let lost = json!([message("U1", "lost")]);
    let users = json!([{"id": "U1", "name": "ann"}, {"id": "U2", "name": "bob"}]);
    let channels = json!([{"id": "C1", "name": "old", "is_archived": true}]);
    let (day, lost) = (day.to_string(), lost.to_string());
    let (home, _) = home_with(&[
        ("users.json", &users.to_string()),
        ("channels.json", &channels.to_string()),
        ("old/2023-11-14.json", &day),
        ("lost/2023-11-14.json", &lost),
        ("lost/2023-11-15.json", &lost),
    ]);
    for (args, expected) in
        [(&["source", "--dry-run"][..], [3, 0, 1]), (&["source"], [3, 0, 1]), (&["source"], [0, 3, 1])]
    {
        let report = import(&home, args);
        assert_eq!(counts(&report, "messages"), expected, "{report}");
        let reasons = json!({
            "a file of the folder lost, which is in no list of conversations": 2,
            "a message that the export has twice": 1,
            "its time is in the future": 1,
        });
        assert_eq!(report["left_out"], reasons);
    }
    assert_eq!(home.count("SELECT count(*) FROM messages"), 3);
    messages(&home, "first");
    let channel = &objects(&home.path("first"), "channels.jsonl")[0];
    assert!(
        channel["archived"].is_string() && !channel["created"].as_str().expect("a time").starts_with("1970")
    );
    // It is archived on the next server, too.
    let next = Home::new(&[]);
    next.import(&["zoe"]);
    import(&next, &[home.path("first").to_str().expect("a path")]);
    assert!(next.succeed(&["channel", "show", "#old"]).contains("archived"));
}

#[test]
fn posts_of_mattermost_without_a_time_are_left_out_and_equal_ones_are_one() {
    let post = |text: &str, at: Value| json!({"type": "post", "post": {"team": "t", "channel": "c", "user": "ann", "message": text, "create_at": at}});
    let at = json!(1_700_000_000_000_u64);
    let without =
        json!({"type": "post", "post": {"team": "t", "channel": "c", "user": "ann", "message": "when?"}});
    let lines = [
        json!({"type": "version", "version": 1}),
        json!({"type": "channel", "channel": {"team": "t", "name": "c", "type": "O", "deleted_at": 1_700_000_001_000_u64}}),
        post("hi", at.clone()),
        post("hi", at.clone()),
        post("ho", at),
        post("never", json!(0)),
        post("some day", json!(9_000_000_000_000_u64)),
        without,
    ];
    let text = lines.map(|line| line.to_string()).join("\n");
    let (home, _) = home_with(&[("import.jsonl", &text)]);
    for (args, expected) in
        [(&["source", "--dry-run"][..], [2, 1, 1]), (&["source"], [2, 1, 1]), (&["source"], [0, 3, 1])]
    {
        let report = import(&home, args);
        assert_eq!(counts(&report, "messages"), expected, "{report}");
        let reasons = json!({"a message without a time": 2, "its time is in the future": 1});
        assert_eq!(report["left_out"], reasons);
    }
    assert_eq!(home.count("SELECT count(*) FROM messages"), 2);
    assert!(home.succeed(&["channel", "show", "#c"]).contains("archived"));
}

#[test]
fn sources_that_cannot_be_used_are_errors() {
    let (home, folder) = home_with(&[("#class.log", IRSSI), ("alice.log", IRSSI)]);
    for (args, why) in [
        (&["source", "--from", "slack"][..], "no export of Slack: it has no users.json"),
        (&["source", "--from", "mattermost"], "no bulk export of Mattermost"),
        (&["source/alice.log"], "nothing of source/alice.log could be imported as irc"),
    ] {
        let error = home.fail(&[&["import"], args].concat());
        assert!(error.contains(why), "{args:?}: {error}");
    }
    fs::remove_dir_all(&folder).expect("removed");
    for (name, text) in slack() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    for list in ["users.json", "channels.json", "groups.json", "dms.json"] {
        let whole = fs::read_to_string(folder.join(list)).expect("a list");
        fs::write(folder.join(list), whole.get(..whole.len() / 2).expect("half of it")).expect("written");
        let error = home.fail(&["import", "source"]);
        assert!(
            error.contains(&format!("{list} is damaged")) && error.contains("nothing was changed"),
            "{error}"
        );
        fs::write(folder.join(list), whole).expect("written");
    }
    assert_eq!(home.count("SELECT count(*) FROM accounts"), 2, "the built-in one and teacher");
}

#[test]
fn a_name_is_one_account_and_a_removed_account_is_not_new() {
    let (home, _) = home_with(&[("#class.log", IRSSI)]);
    home.import(&["carol", "ann"]);
    let error = home.fail(&["import", "source", "--as", "ann=carol", "--as", "Ann=teacher"]);
    assert!(error.contains("Ann is carol") && error.contains("Ann is teacher"), "{error}");
    home.succeed(&["user", "remove", "ann", "--yes"]);
    let report = import(&home, &["source", "--dry-run"]);
    assert_eq!(counts(&report, "accounts"), [0, 0, 0], "{report}");
    assert_eq!(report["people"][0]["state"], "removed");
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
