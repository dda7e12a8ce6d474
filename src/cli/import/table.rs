//! A table of accounts as spreadsheets write it: comma, semicolon or tab between the cells, UTF-8 or UTF-16.

use anyhow::Context as _;
use csv::{ByteRecord, ReaderBuilder};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use zeroize::Zeroizing;

/// What can stand between two cells. A name has none of these.
const SEPARATORS: &[u8] = b",;\t";

/// The text of a file, and what stands between the cells of its table.
pub struct Table {
    bytes: Zeroizing<Vec<u8>>,
    separator: u8,
    /// Where the table begins: behind a line that only names the separator.
    start: usize,
}

/// The cells of a row, and the line on which it begins, from 1.
pub struct Row {
    pub line: u64,
    pub cells: ByteRecord,
}

impl Table {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// When it is UTF-16 with a character that is none.
    pub fn new(bytes: &[u8]) -> anyhow::Result<Self> {
        let bytes = to_utf8(bytes)?;
        let (named, start) = named_separator(&bytes);
        let separator = named.unwrap_or_else(|| first_separator(bytes.get(start..).unwrap_or_default()));
        Ok(Self { bytes, separator, start })
    }

    /// The separator, in words.
    pub fn separator(&self) -> &'static str {
        match self.separator {
            b';' => "a semicolon",
            b'\t' => "a tab",
            _ => "a comma",
        }
    }

    /// All rows but empty ones.
    pub fn rows(&self) -> impl Iterator<Item = anyhow::Result<Row>> {
        let table = self.bytes.get(self.start..).unwrap_or_default();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator)
            .from_reader(table);
        let first = self.bytes.get(..self.start).unwrap_or_default();
        let number = 1 + memchr::memchr_iter(b'\n', first).count() as u64;
        let mut numbers = LineNumbers { bytes: table, at: 0, number };
        std::iter::from_fn(move || {
            let mut cells = ByteRecord::new();
            // Its message has no content of the table, but for what the system says of a file.
            match reader.read_byte_record(&mut cells).context("cannot read the table") {
                Ok(true) => Some(Ok(Row { line: numbers.of(&cells), cells })),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            }
        })
    }
}

/// The bytes in UTF-8 and without a byte order mark. What is not valid in UTF-8 stays for the cell that has it.
fn to_utf8(bytes: &[u8]) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((guess(bytes), 0));
    let text = bytes.get(mark..).unwrap_or_default();
    if encoding == UTF_8 {
        return Ok(Zeroizing::new(text.to_vec()));
    }
    let decoded =
        encoding.decode_without_bom_handling_and_without_replacement(text).map(std::borrow::Cow::into_owned);
    let decoded = decoded.with_context(|| {
        format!(
            "the file seems to be {}, and is damaged or cut off; write it again as UTF-8",
            encoding.name()
        )
    })?;
    Ok(Zeroizing::new(decoded.into_bytes()))
}

/// The encoding of a text without a byte order mark: the first characters of a table are ASCII, which in UTF-16 have a
/// zero byte each.
fn guess(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [0, 1..=0xff, 0, 1..=0xff, ..] => UTF_16BE,
        [1..=0xff, 0, 1..=0xff, 0, ..] => UTF_16LE,
        _ => UTF_8,
    }
}

/// The separator that a first line `sep=;` names, as some spreadsheets write it, and the byte behind that line.
fn named_separator(bytes: &[u8]) -> (Option<u8>, usize) {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
    match bytes.get(..end).unwrap_or_default().trim_ascii_end() {
        [s, e, p, b'=', rest @ ..] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => match rest {
            [separator] if SEPARATORS.contains(separator) => (Some(*separator), end),
            // A tab is white space too.
            [] => (Some(b'\t'), end),
            _ => (None, 0),
        },
        _ => (None, 0),
    }
}

/// The first separator outside quotes: what follows the first cell.
fn first_separator(bytes: &[u8]) -> u8 {
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

/// Counts lines as an editor does; the reader counts otherwise where lines are empty or end in CR LF.
struct LineNumbers<'a> {
    bytes: &'a [u8],
    at: usize,
    number: u64,
}

impl LineNumbers<'_> {
    /// The line on which a record begins; records are asked for in order.
    fn of(&mut self, record: &ByteRecord) -> u64 {
        let from = record.position().and_then(|position| usize::try_from(position.byte()).ok());
        let rest = self.bytes.get(from.unwrap_or(self.at)..).unwrap_or_default();
        let start = self.bytes.len() - rest.trim_ascii_start().len();
        let passed = self.bytes.get(self.at..start).unwrap_or_default();
        self.number += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = start;
        self.number
    }
}
