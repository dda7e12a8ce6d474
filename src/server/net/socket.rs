//! The socket under the TLS of a connection, which counts the bytes that it reads until the login, and which is read on
//! for a moment before it is closed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::platform::stdio;
use crate::web::Lingering;

/// A TCP connection.
#[derive(Debug)]
pub(in crate::server) struct LimitedSocket {
    tcp: Lingering<TcpStream>,
    /// Bytes that may still be read; `None` for no limit.
    bytes_left: Option<usize>,
}

/// Error for a connection that sends too many bytes before its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many bytes before the login")]
pub(in crate::server) struct ReadLimitExceeded;

impl LimitedSocket {
    /// Wraps a connection. At most `max_bytes` are read from it, plus the rest of the read that crosses the limit.
    pub fn new(tcp: TcpStream, max_bytes: usize) -> Self {
        // Without this option, data written in two parts waits 40 ms for the peer's acknowledgement.
        let _ = tcp.set_nodelay(true);
        Self { tcp: Lingering::new(tcp), bytes_left: Some(max_bytes) }
    }

    /// Replaces the limit; `None` for no limit.
    pub fn set_limit(&mut self, max_bytes: Option<usize>) {
        self.bytes_left = max_bytes;
    }

    /// Lifts the limit and moves the connection to the calling runtime.
    pub fn lift_limit_and_move(&mut self) -> io::Result<()> {
        self.tcp = Lingering::new(TcpStream::from_std(stdio::copy_socket(self.tcp.get_ref())?)?);
        self.bytes_left = None;
        Ok(())
    }
}

impl AsyncRead for LimitedSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(left) = &mut this.bytes_left else { return Pin::new(&mut this.tcp).poll_read(cx, buf) };
        if *left == 0 {
            return Poll::Ready(Err(io::Error::other(ReadLimitExceeded)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.tcp).poll_read(cx, buf))?;
        *left = left.saturating_sub(buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LimitedSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
