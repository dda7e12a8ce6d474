//! `parlour export` and `parlour import`, with and without running servers.

mod other_programs;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::history::history_capabilities;
use crate::support::script::run_script;
use crate::support::{Client, Home, PASSWORD, Process, Server, until};

/// Reads the objects of a file of an export.
#[track_caller]
fn objects(folder: &Path, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(file)).expect(file);
    text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

/// The report of an import.
#[track_caller]
fn import(home: &Home, args: &[&str]) -> Value {
    let text = home.succeed(&[&["import", "--json"], args].concat());
    serde_json::from_str(&text).expect("an object")
}

/// Counts of one kind in a report: new, known, refused.
fn counts(report: &Value, kind: &str) -> [u64; 3] {
    ["new", "known", "refused"].map(|count| report[kind][count].as_u64().expect("a count"))
}

/// The texts of a channel as a member reads them.
#[track_caller]
fn texts(server: &Server, name: &str, target: &str) -> Vec<String> {
    let mut client = Client::login_with(server, name, &history_capabilities());
    if target.starts_with('#') {
        client.request(&format!("JOIN {target}"));
    }
    let lines = client.query_history(&format!("LATEST {target} * 100"));
    let messages = lines.iter().filter(|line| matches!(&*line.command, "PRIVMSG" | "NOTICE"));
    messages.map(|line| line.text().to_owned()).collect()
}

/// A server on which something was said: returned with the msgid of a message that was answered.
#[track_caller]
fn with_conversations(home: &Home) -> Server {
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    alice.request("JOIN #tea");
    alice.request("TOPIC #tea :Every day at five");
    alice.request("MODE #tea +ik secret");
    alice.request("MODE #tea +b mallory!*@*");
    alice.request("INVITE bob #tea");
    bob.request("JOIN #tea");
    alice.send("PRIVMSG #tea :first");
    let first = alice.wait_for_message("first");
    let msgid = first.tag("msgid").expect("a msgid").to_owned();
    bob.send(&format!("@+draft/reply={msgid} PRIVMSG #tea :second"));
    bob.wait_for_message("second");
    bob.send(&format!("@+draft/react=👍;+draft/reply={msgid} TAGMSG #tea"));
    bob.wait_for_command("TAGMSG");
    bob.send("PRIVMSG #tea :a mistake");
    let mistake = bob.wait_for_message("a mistake");
    bob.request(&format!("REDACT #tea {}", mistake.tag("msgid").expect("a msgid")));
    alice.send("PRIVMSG bob :just between us");
    alice.wait_for_message("just between us");
    home.succeed(&["user", "remove", "carol", "--yes"]);
    server
}

