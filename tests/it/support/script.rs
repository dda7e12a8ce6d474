//! Parlour's client as scripts run it: on a machine that has joined, so that it prompts for nothing.

use std::process::{Command, Output};

use super::{Home, Process, Server, run_to_end, server};

/// Starts a server and joins dora's account on a machine.
#[track_caller]
pub fn server_with_joined_client() -> Server {
    let server = server();
    server.home.join("dora");
    server
}

/// Makes a command run on dora's machine.
pub fn configure_for_dora<'a>(home: &Home, command: &'a mut Command) -> &'a mut Command {
    home.configure(command).env("XDG_CONFIG_HOME", home.path("dora")).env("TZ", "UTC")
}

/// Runs a command of dora's to its end, with this text on standard input.
pub fn run_script_with_input(home: &Home, args: &[&str], input: &[u8]) -> Output {
    let mut command = home.command(args);
    run_to_end(configure_for_dora(home, &mut command), input)
}

/// Runs a command of dora's that must end with this code. Returns its standard output and standard error.
#[track_caller]
pub fn run_script(home: &Home, args: &[&str], input: &str, code: i32) -> (String, String) {
    let output = run_script_with_input(home, args, input.as_bytes());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    (text(&output.stdout), text(&output.stderr))
}

/// Starts a command of dora's that keeps running.
#[track_caller]
pub fn start_script(home: &Home, args: &[&str]) -> Process {
    home.start_as_user("dora", args)
}

/// Parses lines of JSON.
#[track_caller]
pub fn parse_json_lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}
