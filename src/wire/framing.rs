//! Splitting of a byte stream into lines. The length limit holds while a line is buffered, not after.

/// Reason for dropping a line. The connection stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line is longer than the limit.
    #[error("line too long")]
    TooLong,
    /// The line holds a NUL byte, which no message may (RFC 2812, section 2.3.1).
    #[error("line with a NUL byte")]
    Nul,
    /// The line holds a CR before its end. Many clients end a line at a CR, so they would take the text after it for a
    /// line of its own, with a forged source.
    #[error("line with a carriage return inside")]
    Cr,
    /// The line is not UTF-8 (`UTF8ONLY`).
    #[error("line that is not UTF-8")]
    NotUtf8,
}

/// A dropped line, with as much of its head as can be read, so that the reply can name the command and carry the label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Reason for dropping it.
    pub error: LineError,
    /// Its tags as on the line, still escaped: `None` where they can't be read, empty where there are none.
    pub tags: Option<Box<str>>,
    /// Its command, if that word has the form of one.
    pub command: Option<Box<str>>,
}

impl BadLine {
    fn new(error: LineError, line: &[u8]) -> Self {
        let (tags, rest) = match line.strip_prefix(b"@") {
            None => (Some(""), line),
            Some(tagged) => {
                let end = memchr::memchr(b' ', tagged).unwrap_or(tagged.len());
                let (tags, rest) = tagged.split_at(end);
                let whole = !rest.is_empty()
                    && tags.len() < LineFramer::MAX_TAG_BYTES
                    && !tags.iter().any(|b| b"\r\0".contains(b));
                (std::str::from_utf8(tags).ok().filter(|_| whole), rest)
            }
        };
        let words = rest.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        // At most the longest command, because a reply quotes it.
        let is_command = |word: &&[u8]| word.len() <= 32 && word.iter().all(u8::is_ascii_alphanumeric);
        let command = words.take(2).find(|word| !word.starts_with(b":")).filter(is_command);
        Self {
            error,
            tags: tags.map(Into::into),
            command: command.and_then(|word| std::str::from_utf8(word).ok()).map(Into::into),
        }
    }
}

/// Splits a stream of bytes into lines at LF, CR LF or any run of them, and skips empty lines.
///
/// Buffers at most one unfinished line of at most [`LineFramer::max_line_bytes`] bytes; a longer one is reported once and skipped to
/// its end. Allocates nothing while no line is unfinished.
#[derive(Debug)]
pub struct LineFramer {
    partial: Vec<u8>,
    max_body: usize,
    skipping: bool,
}

impl LineFramer {
    /// Limit of a client's tags, in bytes, with their `@` and the space after them
    /// ([size limit](https://ircv3.net/specs/extensions/message-tags#size-limit)).
    pub const MAX_TAG_BYTES: usize = 4096;

    /// Creates a splitter for lines whose part after the tags has at most `max_body` bytes, CR LF included.
    pub fn new(max_body: usize) -> Self {
        Self { partial: Vec::new(), max_body, skipping: false }
    }

    /// Returns the limit of a whole line, in bytes.
    pub fn max_line_bytes(&self) -> usize {
        Self::MAX_TAG_BYTES + self.max_body
    }

    /// Takes bytes as they were read and calls `on_line` with every line that they complete, without its line end.
    pub fn feed(&mut self, mut input: &[u8], mut on_line: impl FnMut(Result<&str, BadLine>)) {
        while let Some(end) = memchr::memchr(b'\n', input) {
            let (line, rest) = input.split_at(end);
            input = rest.get(1..).unwrap_or_default();
            if self.skipping {
                self.skipping = false;
            } else if self.partial.is_empty() {
                self.emit_line(line, &mut on_line);
            } else {
                let whole = self.take_partial(line);
                self.emit_line(&whole, &mut on_line);
            }
        }
        if self.skipping || input.is_empty() {
            return;
        }
        if self.partial.len() + input.len() > self.max_line_bytes() {
            self.skipping = true;
            let head = self.take_partial(input);
            self.emit_line(&head, &mut on_line);
        } else {
            self.partial.extend_from_slice(input);
        }
    }

    /// Takes the unfinished line and appends `more`, up to one byte past the limit. A line that is too long is
    /// therefore judged by the same bytes however it arrives.
    fn take_partial(&mut self, more: &[u8]) -> Vec<u8> {
        let capacity = (self.max_line_bytes() + 1).saturating_sub(self.partial.len());
        let mut whole = std::mem::take(&mut self.partial);
        whole.extend_from_slice(more.get(..capacity).unwrap_or(more));
        whole
    }

