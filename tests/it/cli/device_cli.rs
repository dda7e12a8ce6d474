//! `parlour device`: listing and revoking the devices of an account.

use crate::support::script::server_with_joined_client;
use crate::support::{Client, Device, PASSWORD, assert_failure, assert_success};

#[test]
fn devices_are_listed_and_revoked() {
    let server = server_with_joined_client();
    let home = &server.home;
    let list = || assert_success(&home.run_as("dora", &["device", "list"], ""));
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

    let json = assert_success(&home.run_as("dora", &["device", "list", "--json"], ""));
    let json: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let own: Vec<_> = json.iter().filter(|device| device["this_machine"] == true).collect();
    assert!(json.len() == 2 && own.len() == 1 && own[0]["last_used"].is_string(), "{json:?}");

    let nobodys = assert_failure(&home.run_as("dora", &["device", "revoke", "00000000000000"], ""), 1);
    assert!(nobodys.contains("`parlour device list` prints them"), "{nobodys}");
    let start = &phone.fingerprint()[..12].to_uppercase();
    let said = assert_success(&home.run_as("dora", &["device", "revoke", start], ""));
    assert_eq!(said, format!("{} was revoked\n", phone.fingerprint()));
    assert!(session.read_until_closed().last().is_some_and(|line| line.command == "ERROR"));
    by_password.barrier();
    assert_eq!(list().lines().count(), 2);

    // From another machine with the password, which is none of the devices.
    let address = server.address.to_string();
    let pin = server.pin().to_string();
    let elsewhere =
        ["device", "list", "--server", &address, "--pin", &pin, "--name", "dora", "--password-stdin"];
    let listed = assert_success(&home.run_as("elsewhere", &elsewhere, &format!("{PASSWORD}\n")));
    assert!(listed.lines().count() == 2 && !listed.contains("this machine"), "{listed}");

    // The machine's own device.
    let own = list().lines().nth(1).expect("a row")[..64].to_owned();
    let said = assert_success(&home.run_as("dora", &["device", "revoke", &own], ""));
    assert!(said.contains("it was this machine: the next login here asks for the password"), "{said}");
    let refused = assert_failure(&home.run_as("dora", &["device", "list"], ""), 1);
    assert!(refused.contains("this device may not log in (any more)"), "{refused}");
}

#[test]
fn device_of_another_account_cannot_be_revoked() {
    let server = server_with_joined_client();
    let home = &server.home;
    let device = Device::new();
    Client::login(&server, "alice").request(&format!("CERT ADD {}", device.fingerprint()));
    let said = assert_failure(&home.run_as("dora", &["device", "revoke", &device.fingerprint()], ""), 1);
    assert!(said.contains("no device of yours"), "{said}");
    assert_eq!(home.count("SELECT count(*) FROM devices"), 2);
    let usage = home.run_as("dora", &["device", "revoke", "xyz"], "");
    assert_eq!(usage.status.code(), Some(2));
}
