//! The service manager that runs this process: what systemd is told (`sd_notify(3)`) and passes (`sd_listen_fds(3)`). Without
//! one, nothing is told and nothing was passed.

use std::net::TcpListener;
use std::time::Duration;
use std::{env, io};

use listenfd::ListenFd;
use sd_notify::NotifyState;

pub use crate::platform::types::PassedSocket;

/// Tells that the server answers from now on, and a sentence about it for people.
pub fn notify_ready(status: &str) -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&one_line(status))])
}

/// Tells that the server reads its files again, until [`notify_ready`].
pub fn notify_reloading() -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])
}

/// Tells that the server is ending, with a sentence for people.
pub fn notify_stopping(status: &str) -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Stopping, NotifyState::Status(&one_line(status))])
}

/// Tells that the server still answers.
pub fn notify_alive() -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Watchdog])
}

/// Returns the time after which the service manager ends a server that has not called [`notify_alive`]; `None` where it
/// does not watch.
pub fn watchdog_timeout() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|timeout| !timeout.is_zero())
}

/// Takes the listening sockets that the service manager has passed. To be called once, before the program has threads: it
/// changes the environment, so that no child takes the sockets for its own.
///
/// # Errors
/// `InvalidInput` if one of them is no listening TCP socket.
pub fn take_sockets() -> io::Result<Vec<PassedSocket>> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut passed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..passed.len() {
        let name = names.next().unwrap_or_default();
        let invalid = || {
            let text =
                format!("the socket {} ({name}) is not one that listens for TCP connections", index + 1);
            io::Error::new(io::ErrorKind::InvalidInput, text)
        };
        let listener = passed.take_tcp_listener(index).ok().flatten().ok_or_else(invalid)?;
        if !is_listening(&listener) {
            return Err(invalid());
        }
        listener.set_nonblocking(true)?;
        sockets.push(PassedSocket { name, listener });
    }
    Ok(sockets)
}

#[cfg(not(target_vendor = "apple"))]
fn is_listening(socket: &TcpListener) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
}

/// The system cannot tell.
#[cfg(target_vendor = "apple")]
fn is_listening(_: &TcpListener) -> bool {
    true
}

/// The protocol has one line for each variable.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
