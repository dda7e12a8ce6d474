//! Backups by the real program: of a running server, restored into another folder.

mod flow;
mod terminal;
mod upgrade;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Client, Home, PASSWORD, assert_success, server, server_with, until};

/// Passphrase of the backups.
const PASSPHRASE: &str = "correct horse battery staple\n";

/// Runs the program with the passphrase on standard input, and returns standard output.
#[track_caller]
fn run(home: &Home, args: &[&str]) -> String {
    assert_success(&home.run_with_input(args, PASSPHRASE))
}

/// Makes a backup of the server in a home.
#[track_caller]
fn back_up(home: &Home, file: &str) -> String {
    run(home, &["backup", "--passphrase-stdin", file])
}

#[test]
fn restored_server_takes_devices_passwords_and_invites_of_the_old_one() {
    let mut server = server();
    let home = server.home.clone();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    alice.send("PRIVMSG #room :kept in the backup");
    alice.wait_for_message("kept in the backup");
    let joined = home.join("dora");
    assert!(joined.contains("dora"), "{joined}");
    let invite = home.invite(&[]);
    let printed = back_up(&home, "x.backup");
    assert!(
        printed.contains("4 accounts, 2 channels") && printed.contains("read back and compared"),
        "{printed}"
    );
    let pin = server.pin();
    let address = server.address.to_string();
    server.kill9();
    let other = Home::new(&[]);
    fs::remove_file(other.path("parlour.toml")).expect("removed");
    let file = home.path("x.backup");
    let file = file.to_str().expect("UTF-8");
    let restored = run(&other, &["restore", "--passphrase-stdin", file]);
    assert!(restored.contains(&format!("pin {pin}")), "{restored}");
    let server = other.serve_at(&address);
    assert_eq!(server.pin(), pin);
    // Dora's device, which knows the server, logs in without a password.
    let messages = home.run_as("dora", &["history", "#room", "--json"], "");
    drop(messages);
    let sent = home.run_as("dora", &["send", "#lobby", "here again"], "");
    assert_success(&sent);
    let erik = home.run_as(
        "erik",
        &["join", &invite, "--name", "erik", "--password-stdin"],
        &format!("{PASSWORD}\n"),
    );
    assert_success(&erik);
    let mut alice = Client::login_with(&server, "alice", &crate::support::history::history_capabilities());
    let lines = alice.query_history("LATEST #room * 10");
    assert!(lines.iter().any(|line| line.text() == "kept in the backup"), "{lines:?}");
}

#[test]
fn nothing_is_overwritten_and_wrong_files_are_refused() {
    let server = server();
    let home = server.home.clone();
    back_up(&home, "x.backup");
    let said = home.fail(&["backup", "--no-secrets", "x.backup"]);
    assert_eq!(said, "parlour: x.backup exists; name another file, or remove it\n");
    let said = String::from_utf8(
        home.run_with_input(&["restore", "--passphrase-stdin", "x.backup"], PASSPHRASE).stderr,
    );
    let said = said.expect("UTF-8");
    assert!(said.contains("data/parlour.db exists: nothing is overwritten"), "{said}");
    let wrong = home.run_with_input(&["verify", "--passphrase-stdin", "x.backup"], "wrong horse\n");
    let said = String::from_utf8(wrong.stderr).expect("UTF-8");
    assert!(said.contains("does not open this backup"), "{said}");
    let said = home.fail(&["verify", "parlour.toml"]);
    assert!(said.contains("not a backup of Parlour"), "{said}");
    let manifest = run(&home, &["verify", "--passphrase-stdin", "--json", "x.backup"]);
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["pin"], server.pin().to_string());
    assert_eq!(manifest["counts"]["accounts"], 3);
    let mut bytes = fs::read(home.path("x.backup")).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(home.path("damaged"), &bytes).expect("written");
    let damaged =
        home.run_with_input(&["restore", "--passphrase-stdin", "damaged", "--home", "new"], PASSPHRASE);
    let said = String::from_utf8(damaged.stderr).expect("UTF-8");
    assert!(said.contains("damaged or incomplete"), "{said}");
    assert!(!home.path("new/data").exists() && !home.path("new/certs").exists());
}

#[test]
fn folders_that_do_not_exist_are_refused_and_no_backup_lacks_the_certificates_silently() {
    let server = server();
    let home = server.home.clone();
    for option in ["--certs", "--config", "--data", "--home"] {
        let said = home.fail(&["backup", "--passphrase-stdin", option, "missing", "x.backup"]);
        assert!(said.contains("missing") && said.contains(option), "{said}");
    }
    let said = home.fail(&["config", "check", "--home", "missing"]);
    assert!(said.contains("there is no folder missing"), "{said}");
    // From another folder, with the data alone.
    let elsewhere = home.path("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    let mut command = home.command(&["backup", "--passphrase-stdin", "--data", "../data", "x.backup"]);
    command.current_dir(&elsewhere);
    let output = crate::support::run_to_end(&mut command, PASSPHRASE.as_bytes());
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!output.status.success() && said.contains("there is no root.pem in certs"), "{said}");
    assert!(!home.path("x.backup").exists() && !elsewhere.join("x.backup").exists());
}

