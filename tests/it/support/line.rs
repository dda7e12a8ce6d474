//! A message as the tests parse it, and helpers to examine replies. Written from the specification, independent of the
//! product's parser. The tests of the core include this file too.

use std::collections::BTreeMap;
use std::fmt;

/// One received line, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Tags with their values unescaped; a tag without a value has an empty one.
    pub tags: BTreeMap<String, String>,
    /// Source, without the colon; empty if not given.
    pub source: String,
    /// Command in capitals, or a numeric.
    pub command: String,
    /// All parameters, the trailing one included.
    pub params: Vec<String>,
}

impl Line {
    /// Parses a line without its end.
    pub fn parse(text: &str) -> Self {
        let mut line = Self::default();
        let mut rest = text;
        if let Some(tagged) = rest.strip_prefix('@') {
            let (tags, after) = tagged.split_once(' ').expect("something after the tags");
            line.tags = tags.split(';').map(parse_tag).collect();
            rest = after;
        }
        if let Some(sourced) = rest.strip_prefix(':') {
            let (source, after) = sourced.split_once(' ').expect("something after the source");
            source.clone_into(&mut line.source);
            rest = after;
        }
        let (middle, trailing) = match rest.split_once(" :") {
            Some((middle, trailing)) => (middle, Some(trailing)),
            None => (rest, None),
        };
        let mut words = middle.split(' ').filter(|w| !w.is_empty()).map(str::to_owned);
        line.command = words.next().unwrap_or_else(|| panic!("no command in {text:?}"));
        line.params = words.chain(trailing.map(str::to_owned)).collect();
        line
    }

    /// Returns a parameter, or an empty text if there is none.
    pub fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// Returns the last parameter: the readable text.
    pub fn text(&self) -> &str {
        self.params.last().map_or("", String::as_str)
    }

    /// Returns the nick in the source.
    pub fn nick(&self) -> &str {
        self.source.split(['!', '@']).next().unwrap_or_default()
    }

    /// Returns a tag's value, `None` if the tag is absent.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }

    /// Returns true if the line is this command with these first parameters: `line.starts_with("JOIN #room")`.
    pub fn starts_with(&self, start: &str) -> bool {
        let mut words = start.split(' ');
        words.next() == Some(&self.command)
            && words
                .zip(self.params.iter().map(Some).chain(std::iter::repeat(None)))
                .all(|(wanted, got)| got.is_some_and(|got| got == wanted))
    }
}

impl fmt::Display for Line {
    /// Writes the command and its parameters, without tags and source, for messages and comparisons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)?;
        self.params.iter().try_for_each(|p| write!(f, " {p}"))
    }
}

/// A client that sends lines and receives replies.
pub trait Requests {
    /// Sends a line and returns everything that comes until it is processed.
    fn request(&mut self, line: &str) -> Vec<Line>;

    /// Returns everything that has come up to now.
    fn drain(&mut self) -> Vec<Line>;
}

/// Returns the lines without tags and sources.
pub fn without_tags(lines: &[Line]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

/// Returns the lines with the nicks that they come from, without tags.
pub fn with_nicks(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| format!("{}: {line}", line.nick())).collect()
}

/// Returns the commands and numerics alone.
pub fn commands(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.command.as_str()).collect()
}

/// Returns the only line of a command.
#[track_caller]
pub fn only_line<'a>(lines: &'a [Line], command: &str) -> &'a Line {
    let mut found = lines.iter().filter(|line| line.command == command);
    match (found.next(), found.next()) {
        (Some(line), None) => line,
        _ => panic!("not one {command} in {lines:?}"),
    }
}

/// Sends a line whose whole reply must be one line, and returns that without tags. Discards earlier lines.
#[track_caller]
pub fn request_one_line(client: &mut impl Requests, line: &str) -> String {
    client.drain();
    let lines = client.request(line);
    let [answer] = &lines[..] else { panic!("{line}: not one line: {lines:?}") };
    answer.to_string()
}

/// Checks that the whole reply is one line that starts so.
#[track_caller]
pub fn assert_refused(client: &mut impl Requests, line: &str, start: &str) {
    let answer = request_one_line(client, line);
    assert!(answer.starts_with(&format!("{start} ")), "{line}: {answer}");
}

/// Returns the names that NAMES shows of a channel, sorted.
#[track_caller]
pub fn names_reply(client: &mut impl Requests, channel: &str) -> Vec<String> {
    let lines = client.request(&format!("NAMES {channel}"));
    let rows = lines.iter().filter(|line| line.command == "353");
    let mut names: Vec<String> = rows.flat_map(|row| row.text().split(' ')).map(str::to_owned).collect();
    names.sort();
    names
}

fn parse_tag(text: &str) -> (String, String) {
    let (key, escaped) = text.split_once('=').unwrap_or((text, ""));
    let mut value = String::new();
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some(':') => value.push(';'),
            Some('s') => value.push(' '),
            Some('r') => value.push('\r'),
            Some('n') => value.push('\n'),
            Some(other) => value.push(other),
            None => {}
        }
    }
    (key.to_owned(), value)
}

#[test]
fn lines_are_taken_apart() {
    let line = Line::parse(r"@a=1\s\:\\;b;+c/d= :al!al@host PRIVMSG #room  x :hi : there");
    assert_eq!(line.tag("a"), Some(r"1 ;\"));
    assert_eq!((line.tag("b"), line.tag("+c/d"), line.tag("d")), (Some(""), Some(""), None));
    assert_eq!(
        (line.nick(), line.params.as_slice()),
        ("al", &["#room", "x", "hi : there"].map(String::from)[..])
    );
    assert!(
        line.starts_with("PRIVMSG #room")
            && !line.starts_with("PRIVMSG #rooms")
            && !Line::parse("JOIN").starts_with("JOIN #a")
    );
}
