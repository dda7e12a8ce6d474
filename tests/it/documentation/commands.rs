//! The commands of the documentation, as they stand there: each block that is marked `sh` is run, unless a comment above it
//! says why not (`<!-- not run: WHY -->`), and each command of Parlour, also in the text, is one that exists.
//!
//! docs/scripting.md is run by `scripting.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use clap::error::ErrorKind;

use super::page::{CodeBlock, Page, pages};
use crate::architecture::root;
use crate::support::script::configure_for_dora;
use crate::support::{Home, PASSWORD, Process, Server};

/// Stands in front of the program: gives it what a person would type or replace.
const STAND_IN: &str = include_str!("stand_in.sh");

/// Blocks that are neither commands nor run, by what stands behind their fence.
const OTHER_LANGUAGES: [&str; 6] = ["text", "toml", "ini", "json", "http", "irc"];

/// Returns why a block is not run.
fn reason(block: &CodeBlock) -> Option<&str> {
    block.remark.as_deref()?.strip_prefix("not run: ")
}

/// Makes a shell command of a block, in a folder, on a machine that has the program.
fn shell(home: &Home, folder: &Path, code: &str) -> Command {
    let tools = home.path("tools");
    fs::create_dir_all(&tools).expect("a folder");
    let stand_in = tools.join("parlour");
    fs::write(&stand_in, STAND_IN).expect("writes");
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).expect("sets");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    configure_for_dora(home, &mut command)
        .current_dir(folder)
        .env("PATH", path)
        .env("PROGRAM", env!("CARGO_BIN_EXE_parlour"))
        .env("PASSWORD", PASSWORD)
        .args(["-euo", "pipefail", "-c", code]);
    command
}

/// Runs the blocks of a page in turn, each in the folder of a server that alice, bob, carol and dora know. Returns how many.
#[track_caller]
fn run_page(name: &str, server: &Server) -> usize {
    let home = &server.home;
    let page = Page::read(name);
    let blocks = page.code_blocks();
    let runnable = blocks.iter().filter(|block| block.language == "sh" && reason(block).is_none());
    let mut count = 0;
    for block in runnable {
        // As a person would: line by line, so that the one that fails is known.
        let output = shell(home, &home.path("."), &block.code).output().expect("a shell");
        assert!(output.status.success(), "{name}:\n{}\n{output:?}", block.code);
        count += 1;
    }
    count
}

fn server_for_pages() -> Server {
    let home = Home::with_accounts(&["files.enabled = true", "hooks.enabled = true", "api.enabled = true"]);
    let server = home.serve();
    home.join("dora");
    home.succeed(&["channel", "create", "#builds", "--founder", "alice"]);
    for (file, text) in [
        ("pupils.csv", "name,password\nemil,the-tin-of-biscuits\n"),
        ("class-3b.csv", "Nachname;Vorname;Klasse\r\nMüller;Jürgen;3b\r\nGroß;Ägidius;3b, Chor\r\n"),
        ("staff.csv", "display name,role\nAda Lovelace,admin\nGrace Hopper,\n"),
    ] {
        fs::write(home.path(file), text).expect("writes");
    }
    server
}

#[test]
fn commands_of_the_pages_about_a_server_work() {
    let mut count = 0;
    for name in [
        "README.md",
        "docs/inviting.md",
        "docs/administration.md",
        "docs/troubleshooting.md",
        "docs/api.md",
        "docs/configuration.md",
    ] {
        count += run_page(name, &server_for_pages());
    }
    assert!(count >= 10, "only {count} blocks were run");
}

#[test]
fn commands_of_a_year_at_a_school_work() {
    let server = server_for_pages();
    let class = "Nachname;Vorname;Klasse\r\nMüller;Jürgen;3b\r\nGroß;Ägidius;3b, Chor\r\nYılmaz;Elif;3b\r\n";
    fs::write(server.home.path("class-3b.csv"), class).expect("writes");
    assert_eq!(run_page("docs/school.md", &server), 12);
    // Whoever is left is of the school's staff, or of the other tests' accounts.
    let left = server.home.succeed(&["user", "list", "--json"]);
    assert!(!left.contains("juergen") && left.contains("emil"), "{left}");
}