    fn emit_line(&self, line: &[u8], on_line: &mut impl FnMut(Result<&str, BadLine>)) {
        if line.len() > self.max_line_bytes() {
            let head = line.get(..=self.max_line_bytes()).unwrap_or(line);
            return on_line(Err(BadLine::new(LineError::TooLong, head)));
        }
        let end = line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
        let line = line.get(..end).unwrap_or_default();
        if line.is_empty() {
            return;
        }
        let tags = match line.first() {
            Some(b'@') => memchr::memchr(b' ', line).map_or(line.len(), |space| space + 1),
            _ => 0,
        };
        // The limit includes CR LF (modern protocol, "Messages").
        if tags > Self::MAX_TAG_BYTES || line.len() - tags + 2 > self.max_body {
            return on_line(Err(BadLine::new(LineError::TooLong, line)));
        }
        if memchr::memchr(0, line).is_some() {
            return on_line(Err(BadLine::new(LineError::Nul, line)));
        }
        if memchr::memchr(b'\r', line).is_some() {
            return on_line(Err(BadLine::new(LineError::Cr, line)));
        }
        on_line(std::str::from_utf8(line).map_err(|_| BadLine::new(LineError::NotUtf8, line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn collect_lines(lines: &mut LineFramer, input: &[u8]) -> Vec<Result<String, LineError>> {
        let mut out = Vec::new();
        lines.feed(input, |line| out.push(line.map(str::to_owned).map_err(|bad| bad.error)));
        out
    }

    #[test]
    fn lines_end_at_any_newline_and_empty_ones_are_skipped() {
        let mut lines = LineFramer::new(512);
        let got = collect_lines(&mut lines, b"\r\n\nPING a\r\nPING b\nPI");
        assert_eq!(got, [Ok("PING a".into()), Ok("PING b".into())]);
        assert_eq!(collect_lines(&mut lines, b"NG c"), []);
        assert_eq!(collect_lines(&mut lines, b"\r"), []);
        assert_eq!(collect_lines(&mut lines, b"\n"), [Ok("PING c".into())]);
    }

    #[test]
    fn long_line_is_reported_once_and_skipped() {
        let mut lines = LineFramer::new(32);
        let mut errors = 0;
        for _ in 0..1000 {
            errors += collect_lines(&mut lines, &[b'x'; 100]).len();
            assert!(lines.partial.len() <= lines.max_line_bytes());
        }
        assert_eq!(errors, 1);
        assert_eq!(collect_lines(&mut lines, b"x\r\nPING\r\n"), [Ok("PING".into())]);
        assert_eq!(
            collect_lines(&mut lines, &[&[b'y'; 31], &b"\r\n"[..]].concat()),
            [Err(LineError::TooLong)]
        );
        assert_eq!(collect_lines(&mut lines, &[&[b'y'; 30], &b"\r\n"[..]].concat()).len(), 1);
    }

    #[test]
    fn tags_have_their_own_limit() {
        let mut lines = LineFramer::new(32);
        let tagged = |n: usize| [b"@", &vec![b't'; n - 2][..], b" PING\r\n"].concat();
        assert!(collect_lines(&mut lines, &tagged(LineFramer::MAX_TAG_BYTES))[0].is_ok());
        assert_eq!(
            collect_lines(&mut lines, &tagged(LineFramer::MAX_TAG_BYTES + 1)),
            [Err(LineError::TooLong)]
        );
    }

    #[test]
    fn nul_and_invalid_utf8_are_reported() {
        let mut lines = LineFramer::new(512);
        let got = collect_lines(&mut lines, b"a\0b\nc\xffd\nok\n");
        assert_eq!(got, [Err(LineError::Nul), Err(LineError::NotUtf8), Ok("ok".into())]);
    }

    #[test]
    fn bad_line_reports_its_readable_tags_and_command() {
        let bad = |input: &[u8]| {
            let mut out = Vec::new();
            LineFramer::new(32).feed(input, |line| out.extend(line.err()));
            let [bad] = out.try_into().expect("one bad line");
            let BadLine { tags, command, .. } = bad;
            (tags.map(String::from), command.map(String::from))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(bad(b"@label=7;+x :al PRIVMSG #c :\xff\n"), (some("label=7;+x"), some("PRIVMSG")));
        assert_eq!(bad(b"METADATA * SET x :\xff\n"), (some(""), some("METADATA")));
        assert_eq!(bad(b"@+x=\xff PING\n"), (None, some("PING")));
        assert_eq!(bad(b"P\xff x\n"), (some(""), None));
        assert_eq!(bad(b"@a=b\rc PING x\n"), (None, some("PING")));
        assert_eq!(
            bad(&[b"@label=7 PRIVMSG #c :", &[b'x'; 60][..], b"\n"].concat()),
            (some("label=7"), some("PRIVMSG"))
        );
        let endless = [&b"@label=7 PRIVMSG #c :"[..], &[b'x'; 5000]].concat();
        assert_eq!(bad(&endless), (some("label=7"), some("PRIVMSG")));
        assert_eq!(bad(&[&b"@"[..], &[b't'; 5000]].concat()).0, None);
    }

    #[test]
    fn carriage_return_cannot_inject_a_second_line() {
        let mut lines = LineFramer::new(512);
        let got = collect_lines(&mut lines, b"PRIVMSG #c :a\r:x QUIT\n@+t=\rb PING\r\nPING\r\r\n");
        assert_eq!(got, [Err(LineError::Cr), Err(LineError::Cr), Ok("PING".into())]);
    }

    proptest! {
        /// The lines are the same for every cut of the bytes.
        #[test]
        fn framing_is_independent_of_chunk_boundaries(input in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'@'), Just(b' '), any::<u8>()], 0..400), cut in 1usize..50) {
            let whole = collect_lines(&mut LineFramer::new(40), &input);
            let mut lines = LineFramer::new(40);
            let mut parts = Vec::new();
            for piece in input.chunks(cut) {
                parts.extend(collect_lines(&mut lines, piece));
            }
            prop_assert_eq!(whole, parts);
        }
    }
}
