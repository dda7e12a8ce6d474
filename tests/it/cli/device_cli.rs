//! `parlour device`: listing and revoking the devices of an account.

use std::io::Write as _;
use std::process::{Output, Stdio};

use crate::support::{Client, Device, Home, PASSWORD, Server, server};

/// Runs a client with `user`'s configuration and this text on standard input.
fn run_as(home: &Home, user: &str, args: &[&str], input: &str) -> Output {
    let mut command = home.command(args);
    command.env("XDG_CONFIG_HOME", home.path(user)).stdin(Stdio::piped());
    let mut child = command.spawn().expect("parlour starts");
    // A run that fails early does not read its input.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("parlour ends")
}

#[track_caller]
fn assert_success(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn error_text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Starts a server and joins dora's account.
fn server_with_joined_client() -> Server {
    let server = server();
    let link = server.home.invite(&[]);
    let args = ["join", &link, "--name", "dora", "--password-stdin"];
    assert_success(&run_as(&server.home, "dora", &args, &format!("{PASSWORD}\n")));
    server
}

#[test]
fn devices_are_listed_and_revoked() {
    let server = server_with_joined_client();
    let home = &server.home;
    let list = || assert_success(&run_as(home, "dora", &["device", "list"], ""));
    let listed = list();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(lines[0].starts_with("FINGERPRINT") && lines[0].ends_with("LAST USED"), "{listed}");
    assert!(lines[1].ends_with("this machine") && !lines[1].contains("never"), "{listed}");

    // Another program's certificate, in use.
    let phone = Device::new();
    let mut by_password = Client::login(&server, "dora");
    by_password.request(&format!("CERT ADD {}", phone.fingerprint()));
    let listed = list();
    let row = listed.lines().find(|line| line.starts_with(&phone.fingerprint())).expect("the phone");
    assert!(row.ends_with("never"), "{listed}");
    let mut session = Client::connect_with_device(&server, &phone);
    session.begin_login("dora", "batch");
    assert_eq!(session.authenticate_external("").command, "903");
    let mut session = session.finish_login();

    let nobodys = error_text(&run_as(home, "dora", &["device", "revoke", "00000000000000"], ""));
    assert!(nobodys.contains("`parlour device list` prints them"), "{nobodys}");
    let start = &phone.fingerprint()[..12].to_uppercase();
    let said = assert_success(&run_as(home, "dora", &["device", "revoke", start], ""));
    assert_eq!(said, format!("{} was revoked\n", phone.fingerprint()));
    assert!(session.read_until_closed().last().is_some_and(|line| line.command == "ERROR"));
    by_password.barrier();
    assert_eq!(list().lines().count(), 2);

    // From another machine with the password, which is none of the devices.
    let address = server.address.to_string();
    let pin = server.pin().to_string();
    let elsewhere =
        ["device", "list", "--server", &address, "--pin", &pin, "--name", "dora", "--password-stdin"];
    let listed = assert_success(&run_as(home, "elsewhere", &elsewhere, &format!("{PASSWORD}\n")));
    assert!(listed.lines().count() == 2 && !listed.contains("this machine"), "{listed}");

    // The machine's own device.
    let own = list().lines().nth(1).expect("a row")[..64].to_owned();
    let said = assert_success(&run_as(home, "dora", &["device", "revoke", &own], ""));
    assert!(said.contains("it was this machine: the next login here asks for the password"), "{said}");
    let refused = error_text(&run_as(home, "dora", &["device", "list"], ""));
    assert!(refused.contains("this device may not log in (any more)"), "{refused}");
}

#[test]
fn device_of_another_account_cannot_be_revoked() {
    let server = server_with_joined_client();
    let home = &server.home;
    let device = Device::new();
    Client::login(&server, "alice").request(&format!("CERT ADD {}", device.fingerprint()));
    let said = error_text(&run_as(home, "dora", &["device", "revoke", &device.fingerprint()], ""));
    assert!(said.contains("no device of yours"), "{said}");
    assert_eq!(home.count("SELECT count(*) FROM devices"), 2);
    let usage = run_as(home, "dora", &["device", "revoke", "xyz"], "");
    assert_eq!(usage.status.code(), Some(2));
}
