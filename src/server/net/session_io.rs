//! Moves bytes between a logged-in connection and its session, with as few TLS records and system calls as possible.

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

use super::client_stream::ClientStream;
use crate::core::commands::message::batch::{BatchOutcome, LabeledCommand, MultilineBatches};
use crate::core::{Command, Login};
use crate::server::sessions::outbox;
use crate::server::sessions::session::{ClientLine, ReadySessions, Session};
use crate::wire::framing::{BadLine, LineError, LineFramer};
use crate::wire::numeric::ERR_INPUTTOOLONG;
use crate::wire::{Label, Message, Reply, Tags};

/// Size of a read, in bytes: a TLS record has 16 KiB.
const READ_BYTES: usize = 32 * 1024;

/// Bytes without a line end that cost as much as one line.
const BYTES_COUNTED_AS_LINE: usize = 8 * 1024;

/// Maximum count of blocks in one write.
const MAX_WRITE_SLICES: usize = 64;

/// Time limit for a closing connection to read its last lines, and to close its side too.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    /// Buffer of every read, so that an idle connection owns no read buffer.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// A logged-in connection.
pub(in crate::server) struct SessionIo {
    stream: ClientStream,
    session: Arc<Session>,
    ready_sessions: Arc<ReadySessions>,
    framing: LineFramer,
    batches: MultilineBatches,
    /// Input that was read when there was no room for all of its lines. At most one read.
    unread: Vec<u8>,
    /// Bytes since the last whole line.
    bytes_since_line: usize,
    pending_write: PendingWrite,
}

/// Blocks being written.
#[derive(Default)]
struct PendingWrite {
    blocks: Vec<Bytes>,
    /// First block that is not completely written, and the bytes of it that are.
    next_block: usize,
    offset: usize,
    needs_flush: bool,
}

impl SessionIo {
    /// Makes the session of a client that has logged in. The hub learns of it with the first lines.
    pub fn new(
        stream: ClientStream,
        login: Login,
        framing: LineFramer,
        ready_sessions: Arc<ReadySessions>,
        peer: IpAddr,
    ) -> Self {
        let session =
            Arc::new(Session::new(login, ready_sessions.uptime_seconds(), peer, stream.line_form()));
        Self {
            stream,
            session,
            ready_sessions,
            framing,
            batches: MultilineBatches::default(),
            unread: Vec::new(),
            bytes_since_line: 0,
            pending_write: PendingWrite::default(),
        }
    }