#[test]
fn the_ten_minutes_lead_from_nothing_to_a_conversation() {
    let home = Home::new(&[]);
    fs::remove_file(home.path("parlour.toml")).expect("removes");
    let page = Page::read("docs/ten-minutes.md");
    let blocks = page.code_blocks();
    let (first, rest) = blocks.split_first().expect("a block");
    let server = Process::spawn_group(shell(&home, &home.path("."), &first.code));
    server.wait_for_line(|line| line.contains("listening"));
    for block in rest {
        let output = shell(&home, &home.path("."), &block.code).output().expect("a shell");
        assert!(output.status.success(), "{}\n{output:?}", block.code);
    }
    let messages = rusqlite::Connection::open(home.path("chat/data/parlour.db")).expect("the database");
    let sent: i64 = messages
        .query_row("SELECT count(*) FROM messages WHERE text = 'The kettle is on'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(sent, 1);
}

/// Returns the commands of Parlour in a line of a shell, each as its arguments.
fn commands_in(line: &str) -> Vec<Vec<String>> {
    let words = shlex::split(line).unwrap_or_default();
    let commands =
        words.split(|word| matches!(word.as_str(), "|" | "&&" | "||" | ";" | "do" | ">" | "<" | "2>&1"));
    let arguments = commands.filter_map(|command| {
        let at = command.iter().position(|word| word == "parlour")?;
        let before = &command[..at];
        before
            .iter()
            .all(|word| word.contains('=') || word == "$" || word == "if" || word == "!")
            .then(|| command[at..].to_vec())
    });
    arguments.collect()
}

/// Says what of a command does not exist. Arguments may be placeholders, and the rest of the command may follow in the text.
fn unknown_in(arguments: &[String]) -> Option<String> {
    let error = parlour::cli::tree().try_get_matches_from(arguments).err()?;
    matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand)
        .then(|| error.to_string())
}

#[test]
fn documented_commands_exist() {
    let (mut count, mut unknown, mut unmarked) = (0, Vec::new(), Vec::new());
    for page in pages() {
        for block in page.code_blocks() {
            if block.language != "sh" && !OTHER_LANGUAGES.contains(&block.language.as_str()) {
                unmarked.push(format!("{}: ```{}\n{}", page.name, block.language, block.code));
            }
        }
        let blocks = page.code_blocks();
        for path in
            blocks.iter().filter_map(reason).flat_map(str::split_whitespace).filter(|word| word.contains('/'))
        {
            assert!(root().join(path).exists(), "{}: {path} does not exist", page.name);
        }
        let lines = blocks
            .iter()
            .filter(|block| block.language == "sh")
            .flat_map(|block| block.code.lines().map(str::to_owned));
        for line in lines.chain(page.inline_code()) {
            for command in commands_in(&line) {
                count += 1;
                unknown.extend(unknown_in(&command).map(|why| format!("{}: {line}: {why}", page.name)));
            }
        }
    }
    assert!(count > 150, "found only {count} commands");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(unmarked.is_empty(), "blocks without a language, `sh` for commands:\n{}", unmarked.join("\n"));
}

#[test]
fn commands_are_read_from_a_line() {
    let commands = commands_in("make | parlour send '#a b' --notice && HOME=/x parlour who   # parlour not");
    assert_eq!(commands, [vec!["parlour", "send", "#a b", "--notice"], vec!["parlour", "who"]]);
    assert!(commands_in("install parlour").is_empty());
    assert!(unknown_in(&commands[0]).is_none());
    let wrong = |line| unknown_in(&commands_in(line)[0]);
    assert!(wrong("parlour send --no-such '#a'").is_some() && wrong("parlour whisper").is_some());
    assert!(wrong("parlour certs show --for PROGRAM").is_none(), "a placeholder");
}
