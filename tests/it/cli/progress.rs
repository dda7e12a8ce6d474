//! Progress displays of long work: on terminals only.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::Client;
use crate::support::script::{configure_for_dora, server_with_joined_client};

/// Opens both sides of a terminal.
fn open_pty() -> (File, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("a terminal of one's own");
    unlockpt(&master).expect("an open terminal");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let slave = open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other end");
    let size = Winsize { ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&slave, size).expect("a size");
    (File::from(master), slave)
}

/// Runs a command with its standard error on a terminal. Returns everything written there, and its standard output.
/// With `to_the_end` that goes to the terminal too.
fn run_on_pty(command: Command, to_the_end: bool) -> (String, String) {
    let (child, screen, printed) = run_on_pty_with_status(command, to_the_end);
    assert!(child.success());
    (screen, printed)
}

/// Runs a command on a terminal as [`run_on_pty`] does. Returns its status too.
fn run_on_pty_with_status(mut command: Command, to_the_end: bool) -> (ExitStatus, String, String) {
    let (mut master, slave) = open_pty();
    let end = || Stdio::from(slave.try_clone().expect("another end"));
    command.stdin(Stdio::null()).stderr(end()).stdout(if to_the_end { end() } else { Stdio::piped() });
    command.env("TERM", "xterm-256color");
    let mut child = command.spawn().expect("parlour starts");
    // The command has ends of its own; the terminal closes with the last.
    drop((slave, command));
    let screen = std::thread::spawn(move || {
        let mut seen = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = master.read(&mut bytes) {
            seen.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    });
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut printed).expect("text");
    }
    let status = child.wait().expect("its end");
    (status, screen.join().expect("the terminal's reader"), printed)
}

#[test]
fn long_export_shows_progress_on_a_terminal_only() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = Client::in_channel(&server, "alice", "#lobby");
    alice.send_all((1..=3500).map(|n| format!("PRIVMSG #lobby :needle {n}")));
    alice.request("PING done");
    let command = |args: &[&str]| {
        let mut command = home.command(args);
        configure_for_dora(home, &mut command);
        command
    };
    let history: &[&str] = &["history", "#lobby", "--messages"];
    let search: &[&str] = &["search", "needle", "--limit", "3500"];
    for args in [history, search] {
        let (screen, printed) = run_on_pty(command(args), false);
        assert!(screen.contains(" lines, up to 20") && screen.contains(" to go"), "{screen}");
        // The last page ends it, and nothing is left on the screen.
        assert!(screen.contains("100% 3,500 lines"), "{screen}");
        assert!(screen.ends_with("\u{1b}[2K") || screen.ends_with("\u{1b}[1A"), "{screen:?}");
        assert!(printed.lines().count() == 3500 && !printed.contains(['\u{1b}', '█', '%']), "{args:?}");
    }
    // Lines that scroll by are progress enough; results that are printed only at the end are not.
    let (screen, _) = run_on_pty(command(history), true);
    assert!(!screen.contains(" to go"));
    let (screen, _) = run_on_pty(command(search), true);
    assert!(screen.contains(" to go"));
    for args in [history, search] {
        let output = command(args).stdin(Stdio::null()).output().expect("parlour starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn large_import_shows_progress_and_reports_bad_row() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut rows: Vec<String> = (1..=5000).map(|n| format!("user{n},secret word {n}\n")).collect();
    rows[2499] = "user2500,\"secret\"word\"2500,more\n".to_owned();
    rows[3999] = "user4000;secret word 4000\n".to_owned();
    fs::write(home.path("many.csv"), rows.concat()).expect("many.csv");
    let (status, screen, printed) =
        run_on_pty_with_status(home.command(&["user", "import", "many.csv"]), false);
    assert_eq!((status.code(), &*printed), (Some(1), "4998 added, 2 not\n"), "{screen}");
    assert!(screen.contains(" of 4998 passwords hashed"), "{screen}");
    let said: Vec<&str> =
        screen.lines().filter_map(|line| line.split_once("many.csv:")).map(|(_, line)| line).collect();
    assert!(matches!(said[..], [a, b] if a.starts_with("2500: ") && b.starts_with("4000: ")), "{said:?}");
    assert!(!screen.contains("secret") && !screen.contains("panic"), "{screen}");
    assert_eq!(home.count("SELECT count(*) FROM accounts WHERE name LIKE 'user%'"), 4998);
    // The running server knows the accounts.
    let mut last = Client::connect(&server);
    last.send("CAP REQ :sasl");
    last.send_nick_and_user("user5000");
    assert_eq!(last.authenticate("user5000", "secret word 5000").command, "903");
}
