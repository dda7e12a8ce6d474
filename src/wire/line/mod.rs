//! Writing of lines: the one place where the parts of a line are put together.

pub mod reply;
pub mod tagging;

use super::numeric::Numeric;
use super::splitting::split_point;
use tagging::Tagging;

/// Writer of one line, part after part: tags, source, command, parameters, and the end.
///
/// Values of tags and parameters must be valid where they stand; callers that take them from clients go through
/// [`Reply`](super::Reply).
#[derive(Debug)]
pub struct LineWriter<'a> {
    out: &'a mut String,
    /// Offset of the line.
    start: usize,
    /// Offset of the part after the tags, once that has begun.
    body: Option<usize>,
}

impl<'a> LineWriter<'a> {
    /// Begins a line at the end of `out`.
    pub fn new(out: &'a mut String) -> Self {
        let start = out.len();
        Self { out, start, body: None }
    }

    /// Appends a tag with an escaped value.
    pub fn tag(&mut self, key: &str, value: &str) -> &mut Self {
        self.flag(key);
        self.out.push('=');
        self.out.push_str(value);
        self
    }

    /// Appends a tag without a value, or several tags as they are on the line.
    pub fn flag(&mut self, tags: &str) -> &mut Self {
        debug_assert!(self.body.is_none(), "tags come first");
        self.out.push(if self.out.len() == self.start { '@' } else { ';' });
        self.out.push_str(tags);
        self
    }

    /// Appends the tag by which the client finds the command that the line replies to.
    pub fn tagging(&mut self, tagging: &Tagging) -> &mut Self {
        match tagging {
            Tagging::None => self,
            Tagging::Label(label) => self.tag("label", label.as_str()),
            Tagging::Batch(reference) => self.tag("batch", reference.as_str()),
        }
    }

    /// Appends the source.
    pub fn source(&mut self, source: &str) -> &mut Self {
        self.begin_body();
        self.out.push(':');
        self.out.push_str(source);
        self
    }

    /// Appends the command.
    pub fn command(&mut self, command: &str) -> &mut Self {
        let body = self.begin_body();
        if self.out.len() > body {
            self.out.push(' ');
        }
        self.out.push_str(command);
        self
    }

    /// Appends the three digits of a numeric as the command.
    pub fn numeric(&mut self, Numeric(code): Numeric) -> &mut Self {
        let digits =
            [code / 100, code / 10, code].map(|n| char::from_digit(u32::from(n % 10), 10).unwrap_or('0'));
        self.command("");
        self.out.extend(digits);
        self
    }

    /// Appends a parameter that is one word.
    pub fn param(&mut self, word: &str) -> &mut Self {
        self.out.push(' ');
        self.out.push_str(word);
        self
    }

    /// Appends the last parameter, which may hold spaces.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.out.push_str(" :");
        self.out.push_str(text);
        self
    }

    /// Continues the line with text as it is.
    pub fn more(&mut self, text: &str) -> &mut Self {
        self.out.push_str(text);
        self
    }

    /// Ends the line.
    pub fn end(&mut self) {
        debug_assert!(self.body.is_some(), "a line has a command");
        debug_assert!(
            !self.out.get(self.start..).unwrap_or_default().contains(['\r', '\n', '\0']),
            "a line holds no line end"
        );
        self.out.push_str("\r\n");
    }

    /// Ends the line, cut so that it has at most `limit` bytes with its end and without its tags.
    pub fn end_within(&mut self, limit: usize) {
        let body = self.begin_body();
        let line = self.out.get(body..).unwrap_or_default();
        if line.len() + 2 > limit {
            let length = split_point(line, limit - 2);
            self.out.truncate(body + length);
        }
        self.end();
    }

    /// Ends the tags, if they have not ended. Returns the offset of the part after them.
    fn begin_body(&mut self) -> usize {
        *self.body.get_or_insert_with(|| {
            if self.out.len() > self.start {
                self.out.push(' ');
            }
            self.out.len()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Message, Tags};

    #[test]
    fn a_line_has_its_parts_in_order() {
        let mut out = String::new();
        let mut line = LineWriter::new(&mut out);
        line.tag("a", "1").flag("b").source("srv").command("NOTICE").param("#c").text("two words").end();
        LineWriter::new(&mut out).command("PING").end();
        LineWriter::new(&mut out).flag("x").command("A").text("0123456789").end_within(10);
        assert_eq!(out, "@a=1;b :srv NOTICE #c :two words\r\nPING\r\n@x A :01234\r\n");
        let parsed = Message::parse("@a=1;b :srv NOTICE #c :two words").expect("a line");
        assert_eq!((parsed.tags, parsed.source), (Tags("a=1;b"), Some("srv")));
        assert_eq!(parsed.params(), ["#c", "two words"]);
    }
}
