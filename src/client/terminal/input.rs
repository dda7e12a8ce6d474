//! Input of the terminal: a thread that waits for bytes, and events for the client.

use std::collections::VecDeque;
use std::io;
use std::thread::JoinHandle;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::sequences::{Received, SequenceParser};
use super::terminal_size;
use crate::client::keys::key::TerminalEvent;
use crate::platform::signals::{self, Repeated};
use crate::platform::terminal::{Input, InputSource, InputStop};

/// Limit of the events that wait for the client.
const MAX_QUEUED: usize = 64;

/// Stream of the terminal's events and answers, from its creation until it is dropped.
pub struct InputReader {
    events: Receiver<io::Result<Received>>,
    /// Signal of a new size.
    resized: Repeated,
    /// Stops the thread.
    stop: Option<InputStop>,
    thread: Option<JoinHandle<()>>,
}

impl InputReader {
    /// Starts to read standard input, which must be a terminal in raw mode.
    pub fn start() -> io::Result<Self> {
        let (mut source, stop) = InputSource::open()?;
        let (to, events) = channel(MAX_QUEUED);
        let resized = signals::resized()?;
        let thread = std::thread::Builder::new().name("terminal input".to_owned()).spawn(move || {
            if let Err(error) = read_events(&mut source, &to) {
                // The client may be gone already.
                drop(to.blocking_send(Err(error)));
            }
        })?;
        Ok(Self { events, resized, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the next event; `None` where the terminal is gone. Cancel safe.
    pub async fn next_event(&mut self) -> Option<io::Result<Received>> {
        tokio::select! {
            event = self.events.recv() => event,
            () = self.resized.next() => {
                Some(terminal_size().map(|size| Received::Event(TerminalEvent::Resize(size))))
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

/// Reads events until the terminal is gone, the client is, or the source is stopped.
fn read_events(source: &mut InputSource, to: &Sender<io::Result<Received>>) -> io::Result<()> {
    let (mut parser, mut events) = (SequenceParser::default(), VecDeque::new());
    let mut bytes = Vec::new();
    loop {
        match source.read(&mut bytes, parser.timeout())? {
            Input::Bytes => parser.feed(&bytes, &mut events),
            Input::TimedOut => parser.flush(&mut events),
            Input::Ended => return Ok(()),
        }
        bytes.clear();
        for event in events.drain(..) {
            if to.blocking_send(Ok(event)).is_err() {
                return Ok(());
            }
        }
    }
}