#[test]
fn an_export_moves_everything_to_another_server() {
    let old = Home::with_accounts(&[]);
    let server = with_conversations(&old);
    let said = old.succeed(&["export", "--to", "moved"]);
    assert!(said.starts_with("3 accounts, 1 channel, ") && said.ends_with("in moved\n"), "{said}");
    let folder = old.path("moved");
    let messages = objects(&folder, "messages.jsonl");
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).expect("a manifest"))
            .expect("an object");
    assert_eq!(manifest["messages"].as_u64(), Some(messages.len() as u64));
    let all = format!(
        "{:?}",
        fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| { fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default() })
            .collect::<Vec<_>>()
    );
    assert!(!all.contains("argon2") && !all.contains("a mistake"), "{all}");
    // The same without a server, and not into a folder with something in it.
    assert!(server.terminate().0.success());
    old.succeed(&["export", "--to", "again"]);
    assert_eq!(objects(&old.path("again"), "messages.jsonl"), messages);
    assert!(old.fail(&["export", "--to", "again"]).contains("is not empty"));

    let new = Home::new(&[]);
    new.import(&["zoe"]);
    let path = folder.to_str().expect("a path");
    let planned = import(&new, &[path, "--dry-run"]);
    assert_eq!((counts(&planned, "accounts"), counts(&planned, "channels")), ([3, 0, 0], [1, 0, 0]));
    assert_eq!(new.count("SELECT count(*) FROM accounts"), 2, "the built-in one and zoe");
    let server = new.serve();
    let report = import(&new, &[path]);
    assert_eq!(counts(&report, "messages"), [messages.len() as u64, 0, 0]);
    assert_eq!(report["left_out"], serde_json::json!({}));
    let report = import(&new, &[path]);
    assert_eq!(counts(&report, "messages"), [0, messages.len() as u64, 0]);
    new.succeed(&["export", "--to", "compared"]);
    for file in ["messages.jsonl", "channels.jsonl", "files.jsonl"] {
        assert_eq!(objects(&new.path("compared"), file), objects(&folder, file), "{file}");
    }
    assert_eq!(objects(&new.path("compared"), "accounts.jsonl").len(), 4);

    // Nobody logs in to an imported account before an invite has given it a password.
    let link = new.invite(&["--for", "bob"]);
    let joined = new.run_as("bob", &["join", &link, "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(joined.status.success(), "{joined:?}");
    assert_eq!(texts(&server, "bob", "#tea"), ["first", "second"]);
    assert_eq!(texts(&server, "bob", "alice"), ["just between us"]);
    // What is written from now on comes after all of it.
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    bob.send("PRIVMSG #tea :here again");
    bob.wait_for_message("here again");
    assert_eq!(texts(&server, "bob", "#tea"), ["first", "second", "here again"]);
    let audit = new.succeed(&["audit", "--text", "import"]);
    assert!(audit.contains("parlour: moved"), "{audit}");
}

#[test]
fn a_damaged_export_is_taken_as_far_as_it_can_be() {
    let old = Home::with_accounts(&[]);
    assert!(with_conversations(&old).terminate().0.success());
    old.succeed(&["export", "--to", "moved"]);
    let folder = old.path("moved");
    let path = folder.join("messages.jsonl");
    let mut text = fs::read_to_string(&path).expect("messages");
    let first = text.lines().next().expect("a line").to_owned();
    let strange = first.replace("\"alice\"", "\"stranger\"");
    let future = first.replace(&first[10..26], "7fffffffffffffff");
    text += "{\"msgid\":\n";
    let long = "x".repeat(2 << 20);
    fs::write(&path, format!("{text}{long}\n{strange}\n{future}\n\0\n[]\n")).expect("written");
    let new = Home::new(&[]);
    new.import(&["zoe"]);
    // A dry run says the same.
    let planned = import(&new, &[folder.to_str().expect("a path"), "--dry-run"]);
    let report = import(&new, &[folder.to_str().expect("a path")]);
    assert_eq!(
        (counts(&planned, "messages"), &planned["left_out"]),
        (counts(&report, "messages"), &report["left_out"])
    );
    let reasons = report["left_out"].as_object().expect("reasons");
    assert_eq!(reasons["messages.jsonl: the line is damaged"], 3, "{report}");
    assert_eq!(reasons["messages.jsonl: the line is longer than a megabyte"], 1, "{report}");
    assert_eq!(reasons["there is no account stranger"], 1, "{report}");
    assert_eq!(reasons["its time is in the future"], 1, "{report}");
    fs::remove_file(folder.join("channels.jsonl")).expect("removed");
    let error = new.fail(&["import", folder.to_str().expect("a path")]);
    assert!(error.contains("channels.jsonl is missing"), "{error}");
    fs::remove_file(folder.join("manifest.json")).expect("removed");
    let error = new.fail(&["import", folder.to_str().expect("a path"), "--from", "parlour"]);
    assert!(error.contains("no complete export"), "{error}");
}

#[test]
fn an_interrupted_export_is_known_and_made_anew() {
    let home = Home::new(&[]);
    home.import(&["zoe"]);
    home.succeed(&["export", "--to", "moved"]);
    let folder = home.path("moved");
    assert!(!folder.join("unfinished").exists());
    // As a process leaves it that was ended in the middle.
    fs::remove_file(folder.join("manifest.json")).expect("removed");
    fs::remove_file(folder.join("accounts.jsonl")).expect("removed");
    fs::write(folder.join("unfinished"), "").expect("written");
    fs::create_dir(folder.join("files")).expect("made");
    fs::write(folder.join("files/0"), "half of it").expect("written");
    for args in [&["import", "moved"][..], &["import", "moved", "--from", "parlour"]] {
        let error = home.fail(args);
        assert!(error.contains("was interrupted") && error.contains("parlour export --to moved"), "{error}");
    }
    fs::write(folder.join("notes.txt"), "mine").expect("written");
    home.succeed(&["export", "--to", "moved"]);
    assert!(!folder.join("files").exists() && folder.join("notes.txt").exists());
    assert_eq!(objects(&folder, "accounts.jsonl").len(), 1);
    import(&home, &["moved"]);
}

#[test]
fn an_interrupted_import_says_what_to_do() {
    let home = Home::new(&[]);
    home.import(&["teacher"]);
    let mut log = String::new();
    for second in 0..200_000_u32 {
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        writeln!(
            log,
            "2026-01-{:02} {hour:02}:{minute:02}:{:02}\tteacher\thi {second}",
            1 + second / 86400,
            second % 60
        )
        .expect("written");
    }
    fs::write(home.path("#class.weechatlog"), log).expect("written");
    let server = home.serve();
    let mut process = Process::spawn(home.command(&["import", "#class.weechatlog"]));
    until(|| home.count("SELECT count(*) FROM messages") > 0, || process.printed());
    process.signal("INT");
    assert_eq!(process.wait().code(), Some(1));
    assert!(process.printed().contains("the import was interrupted; run it again"), "{}", process.printed());
    assert!(server.terminate().0.success());
}

#[test]
fn files_move_with_their_contents_and_their_readers() {
    let old = Home::with_accounts(&["files.enabled = true"]);
    let server = old.serve();
    old.join("dora");
    fs::write(old.path("plan.txt"), "the plan").expect("written");
    run_script(&old, &["send", "#lobby", "--file", "plan.txt", "look"], "", 0);
    old.succeed(&["export", "--to", "moved"]);
    assert!(server.terminate().0.success());
    let files = objects(&old.path("moved"), "files.jsonl");
    assert_eq!((files.len(), &files[0]["name"], &files[0]["size"]), (1, &"plan.txt".into(), &8.into()));
    assert_eq!(files[0]["shares"][0]["channel"], "#lobby");

    let new = Home::with_accounts(&["files.enabled = true"]);
    let server = new.serve();
    let folder = old.path("moved");
    let path = folder.to_str().expect("a path");
    assert_eq!(counts(&import(&new, &[path]), "files"), [1, 0, 0]);
    assert_eq!(counts(&import(&new, &[path]), "files"), [0, 1, 0]);
    // Whoever reads the channel reads the file, at the address of the new server.
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #lobby");
    let id = files[0]["id"].as_str().expect("an id");
    let address = format!("https://{}/f/{id}/plan.txt", server.address);
    let link = new.invite(&["--for", "dora"]);
    let joined = new.run_as("dora", &["join", &link, "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(joined.status.success(), "{joined:?}");
    let (printed, _) = run_script(&new, &["get", &address, "-o", "-"], "", 0);
    assert_eq!(printed, "the plan");
    assert!(server.terminate().0.success());

    // A content that is not what its hash says is left out.
    let stored = folder.join("files").join(files[0]["sha256"].as_str().expect("a hash"));
    fs::write(&stored, "the PLAN").expect("written");
    let third = Home::with_accounts(&[]);
    let report = import(&third, &[path]);
    assert_eq!(
        (counts(&report, "files"), &report["left_out"]["the content of the file is damaged"]),
        ([0, 0, 0], &1.into())
    );
    fs::remove_file(&stored).expect("removed");
    let report = import(&third, &[path]);
    assert_eq!(report["left_out"]["the content of the file is missing"], 1);
}
