//! Prompts for passphrases and passwords on a terminal, and backups that would go to one.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Home, server};

/// Runs the program on a terminal, types `keys` once `prompt` is there, and returns everything that was shown, with the
/// exit code and the modes of the terminal afterwards.
fn run_on_terminal(home: &Home, args: &[&str], prompt: &str, keys: &[u8]) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&master).expect("a terminal of one's own");
    unlockpt(&master).expect("an open terminal");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = || Stdio::from(open(&*name, flags, Mode::empty()).expect("its other end"));
    // The shell leads the session, because the terminal hangs up with its leader.
    let script = "\"$0\" \"$@\"; echo \"ended with $?\"; stty -a";
    let mut command = Command::new("setsid");
    home.configure(&mut command)
        .args(["--ctty", "sh", "-c", script, env!("CARGO_BIN_EXE_parlour")])
        .args(args)
        .stdin(slave())
        .stdout(slave())
        .stderr(slave());
    let mut child = command.spawn().expect("it starts");
    drop(command);
    let mut master = File::from(master);
    let (mut seen, mut bytes, mut is_typed) = (String::new(), [0; 4096], keys.is_empty());
    // Reading fails once nobody has the other end.
    while let Ok(count @ 1..) = master.read(&mut bytes) {
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if !is_typed && seen.contains(prompt) {
            master.write_all(keys).expect("typed");
            is_typed = true;
        }
    }
    child.wait().expect("it ends");
    seen
}

#[test]
fn interrupted_prompt_leaves_the_terminal_as_it_was() {
    let server = server();
    let home = server.home.clone();
    for args in [&["backup", "x.backup"][..], &["user", "passwd", "alice"]] {
        for key in [b"secret\x03", b"secret\x1c"] {
            let seen = run_on_terminal(&home, args, ": ", key);
            assert!(seen.contains("ended with 130"), "{seen}");
            assert!(seen.contains(" echo ") && seen.contains(" icanon ") && seen.contains("isig "), "{seen}");
            assert!(!seen.contains("secret"), "{seen}");
        }
    }
    assert!(!home.path("x.backup").exists());
    let typed = b"a long passphrase\ra long passphrase\r";
    let seen = run_on_terminal(&home, &["backup", "x.backup"], ": ", typed);
    assert!(seen.contains("ended with 0") && !seen.contains("a long"), "{seen}");
    assert!(home.path("x.backup").exists());
}

#[test]
fn backup_does_not_go_to_a_terminal() {
    let server = server();
    let seen = run_on_terminal(&server.home, &["backup", "--no-secrets", "-"], "", b"");
    assert!(seen.contains("name a file") && seen.contains("ended with 1"), "{seen}");
}
