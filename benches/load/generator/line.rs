//! Lines of IRC, and the text of a measured message. Independent of Parlour's own parser, and without allocation: the
//! generator parses each delivery.

use std::io::Write as _;

/// A line without its tags and its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Command or numeric.
    pub command: &'a [u8],
    /// The parameters as they were sent.
    pub rest: &'a [u8],
}

impl<'a> Line<'a> {
    /// Parses a line without its end.
    pub fn parse(bytes: &'a [u8]) -> Self {
        let mut rest = bytes;
        for mark in [b'@', b':'] {
            if rest.first() == Some(&mark) {
                rest = split_word(rest).1;
            }
        }
        let (command, rest) = split_word(rest);
        Self { command, rest }
    }

    /// Returns the last parameter.
    pub fn text(self) -> &'a [u8] {
        if let Some(text) = self.rest.strip_prefix(b":") {
            return text;
        }
        match memchr::memmem::find(self.rest, b" :") {
            Some(at) => &self.rest[at + 2..],
            None => self.rest.rsplit(|&b| b == b' ').next().unwrap_or_default(),
        }
    }

    /// Returns a parameter before the last one, as text; empty if there is none.
    pub fn param(self, index: usize) -> &'a str {
        let word = self.rest.split(|&b| b == b' ').filter(|word| !word.is_empty()).nth(index);
        word.and_then(|word| str::from_utf8(word).ok()).unwrap_or_default()
    }

    /// Returns the whole line behind its source, for errors.
    pub fn to_text(self) -> String {
        format!("{} {}", String::from_utf8_lossy(self.command), String::from_utf8_lossy(self.rest))
    }
}

/// Splits off the first word and the blank after it.
fn split_word(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

/// The text of a measured message: who sent it, its number, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Index of the sender.
    pub sender: usize,
    /// The sender's number of the message, from 0.
    pub number: u64,
    /// Microseconds since the start of the run.
    pub sent_at: u64,
}

impl Message {
    /// Appends the line that sends the message, with a text of at least this many bytes.
    pub fn write(self, target: &str, bytes: usize, out: &mut Vec<u8>) {
        let Self { sender, number, sent_at } = self;
        // Writing to a vector cannot fail.
        let _ = write!(out, "PRIVMSG {target} :");
        let start = out.len();
        let _ = write!(out, "load {sender} {number} {sent_at} ");
        out.resize(out.len().max(start + bytes), b'x');
        out.extend_from_slice(b"\r\n");
    }

    /// Parses the text of a message; `None` for any other text.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut words = text.strip_prefix(b"load ")?.split(|&b| b == b' ').map(number);
        Some(Self {
            sender: usize::try_from(words.next()??).ok()?,
            number: words.next()??,
            sent_at: words.next()??,
        })
    }
}

/// Parses a decimal number.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        sum.checked_mul(10)?.checked_add(digit.into())
    })
}
