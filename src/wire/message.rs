//! Messages: one line of the protocol, parsed without copying.
//!
//! The grammar is that of the [modern protocol](https://modern.ircdocs.horse/#message-format) with
//! [message tags](https://ircv3.net/specs/extensions/message-tags). The same code parses both directions.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

/// Maximum number of parameters (RFC 2812, section 2.3). The last one takes the rest of the line.
pub const MAX_PARAMS: usize = 15;

/// A parsed line, which borrows from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The tags, still escaped.
    pub tags: Tags<'a>,
    /// The source (prefix), without its colon.
    pub source: Option<&'a str>,
    /// The command: a word in the case it was written in, or three digits.
    pub command: &'a str,
    params: [&'a str; MAX_PARAMS],
    count: usize,
}

impl<'a> Message<'a> {
    /// Parses a line without its line end. Returns `None` if there is no command.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (tags, rest) = match line.strip_prefix('@') {
            Some(rest) => rest.split_once(' ').map(|(tags, rest)| (Tags(tags), rest))?,
            None => (Tags(""), line),
        };
        let rest = rest.trim_start_matches(' ');
        let (source, rest) = match rest.strip_prefix(':') {
            Some(rest) => {
                let (source, rest) = rest.split_once(' ')?;
                (Some(source), rest)
            }
            None => (None, rest),
        };
        let rest = rest.trim_start_matches(' ');
        let (command, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
        // A command that begins with the mark of another part is refused: printed, it would be parsed as that part.
        if command.is_empty() || command.starts_with(['@', ':']) {
            return None;
        }
        let mut params = [""; MAX_PARAMS];
        let mut count = 0;
        for slot in &mut params {
            rest = rest.trim_start_matches(' ');
            if rest.is_empty() {
                break;
            }
            count += 1;
            if let Some(trailing) = rest.strip_prefix(':') {
                *slot = trailing;
                break;
            }
            if count == MAX_PARAMS {
                *slot = rest;
                break;
            }
            (*slot, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        }
        Some(Self { tags, source, command, params, count })
    }

    /// Returns the parameters, the last one without its colon.
    pub fn params(&self) -> &[&'a str] {
        self.params.get(..self.count).unwrap_or(&[])
    }

    /// Returns the parameter at `index`, if there is one.
    pub fn param(&self, index: usize) -> Option<&'a str> {
        self.params().get(index).copied()
    }

    /// Returns the nick of the source: the part before `!` or `@`.
    pub fn nick(&self) -> Option<&'a str> {
        self.source.map(|source| source.split(['!', '@']).next().unwrap_or(source))
    }
}

impl fmt::Display for Message<'_> {
    /// Writes the line without its line end. The last parameter gets a colon only where it needs one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.tags.0.is_empty() {
            write!(f, "@{} ", self.tags.0)?;
        }
        if let Some(source) = self.source {
            write!(f, ":{source} ")?;
        }
        f.write_str(self.command)?;
        for (index, param) in self.params().iter().enumerate() {
            f.write_char(' ')?;
            if index + 1 == self.count && needs_trailing_colon(param) {
                f.write_char(':')?;
            }
            f.write_str(param)?;
        }
        Ok(())
    }
}

/// Returns whether a last parameter needs a colon, because it would otherwise parse as something else.
pub fn needs_trailing_colon(param: &str) -> bool {
    param.is_empty() || param.starts_with(':') || param.contains(' ')
}

/// Tags of a message as they are on the line: `key=escaped;key;…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags<'a>(pub &'a str);

/// One tag as it is on the line.
#[derive(Clone, Copy, Debug)]
struct RawTag<'a> {
    /// Key and value with what is between them.
    whole: &'a str,
    key: &'a str,
    /// The value, still escaped; empty if there is none.
    value: &'a str,
}

