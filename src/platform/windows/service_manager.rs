//! The service manager. That of Windows is told by [`service`](super::service), and passes no sockets.

use std::io;
use std::process::Command;
use std::time::Duration;

pub use crate::platform::types::PassedSocket;

/// Returns `false`.
pub fn is_present() -> bool {
    false
}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn notify_ready(_: &str) -> io::Result<()> {
    Ok(())
}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn notify_reloading() -> io::Result<()> {
    Ok(())
}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn notify_main_process(_: u32) -> io::Result<()> {
    Ok(())
}

/// Does nothing.
pub fn watch_child(_: &mut Command) {}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn notify_stopping(_: &str) -> io::Result<()> {
    Ok(())
}

/// Does nothing.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn notify_alive() -> io::Result<()> {
    Ok(())
}

/// Returns `None`.
pub fn watchdog_timeout() -> Option<Duration> {
    None
}

/// Returns no socket.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn take_sockets() -> io::Result<Vec<PassedSocket>> {
    Ok(Vec::new())
}

/// Fails: there is no journal.
pub fn open_journal() -> io::Result<io::Sink> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the journal is one of systemd"))
}

/// Returns the command that stops a server with this process id.
pub fn stop_command(pid: u32) -> String {
    format!("Stop-Service Parlour, if it is the service, else Stop-Process -Id {pid}")
}
