//! The seal of a backup: the SHA-256 of all bytes before it, in a skippable frame of zstd at the end (RFC 8878, section
//! 3.1.2), which other programs ignore.
//!
//! Without it a changed byte that means nothing to a decoder would not be noticed.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

/// Magic number of the frame, and the size of its content.
const HEAD: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];

/// Size of the frame, in bytes.
const SEAL_BYTES: usize = HEAD.len() + 32;

/// Bytes that are read at once.
const READ_BYTES: usize = 64 * 1024;

/// Passes bytes on and appends the seal.
pub(super) struct SealWriter<W> {
    output: W,
    hasher: Sha256,
}

impl<W: Write> SealWriter<W> {
    pub fn new(output: W) -> Self {
        Self { output, hasher: Sha256::new() }
    }

    /// Writes the seal and returns the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&HEAD)?;
        self.output.write_all(&self.hasher.finalize())?;
        Ok(self.output)
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Returns the bytes before the seal. The end is an error where the seal is not that of the bytes.
pub(super) struct SealReader<R> {
    input: R,
    hasher: Sha256,
    /// Bytes that were read; the last of them may be the seal.
    buffer: Vec<u8>,
    /// Count of the bytes of the buffer that were returned.
    returned: usize,
    has_ended: bool,
}

impl<R: Read> SealReader<R> {
    pub fn new(input: R) -> Self {
        Self { input, hasher: Sha256::new(), buffer: Vec::new(), returned: 0, has_ended: false }
    }

    /// Reads until there is something to return, or the input has ended.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.returned);
        self.returned = 0;
        while self.buffer.len() <= SEAL_BYTES && !self.has_ended {
            let before = self.buffer.len();
            self.buffer.resize(before + READ_BYTES, 0);
            let read = loop {
                match self.input.read(self.buffer.get_mut(before..).unwrap_or_default()) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result,
                }
            };
            self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
            self.has_ended = read? == 0;
        }
        Ok(())
    }

    fn check_seal(&mut self) -> io::Result<()> {
        let seal = self.buffer.split_off(self.returned);
        let digest = std::mem::take(&mut self.hasher).finalize();
        let is_right =
            seal.split_at_checked(HEAD.len()).is_some_and(|(head, sum)| head == HEAD && *sum == *digest);
        // A second call finds the same.
        self.hasher.update(b"over");
        if is_right {
            self.buffer.clear();
            self.returned = 0;
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is not that of its content"))
        }
    }
}

impl<R: Read> Read for SealReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.has_ended && self.buffer.is_empty() || into.is_empty() {
            return Ok(0);
        }
        if self.buffer.len() - self.returned <= SEAL_BYTES {
            self.fill()?;
        }
        let free = self.buffer.len().saturating_sub(SEAL_BYTES + self.returned);
        if free == 0 {
            return self.check_seal().map(|()| 0);
        }
        let count = free.min(into.len());
        let bytes = self.buffer.get(self.returned..self.returned + count).unwrap_or_default();
        into.get_mut(..count).unwrap_or_default().copy_from_slice(bytes);
        self.hasher.update(bytes);
        self.returned += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut writer = SealWriter::new(Vec::new());
        writer.write_all(text).expect("written");
        writer.finish().expect("sealed")
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        SealReader::new(bytes).read_to_end(&mut text).map(|_| text)
    }

    #[test]
    fn sealed_bytes_are_read_back() {
        for size in [0, 1, 39, 40, 41, READ_BYTES - 40, READ_BYTES, 3 * READ_BYTES + 7] {
            let text: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).expect("small")).collect();
            assert!(read(&sealed(&text)).expect("reads") == text, "{size}");
        }
    }

    #[test]
    fn each_change_is_noticed() {
        let whole = sealed(b"some text of a backup");
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(read(&changed).is_err(), "byte {at}");
            assert!(read(&whole[..at]).is_err(), "cut at {at}");
        }
        assert!(read(&[&whole[..], b"x"].concat()).is_err());
    }
}
