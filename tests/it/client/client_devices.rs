//! Devices of Parlour's own client: the password is typed once and stored nowhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use crate::support::script::server_with_joined_client;
use crate::support::{Home, PASSWORD, remove_devices};

fn output_texts(output: &Output) -> (bool, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn device_key_file(home: &Home) -> PathBuf {
    let folder = fs::read_dir(home.path("dora/parlour/devices")).expect("a folder");
    let files: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    file.clone()
}

#[test]
fn joined_client_is_not_asked_for_the_password_again() {
    let server = server_with_joined_client();
    let home = &server.home;
    let (sent, answer, complaint) = output_texts(&home.run_as("dora", &["echo"], "no password here\n"));
    assert!(
        sent && answer == "Server: Server received your message: no password here\n",
        "{answer} {complaint}"
    );
    assert!(output_texts(&home.run_as("dora", &["send", "echo", "hello"], "")).0);
    assert_eq!(
        home.count(
            "SELECT count(*) FROM devices d JOIN accounts a ON a.id = d.account WHERE a.name = 'dora'"
        ),
        1
    );
    assert_eq!(home.count("SELECT count(*) FROM devices WHERE used IS NOT NULL"), 1);
    let file = device_key_file(home);
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    // The machine has no trace of the password.
    for file in [file, home.path("dora/parlour/servers.toml")] {
        assert!(!fs::read_to_string(file).expect("text").contains(PASSWORD));
    }
}

#[test]
fn removed_device_is_refused_and_password_enrols_it_again() {
    let server = server_with_joined_client();
    let home = &server.home;
    let listed = output_texts(&home.run_as("dora", &["chat"], "/msg NickServ CERT LIST\n")).1;
    assert!(listed.contains("1 certificate may log in"), "{listed}");
    remove_devices(&server, "dora");
    let (sent, _, complaint) = output_texts(&home.run_as("dora", &["send", "echo", "hello"], ""));
    assert!(!sent && complaint.contains("this device may not log in"), "{complaint}");
    // A typed password makes a device; one from a script (`--password-stdin`) does not.
    let with_password = ["send", "echo", "hello", "--password-stdin"];
    assert!(output_texts(&home.run_as("dora", &with_password, &format!("{PASSWORD}\n"))).0);
    assert_eq!(home.count("SELECT count(*) FROM devices"), 0);
}

#[test]
fn admin_password_change_revokes_devices() {
    let server = server_with_joined_client();
    let home = &server.home;
    let reset =
        home.run_with_input(&["user", "passwd", "dora", "--password-stdin"], "another-lantern-here\n");
    assert!(reset.status.success(), "{reset:?}");
    let (sent, _, complaint) = output_texts(&home.run_as("dora", &["send", "echo", "hello"], ""));
    assert!(!sent && complaint.contains("this device may not log in"), "{complaint}");
}

#[test]
fn loose_or_damaged_device_key_is_not_used() {
    let server = server_with_joined_client();
    let (home, file) = (&server.home, device_key_file(&server.home));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("sets");
    let (sent, _, complaint) = output_texts(&home.run_as("dora", &["send", "echo", "hello"], ""));
    assert!(!sent && complaint.contains("chmod 600"), "{complaint}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("sets");
    let pem = fs::read_to_string(&file).expect("text");
    fs::write(&file, pem.replacen("-----BEGIN PRIVATE KEY-----\nM", "-----BEGIN PRIVATE KEY-----\nA", 1))
        .expect("writes");
    let (sent, _, complaint) = output_texts(&home.run_as("dora", &["send", "echo", "hello"], ""));
    assert!(!sent && complaint.contains("device"), "{complaint}");
}
