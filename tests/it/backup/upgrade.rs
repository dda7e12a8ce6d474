//! Databases of other versions: an older one is kept and migrated, a newer one is refused.
//!
//! `tests/data/version-0.1.0.db` was written by the first version that had a server, commit 4a99a9fe, with its `certs`, `serve`,
//! `join`, `send` and `user`; `version-0.1.0.txt` has its messages, one a line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::history::{history_capabilities, msgid};
use crate::support::{Client, Home, NEW_MOUNTS, can_mount};

const DATABASE: &[u8] = include_bytes!("../../data/version-0.1.0.db");
const MESSAGES: &str = include_str!("../../data/version-0.1.0.txt");

/// Makes a home with a database of version 0.1.0.
fn old_home() -> Home {
    let home = Home::new(&[]);
    let data = home.path("data");
    fs::create_dir(&data).expect("made");
    fs::write(data.join("parlour.db"), DATABASE).expect("written");
    home
}

/// Returns the lines of a conversation: message id, sender, command and text.
fn expected() -> BTreeMap<&'static str, Vec<[&'static str; 4]>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in MESSAGES.lines() {
        let [id, conversation, sender, command, text] = line.splitn(5, '\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        all.entry(conversation).or_default().push([id, sender, command, text]);
    }
    all
}

#[test]
fn history_of_version_0_1_0_is_the_same_line_by_line() {
    let home = old_home();
    let server = home.serve();
    server.wait_for_log(|line| line.contains("parlour-schema1.db"));
    assert_eq!(fs::read(home.path("data/parlour.db")).map(|bytes| bytes == DATABASE).ok(), Some(false));
    let mut alice = Client::connect(&server);
    alice.begin_login("alice", &history_capabilities());
    let answer = alice.authenticate("alice", "alice has a password");
    assert_eq!(answer.command, "903", "{answer}");
    let mut alice = alice.finish_login();
    for channel in ["#lobby", "#class-3b"] {
        alice.request(&format!("JOIN {channel}"));
    }
    let mut compared = 0;
    for (conversation, lines) in expected() {
        let target = match conversation {
            "alice bob" => "bob",
            "alice dora" => "dora",
            channel if channel.starts_with('#') => channel,
            // Of others, which alice cannot read.
            _ => continue,
        };
        let told = alice.query_history(&format!("LATEST {target} * 100"));
        let found: Vec<[&str; 4]> =
            told.iter().map(|line| [msgid(line), line.nick(), line.command.as_str(), line.text()]).collect();
        assert_eq!(found, lines, "{conversation}");
        compared += lines.len();
    }
    assert_eq!(compared, MESSAGES.lines().count() - 1, "all but that of carol to herself");
    assert_eq!(home.count("SELECT count(*) FROM messages WHERE text = 'to myself'"), 1);
    let users = home.succeed(&["user", "list"]);
    let listed: Vec<String> = users
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(listed, ["alice admin enabled", "bob admin enabled", "dora member disabled"]);
}

#[test]
fn database_is_kept_as_it_was_before_its_migration() {
    let home = old_home();
    home.succeed(&["user", "list"]);
    let rows = |path: &Path| {
        let database = rusqlite::Connection::open(path).expect("opens");
        let version: u32 =
            database.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version");
        let mut all = database.prepare("SELECT id, place, text FROM messages ORDER BY id").expect("a query");
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
        (version, rows.collect::<Result<Vec<(i64, i64, String)>, _>>().expect("messages"))
    };
    let original = home.path("original.db");
    fs::write(&original, DATABASE).expect("written");
    let kept = home.path("data/parlour-schema1.db");
    assert_eq!(rows(&kept), rows(&original));
    // Once: the database is not migrated again.
    fs::remove_file(&kept).expect("removed");
    home.succeed(&["user", "list"]);
    assert!(!kept.exists());
}

#[test]
fn older_database_is_backed_up_without_being_migrated() {
    let home = old_home();
    home.succeed(&["backup", "--no-secrets", "x.backup"]);
    assert_eq!(home.count("PRAGMA user_version"), 1);
    let verified = home.succeed(&["verify", "x.backup"]);
    assert!(
        verified.contains("3 accounts, 2 channels, 52 messages") && verified.contains("schema 1"),
        "{verified}"
    );
    home.succeed(&["restore", "x.backup", "--home", "new"]);
    let users = home.succeed(&["user", "list", "--home", "new"]);
    assert!(users.contains("alice"), "{users}");
}

#[test]
fn newer_database_is_refused_with_the_version_that_wrote_it() {
    let home = Home::with_accounts(&[]);
    let database = home.database();
    database.pragma_update(None, "user_version", 999).expect("written");
    database.execute("UPDATE counters SET value = 3001004 WHERE name = 'version'", []).expect("written");
    drop(database);
    let said = home.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("was written by parlour 3.1.4 and has schema 999"), "{said}");
    assert!(said.contains("use parlour 3.1.4 or later"), "{said}");
    assert!(home.fail(&["user", "list"]).contains("3.1.4"));
    assert!(home.fail(&["backup", "--no-secrets", "x.backup"]).contains("3.1.4"));
}

#[test]
fn full_disk_prevents_the_migration_until_there_is_a_backup_elsewhere() {
    if !can_mount() {
        return;
    }
    let home = old_home();
    home.succeed(&["certs", "generate"]);
    fs::rename(home.path("data"), home.path("prepared")).expect("renamed");
    fs::create_dir(home.path("data")).expect("a mount point");
    let script = format!(
        "mount -t tmpfs -o size=16m,mode=0700 none data && cp -a prepared/. data/ || exit 9
         parlour() {{ {} \"$@\"; }}
         parlour user list && exit 8
         echo a long passphrase | parlour backup --passphrase-stdin x.backup || exit 7
         parlour user list && ls data",
        env!("CARGO_BIN_EXE_parlour")
    );
    let mut unshare = Command::new("unshare");
    home.configure(&mut unshare).args(NEW_MOUNTS).args(["sh", "-c", &script]);
    let output = unshare.output().expect("unshare");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{output:?}");
    assert!(
        said.contains("has no room for a copy of the database") && said.contains("parlour backup FILE"),
        "{said}"
    );
    let listed = String::from_utf8_lossy(&output.stdout);
    assert!(listed.contains("alice") && !listed.contains("parlour-schema1.db"), "{listed}");
}