#[test]
fn server_of_a_backup_without_secrets_starts_with_a_new_pin() {
    let server = server();
    let home = server.home.clone();
    let pin = server.pin();
    home.succeed(&["backup", "--no-secrets", "x.backup"]);
    let said = home.succeed(&["verify", "x.backup"]);
    assert!(said.contains("new pin") && !said.contains(&pin.to_string()), "{said}");
    let other = Home::new(&[]);
    fs::remove_file(other.path("parlour.toml")).expect("removed");
    let file = home.path("x.backup");
    let restored = other.run(&["restore", file.to_str().expect("UTF-8")]);
    let said = String::from_utf8(restored.stderr.clone()).expect("UTF-8");
    assert!(restored.status.success() && said.contains("a new pin"), "{said}");
    // Before the first start there is no pin that a link could have.
    let said = other.fail(&["invite", "create", "--for", "alice"]);
    assert!(!said.contains(&pin.to_string()), "{said}");
    let restored = other.serve();
    assert_ne!(restored.pin(), pin);
    let link = other.succeed(&["invite", "create", "--for", "alice"]);
    assert!(!link.contains(&pin.to_string()), "{link}");
}

#[test]
fn short_passphrase_makes_no_backup_wherever_it_is_from() {
    let server = server();
    let home = server.home.clone();
    let short = home.run_with_input(&["backup", "--passphrase-stdin", "x.backup"], "seven77\n");
    let said = String::from_utf8(short.stderr).expect("UTF-8");
    assert!(!short.status.success() && said.contains("at least 8 characters"), "{said}");
    let file = home.path("passphrase");
    fs::write(&file, "seven77\n").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("chmod");
    let backup = ["backup", "--passphrase-file", "passphrase", "x.backup"];
    assert!(home.fail(&backup).contains("others can read passphrase"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("chmod");
    assert!(home.fail(&backup).contains("at least 8 characters"));
    fs::write(&file, "eight888\n").expect("written");
    home.succeed(&backup);
    home.succeed(&["verify", "--passphrase-file", "passphrase", "x.backup"]);
}

#[test]
fn backup_goes_to_standard_output_and_comes_from_standard_input() {
    let server = server();
    let home = server.home.clone();
    let output = home.run(&["backup", "--no-secrets", "-"]);
    assert!(output.status.success(), "{output:?}");
    let mut verify = home.command(&["verify", "-"]);
    let verified = assert_success(&crate::support::run_to_end(&mut verify, &output.stdout));
    assert!(verified.contains("complete and unchanged") && verified.contains("no passwords"), "{verified}");
}

#[test]
fn server_makes_regular_backups_and_keeps_the_latest() {
    let config =
        ["backup.folder = 'backups'", "backup.every = '1m'", "backup.keep = 1", "backup.secrets = false"];
    let server = server_with(&config);
    let made = || fs::read_dir(server.home.path("backups")).map_or(0, |entries| entries.flatten().count());
    server.wait_for_log(|line| line.contains("a backup was made"));
    assert_eq!(made(), 1);
    server.wait_for_metric("parlour_last_backup_timestamp_seconds", |at| at > 0);
    assert_eq!(server.metric("parlour_backups_total{result=\"ok\"}"), 1);
    let home = server.home.clone();
    let old = home.path("backups/parlour-20200101T000000Z.backup");
    fs::write(&old, "").expect("written");
    let name = fs::read_dir(home.path("backups")).expect("a folder").flatten().map(|entry| entry.path());
    let newest = name.max().expect("a backup");
    fs::rename(&newest, home.path("backups/parlour-20200102T000000Z.backup")).expect("renamed");
    server.terminate();
    let server = home.serve();
    server.wait_for_log(|line| line.contains("a backup was made"));
    let made = || fs::read_dir(home.path("backups")).map_or(0, |entries| entries.flatten().count());
    until(|| made() == 1, || "old backups are still there".to_owned());
    let output = home.run(&["doctor", "--json"]);
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        said.lines().any(|line| line.contains("\"check\":\"backup\"") && line.contains("\"level\":\"ok\"")),
        "{said}"
    );
}

#[test]
fn failed_regular_backup_is_logged_and_the_server_goes_on() {
    let server = server_with(&["backup.folder = 'backups'", "backup.passphrase_file = 'missing'"]);
    server.wait_for_log(|line| line.contains("no backup was made") && line.contains("missing"));
    assert_eq!(server.metric("parlour_backups_total{result=\"failed\"}"), 1);
    Client::login(&server, "alice").request("JOIN #room");
}
