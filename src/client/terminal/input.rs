//! Input of the terminal: a thread that waits for bytes, and events for the client.

use std::collections::VecDeque;
use std::io::{self, PipeReader, PipeWriter};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::sequences::SequenceParser;
use super::terminal_size;
use crate::client::keys::key::TerminalEvent;

/// Limit of the events that wait for the client.
const MAX_QUEUED: usize = 64;

/// Stream of the terminal's events, from its creation until it is dropped.
pub struct InputReader {
    events: Receiver<io::Result<TerminalEvent>>,
    /// Signal of a new size.
    resized: Signal,
    /// The end of a pipe whose closing stops the thread.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl InputReader {
    /// Starts to read standard input, which must be a terminal in raw mode.
    pub fn start() -> io::Result<Self> {
        let (stopped, stop) = io::pipe()?;
        let (to, events) = channel(MAX_QUEUED);
        let resized = signal(SignalKind::window_change())?;
        let thread = std::thread::Builder::new().name("terminal input".to_owned()).spawn(move || {
            if let Err(error) = read_events(&stopped, &to) {
                // The client may be gone already.
                drop(to.blocking_send(Err(error)));
            }
        })?;
        Ok(Self { events, resized, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the next event; `None` where the terminal is gone. Cancel safe.
    pub async fn next_event(&mut self) -> Option<io::Result<TerminalEvent>> {
        tokio::select! {
            event = self.events.recv() => event,
            _ = self.resized.recv() => {
                Some(terminal_size().map(TerminalEvent::Resize))
            }
        }
    }
}

impl Drop for InputReader {
    fn drop(&mut self) {
        // The thread must not take the keys of whoever reads the terminal next.
        self.events.close();
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            debug_assert!(ended.is_ok(), "the input thread panicked");
        }
    }
}

/// Reads events until the terminal is gone, the client is, or the pipe is closed.
fn read_events(stopped: &PipeReader, to: &Sender<io::Result<TerminalEvent>>) -> io::Result<()> {
    let (mut parser, mut events) = (SequenceParser::default(), VecDeque::new());
    let mut bytes = [0; 1024];
    loop {
        let mut sources =
            [PollFd::from_borrowed_fd(stdin(), PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        let timeout = parser.timeout().map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        match poll(&mut sources, timeout.as_ref()) {
            Ok(0) => parser.flush(&mut events),
            Ok(_) if !sources[1].revents().is_empty() => return Ok(()),
            Ok(_) => match rustix::io::read(stdin(), &mut bytes) {
                // The end, or the other side of a pseudo-terminal is closed.
                Ok(0) | Err(Errno::IO) => return Ok(()),
                Ok(count) => parser.feed(&bytes[..count], &mut events),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            },
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in events.drain(..) {
            if to.blocking_send(Ok(event)).is_err() {
                return Ok(());
            }
        }
    }
}
