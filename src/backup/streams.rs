//! Streams that count, and that tell how far they are.

use std::io::{self, Read, Write};

use super::Progress;

/// Reports what is read, and fails once the backup is cancelled.
pub(super) struct Watched<'a> {
    pub input: &'a mut dyn Read,
    /// Bytes of the step that are done.
    pub done: &'a mut u64,
    pub progress: &'a dyn Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        let read = self.input.read(into)?;
        *self.done += read as u64;
        self.progress.set(*self.done);
        Ok(read)
    }
}

/// Counts what is read.
pub(super) struct CountedReader<R> {
    pub input: R,
    pub bytes: u64,
}

impl<R: Read> Read for CountedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Counts what is written.
pub(super) struct CountedWriter<W> {
    pub output: W,
    pub bytes: u64,
}

impl<W: Write> Write for CountedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
