//! The service manager that runs this process: what systemd is told (`sd_notify(3)`) and passes (`sd_listen_fds(3)`). Without
//! one, nothing is told and nothing was passed.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, io};

use listenfd::ListenFd;
use sd_notify::NotifyState;

pub use crate::platform::types::PassedSocket;

/// Returns whether a service manager waits for reports of this process.
pub fn is_present() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// Tells that the server answers from now on, and a sentence about it for people.
pub fn notify_ready(status: &str) -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&one_line(status))])
}

/// Tells that the server reads its files again, until [`notify_ready`].
pub fn notify_reloading() -> io::Result<()> {
    sd_notify::notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])
}

/// Tells that the process with this id is the server from now on. It must be one that the service manager counts to the
/// service, such as a child of this process.
pub fn notify_main_process(pid: u32) -> io::Result<()> {
    sd_notify::notify(&[NotifyState::MainPid(pid)])
}

/// Makes a command that starts another server of the same service tell that it answers, as this one does: a child inherits
/// everything but that it is watched.
pub fn watch_child(command: &mut Command) {
    command.env_remove("WATCHDOG_PID");
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

/// Opens systemd's journal for entries in its own protocol, one a write
/// (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>). An entry that is too large for a datagram fails.
pub fn open_journal() -> io::Result<impl Write + Send + use<>> {
    Journal::open(JOURNAL.as_ref())
}

/// Socket of the journal.
const JOURNAL: &str = "/run/systemd/journal/socket";

#[derive(Debug)]
struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    fn open(path: &Path) -> io::Result<Self> {
        // Fails where nobody reads. Entries are sent without a connection, so that a journal that was started again gets
        // them.
        UnixDatagram::unbound()?.connect(path)?;
        Ok(Self { socket: UnixDatagram::unbound()?, path: path.to_owned() })
    }
}

impl Write for Journal {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.socket.send_to(entry, &self.path)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the command that stops a server with this process id.
pub fn stop_command(pid: u32) -> String {
    unit_of(pid).unwrap_or_else(|| format!("kill {pid}"))
}

/// Returns the command that stops the unit which a process is the main process of.
fn unit_of(pid: u32) -> Option<String> {
    let read = |name: &str, pid: u32| fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
    let parent = parent_id(&read("status", pid)?)?;
    // Not for a server that somebody started in a terminal whose program is a unit.
    (read("comm", parent)?.trim() == "systemd").then(|| unit_command(&read("cgroup", pid)?, has_unit))?
}

/// Parses the id of the parent from `/proc/PID/status`.
fn parent_id(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Returns the command that stops the unit of `/proc/PID/cgroup`, if that is a service. A socket of the service would start it
/// again with the next connection, so it is stopped too.
fn unit_command(cgroup: &str, has_unit: impl Fn(&str) -> bool) -> Option<String> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let name = path.rsplit('/').next()?.strip_suffix(".service")?;
    // The manager of a user's services is a service itself.
    let of_user = path.split('/').rev().skip(1).any(|part| part.starts_with("user@"));
    let user = if of_user { "--user " } else { "" };
    let socket = format!("{name}.socket ");
    let socket = if has_unit(socket.trim_end()) { &*socket } else { "" };
    Some(format!("systemctl {user}stop {socket}{name}.service"))
}

/// Returns whether the system has a unit of this name.
fn has_unit(name: &str) -> bool {
    ["/etc", "/run", "/usr/lib", "/lib"]
        .iter()
        .any(|folder| Path::new(folder).join("systemd/system").join(name).exists())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_of_a_process_is_the_end_of_its_cgroup() {
        let command = |cgroup| unit_command(cgroup, |unit| unit == "parlour.socket");
        assert_eq!(
            command("0::/system.slice/parlour.service\n").as_deref(),
            Some("systemctl stop parlour.socket parlour.service")
        );
        assert_eq!(
            command("1:name=systemd:/x\n0::/user.slice/user-7.slice/user@7.service/app.slice/chat.service\n")
                .as_deref(),
            Some("systemctl --user stop chat.service")
        );
        assert_eq!(command("0::/user.slice/user-7.slice/session-2.scope\n"), None);
        assert_eq!(command("0::/\n"), None);
        assert_eq!(command(""), None);
    }

    #[test]
    fn a_process_of_no_unit_is_stopped_by_its_id() {
        assert_eq!(parent_id("Name:\tx y\nPPid:\t17\n"), Some(17));
        // The tests' own process was started by cargo or a shell.
        let pid = std::process::id();
        assert_eq!(stop_command(pid), format!("kill {pid}"));
    }

    #[test]
    fn journal_gets_an_entry_a_datagram_also_after_it_was_started_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        assert_eq!(Journal::open(&path).expect_err("nobody reads").kind(), io::ErrorKind::NotFound);
        let read = |socket: &UnixDatagram| {
            let mut bytes = [0; 64];
            let count = socket.recv(&mut bytes).expect("an entry");
            bytes[..count].to_vec()
        };
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let mut journal = Journal::open(&path).expect("opened");
        for entry in [b"one", b"two"] {
            journal.write_all(entry).expect("sent");
            assert_eq!(read(&socket), entry);
        }
        drop(socket);
        assert!(journal.write_all(b"lost").is_err());
        std::fs::remove_file(&path).expect("removed");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        journal.write_all(b"three").expect("sent");
        assert_eq!(read(&socket), b"three");
    }
}
