//! `parlour doctor`: each defect made here is found and reported with its remedy.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::process::{Command, Output};
use std::time::Duration;

use parlour::trust::certs;
use rustls_pki_types::UnixTime;
use serde_json::Value;

use crate::support::{Client, Home, Lan, NEW_MOUNTS, PASSWORD, Process, can_mount, server};

/// Returns the findings and the exit code of a run with `--json`.
#[track_caller]
fn parse_findings(output: &Output) -> (Vec<Value>, Option<i32>) {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(!all.is_empty(), "{output:?}");
    for one in &all {
        assert!(one["level"] == "ok" || one["remedy"].is_string(), "no remedy: {one}");
    }
    (all, output.status.code())
}

fn run_doctor(home: &Home, args: &[&str]) -> (Vec<Value>, Option<i32>) {
    parse_findings(&home.run(&[&["doctor", "--json"], args].concat()))
}

/// Returns the remedy of the only finding of a check with this level and text.
#[track_caller]
fn assert_finding(all: &[Value], level: &str, check: &str, text: &str) -> String {
    let is_it = |one: &&Value| {
        one["level"] == level
            && one["check"] == check
            && one["what"].as_str().is_some_and(|what| what.contains(text))
    };
    let found: Vec<&Value> = all.iter().filter(is_it).collect();
    let [one] = found[..] else { panic!("{level} {check} {text:?}: {all:#?}") };
    one["remedy"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_no_problem(all: &[Value]) {
    assert!(all.iter().all(|one| one["level"] != "problem"), "{all:#?}");
}

#[test]
fn healthy_server_has_no_problem_and_is_unchanged() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let files = || {
        let list = |folder: &str| {
            let entries = fs::read_dir(server.home.path(folder)).expect("a folder");
            let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
            names.sort();
            names
        };
        [list("certs"), list("data")].concat()
    };
    let before = files();
    let (all, code) = run_doctor(&server.home, &[]);
    assert_no_problem(&all);
    assert!(matches!(code, Some(0 | 1)), "{all:#?}");
    assert_finding(&all, "ok", "reach", &format!("{} answers, and proves the pin", server.address));
    assert_finding(&all, "ok", "pin", &server.pin().to_string());
    assert_finding(&all, "ok", "database", "sound");
    assert_finding(&all, "ok", "expiry", "server.pem is valid from");
    assert_eq!(files(), before);
    alice.barrier();
    assert_eq!(server.home.count("SELECT count(*) FROM messages"), 0);
}

#[test]
fn neglected_server_gets_remedies() {
    let home = Home::with_accounts(&[]);
    let old = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs() - 500 * 86_400));
    fs::remove_dir_all(home.path("certs"))
        .or_else(|_| fs::create_dir(home.path("certs")))
        .expect("no certificates");
    certs::generate(&home.path("certs"), &[], true, old).expect("certificates of another day");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let config = home.path("parlour.toml");
    fs::write(&config, format!("listen = [\"{address}\"]\nadvertise = [\"chat.example.org\"]\n"))
        .expect("written");
    for (path, mode) in
        [("certs/server.key", 0o644), ("data", 0o777), ("data/parlour.db", 0o640), ("parlour.toml", 0o666)]
    {
        fs::set_permissions(home.path(path), fs::Permissions::from_mode(mode)).expect("set");
    }
    let (all, code) = run_doctor(&home, &[]);
    assert_eq!(code, Some(2));
    assert!(
        assert_finding(&all, "problem", "expiry", "server.pem has expired").contains("parlour certs renew")
    );
    assert_eq!(
        assert_finding(&all, "problem", "permissions", "server.key (mode 0644)"),
        "chmod 600 certs/server.key"
    );
    assert_eq!(assert_finding(&all, "problem", "permissions", "in data (mode 0777)"), "chmod 700 data");
    assert_eq!(
        assert_finding(&all, "problem", "permissions", "parlour.db (mode 0640)"),
        "chmod 600 data/parlour.db"
    );
    assert_eq!(
        assert_finding(&all, "problem", "permissions", "parlour.toml (mode 0666)"),
        "chmod go-w parlour.toml"
    );
    assert!(assert_finding(&all, "warning", "names", "chat.example.org").contains("--name chat.example.org"));
    assert!(assert_finding(&all, "warning", "configuration", "loopback").contains("set `listen`"));
    assert_finding(&all, "warning", "server", "no server runs on data");
    assert_finding(&all, "problem", "server", &format!("another program listens on {address}"));

    fs::write(&config, "\nlisen = []\n").expect("written");
    let (all, code) = run_doctor(&home, &[]);
    assert_eq!(code, Some(2));
    assert_finding(&all, "problem", "configuration", "line 2: unknown key `lisen`, did you mean `listen`?");
}

