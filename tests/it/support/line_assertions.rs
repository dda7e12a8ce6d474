//! Helpers to examine the server's lines.

use std::fs;

use super::{Client, Home, Line, PASSWORD, Server};

/// Returns the lines without tags and sources.
pub fn without_tags(lines: &[Line]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

/// Returns the commands and numerics alone.
pub fn commands(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.command.as_str()).collect()
}

/// Returns the only line of a command.
#[track_caller]
pub fn only_line<'a>(lines: &'a [Line], command: &str) -> &'a Line {
    let mut found = lines.iter().filter(|line| line.command == command);
    match (found.next(), found.next()) {
        (Some(line), None) => line,
        _ => panic!("not one {command} in {lines:?}"),
    }
}

/// Sends a line whose whole reply must be one line, and returns that without tags. Discards earlier lines.
#[track_caller]
pub fn request_one_line(client: &mut Client, line: &str) -> String {
    client.drain();
    let lines = client.request(line);
    let [answer] = &lines[..] else { panic!("{line}: not one line: {lines:?}") };
    answer.to_string()
}

/// Checks that the whole reply is one line that starts so.
#[track_caller]
pub fn assert_refused(client: &mut Client, line: &str, start: &str) {
    let answer = request_one_line(client, line);
    assert!(answer.starts_with(&format!("{start} ")), "{line}: {answer}");
}

/// Returns the names that NAMES shows of a channel, sorted.
#[track_caller]
pub fn names_reply(client: &mut Client, channel: &str) -> Vec<String> {
    let lines = client.request(&format!("NAMES {channel}"));
    let rows = lines.iter().filter(|line| line.command == "353");
    let mut names: Vec<String> = rows.flat_map(|row| row.text().split(' ')).map(str::to_owned).collect();
    names.sort();
    names
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
