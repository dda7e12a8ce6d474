//! Parsing of tables as spreadsheets write them: with comma, semicolon or tab, in UTF-8, UTF-16, or the code page of
//! Western Europe, in which Excel's plain "CSV" is.

use anyhow::Context as _;
use csv::{ByteRecord, ReaderBuilder};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use zeroize::Zeroizing;

/// Possible separators. An account name contains none of them.
const SEPARATORS: &[u8] = b",;\t";

/// The text of a file and its separator.
pub struct Table {
    bytes: Zeroizing<Vec<u8>>,
    separator: u8,
    /// Byte offset of the table, after an optional line that names the separator.
    start: usize,
    /// The encoding, if it is a guess that may be wrong.
    guessed: Option<&'static Encoding>,
}

/// The cells of a row, and the number of its first line, from 1.
pub struct Row {
    pub line: u64,
    pub cells: ByteRecord,
}

impl Table {
    /// Decodes the bytes of a file, in this encoding, or else in the one that they seem to have.
    ///
    /// # Errors
    /// The bytes are not valid in an encoding other than UTF-8, whose damage is reported for each cell.
    pub fn new(bytes: &[u8], encoding: Option<&'static Encoding>) -> anyhow::Result<Self> {
        let (bytes, guessed) = to_utf8(bytes, encoding)?;
        let (named, start) = declared_separator(&bytes);
        let separator = named.unwrap_or_else(|| detect_separator(bytes.get(start..).unwrap_or_default()));
        Ok(Self { bytes, separator, start, guessed })
    }

    /// Returns the name of the separator for messages.
    pub fn separator(&self) -> &'static str {
        match self.separator {
            b';' => "a semicolon",
            b'\t' => "a tab",
            _ => "a comma",
        }
    }

    /// Returns the name of the encoding, if it is a guess that may be wrong.
    pub fn guessed_encoding(&self) -> Option<&'static str> {
        self.guessed.map(Encoding::name)
    }

    /// Returns the separator itself.
    pub fn separator_byte(&self) -> u8 {
        self.separator
    }

    /// Returns all rows except empty ones.
    pub fn rows(&self) -> impl Iterator<Item = anyhow::Result<Row>> {
        let table = self.bytes.get(self.start..).unwrap_or_default();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator)
            .from_reader(table);
        let first = self.bytes.get(..self.start).unwrap_or_default();
        let number = 1 + memchr::memchr_iter(b'\n', first).count() as u64;
        let mut numbers = LineNumbers { bytes: table, offset: 0, number };
        std::iter::from_fn(move || {
            let mut cells = ByteRecord::new();
            // The error quotes nothing of the table.
            match reader.read_byte_record(&mut cells).context("cannot read the table") {
                Ok(true) => Some(Ok(Row { line: numbers.line_of(&cells), cells })),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            }
        })
    }
}

/// Converts to UTF-8 and removes a byte order mark. Invalid UTF-8 is kept, and reported for its cell. Returns the encoding
/// too if it is a guess that may be wrong.
fn to_utf8(
    bytes: &[u8],
    encoding: Option<&'static Encoding>,
) -> anyhow::Result<(Zeroizing<Vec<u8>>, Option<&'static Encoding>)> {
    let marked = Encoding::for_bom(bytes);
    let mark = marked.map_or(0, |(_, mark)| mark);
    let known = encoding.or(marked.map(|(encoding, _)| encoding));
    let encoding = known.unwrap_or_else(|| guess_encoding(bytes));
    let guessed = (known.is_none() && encoding == WINDOWS_1252).then_some(encoding);
    let text = bytes.get(mark..).unwrap_or_default();
    if encoding == UTF_8 {
        return Ok((Zeroizing::new(text.to_vec()), None));
    }
    let decoded =
        encoding.decode_without_bom_handling_and_without_replacement(text).map(std::borrow::Cow::into_owned);
    let decoded = decoded.with_context(|| {
        format!(
            "the file seems to be {}, and is damaged or cut off; write it again as UTF-8",
            encoding.name()
        )
    })?;
    Ok((Zeroizing::new(decoded.into_bytes()), guessed))
}

/// Guesses the encoding of a text without a byte order mark. The first characters of a table are ASCII, which have a
/// zero byte each in UTF-16.
fn guess_encoding(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [0, 1..=0xff, 0, 1..=0xff, ..] => UTF_16BE,
        [1..=0xff, 0, 1..=0xff, 0, ..] => UTF_16LE,
        _ if is_windows_1252(bytes) => WINDOWS_1252,
        _ => UTF_8,
    }
}

/// Returns whether a text is rather in Windows-1252 than damaged UTF-8: no character of it is UTF-8 beyond ASCII, and each
/// byte has a meaning.
fn is_windows_1252(bytes: &[u8]) -> bool {
    let has_meaning = |byte: &u8| !matches!(byte, 0 | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    std::str::from_utf8(bytes).is_err()
        && bytes.utf8_chunks().all(|chunk| chunk.valid().is_ascii())
        && bytes.iter().all(has_meaning)
}

/// Returns the separator that a first line `sep=;` names, as some spreadsheets write it, and the byte offset of the
/// next line.
fn declared_separator(bytes: &[u8]) -> (Option<u8>, usize) {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
    match bytes.get(..end).unwrap_or_default().trim_ascii_end() {
        [s, e, p, b'=', rest @ ..] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => match rest {
            [separator] if SEPARATORS.contains(separator) => (Some(*separator), end),
            // A tab was trimmed as white space.
            [] => (Some(b'\t'), end),
            _ => (None, 0),
        },
        _ => (None, 0),
    }
}

/// Returns the first separator outside of quotes.
fn detect_separator(bytes: &[u8]) -> u8 {
    let mut quoted = false;
    for byte in bytes.trim_ascii_start() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if !quoted && SEPARATORS.contains(byte) => return *byte,
            _ => {}
        }
    }
    b','
}

/// Counts lines as an editor does. The CSV reader counts differently for empty lines and CR LF.
struct LineNumbers<'a> {
    bytes: &'a [u8],
    offset: usize,
    number: u64,
}

impl LineNumbers<'_> {
    /// Returns the first line of a record. Records must be passed in order.
    fn line_of(&mut self, record: &ByteRecord) -> u64 {
        let from = record.position().and_then(|position| usize::try_from(position.byte()).ok());
        let rest = self.bytes.get(from.unwrap_or(self.offset)..).unwrap_or_default();
        let start = self.bytes.len() - rest.trim_ascii_start().len();
        let passed = self.bytes.get(self.offset..start).unwrap_or_default();
        self.number += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.offset = start;
        self.number
    }
}
