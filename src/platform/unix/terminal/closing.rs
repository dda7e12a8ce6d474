//! Detection of the closing of the terminal that a server runs on.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

// rustix assumes that no id is 0. That is the id of a process group or session whose leader is in another PID namespace,
// as for the first process of a container. So nix is used here.
use nix::unistd::{getpgrp, getpid, getsid, tcgetpgrp};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::termios::{isatty, tcgetattr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// The terminal that this process was started in.
#[derive(Clone, Debug)]
pub struct Terminal(Arc<OwnedFd>);

impl Terminal {
    /// Returns the terminal of a standard stream. If all of them lead elsewhere, returns the controlling terminal, unless the
    /// process was started by `nohup`.
    pub fn of_process() -> Option<Self> {
        let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
        let streams = [input.as_fd(), errors.as_fd(), output.as_fd()];
        let terminal = match streams.into_iter().find(|stream| isatty(stream)) {
            Some(stream) => stream.try_clone_to_owned().ok()?,
            None => open_controlling()?,
        };
        Some(Self(Arc::new(terminal)))
    }

    /// Returns whether the terminal was closed: its window, or the remote connection.
    pub fn is_gone(&self) -> bool {
        tcgetattr(&*self.0).is_err()
    }

    /// Returns whether the closing of the terminal should end this process. It should not for a background process of a
    /// shell, nor for one that left the terminal's session.
    fn is_in_foreground(&self) -> bool {
        match tcgetpgrp(&*self.0) {
            Ok(group) => group == getpgrp(),
            Err(_) => getsid(None).is_ok_and(|session| session != getpid()),
        }
    }

    /// Returns a future that completes when the terminal is closed while this process is in the foreground, with or
    /// without a signal. Watching starts with the call.
    pub fn wait_until_closed(self) -> io::Result<impl Future<Output = ()> + Send + use<>> {
        let foreground = Arc::new(AtomicBool::new(self.is_in_foreground()));
        let (closed, terminal_closed) = oneshot::channel();
        // A separate thread that sleeps until then, because tokio would make the terminal non-blocking for all
        // processes that share it.
        let (terminal, was) = (self.clone(), foreground.clone());
        std::thread::spawn(move || {
            if terminal.wait_for_end() && was.load(Ordering::Relaxed) {
                let _ = closed.send(());
            }
        });
        // A shell sends SIGCONT when it moves a process to the foreground or the background.
        let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
        Ok(async move {
            tokio::pin!(terminal_closed);
            loop {
                tokio::select! {
                    result = &mut terminal_closed => match result {
                        Ok(()) => return,
                        Err(_) => std::future::pending().await,
                    },
                    Some(()) = continued.recv() => {
                        foreground.store(self.is_in_foreground(), Ordering::Relaxed);
                    }
                }
            }
        })
    }

    /// Blocks until the terminal is closed. Returns `false` if that cannot be detected.
    fn wait_for_end(&self) -> bool {
        // No events are requested; errors and hang-ups are always reported.
        let mut watched = [PollFd::new(&*self.0, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }
}

/// Opens the controlling terminal, if its closing is to end this process. A process that ignores SIGHUP when it starts is to
/// outlive its terminal.
#[cfg(target_os = "linux")]
fn open_controlling() -> Option<OwnedFd> {
    use rustix::fs::{Mode, OFlags, open};
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    if ignores_hangup(&status)? {
        return None;
    }
    open("/dev/tty", OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Returns `None`: other systems do not tell which signals a process ignores.
#[cfg(not(target_os = "linux"))]
fn open_controlling() -> Option<OwnedFd> {
    None
}

/// Parses the set of ignored signals from `/proc/PID/status`. SIGHUP is its lowest bit.
#[cfg(target_os = "linux")]
fn ignores_hangup(status: &str) -> Option<bool> {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    Some(u64::from_str_radix(set.trim(), 16).ok()? & 1 != 0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn ignored_hangup_is_the_lowest_bit() {
        assert_eq!(ignores_hangup("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001006\n"), Some(false));
        assert_eq!(ignores_hangup("SigIgn:\t0000000000001001\n"), Some(true));
        assert_eq!(ignores_hangup(""), None);
    }
}
