//! Runs the examples of docs/scripting.md as they are written there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::page::{CodeBlock, Page};
use crate::support::script::{configure_for_dora, server_with_joined_client};
use crate::support::{Client, Home, Process};

/// Returns the blocks that are run.
fn parse_examples() -> Vec<CodeBlock> {
    let is_run =
        |block: &CodeBlock| !block.remark.as_deref().is_some_and(|remark| remark.starts_with("not run: "));
    Page::read("docs/scripting.md")
        .code_blocks()
        .into_iter()
        .filter(|block| block.language == "sh" && is_run(block))
        .collect()
}

/// Makes a shell command that finds `parlour`, and a `make` with some output.
fn shell_command(home: &Home, code: &str) -> Command {
    let tools = home.path("tools");
    fs::create_dir_all(&tools).expect("a folder");
    let make = tools.join("make");
    fs::write(&make, "#!/bin/sh\necho 'cc -o thing thing.c'\necho 'thing.c:1: warning' >&2\n")
        .expect("writes");
    fs::set_permissions(&make, fs::Permissions::from_mode(0o755)).expect("sets");
    let parlour =
        std::path::Path::new(env!("CARGO_BIN_EXE_parlour")).parent().expect("its folder").to_owned();
    let path =
        format!("{}:{}:{}", tools.display(), parlour.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    configure_for_dora(home, &mut command).env("PATH", path).args(["-eu", "-c", code]);
    command
}

#[test]
fn every_documented_example_works() {
    let server = server_with_joined_client();
    let home = &server.home;
    let examples = parse_examples();
    assert!(examples.len() >= 8, "only {} examples were found", examples.len());
    for example in examples.iter().filter(|example| example.remark.is_none()) {
        let output = shell_command(home, &example.code).output().expect("a shell");
        assert!(output.status.success(), "{}\n{output:?}", example.code);
    }
    for (text, times) in [
        ("The build is green", 1),
        ("no quotes needed for simple words", 1),
        ("one", 1),
        ("two", 1),
        ("cc -o thing thing.c", 1),
        ("thing.c:1: warning", 1),
    ] {
        let count = home.count(&format!("SELECT count(*) FROM messages WHERE text = '{text}'"));
        assert_eq!(count, times, "{text}");
    }
    assert_eq!(home.count("SELECT count(*) FROM messages WHERE text LIKE 'Disks:%'"), 1);
}

#[test]
fn documented_bot_replies() {
    let server = server_with_joined_client();
    let home = &server.home;
    let bot = parse_examples()
        .into_iter()
        .find(|example| example.remark.as_deref() == Some("until stopped: bot"))
        .expect("the bot");
    let mut alice = Client::in_channel(&server, "alice", "#lobby");
    let _process = Process::spawn_group(shell_command(home, &bot.code));
    // Others do not see it come online.
    server.wait_for_metric("parlour_sessions", |sessions| sessions == 2);
    alice.send("PRIVMSG #lobby :!date");
    let answer = alice.wait_for_line("its answer", |line| line.command == "PRIVMSG" && line.nick() == "dora");
    assert!(answer.text().starts_with("It is 20"), "{answer}");
    // Other users' messages are data.
    let hostile = "-n $(touch owned) `touch owned` ; touch owned \\ \"'";
    alice.send(&format!("PRIVMSG #lobby :!say {hostile}"));
    alice.wait_for_message(hostile);
    assert!(!home.path("owned").exists());
}