#[test]
fn damaged_database_and_future_messages_are_found() {
    let home = Home::with_accounts(&[]);
    assert_eq!(run_doctor(&home, &[]).0.iter().filter(|one| one["check"] == "database").count(), 1);
    let later = (UnixTime::now().as_secs() + 5 * 365 * 86_400) * 1000;
    let database = home.database();
    database
        .execute(
            "INSERT INTO messages (id, sender, place, kind, text) VALUES (?1, 1, 0, 0, 'x')",
            [i64::try_from(later << 20).expect("an id")],
        )
        .expect("a message of the future");
    drop(database);
    let (all, code) = run_doctor(&home, &[]);
    assert_eq!(code, Some(2));
    assert!(
        assert_finding(&all, "problem", "clock", "and the server has noted ").starts_with("set the clock")
    );

    let file = fs::OpenOptions::new().write(true).open(home.path("data/parlour.db")).expect("a file");
    for page in 2..6 {
        file.write_all_at(&[0xa5; 700], page * 4096).expect("written");
    }
    let (all, code) = run_doctor(&home, &[]);
    assert_eq!(code, Some(2));
    assert!(
        assert_finding(&all, "problem", "database", "the database is damaged: ")
            .contains("put a backup back")
    );
}

#[test]
fn certificate_mismatch_with_running_server_is_reported() {
    let server = server();
    server.home.succeed(&["certs", "generate", "--certs", "others", "--data", "none"]);
    let (all, code) = run_doctor(&server.home, &["--certs", "others"]);
    assert_eq!(code, Some(2));
    assert!(
        assert_finding(&all, "problem", "pin", "the running server has the pin ")
            .contains("start the server again")
    );
}

#[test]
fn nearly_full_disk_is_reported() {
    if !can_mount() {
        return;
    }
    let home = Home::with_accounts(&[]);
    fs::rename(home.path("data"), home.path("prepared")).expect("renamed");
    fs::create_dir(home.path("data")).expect("a mount point");
    let mut unshare = Command::new("unshare");
    let script = format!(
        "mount -t tmpfs -o size=6m,mode=0700 none data && cp -a prepared/. data/ && exec {} doctor --json",
        env!("CARGO_BIN_EXE_parlour")
    );
    home.configure(&mut unshare).args(NEW_MOUNTS).args(["sh", "-c", &script]);
    let (all, code) = parse_findings(&unshare.output().expect("unshare"));
    assert_eq!(code, Some(2));
    assert!(assert_finding(&all, "problem", "disk", "MiB are free for data").contains("keep_days"));
}

