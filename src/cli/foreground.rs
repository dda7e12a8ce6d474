//! The terminal that a server runs on, and the end of it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

// Not rustix's: it takes an id of 0 for impossible, and that is the id of a process group or session whose leader is in
// another PID namespace, as it is for the first process of a container.
use nix::unistd::{getpgrp, getpid, getsid, tcgetpgrp};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::termios::{isatty, tcgetattr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// The terminal that one of the standard streams of this process is.
#[derive(Clone, Debug)]
pub struct Terminal(Arc<OwnedFd>);

impl Terminal {
    /// The terminal, where there is one.
    pub fn of_this_process() -> Option<Self> {
        let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
        let streams = [input.as_fd(), errors.as_fd(), output.as_fd()];
        let terminal = streams.into_iter().find(|stream| isatty(stream))?;
        Some(Self(Arc::new(terminal.try_clone_to_owned().ok()?)))
    }

    /// Whether it was closed: its window, or the connection that it came over.
    pub fn is_gone(&self) -> bool {
        tcgetattr(&*self.0).is_err()
    }

    /// Whether its end is the end of this process: not of one that a shell runs in the background, nor of one that left
    /// the session of its terminal.
    fn is_in_foreground(&self) -> bool {
        match tcgetpgrp(&*self.0) {
            Ok(group) => group == getpgrp(),
            Err(_) => getsid(None).is_ok_and(|session| session != getpid()),
        }
    }

    /// Ready when it was closed while this process ran in the foreground, whether or not there is a signal for it. It is
    /// watched from the call on.
    pub fn closed(self) -> io::Result<impl Future<Output = ()> + Send + use<>> {
        let foreground = Arc::new(AtomicBool::new(self.is_in_foreground()));
        let (closed, told) = oneshot::channel();
        // A thread, which sleeps until then, because tokio would make the terminal non-blocking for all who share it.
        let (terminal, was) = (self.clone(), foreground.clone());
        std::thread::spawn(move || {
            if terminal.wait_for_end() && was.load(Ordering::Relaxed) {
                let _ = closed.send(());
            }
        });
        // A shell that brings a process to the foreground or sends it to the background continues it.
        let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
        Ok(async move {
            tokio::pin!(told);
            loop {
                tokio::select! {
                    result = &mut told => match result {
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

    /// Blocks until it is closed. `false` where that cannot be told.
    fn wait_for_end(&self) -> bool {
        // Nothing is asked for; the end is always told.
        let mut watched = [PollFd::new(&*self.0, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
    }
}
