//! Requirements of tests to the machine. Where one is missing, the test is skipped with a message, or fails if it must run.

use std::fmt::Display;
use std::io::Write as _;
use std::process::Command;
use std::{env, io, thread};

/// Environment variable: `all` makes a skipped test fail, as does `CI=true` unless it is `none`.
const REQUIRE: &str = "PARLOUR_TESTS_REQUIRE";

/// Arguments of `unshare` for a program that may mount file systems, which end with it.
pub const NEW_MOUNTS: [&str; 2] = ["--map-root-user", "--mount"];

/// Arguments of `unshare` for a program in a PID namespace of its own, as its first process.
pub const NEW_PIDS: [&str; 4] = ["--user", "--map-root-user", "--pid", "--fork"];

/// Reports that the running test, or a part of it, is skipped.
///
/// # Panics
///
/// Panics where tests must not be skipped; see [`REQUIRE`].
#[track_caller]
pub fn skipped(reason: impl Display) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let required = match env::var(REQUIRE) {
        Ok(required) => required == "all",
        Err(_) => env::var("CI").is_ok_and(|ci| ci == "true"),
    };
    assert!(!required, "must not be skipped: {reason}");
    // The harness captures what `eprintln!` writes.
    let _ = writeln!(io::stderr(), "skipped: {test}: {reason}");
}

/// Returns true if `unshare` can make these namespaces and run a command in them. Reports a skipped test otherwise.
#[track_caller]
pub fn can_unshare(namespaces: &[&str], command: &[&str]) -> bool {
    let output = Command::new("unshare").args(namespaces).args(command).output();
    let reason = match output {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    skipped(format_args!("unshare {} {}: {reason}", namespaces.join(" "), command.join(" ")));
    false
}

/// Returns true if a test can mount a file system. Reports a skipped test otherwise.
#[track_caller]
pub fn can_mount() -> bool {
    can_unshare(&NEW_MOUNTS, &["sh", "-c", "mount -t tmpfs -o size=64k none /tmp"])
}

/// Returns true if this program is installed. Reports a skipped test otherwise.
#[track_caller]
pub fn has_program(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    if let Err(error) = &found {
        skipped(format_args!("{program}: {error}"));
    }
    found.is_ok()
}
