//! Multiline messages within the server's limits ([multiline](https://ircv3.net/specs/extensions/multiline)).

use super::Script;
use crate::cli::exit_code::Exit;
use crate::client::model::event::ServerEvent;
use crate::client::text::split::split_to_fit;
use crate::wire::Cap;

/// The server's limits of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    bytes: usize,
    lines: usize,
}

/// Limits for a server that names none, which bound the memory. No server allows this much.
const DEFAULT_LIMITS: Limits = Limits { bytes: 1024 * 1024, lines: 10_000 };

/// Queries the server's limits.
pub async fn query_limits(script: &mut Script) -> anyhow::Result<Limits> {
    let lists = script
        .query_lines(
            "CAP",
            |line| line.arg("LS").arg("302"),
            |event| match event {
                ServerEvent::Caps(caps) => Some(caps.tokens.clone()),
                _ => None,
            },
            |event| matches!(event, ServerEvent::Caps(caps) if caps.is_last),
        )
        .await?;
    let limits = lists.iter().flatten().find_map(|token| Limits::parse(token));
    match limits.filter(|_| script.session.model.has_cap(Cap::Multiline)) {
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
            let parse_part = |part: &str| part.strip_prefix(key)?.strip_prefix('=')?.parse::<usize>().ok();
            value.split(',').find_map(parse_part)
        };
        Some(Self {
            bytes: number("max-bytes").unwrap_or(DEFAULT_LIMITS.bytes).min(DEFAULT_LIMITS.bytes),
            lines: number("max-lines").unwrap_or(DEFAULT_LIMITS.lines).min(DEFAULT_LIMITS.lines),
        })
    }
}

/// A message under construction.
#[derive(Debug)]
pub struct MessageBuilder {
    limits: Limits,
    /// Limit of text in one line, in bytes.
    max_line_bytes: usize,
    lines: Vec<String>,
    /// Number of pending blank lines, which are added only if another line follows.
    blank: usize,
    bytes: usize,
    wire_lines: usize,
}

impl MessageBuilder {
    /// Creates a message without lines.
    pub fn new(limits: Limits, max_line_bytes: usize) -> Self {
        Self { limits, max_line_bytes, lines: Vec::new(), blank: 0, bytes: 0, wire_lines: 0 }
    }

    /// Adds a line. Blank lines at the start and the end are dropped.
    pub fn add_line(&mut self, line: &str) -> anyhow::Result<()> {
        if line.trim().is_empty() {
            self.blank += usize::from(!self.lines.is_empty());
            return Ok(());
        }
        for _ in 0..std::mem::take(&mut self.blank) {
            self.push_line(String::new())?;
        }
        self.push_line(line.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect())
    }

    fn push_line(&mut self, line: String) -> anyhow::Result<()> {
        self.bytes += line.len() + usize::from(!self.lines.is_empty());
        // A long line is sent in pieces, and the server counts each as a line.
        self.wire_lines += split_to_fit(&line, self.max_line_bytes).count().max(1);
        let too_much = |unit: &str, limit: usize| {
            Exit::Refused.error(format!(
                "the message is too long: the server takes at most {limit} {unit} in one; send less, or line by line on \
                 standard input"
            ))
        };
        if self.bytes > self.limits.bytes {
            return Err(too_much("bytes", self.limits.bytes));
        }
        if self.wire_lines > self.limits.lines {
            return Err(too_much("lines", self.limits.lines));
        }
        self.lines.push(line);
        Ok(())
    }

    /// Returns the lines of the message.
    pub fn finish(self) -> anyhow::Result<Vec<String>> {
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
        assert_eq!(parse("draft/multiline=max-bytes=4096"), Some((4096, DEFAULT_LIMITS.lines)));
        assert_eq!(
            parse("draft/multiline=max-bytes=99999999999"),
            Some((DEFAULT_LIMITS.bytes, DEFAULT_LIMITS.lines))
        );
        assert_eq!(parse("batch"), None);
    }

    #[test]
    fn line_count_matches_the_server() {
        let text = |lines: &[&str], bytes, most| {
            let mut text = MessageBuilder::new(Limits { bytes, lines: most }, 4);
            lines.iter().try_for_each(|line| text.add_line(line))?;
            text.finish()
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
