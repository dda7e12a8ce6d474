//! Multiline messages within the server's limits ([multiline](https://ircv3.net/specs/extensions/multiline)).

use super::Script;
use crate::cli::exit::Exit;
use crate::client::split::pieces;
use crate::wire::Cap;

/// The server's limits of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    bytes: usize,
    lines: usize,
}

/// Limits for a server that names none, which bound the memory. No server allows this much.
const MOST: Limits = Limits { bytes: 1024 * 1024, lines: 10_000 };

/// Queries the server's limits.
pub async fn limits(script: &mut Script) -> anyhow::Result<Limits> {
    let lines = script
        .gather(
            "CAP",
            |line| line.arg("LS").arg("302"),
            |line| line.command == "CAP" && line.param(1) == "LS",
            |line| line.command == "CAP" && line.param(1) == "LS" && line.params.len() < 4,
        )
        .await?;
    let words = lines.iter().filter_map(|line| line.params.last());
    let limits = words.flat_map(|list| list.split(' ')).find_map(Limits::parse);
    match limits.filter(|_| script.session.model.can(Cap::Multiline)) {
        Some(limits) => Ok(limits),
        None => Err(Exit::Refused.error(
            "the server takes no messages of several lines; without --multiline each line is a message",
        )),
    }
}

impl Limits {
    /// Parses `draft/multiline=max-bytes=…,max-lines=…`.
    fn parse(word: &str) -> Option<Self> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if name != Cap::Multiline.name() {
            return None;
        }
        let number = |key: &str| {
            let of = |part: &str| part.strip_prefix(key)?.strip_prefix('=')?.parse::<usize>().ok();
            value.split(',').find_map(of)
        };
        Some(Self {
            bytes: number("max-bytes").unwrap_or(MOST.bytes).min(MOST.bytes),
            lines: number("max-lines").unwrap_or(MOST.lines).min(MOST.lines),
        })
    }
}

/// A message under construction.
#[derive(Debug)]
pub struct Text {
    most: Limits,
    /// Limit of text in one line, in bytes.
    room: usize,
    lines: Vec<String>,
    /// Number of pending blank lines, which are added only if another line follows.
    blank: usize,
    bytes: usize,
    wire_lines: usize,
}

impl Text {
    /// Creates a message without lines.
    pub fn new(most: Limits, room: usize) -> Self {
        Self { most, room, lines: Vec::new(), blank: 0, bytes: 0, wire_lines: 0 }
    }

    /// Adds a line. Blank lines at the start and the end are dropped.
    pub fn add(&mut self, line: &str) -> anyhow::Result<()> {
        if line.trim().is_empty() {
            self.blank += usize::from(!self.lines.is_empty());
            return Ok(());
        }
        for _ in 0..std::mem::take(&mut self.blank) {
            self.push(String::new())?;
        }
        self.push(line.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect())
    }

    fn push(&mut self, line: String) -> anyhow::Result<()> {
        self.bytes += line.len() + usize::from(!self.lines.is_empty());
        // A long line is sent in pieces, and the server counts each as a line.
        self.wire_lines += pieces(&line, self.room).count().max(1);
        let too_much = |what: &str, most: usize| {
            Exit::Refused.error(format!(
                "the message is too long: the server takes at most {most} {what} in one; send less, or without \
                 --multiline"
            ))
        };
        if self.bytes > self.most.bytes {
            return Err(too_much("bytes", self.most.bytes));
        }
        if self.wire_lines > self.most.lines {
            return Err(too_much("lines", self.most.lines));
        }
        self.lines.push(line);
        Ok(())
    }

    /// Returns the lines of the message.
    pub fn lines(self) -> anyhow::Result<Vec<String>> {
        if self.lines.is_empty() {
            anyhow::bail!(
                "there is nothing to send: the input is empty; pipe something into it, or give TEXT"
            );
        }
        Ok(self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_parse_from_the_capability_value() {
        let parse = |word| Limits::parse(word).map(|limits| (limits.bytes, limits.lines));
        assert_eq!(parse("draft/multiline=max-bytes=4096,max-lines=24"), Some((4096, 24)));
        assert_eq!(parse("draft/multiline=max-bytes=4096"), Some((4096, MOST.lines)));
        assert_eq!(parse("draft/multiline=max-bytes=99999999999"), Some((MOST.bytes, MOST.lines)));
        assert_eq!(parse("batch"), None);
    }

    #[test]
    fn line_count_matches_the_server() {
        let text = |lines: &[&str], bytes, most| {
            let mut text = Text::new(Limits { bytes, lines: most }, 4);
            lines.iter().try_for_each(|line| text.add(line))?;
            text.lines()
        };
        assert_eq!(text(&["", "a", "", "b", ""], 4, 3).expect("fits"), ["a", "", "b"]);
        assert_eq!(text(&["aaaabbbb"], 8, 2).expect("fits"), ["aaaabbbb"]);
        for (lines, bytes, most, why) in [
            (&["ab", "c"][..], 3, 9, "3 bytes"),
            (&["aaaab"], 9, 1, "1 lines"),
            (&["a", "b"], 9, 1, "1 lines"),
        ] {
            assert!(text(lines, bytes, most).expect_err("too much").to_string().contains(why));
        }
        assert!(text(&[" "], 9, 9).is_err());
    }
}
