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
    write_side: WriteSide,
}

/// State of the frames to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteSide {
    Open,
    /// A block of frames is written in part, and no other frame may come between.
    WithinBlock,
    /// The close frame is among the output, or none is to be sent.
    Closed,
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
            write_side: WriteSide::Open,
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

    /// Returns the form of the messages.
    pub fn subprotocol(&self) -> Subprotocol {
        self.codec.subprotocol()
    }

    /// Sets the reason that a shutdown tells the other side, instead of a normal closure. A bad frame is a reason of its
    /// own, which stays.
    pub fn set_close_reason(&mut self, reason: CloseReason) {
        self.close_reason.get_or_insert(reason);
    }

    /// Notes that no frame follows those of the output. Returns false if none can be sent at all, because it would be taken
    /// for a part of a block.
    fn close_write_side(&mut self) -> bool {
        let is_open = self.write_side == WriteSide::Open;
        if self.write_side == WriteSide::WithinBlock {
            self.output = Bytes::new();
        }
        self.write_side = WriteSide::Closed;
        is_open
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
                self.close_write_side();
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
    /// Writes blocks of frames, which [`Subprotocol::append_frames`] made, in place of lines. Each slice is the rest of
    /// a block. Returns the count of bytes that were taken.
    ///
    /// So the frames of a message are made once for all its recipients. Responses to pings go between the blocks.
    ///
    /// # Errors
    /// The stream is broken, or the WebSocket is closed.
    pub fn poll_write_frames(
        &mut self,
        cx: &mut Context<'_>,
        blocks: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_write_output(cx))?;
        if self.write_side == WriteSide::Closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, blocks))?;
        if written > 0 {
            self.needs_flush = true;
            let is_within = ends_within_block(blocks, written);
            self.write_side = if is_within { WriteSide::WithinBlock } else { WriteSide::Open };
        }
        Poll::Ready(Ok(written))
    }

    /// Writes all frames to the stream, unless a block is written in part.
    fn poll_write_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_side == WriteSide::WithinBlock {
            return Poll::Ready(Ok(()));
        }
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

/// Returns whether so many bytes of these blocks end before the end of one.
fn ends_within_block(blocks: &[IoSlice<'_>], mut bytes: usize) -> bool {
    for block in blocks {
        if bytes < block.len() {
            return bytes > 0;
        }
        bytes -= block.len();
    }
    false
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
                let _ = this.poll_flush_output(cx)?;
                if this.output.len() > MAX_WAITING_OUTPUT_BYTES {
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
        if this.write_side == WriteSide::Closed {
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
        if this.close_write_side() {
            let mut output = this.output.to_vec();
            let CloseReason { code, text } = this.close_reason.unwrap_or(NORMAL_CLOSURE);
            this.codec.close(code, text, &mut output);
            this.output = output.into();
        }
        ready!(this.poll_flush_output(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const PING: &[u8] = b"\x89\x80\0\0\0\0";
    const PONG: &[u8] = b"\x8a\x00";
    const CLOSE: &[u8] = b"\x88\x02\x03\xe8";

    fn frames(lines: &str) -> Vec<u8> {
        let mut frames = Vec::new();
        Subprotocol::Text.append_frames(lines.as_bytes(), &mut frames);
        frames
    }

    #[tokio::test]
    async fn responses_to_pings_go_between_blocks() {
        // A stream that takes a few bytes at a time.
        let (own, mut other) = duplex(10);
        let mut socket = WebSocketStream::new(own, Bytes::new(), Subprotocol::Text, 1000);
        let blocks = [frames("PING first\r\nPING second\r\n"), frames("PING third\r\n")];
        let slices = [IoSlice::new(&blocks[0]), IoSlice::new(&blocks[1])];
        let first = poll_fn(|cx| socket.poll_write_frames(cx, &slices)).await.expect("taken");
        assert!(first < blocks[0].len(), "{first}");
        other.write_all(PING).await.expect("sent");
        // A control frame is an empty line.
        assert_eq!(socket.read(&mut [0; 10]).await.expect("a line"), 2);
        let writing = async {
            for (block, mut taken) in blocks.iter().zip([first, 0]) {
                while taken < block.len() {
                    let slices = [IoSlice::new(&block[taken..])];
                    taken += poll_fn(|cx| socket.poll_write_frames(cx, &slices)).await.expect("taken");
                }
            }
            socket.shutdown().await.expect("closed");
        };
        let mut received = Vec::new();
        let ((), read) = tokio::join!(writing, other.read_to_end(&mut received));
        read.expect("the end");
        let expected = [&blocks[0][..], PONG, &blocks[1], CLOSE].concat();
        assert_eq!(received, expected, "{}", received.escape_ascii());
    }

    #[tokio::test]
    async fn nothing_follows_a_block_that_is_cut_off() {
        let (own, mut other) = duplex(10);
        let mut socket = WebSocketStream::new(own, Bytes::new(), Subprotocol::Text, 1000);
        let block = frames("PING a-line-that-is-longer\r\n");
        let taken = poll_fn(|cx| socket.poll_write_frames(cx, &[IoSlice::new(&block)])).await.expect("taken");
        assert!(taken < block.len());
        socket.shutdown().await.expect("closed");
        drop(socket);
        let mut received = Vec::new();
        other.read_to_end(&mut received).await.expect("the end");
        assert_eq!(received, block[..taken]);
    }
}