impl<'a> Tags<'a> {
    /// Iterates over the valid keys and their values, which are still escaped. A key without a value has an empty one.
    /// Other tags are ignored, because no two programs would agree on them.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.split_parts().map(|tag| (tag.key, tag.value))
    }

    /// Iterates over the tags with valid keys.
    fn split_parts(self) -> impl Iterator<Item = RawTag<'a>> {
        let parts = self.0.split(';').map(|whole| {
            let (key, value) = whole.split_once('=').unwrap_or((whole, ""));
            RawTag { whole, key, value }
        });
        parts.filter(|tag| is_key(tag.key))
    }

    /// Returns the [client-only tags](https://ircv3.net/specs/extensions/message-tags#client-only-tags) as they are on
    /// the line: those with valid keys, of equal keys the last.
    pub fn client_only_tags(self) -> String {
        let tags: Vec<_> = self.split_parts().filter(|tag| tag.key.starts_with('+')).collect();
        let mut seen = BTreeSet::new();
        let mut kept: Vec<&str> =
            tags.into_iter().rev().filter(|tag| seen.insert(tag.key)).map(|tag| tag.whole).collect();
        kept.reverse();
        kept.join(";")
    }

    /// Returns the unescaped value of a key. The last of several equal keys counts, as the specification demands.
    pub fn get(self, key: &str) -> Option<Cow<'a, str>> {
        self.iter().filter(|(k, _)| *k == key).last().map(|(_, value)| unescape(value))
    }

    /// Returns whether there are no tags.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// Returns whether a text is the key of a tag: `[+] [vendor/] name`, the vendor a host name
/// ([format](https://ircv3.net/specs/extensions/message-tags#format)).
fn is_key(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (vendor, name) = text.rsplit_once('/').map_or((None, text), |(vendor, name)| (Some(vendor), name));
    let is_label = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    is_label(name) && vendor.is_none_or(|vendor| vendor.split('.').all(is_label))
}

