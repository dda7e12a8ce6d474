//! The server's side of TLS over a socket, without buffers while nothing is on its way.

mod buffers;
mod records;
mod start;
#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::CommonState;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use buffers::{RECORD_BYTES, WRITE_BYTES, WaitingBytes, poll_read_once, with_write_buffers};
use records::Records;
pub(in crate::server) use start::{StartedHandshake, start_handshake};

/// Minimum size of a read, in bytes, whatever the reader has room for.
const MIN_READ_BYTES: usize = 4096;

/// Limit of the bytes that leave with the next write and not before it: what there may be beside the records of a write.
const MAX_JOINED_BYTES: usize = (RECORD_BYTES - WRITE_BYTES) / 2;

/// An encrypted connection to a client, after the handshake.
pub(in crate::server) struct TlsStream<S> {
    socket: S,
    records: Records,
    /// What was decrypted and not read yet.
    plaintext: WaitingBytes,
    /// Error that is due when `plaintext` is read.
    error: Option<io::Error>,
    /// Set while a write, a flush or a shutdown waits for the socket.
    is_write_waiting: bool,
}

impl<S> TlsStream<S> {
    fn new(socket: S, records: Records) -> Self {
        Self { socket, records, plaintext: WaitingBytes::default(), error: None, is_write_waiting: false }
    }

    /// Returns what the handshake agreed on.
    pub fn common_state(&self) -> &CommonState {
        self.records.common_state()
    }

    /// Returns the socket below the encryption.
    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Takes bytes that were read from the socket, and keeps their plaintext.
    fn receive(&mut self, received: &mut [u8]) -> io::Result<()> {
        self.records.receive(received, |plaintext| self.plaintext.push(plaintext))
    }

    /// Moves plaintext that was decrypted before to a reader.
    fn take_plaintext(&mut self, buffer: &mut ReadBuf<'_>) {
        let waiting = self.plaintext.as_slice();
        let piece = waiting.get(..buffer.remaining()).unwrap_or(waiting);
        buffer.put_slice(piece);
        self.plaintext.advance(piece.len());
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Sends what is to be sent before anything else.
    fn poll_send_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.records.outgoing.is_empty() {
            let sent = ready!(Pin::new(&mut self.socket).poll_write(cx, self.records.outgoing.as_slice()))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.records.outgoing.advance(sent);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flush_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send_outgoing(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// Reads from the socket once and passes the plaintext on, as far as there is room in `buffer`. Ready with false at the
    /// end of the stream.
    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let Self { socket, records, plaintext: waiting, .. } = self;
        // At most as much as the reader takes, because a limit may count what is read.
        let max_bytes = buffer.remaining().max(MIN_READ_BYTES);
        let outcome = ready!(poll_read_once(socket, cx, max_bytes, |received| {
            if received.is_empty() {
                return Ok(false);
            }
            let receipt = records.receive(received, |plaintext| {
                let room = if waiting.is_empty() { buffer.remaining() } else { 0 };
                let (now, later) = plaintext.split_at(room.min(plaintext.len()));
                buffer.put_slice(now);
                waiting.push(later);
            });
            receipt.map(|()| true)
        }))?;
        Poll::Ready(outcome)
    }

    /// Encrypts plaintext behind what is to be sent, and sends as much as the socket takes. Ready with the count of the bytes
    /// that were encrypted: they are on their way, and must not be written again.
    fn poll_encrypt(&mut self, cx: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        // The session ticket, which is short, leaves with the first write.
        if self.records.outgoing.as_slice().len() > MAX_JOINED_BYTES {
            ready!(self.poll_send_outgoing(cx))?;
        }
        let Self { socket, records, .. } = self;
        with_write_buffers(pieces, |plaintext, output| {
            if plaintext.is_empty() {
                return Poll::Ready(Ok(0));
            }
            let before = records.outgoing.as_slice().len();
            let (start, rest) = output.split_at_mut(before);
            start.copy_from_slice(records.outgoing.as_slice());
            let length = before + records.encrypt(plaintext, rest)?;
            let mut unsent = output.get(..length).unwrap_or_default();
            let mut outcome = Ok(plaintext.len());
            while !unsent.is_empty() {
                let sent = match Pin::new(&mut *socket).poll_write(cx, unsent) {
                    Poll::Ready(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
                    Poll::Ready(outcome) => outcome,
                    Poll::Pending => break,
                };
                match sent {
                    Ok(sent) => unsent = unsent.get(sent..).unwrap_or_default(),
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
            }
            records.outgoing.set(unsent);
            Poll::Ready(outcome)
        })
    }

    /// Notes whether a write waits for the socket, whose task must be the one that is woken.
    fn note_write<T>(&mut self, write: Poll<T>) -> Poll<T> {
        self.is_write_waiting = write.is_pending();
        write
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if !this.plaintext.is_empty() {
            this.take_plaintext(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        while buffer.filled().len() == before && !this.records.is_peer_closed() {
            if let Some(error) = this.error.take() {
                // The other side is told, if it can be at once.
                let _ = this.poll_send_outgoing(cx);
                return Poll::Ready(Err(error));
            }
            if this.records.is_broken() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            match this.poll_receive(cx, buffer) {
                Poll::Ready(Ok(true)) => {}
                // An end without a notice may be anyone's doing.
                Poll::Ready(Ok(false)) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                // What came before it is read first.
                Poll::Ready(Err(error)) => this.error = Some(error),
                Poll::Pending => {
                    // The session ticket does not wait for a write, if there is none.
                    if !this.is_write_waiting && !this.records.outgoing.is_empty() {
                        let _ = this.poll_flush_outgoing(cx)?;
                    }
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = this.poll_encrypt(cx, pieces);
        this.note_write(write)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flush = this.poll_flush_outgoing(cx);
        this.note_write(flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.records.close();
        let sent = this.poll_send_outgoing(cx);
        ready!(this.note_write(sent))?;
        match ready!(Pin::new(&mut this.socket).poll_shutdown(cx)) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            outcome => Poll::Ready(outcome),
        }
    }
}
