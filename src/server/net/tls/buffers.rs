//! Buffers: of the thread, for one read or write at a time, and of a connection, for what has to wait.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Maximum size of a read, in bytes: two TLS records.
pub(super) const READ_BYTES: usize = 32 * 1024;

/// Maximum size of the plaintext that is encrypted at once, in bytes: four TLS records.
pub(super) const WRITE_BYTES: usize = 64 * 1024;

/// Space for records: those of [`WRITE_BYTES`], to each of which encryption adds 22 bytes, and short ones that wait to be
/// sent before them.
pub(super) const RECORD_BYTES: usize = WRITE_BYTES + 4096;

thread_local! {
    /// Buffers of every read and write, so that an idle connection owns none. Plaintext is wiped after each use.
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        input: vec![0; READ_BYTES],
        plaintext: vec![0; WRITE_BYTES],
        records: vec![0; RECORD_BYTES],
    });
}

struct Buffers {
    input: Vec<u8>,
    plaintext: Vec<u8>,
    records: Vec<u8>,
}

/// Reads from a socket once and passes the bytes on, none at the end of the stream. They may be decrypted in place.
pub(super) fn poll_read_once<S: AsyncRead + Unpin, T>(
    socket: &mut S,
    cx: &mut Context<'_>,
    max_bytes: usize,
    take: impl FnOnce(&mut [u8]) -> T,
) -> Poll<io::Result<T>> {
    BUFFERS.with_borrow_mut(|Buffers { input, .. }| {
        let size = max_bytes.min(input.len());
        let mut input = ReadBuf::new(input.get_mut(..size).unwrap_or_default());
        ready!(Pin::new(socket).poll_read(cx, &mut input))?;
        let taken = take(input.filled_mut());
        input.filled_mut().fill(0);
        Poll::Ready(Ok(taken))
    })
}

/// Passes on the first [`WRITE_BYTES`] of the pieces in one piece, and a buffer of [`RECORD_BYTES`] for their records.
pub(super) fn with_write_buffers<T>(pieces: &[IoSlice<'_>], write: impl FnOnce(&[u8], &mut [u8]) -> T) -> T {
    BUFFERS.with_borrow_mut(|Buffers { plaintext, records, .. }| {
        if let [piece] = pieces {
            return write(piece.get(..WRITE_BYTES).unwrap_or(piece), records);
        }
        let mut length = 0;
        for piece in pieces {
            let room = plaintext.get_mut(length..).unwrap_or_default();
            let count = room.len().min(piece.len());
            let (start, _) = room.split_at_mut(count);
            start.copy_from_slice(piece.get(..count).unwrap_or_default());
            length += count;
        }
        let plaintext = plaintext.get_mut(..length).unwrap_or_default();
        let written = write(plaintext, records);
        plaintext.fill(0);
        written
    })
}

/// Bytes that wait, in their order. While there are none it owns no memory.
#[derive(Default)]
pub(super) struct WaitingBytes {
    bytes: Vec<u8>,
    /// Count of the bytes that do not wait any more.
    done: usize,
}

impl WaitingBytes {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.done..).unwrap_or_default()
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Replaces the bytes.
    pub fn set(&mut self, bytes: &[u8]) {
        *self = Self { bytes: bytes.to_vec(), done: 0 };
    }

    /// Removes the first bytes.
    pub fn advance(&mut self, count: usize) {
        self.done += count;
        if self.done >= self.bytes.len() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
impl WaitingBytes {
    /// Returns the bytes that it owns.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Returns true if the thread's buffers hold neither input nor plaintext.
#[cfg(test)]
pub(super) fn are_wiped() -> bool {
    BUFFERS
        .with_borrow(|Buffers { input, plaintext, .. }| input.iter().chain(plaintext).all(|byte| *byte == 0))
}