/// Undoes the escaping of a tag value
/// ([escaping values](https://ircv3.net/specs/extensions/message-tags#escaping-values)).
pub fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(':') => out.push(';'),
                Some('s') => out.push(' '),
                Some('r') => out.push('\r'),
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Escapes a tag value; the inverse of [`unescape`].
pub fn escape(value: &str) -> Cow<'_, str> {
    if !value.contains([';', ' ', '\\', '\r', '\n']) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    for c in value.chars() {
        match c {
            ';' => out.push_str("\\:"),
            ' ' => out.push_str("\\s"),
            '\\' => out.push_str("\\\\"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(line: &str) -> Message<'_> {
        Message::parse(line).expect(line)
    }

    #[test]
    fn parses_tags_source_command_and_params() {
        let m = parse("@a=1;b :nick!user@host PRIVMSG  #c   :hello  there ");
        assert_eq!((m.tags.0, m.source, m.command), ("a=1;b", Some("nick!user@host"), "PRIVMSG"));
        assert_eq!(m.params(), ["#c", "hello  there "]);
        assert_eq!(m.nick(), Some("nick"));
        assert_eq!(parse("PING").params(), [""; 0]);
        assert_eq!(parse("PING :").params(), [""]);
        assert_eq!(parse("PING a ").params(), ["a"]);
        for none in ["", " ", "@tag", "@tag ", ":source", ":source ", "@a :b ", " @a b", ":a :b"] {
            assert_eq!(Message::parse(none), None, "{none:?}");
        }
    }

    #[test]
    fn fifteenth_parameter_takes_the_rest() {
        let m = parse("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 :17");
        assert_eq!(m.params().len(), 15);
        assert_eq!(m.param(14), Some("15 16 :17"));
    }

    #[test]
    fn tag_values_are_unescaped_and_the_last_wins() {
        let tags = parse(r"@a=x\:y\s\\\r\n\z\;b=;c;a=2;b=\: PING").tags;
        assert_eq!(tags.get("a").as_deref(), Some("2"));
        assert_eq!(tags.get("b").as_deref(), Some(";"));
        assert_eq!(tags.get("c").as_deref(), Some(""));
        assert_eq!(tags.get("d"), None);
        assert_eq!(unescape(r"x\:y\s\\\r\n\z\"), "x;y \\\r\nz");
    }

    #[test]
    fn invalid_tag_keys_are_dropped_and_duplicates_merged() {
        for bad in [
            "+",
            "+=x",
            "++x",
            "+a\u{1}=x",
            "+\u{fc}=x",
            "+foo.com/=x",
            "+/x",
            "+a_b",
            "+a/b/c",
            "a b",
            "+.com/x",
        ] {
            let tags = Tags(bad);
            assert_eq!((tags.iter().count(), tags.client_only_tags()), (0, String::new()), "{bad:?}");
        }
        for (sent, kept) in [
            ("+a;+a=1", "+a=1"),
            ("+a=1;+b;+a", "+b;+a"),
            ("a=1;+typing=active;b;label=2", "+typing=active"),
            ("+draft/react=\u{1f44d};+example.com/x-1=y=z;+", "+draft/react=\u{1f44d};+example.com/x-1=y=z"),
            (";;", ""),
        ] {
            assert_eq!(Tags(sent).client_only_tags(), kept, "{sent}");
            assert_eq!(Tags(kept).client_only_tags(), kept, "{sent}");
        }
        assert_eq!(Tags("a=1;a\u{1}=2").get("a").as_deref(), Some("1"));
    }

    /// Generates tag values, many of which need escaping.
    fn tag_value() -> impl Strategy<Value = String> {
        prop_oneof!["[^\0]{0,8}", "[;: \\\\\r\nsrn=@]{0,8}"]
    }

    /// Generates last parameters, many of them empty, with a leading colon or with spaces at an end.
    fn last_param() -> impl Strategy<Value = String> {
        prop_oneof![Just(String::new()), ":[^\r\n\0]{0,10}", "[ :a@]{0,5}", "[^\r\n\0]{0,40}"]
    }

    proptest! {
        #[test]
        fn parsing_any_text_never_panics(line in "\\PC*") {
            if let Some(m) = Message::parse(&line) {
                prop_assert!(m.params().len() <= MAX_PARAMS);
            }
        }

        /// The line consists mostly of characters that are special in the grammar.
        #[test]
        fn printing_a_parsed_line_parses_back(line in "[@:]?[@:;=\\\\ a]{0,40}") {
            if let Some(m) = Message::parse(&line) {
                let printed = m.to_string();
                prop_assert_eq!(Message::parse(&printed), Some(m), "{:?}", printed);
            }
        }

        #[test]
        fn printed_line_parses_back(
            tags in proptest::collection::btree_map("[+]?([a-z.]{1,4}[a-z]/)?[a-zA-Z0-9-]{1,8}".prop_filter("a host", |key| is_key(key)), tag_value(), 0..4),
            source in proptest::option::of("[a-z!@.]{1,12}"),
            command in "[A-Z]{1,10}|[0-9]{3}",
            middle in proptest::collection::vec("[^ :\r\n\0][^ \r\n\0]{0,10}", 0..=14),
            last in proptest::option::of(last_param()),
        ) {
            let mut line = String::new();
            for (index, (key, value)) in tags.iter().enumerate() {
                let _ = write!(line, "{}{key}={}", if index == 0 { '@' } else { ';' }, escape(value));
            }
            if !tags.is_empty() { line.push(' '); }
            if let Some(source) = &source { let _ = write!(line, ":{source} "); }
            line.push_str(&command);
            for param in &middle { let _ = write!(line, " {param}"); }
            if let Some(last) = &last { let _ = write!(line, " :{last}"); }
            let m = parse(&line);
            let printed = m.to_string();
            prop_assert_eq!(parse(&printed), m);
            // The parts equal the input.
            for (key, value) in &tags {
                prop_assert_eq!(m.tags.get(key), Some(value.as_str().into()));
            }
            prop_assert_eq!(m.tags.iter().count(), tags.len());
            prop_assert_eq!((m.source, m.command), (source.as_deref(), command.as_str()));
            let params: Vec<&str> = middle.iter().chain(&last).map(String::as_str).collect();
            prop_assert_eq!(m.params(), params);
        }

        #[test]
        fn escaped_value_unescapes_to_itself(value in "[^\0]*") {
            let escaped = escape(&value);
            prop_assert!(!escaped.contains([';', ' ', '\r', '\n']));
            prop_assert_eq!(unescape(&escaped), value.as_str());
        }
    }
}