#[test]
fn commands_that_only_read_need_no_room_and_no_writable_disk() {
    if !can_mount() {
        return;
    }
    let home = Home::with_accounts(&[]);
    fs::rename(home.path("data"), home.path("prepared")).expect("renamed");
    fs::create_dir(home.path("data")).expect("a mount point");
    let mount = "mount -t tmpfs -o size=6m,mode=0700 none data && cp -a prepared/. data/";
    for unwritable in ["mount -o remount,ro data", "! cat /dev/zero > data/filling 2> /dev/null"] {
        let run = |args: &str| {
            let mut unshare = Command::new("unshare");
            let script = format!("{mount} && {unwritable} && exec {} {args}", env!("CARGO_BIN_EXE_parlour"));
            home.configure(&mut unshare).args(NEW_MOUNTS).args(["sh", "-c", &script]);
            unshare.output().expect("unshare")
        };
        for args in ["user list", "audit", "channel list", "invite list", "ban list", "status"] {
            let output = run(args);
            assert!(output.status.success() && output.stderr.is_empty(), "{args}: {output:?}");
        }
        assert!(String::from_utf8_lossy(&run("user list").stdout).contains("alice"));
        let refused = run("channel create '#room'");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("disk of data"), "{said}");
    }
}

#[test]
fn unreachable_server_is_reported_with_the_reason() {
    let server = server();
    let home = &server.home;
    let (address, pin) = (server.address.to_string(), server.pin().to_string());
    let chat = ["chat", &address, "--name", "alice", "--pin", &pin, "--password-stdin"];
    assert!(home.run_with_input(&chat, &format!("{PASSWORD}\n")).status.success());
    let (all, code) = run_doctor(home, &["127.0.0.1"]);
    assert_eq!(code, Some(0), "{all:#?}");
    assert_finding(&all, "ok", "known", "answers, and proves the pin");

    // Set up anew, so that it has another root now.
    let restarted = home.clone();
    assert!(server.terminate().0.success());
    let (all, code) = run_doctor(&restarted, &["127.0.0.1"]);
    assert_eq!(code, Some(2));
    assert!(
        assert_finding(&all, "problem", "known", "nothing listens there")
            .contains("see whether the server runs")
    );
    restarted.succeed(&["certs", "generate", "--force"]);
    let server = restarted.serve_at(&address);
    let (all, code) = run_doctor(&restarted, &["127.0.0.1"]);
    assert_eq!(code, Some(2));
    assert!(
        assert_finding(&all, "problem", "pin", "not the server that was expected")
            .contains("ask its administrator")
    );
    drop(server);

    let servers = restarted.path("config/parlour/servers.toml");
    fs::set_permissions(&servers, fs::Permissions::from_mode(0o622)).expect("set");
    let (all, code) = run_doctor(&restarted, &["127.0.0.1"]);
    assert_eq!(code, Some(2));
    assert!(
        assert_finding(&all, "problem", "permissions", "servers.toml (mode 0622)").starts_with("chmod 600 ")
    );
    fs::set_permissions(&servers, fs::Permissions::from_mode(0o600)).expect("set");
    fs::write(&servers, "version = 9\n").expect("written");
    let (all, _) = run_doctor(&restarted, &["127.0.0.1"]);
    assert_eq!(assert_finding(&all, "problem", "known", "was written by a newer parlour"), "update parlour");
}

#[test]
fn moved_server_is_reported() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&[]);
    let server = lan.serve(0, &home, &["--listen", "10.77.0.1:6697"]);
    let pin = server.pin().to_string();
    let chat = ["chat", "10.77.0.1:6697", "--name", "alice", "--pin", &pin, "--password-stdin"];
    let mut chat = lan.parlour(1, &home, &chat);
    let mut chat = Process::spawn({
        chat.stdin(std::process::Stdio::piped());
        chat
    });
    chat.type_line(PASSWORD);
    chat.end_input();
    assert!(chat.wait().success(), "{}", chat.printed());
    assert!(server.terminate().0.success());
    let server = lan.serve(0, &home, &["--announce", "--listen", "10.77.0.1:7000"]);
    server.wait_for_log(|line| line.contains("announced"));
    let output = lan.parlour(1, &home, &["doctor", "--json", "10.77.0.1"]).output().expect("it runs");
    let (all, code) = parse_findings(&output);
    assert_eq!(code, Some(1), "{all:#?}");
    assert_finding(&all, "warning", "known", "has moved to 10.77.0.1:7000, and proves the pin there");
}
