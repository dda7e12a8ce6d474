//! The pump, which moves bytes between a logged-in connection and its session with as few records and system calls as
//! possible.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::socket::Socket;
use crate::core::commands::message::batch::{Batches, Taken};
use crate::core::effects::label;
use crate::core::{Command, Login};
use crate::server::sessions::outbox;
use crate::server::sessions::session::{Ready, Said, Session};
use crate::wire::framing::{BadLine, LineError, Lines};
use crate::wire::numeric::ERR_INPUTTOOLONG;
use crate::wire::{Message, Reply, Tags};

/// Size of a read, in bytes: a TLS record has 16 KiB.
const READ: usize = 32 * 1024;

/// Bytes without a line end that cost as much as one line.
const LINELESS: usize = 8 * 1024;

/// Maximum count of blocks in one write.
const SLICES: usize = 64;

/// Time limit for a closing connection to read its last lines.
const FAREWELL: Duration = Duration::from_secs(5);

/// Time for which a closing connection is then still read, until the client closes its side too.
const LINGER: Duration = Duration::from_millis(500);

thread_local! {
    /// Buffer of every read, so that an idle connection owns no read buffer.
    static INPUT: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// A logged-in connection.
pub(in crate::server) struct Pump {
    stream: TlsStream<Socket>,
    session: Arc<Session>,
    ready: Arc<Ready>,
    lines: Lines,
    batches: Batches,
    /// Input that was read when there was no room for all of its lines. At most one read.
    unread: Vec<u8>,
    /// Bytes since the last whole line.
    lineless: usize,
    writing: Writing,
}

/// Blocks being written.
#[derive(Default)]
struct Writing {
    blocks: Vec<Bytes>,
    /// First block that is not completely written, and the bytes of it that are.
    next: usize,
    offset: usize,
    unflushed: bool,
}

impl Pump {
    /// Makes the session of a client that has logged in. The hub learns of it with the first lines.
    pub fn new(
        stream: TlsStream<Socket>,
        login: Login,
        lines: Lines,
        ready: Arc<Ready>,
        peer: IpAddr,
    ) -> Self {
        let session = Arc::new(Session::new(login, ready.seconds(), peer));
        Self {
            stream,
            session,
            ready,
            lines,
            batches: Batches::default(),
            unread: Vec::new(),
            lineless: 0,
            writing: Writing::default(),
        }
    }

    /// Passes the login to the hub, and the lines that followed it.
    pub fn say<'a>(&mut self, lines: impl Iterator<Item = Result<&'a str, BadLine>>) {
        let said = lines.flat_map(|line| read_line(line, &mut self.batches)).flatten().collect();
        self.ready.put(&self.session, |inbox| inbox.said = said);
    }

    /// Tells the hub that the connection has ended.
    pub fn ended(&self, reason: Arc<str>) {
        // A query may wait for output to be read, which will not happen, and the hub for that query.
        self.session.outbox.abandon(&reason);
        self.ready.put(&self.session, |inbox| inbox.ended = Some(reason));
    }

    /// Runs until the connection ends. Returns the reason.
    pub async fn run(&mut self) -> Arc<str> {
        let reason = poll_fn(|cx| self.poll(cx)).await;
        // If the client closed the connection, other sessions see it now and not after the farewell.
        self.ready.put(&self.session, |inbox| inbox.hung_up = Some(reason.clone()));
        if self.session.outbox.is_cut() {
            self.writing.cut();
        }
        let farewell = poll_fn(|cx| {
            ready!(self.poll_output(cx))?;
            Pin::new(&mut self.stream).poll_shutdown(cx)
        });
        // A client that does not read its last lines loses them.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        // Closing a socket with unread input resets it, and the client may then lose its last lines.
        let _ = tokio::time::timeout(LINGER, poll_fn(|cx| self.poll_drain(cx))).await;
        reason
    }

    /// Reads and discards input. Ready when the client has closed its side.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let read = INPUT.with_borrow_mut(|input| {
                let mut buf = ReadBuf::new(input);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
                Poll::Ready(io::Result::Ok(buf.filled().len()))
            });
            if matches!(ready!(read), Ok(0) | Err(_)) {
                return Poll::Ready(());
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Arc<str>> {
        if let Poll::Ready(end) = self.poll_input(cx) {
            return Poll::Ready(match end {
                Ok(()) => "Connection closed".into(),
                Err(error) => format!("Connection lost: {}", error.kind()).into(),
            });
        }
        match self.poll_output(cx) {
            Poll::Ready(Ok(reason)) => Poll::Ready(reason),
            Poll::Ready(Err(error)) => Poll::Ready(format!("Connection lost: {}", error.kind()).into()),
            Poll::Pending if self.writing.blocks.is_empty() => Poll::Pending,
            // The client does not read: an end that is due does not wait for it.
            Poll::Pending => match self.session.outbox.closing(cx.waker()) {
                Some(reason) => Poll::Ready(reason),
                None => Poll::Pending,
            },
        }
    }

    /// Reads lines. Ready at the end of the stream.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let room = ready!(self.session.poll_room(cx));
            if !self.unread.is_empty() {
                let unread = std::mem::take(&mut self.unread);
                self.take_lines(&unread, room);
                continue;
            }
            let read = INPUT.with_borrow_mut(|input| {
                let mut buf = ReadBuf::new(input);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
                let filled = buf.filled();
                if !filled.is_empty() {
                    self.session.heard(self.ready.seconds());
                    self.take_lines(filled, room);
                }
                Poll::Ready(io::Result::Ok(filled.len()))
            });
            if ready!(read)? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Passes as many lines to the hub as there is room for, and keeps the rest unparsed, because that takes less
    /// memory.
    fn take_lines(&mut self, input: &[u8], room: usize) {
        let end =
            memchr::memchr_iter(b'\n', input).nth(room.saturating_sub(1)).map_or(input.len(), |at| at + 1);
        let (now, later) = input.split_at(end);
        // An idle connection holds no capacity.
        self.unread = later.to_vec();
        let (batches, mut said) = (&mut self.batches, Vec::new());
        self.lines.feed(now, |line| said.extend(read_line(line, batches).into_iter().flatten()));
        if said.is_empty() {
            // Blank lines and overlong ones take time too.
            self.lineless += now.len();
            if self.lineless < LINELESS {
                return;
            }
            said.push(Said::NOTHING);
        }
        self.lineless = 0;
        self.ready.put(&self.session, |inbox| {
            if inbox.said.is_empty() {
                inbox.said = said;
            } else {
                inbox.said.append(&mut said);
            }
        });
    }

    /// Writes the queued blocks. Ready with the reason when the connection is to end and everything is written.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Arc<str>>> {
        let writing = &mut self.writing;
        loop {
            if writing.next == writing.blocks.len() {
                match self.session.outbox.take(cx.waker()) {
                    outbox::Taken::Blocks(blocks) => {
                        *writing = Writing { blocks, unflushed: true, ..Writing::default() }
                    }
                    idle => {
                        if writing.unflushed {
                            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                        }
                        // An idle connection holds no capacity.
                        *writing = Writing::default();
                        return match idle {
                            outbox::Taken::End(reason) => Poll::Ready(Ok(reason)),
                            _ => Poll::Pending,
                        };
                    }
                }
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let rest = writing.blocks.get(writing.next..).unwrap_or_default();
            let mut count = 0;
            for (slice, block) in slices.iter_mut().zip(rest) {
                let done = if count == 0 { writing.offset } else { 0 };
                *slice = IoSlice::new(block.get(done..).unwrap_or_default());
                count += 1;
            }
            let slices = slices.get(..count).unwrap_or_default();
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
            self.session.outbox.written(written);
            writing.advance(written);
        }
    }
}

