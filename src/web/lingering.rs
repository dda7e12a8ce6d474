//! A stream that is read on for a moment before it is closed.
//!
//! Closing a socket with unread input resets the connection, and the other side may then lose what it was sent last: the
//! response to a request that is too large, or the reason why a WebSocket is closed.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Time limit for a pause of the other side.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Time limit for all that the other side still sends.
const MAX_TIME: Duration = Duration::from_secs(2);

/// Limit of that, in bytes: a text that was pasted by mistake, and what a socket holds besides.
const MAX_BYTES: usize = 1024 * 1024;

/// Size of a read, in bytes.
const READ_BYTES: usize = 4096;

/// A stream whose shutdown reads and discards what the other side still sends, until that ends too or a limit is
/// reached.
#[derive(Debug)]
pub struct Lingering<S> {
    stream: S,
    /// Set when the stream's own side is closed.
    rest: Option<Box<Rest>>,
}

/// Limits for the rest that is read.
#[derive(Debug)]
struct Rest {
    bytes_left: usize,
    ends_at: Instant,
    pause: Pin<Box<Sleep>>,
}

impl<S> Lingering<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self { stream, rest: None }
    }

    /// Returns the stream itself.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl Rest {
    fn new() -> Self {
        let ends_at = Instant::now() + MAX_TIME;
        Self { bytes_left: MAX_BYTES, ends_at, pause: Box::pin(sleep(MAX_PAUSE)) }
    }

    /// Notes that so many bytes were read. Returns whether more may be.
    fn note_read(&mut self, bytes: usize) -> bool {
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.pause.as_mut().reset(self.ends_at.min(Instant::now() + MAX_PAUSE));
        self.bytes_left > 0
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.rest.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let rest = this.rest.get_or_insert_with(|| Box::new(Rest::new()));
        loop {
            let mut buffer = [0; READ_BYTES];
            let mut input = ReadBuf::new(&mut buffer);
            match Pin::new(&mut this.stream).poll_read(cx, &mut input) {
                Poll::Ready(Ok(())) if !input.filled().is_empty() => {
                    if !rest.note_read(input.filled().len()) {
                        return Poll::Ready(Ok(()));
                    }
                }
                // The other side has ended, or is gone.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(rest.pause.as_mut().poll(cx));
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reads_until_the_other_side_ends() {
        let (own, mut other) = duplex(100);
        let mut own = Lingering::new(own);
        let sending = async {
            other.write_all(&[7; 10_000]).await.expect("taken");
            drop(other);
        };
        let start = Instant::now();
        let (closed, ()) = tokio::join!(own.shutdown(), sending);
        closed.expect("closed");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn pause_ends_the_reading() {
        let (own, mut other) = duplex(100);
        let start = Instant::now();
        Lingering::new(own).shutdown().await.expect("closed");
        assert_eq!(start.elapsed(), MAX_PAUSE);
        assert_eq!(other.read(&mut [0]).await.expect("the end"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_and_endless_input_is_bounded() {
        let (own, mut other) = duplex(100);
        let (mut own, start) = (Lingering::new(own), Instant::now());
        let trickling = async {
            while other.write_all(b"x").await.is_ok() {
                sleep(MAX_PAUSE / 2).await;
            }
        };
        tokio::select! {
            closed = own.shutdown() => closed.expect("closed"),
            () = trickling => panic!("the other side was cut off"),
        }
        assert_eq!(start.elapsed(), MAX_TIME);

        let (own, mut other) = duplex(100);
        let mut own = Lingering::new(own);
        let flooding = async {
            let mut sent = 0;
            while let Ok(Ok(written)) = timeout(MAX_PAUSE, other.write(&[7; 100])).await {
                sent += written;
            }
            sent
        };
        let (closed, sent) = tokio::join!(own.shutdown(), flooding);
        closed.expect("closed");
        assert!((MAX_BYTES..=MAX_BYTES + READ_BYTES).contains(&sent), "{sent}");
    }
}
