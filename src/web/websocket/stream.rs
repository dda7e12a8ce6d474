//! A WebSocket as a stream of lines with CR LF, so that its reader and writer need not know of frames.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::codec::{LineCodec, PeerState, Subprotocol};

/// Size of a read, in bytes: a TLS record has 16 KiB.
const READ_BYTES: usize = 16 * 1024;

/// Frames waiting for the stream beyond which nothing more is read, in bytes: a large write of lines, and some more.
const MAX_WAITING_OUTPUT_BYTES: usize = 192 * 1024;

thread_local! {
    /// Buffer of every read, so that an idle WebSocket owns no read buffer.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Reason for which this side closes a WebSocket ([RFC 6455, section
/// 7.4](https://www.rfc-editor.org/rfc/rfc6455#section-7.4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// Status code of RFC 6455, or one of ours from 4000 on.
    pub code: u16,
    /// Text of at most 123 bytes.
    pub text: &'static str,
}

const NORMAL_CLOSURE: CloseReason = CloseReason { code: 1000, text: "" };

/// A WebSocket over a stream. Reading returns the lines of the other side, each with CR LF. What is written are whole
/// lines; their frames go out together.
pub struct WebSocketStream<S> {
    stream: S,
    codec: LineCodec,
    /// Frames that came with the WebSocket's opening.
    early_frames: Bytes,
    /// Lines that were decoded and not read yet.
    lines: Bytes,
    /// Frames that are not written to the stream yet.
    output: Bytes,
    needs_flush: bool,
    is_read_closed: bool,
    /// `None` for a normal closure.
    close_reason: Option<CloseReason>,
    /// Set once the close frame is among the output, or none is to be sent.
    is_write_closed: bool,
}

impl<S> WebSocketStream<S> {
    /// Continues a stream on which a WebSocket was opened. `early_frames` were read together with the opening.
    pub fn new(stream: S, early_frames: Bytes, subprotocol: Subprotocol, max_line_bytes: usize) -> Self {
        Self {
            stream,
            codec: LineCodec::new(subprotocol, max_line_bytes),
            early_frames,
            lines: Bytes::new(),
            output: Bytes::new(),
            needs_flush: false,
            is_read_closed: false,
            close_reason: None,
            is_write_closed: false,
        }
    }

    /// Returns the stream below.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Returns the stream below.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Sets the reason that a shutdown tells the other side, instead of a normal closure. A bad frame is a reason of its
    /// own, which stays.
    pub fn set_close_reason(&mut self, reason: CloseReason) {
        self.close_reason.get_or_insert(reason);
    }

    /// Decodes frames into `lines`.
    fn decode(&mut self, frames: &[u8]) -> io::Result<()> {
        let (mut lines, mut output) = (Vec::new(), Vec::new());
        let decoded = self.codec.decode(frames, &mut lines, &mut output);
        self.lines = lines.into();
        if !output.is_empty() {
            self.output = [&self.output[..], &output].concat().into();
        }
        match decoded {
            Ok(PeerState::Open) => Ok(()),
            Ok(PeerState::Closed) => {
                self.is_read_closed = true;
                self.is_write_closed = true;
                Ok(())
            }
            Err(code) => {
                self.is_read_closed = true;
                self.close_reason = Some(CloseReason { code, text: "" });
                Err(io::Error::new(io::ErrorKind::InvalidData, "a bad WebSocket frame"))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> WebSocketStream<S> {
    /// Writes all frames to the stream.
    fn poll_write_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.output))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(written);
            self.needs_flush = true;
        }
        // An idle WebSocket holds no capacity.
        self.output = Bytes::new();
        Poll::Ready(Ok(()))
    }

    /// Writes all frames, and flushes the stream.
    fn poll_flush_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_output(cx))?;
        if self.needs_flush {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocketStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if !this.lines.is_empty() {
                let length = this.lines.len().min(buffer.remaining());
                buffer.put_slice(&this.lines.split_to(length));
                return Poll::Ready(Ok(()));
            }
            // An idle WebSocket holds no capacity.
            this.lines = Bytes::new();
            if this.is_read_closed {
                return Poll::Ready(Ok(()));
            }
            // Responses to pings must not pile up: who does not read them is not read either.
            if !this.output.is_empty() {
                let flushed = this.poll_flush_output(cx)?;
                if flushed.is_pending() && this.output.len() > MAX_WAITING_OUTPUT_BYTES {
                    return Poll::Pending;
                }
            }
            if !this.early_frames.is_empty() {
                let frames = std::mem::take(&mut this.early_frames);
                this.decode(&frames)?;
                continue;
            }
            let is_end = READ_BUFFER.with_borrow_mut(|input| {
                let mut input = ReadBuf::new(input);
                ready!(Pin::new(&mut this.stream).poll_read(cx, &mut input))?;
                this.decode(input.filled())?;
                Poll::Ready(io::Result::Ok(input.filled().is_empty()))
            });
            if ready!(is_end)? {
                this.is_read_closed = true;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocketStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    /// Takes lines as far as they fit into one large write, once the frames before them are written.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        blocks: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_write_output(cx))?;
        if this.is_write_closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let (mut output, mut taken) = (Vec::new(), 0);
        for block in blocks {
            let of_block = this.codec.encode(block, &mut output)?;
            taken += of_block;
            if of_block < block.len() {
                break;
            }
        }
        this.output = output.into();
        // What the stream does not take now is written by the next call.
        if let Poll::Ready(Err(error)) = this.poll_write_output(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush_output(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Closes the WebSocket, and then the stream.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_write_closed {
            this.is_write_closed = true;
            let mut output = this.output.to_vec();
            let CloseReason { code, text } = this.close_reason.unwrap_or(NORMAL_CLOSURE);
            this.codec.close(code, text, &mut output);
            this.output = output.into();
        }
        ready!(this.poll_flush_output(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