impl Writing {
    /// Drops the blocks that are not begun. A block that is begun must be completed, because it may stop in the middle
    /// of a line.
    fn cut(&mut self) {
        let begun = usize::from(self.offset > 0);
        self.blocks.truncate(self.next + begun);
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(block) = self.blocks.get_mut(self.next) {
            let left = block.len() - self.offset;
            if written < left {
                self.offset += written;
                return;
            }
            written -= left;
            self.offset = 0;
            self.next += 1;
            // Frees the memory as soon as the block is written.
            *block = Bytes::new();
        }
    }
}

/// Reads a line: one command, or two where a line in a batch is answered besides the batch.
fn read_line(line: Result<&str, BadLine>, batches: &mut Batches) -> [Option<Said>; 2] {
    let one = |label, command| [Some(Said { label, command: Some(command) }), None];
    let taken = match line {
        Ok(line) => {
            let Some(message) = Message::parse(line) else { return [Some(Said::NOTHING), None] };
            let label = label::of(&message);
            match batches.take(&message, label.clone()) {
                Taken::Not => return one(label, Command::parse(&message)),
                taken => taken,
            }
        }
        Err(bad) => {
            let tags = bad.tags.as_deref().map(Tags);
            match batches.lose(tags) {
                Taken::Not => return one(tags.and_then(label::in_tags), Err(line_refused(&bad))),
                taken => taken,
            }
        }
    };
    match taken {
        Taken::Not | Taken::Held => [Some(Said::NOTHING), None],
        Taken::Said((label, command)) => one(label, command),
        Taken::Both(of_batch, of_line) => {
            [of_batch, of_line].map(|(label, command)| Some(Said { label, command: Some(command) }))
        }
    }
}

/// Returns the reply to the sender of a bad line.
pub(in crate::server) fn line_refused(bad: &BadLine) -> Reply {
    let command = bad.command.as_deref().unwrap_or("*").to_ascii_uppercase();
    match bad.error {
        LineError::TooLong => Reply::numeric(ERR_INPUTTOOLONG).text("Input line was too long"),
        LineError::Nul => Reply::fail(&command, "INVALID_LINE").text("A line may not hold a NUL byte"),
        LineError::Cr => {
            Reply::fail(&command, "INVALID_LINE").text("A line may hold a carriage return only at its end")
        }
        LineError::NotUtf8 => {
            Reply::fail(&command, "INVALID_UTF8").text("Messages must be UTF-8, this one was dropped")
        }
    }
}