    /// Passes the login to the hub, and the lines that followed it.
    pub fn push_initial_lines<'a>(&mut self, lines: impl Iterator<Item = Result<&'a str, BadLine>>) {
        let parsed_lines = lines.flat_map(|line| parse_line(line, &mut self.batches)).flatten().collect();
        self.ready_sessions.push_input(&self.session, |inbox| inbox.lines = parsed_lines);
    }

    /// Tells the hub that the connection has ended.
    pub fn report_disconnect(&self, reason: Arc<str>) {
        // A query may wait for output to be read, which will not happen, and the hub for that query.
        self.session.outbox.discard_queue(&reason);
        self.ready_sessions.push_input(&self.session, |inbox| inbox.disconnect_reason = Some(reason));
    }

    /// Runs until the connection ends. Returns the reason.
    pub async fn run(&mut self) -> Arc<str> {
        let reason = poll_fn(|cx| self.poll_session(cx)).await;
        // If the client closed the connection, other sessions see it now and not after the farewell.
        self.ready_sessions
            .push_input(&self.session, |inbox| inbox.input_close_reason = Some(reason.clone()));
        if self.session.outbox.is_truncated() {
            self.pending_write.drop_unstarted_blocks();
        }
        let farewell = poll_fn(|cx| {
            // A WebSocket that the client has closed takes no more lines, but is still closed.
            let _ = ready!(self.poll_output(cx));
            Pin::new(&mut self.stream).poll_shutdown(cx)
        });
        // A client that does not read its last lines loses them.
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, farewell).await;
        reason
    }

    fn poll_session(&mut self, cx: &mut Context<'_>) -> Poll<Arc<str>> {
        if let Poll::Ready(end) = self.poll_input(cx) {
            return Poll::Ready(match end {
                Ok(()) => "Connection closed".into(),
                Err(error) => format!("Connection lost: {}", error.kind()).into(),
            });
        }
        match self.poll_output(cx) {
            Poll::Ready(Ok(reason)) => Poll::Ready(reason),
            Poll::Ready(Err(error)) => Poll::Ready(format!("Connection lost: {}", error.kind()).into()),
            Poll::Pending if self.pending_write.blocks.is_empty() => Poll::Pending,
            // The client does not read: an end that is due does not wait for it.
            Poll::Pending => match self.session.outbox.poll_close_reason(cx.waker()) {
                Some(reason) => Poll::Ready(reason),
                None => Poll::Pending,
            },
        }
    }

    /// Reads lines. Ready at the end of the stream.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let free_lines = ready!(self.session.poll_inbox_room(cx));
            if !self.unread.is_empty() {
                let unread = std::mem::take(&mut self.unread);
                self.queue_lines(&unread, free_lines);
                continue;
            }
            let read = READ_BUFFER.with_borrow_mut(|input| {
                let mut buf = ReadBuf::new(input);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
                let filled = buf.filled();
                if !filled.is_empty() {
                    self.session.note_received(self.ready_sessions.uptime_seconds());
                    self.queue_lines(filled, free_lines);
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
    fn queue_lines(&mut self, input: &[u8], free_lines: usize) {
        let end = memchr::memchr_iter(b'\n', input)
            .nth(free_lines.saturating_sub(1))
            .map_or(input.len(), |at| at + 1);
        let (complete, rest) = input.split_at(end);
        // An idle connection holds no capacity.
        self.unread = rest.to_vec();
        let (batches, mut parsed_lines) = (&mut self.batches, Vec::new());
        self.framing
            .feed(complete, |line| parsed_lines.extend(parse_line(line, batches).into_iter().flatten()));
        if parsed_lines.is_empty() {
            // Blank lines and overlong ones take time too.
            self.bytes_since_line += complete.len();
            if self.bytes_since_line < BYTES_COUNTED_AS_LINE {
                return;
            }
            parsed_lines.push(ClientLine::EMPTY);
        }
        self.bytes_since_line = 0;
        self.ready_sessions.push_input(&self.session, |inbox| {
            if inbox.lines.is_empty() {
                inbox.lines = parsed_lines;
            } else {
                inbox.lines.append(&mut parsed_lines);
            }
        });
    }

    /// Writes the queued blocks. Ready with the reason when the connection is to end and everything is written.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Arc<str>>> {
        let pending_write = &mut self.pending_write;
        loop {
            if pending_write.next_block == pending_write.blocks.len() {
                match self.session.outbox.take_blocks(cx.waker()) {
                    outbox::QueueContent::Blocks(blocks) => {
                        *pending_write = PendingWrite { blocks, needs_flush: true, ..PendingWrite::default() }
                    }
                    idle => {
                        if pending_write.needs_flush {
                            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                        }
                        // An idle connection holds no capacity.
                        *pending_write = PendingWrite::default();
                        return match idle {
                            outbox::QueueContent::Close(reason) => Poll::Ready(Ok(reason)),
                            _ => Poll::Pending,
                        };
                    }
                }
            }
            let mut slices = [IoSlice::new(&[]); MAX_WRITE_SLICES];
            let rest = pending_write.blocks.get(pending_write.next_block..).unwrap_or_default();
            let mut count = 0;
            for (slice, block) in slices.iter_mut().zip(rest) {
                let done = if count == 0 { pending_write.offset } else { 0 };
                *slice = IoSlice::new(block.get(done..).unwrap_or_default());
                count += 1;
            }
            let slices = slices.get(..count).unwrap_or_default();
            let written = ready!(self.stream.poll_write_blocks(cx, slices))?;
            self.session.outbox.note_written(written);
            pending_write.advance(written);
        }
    }
}

impl PendingWrite {
    /// Drops the blocks that are not begun. A block that is begun must be completed, because it may stop in the middle
    /// of a line.
    fn drop_unstarted_blocks(&mut self) {
        let started = usize::from(self.offset > 0);
        self.blocks.truncate(self.next_block + started);
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(block) = self.blocks.get_mut(self.next_block) {
            let left = block.len() - self.offset;
            if written < left {
                self.offset += written;
                return;
            }
            written -= left;
            self.offset = 0;
            self.next_block += 1;
            // Frees the memory as soon as the block is written.
            *block = Bytes::new();
        }
    }
}

/// Reads a line: one command, or two where a line in a batch is answered besides the batch.
fn parse_line(line: Result<&str, BadLine>, batches: &mut MultilineBatches) -> [Option<ClientLine>; 2] {
    let single = |label, command| [Some(ClientLine { label, command: Some(command) }), None];
    let batch_step = match line {
        Ok(line) => {
            let Some(message) = Message::parse(line) else { return [Some(ClientLine::EMPTY), None] };
            let label = Label::of(&message);
            match batches.push_line(&message, label.clone()) {
                BatchOutcome::NotBatched => return single(label, Command::parse(&message)),
                taken => taken,
            }
        }
        Err(bad) => {
            let tags = bad.tags.as_deref().map(Tags);
            match batches.reject_unreadable_line(tags) {
                BatchOutcome::NotBatched => {
                    return single(tags.and_then(Label::in_tags), Err(bad_line_reply(&bad)));
                }
                taken => taken,
            }
        }
    };
    match batch_step {
        BatchOutcome::NotBatched | BatchOutcome::Buffered => [Some(ClientLine::EMPTY), None],
        BatchOutcome::Command(LabeledCommand { label, command }) => single(label, command),
        BatchOutcome::TwoCommands { of_batch, of_line } => {
            let line = |LabeledCommand { label, command }| Some(ClientLine { label, command: Some(command) });
            [of_batch, of_line].map(line)
        }
    }
}

/// Returns the reply to the sender of a bad line.
pub(in crate::server) fn bad_line_reply(bad: &BadLine) -> Reply {
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
