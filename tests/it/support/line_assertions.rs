//! Helpers to examine what programs print, and servers with more than the usual accounts.

use std::fs;
use std::process::Output;

use super::{Client, Home, PASSWORD, Server};

/// Returns the standard output of a run, which must have succeeded.
#[track_caller]
pub fn assert_success(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the standard error of a run, which must have failed with this exit code.
#[track_caller]
pub fn assert_failure(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Starts a server with the accounts alice, bob, carol and the admin root.
pub fn server_with_admin(config: &[&str]) -> Server {
    let home = Home::with_accounts(config);
    let row = format!("name,password,role\nroot,{PASSWORD},admin\n");
    fs::write(home.path("admins.csv"), row).expect("admins.csv");
    home.succeed(&["user", "import", "admins.csv"]);
    home.serve()
}

/// Logs several accounts in, and makes them join a channel that the first of them creates.
#[track_caller]
pub fn log_in_and_join<const N: usize>(server: &Server, names: [&str; N], channel: &str) -> [Client; N] {
    let mut clients = names.map(|name| Client::login(server, name));
    for client in &mut clients {
        client.request(&format!("JOIN {channel}"));
    }
    for client in &mut clients {
        client.drain();
    }
    clients
}
