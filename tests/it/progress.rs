//! Long work shows how far it is, to who watches and to nobody else.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::common::Client;
use crate::common::script::{at_doras, joined};

/// A terminal's both sides.
fn terminal() -> (File, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("a terminal of one's own");
    unlockpt(&master).expect("an open terminal");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let slave = open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other end");
    let size = Winsize { ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&slave, size).expect("a size");
    (File::from(master), slave)
}

/// Everything that a command writes to a terminal, which is its standard error, and to its standard output. With
/// `whole` that is the terminal too.
fn watched(mut command: Command, whole: bool) -> (String, String) {
    let (mut master, slave) = terminal();
    let end = || Stdio::from(slave.try_clone().expect("another end"));
    command.stdin(Stdio::null()).stderr(end()).stdout(if whole { end() } else { Stdio::piped() });
    command.env("TERM", "xterm-256color");
    let mut child = command.spawn().expect("parlour starts");
    // The command keeps ends of its own; the terminal is gone with the last.
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
    assert!(child.wait().expect("its end").success());
    (screen.join().expect("the terminal's reader"), printed)
}

#[test]
fn a_long_read_shows_how_far_it_is_on_a_terminal_alone() {
    let server = joined();
    let home = &server.home;
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #lobby");
    alice.send_all((1..=3500).map(|n| format!("PRIVMSG #lobby :needle {n}")));
    alice.request("PING done");
    let command = |args: &[&str]| {
        let mut command = home.command(args);
        at_doras(home, &mut command);
        command
    };
    let history: &[&str] = &["history", "#lobby", "--messages"];
    let search: &[&str] = &["search", "needle", "--limit", "3500"];
    for args in [history, search] {
        let (screen, printed) = watched(command(args), false);
        assert!(screen.contains(" lines, up to 20") && screen.contains(" to go"), "{screen}");
        // The last page is the end of it, and nothing is left behind.
        assert!(screen.contains("100% 3,500 lines"), "{screen}");
        assert!(screen.ends_with("\u{1b}[2K") || screen.ends_with("\u{1b}[1A"), "{screen:?}");
        assert!(printed.lines().count() == 3500 && !printed.contains(['\u{1b}', '█', '%']), "{args:?}");
    }
    // Lines that scroll by are progress enough; what is printed at the end alone is not.
    let (screen, _) = watched(command(history), true);
    assert!(!screen.contains(" to go"));
    let (screen, _) = watched(command(search), true);
    assert!(screen.contains(" to go"));
    for args in [history, search] {
        let output = command(args).stdin(Stdio::null()).output().expect("parlour starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}
