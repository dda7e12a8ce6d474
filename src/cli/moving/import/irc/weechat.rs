//! Lines of WeeChat's logger: the time, the prefix and the text, with tabs between them.

use jiff::civil::DateTime;

use super::{Entry, Parsed, What};

/// Parses a line; `None` if it has another form.
pub(super) fn parse(line: &str) -> Option<Parsed<'_>> {
    let (time, rest) = line.split_once('\t')?;
    let (prefix, text) = rest.split_once('\t').unwrap_or((rest, ""));
    let at: DateTime = time.parse().ok()?;
    let entry = |from, what, text| Parsed::Entry(Entry { at, from, what, text });
    Some(match prefix.trim() {
        "-->" | "<--" | "=!=" | "" => Parsed::Event,
        "*" => match text.split_once(' ') {
            Some((from, text)) if !text.is_empty() => entry(from, What::Action, text),
            _ => Parsed::Nothing,
        },
        "--" => match parse_notice(text).or_else(|| parse_topic(text)) {
            Some((from, what, text)) => entry(from, what, text),
            None => Parsed::Event,
        },
        prefix => match prefix.trim_start_matches(['@', '%', '+', '~', '&', '!']) {
            from if is_nick(from) && !text.is_empty() => entry(from, What::Message, text),
            _ => Parsed::Nothing,
        },
    })
}

/// `Notice(alice): text`.
fn parse_notice(text: &str) -> Option<(&str, What, &str)> {
    let (from, text) = text.strip_prefix("Notice(")?.split_once("): ")?;
    (is_nick(from) && !text.is_empty()).then_some((from, What::Notice, text))
}

/// `alice has changed topic for #chan from "old" to "new"`, also without an old one.
fn parse_topic(text: &str) -> Option<(&str, What, &str)> {
    let (from, rest) = text.split_once(" has changed topic for ")?;
    let from = from.split(' ').next().unwrap_or(from);
    let at = rest.rfind(" to \"")?;
    let topic = rest.get(at + 5..)?.strip_suffix('"')?;
    is_nick(from).then_some((from, What::Topic, topic))
}

fn is_nick(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '!', '@', ',', '*', '?']) && text.len() <= 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let at: DateTime = "2026-01-31T16:02:03".parse().expect("a time");
        let entry = |from, what, text| Some(Parsed::Entry(Entry { at, from, what, text }));
        for (line, parsed) in [
            ("2026-01-31 16:02:03\t@alice\thi: there\tyou", entry("alice", What::Message, "hi: there\tyou")),
            ("2026-01-31 16:02:03\t *\talice waves", entry("alice", What::Action, "waves")),
            ("2026-01-31 16:02:03\t--\tNotice(bob): look", entry("bob", What::Notice, "look")),
            (
                "2026-01-31 16:02:03\t--\tbob has changed topic for #c from \"a\" to \"b to c\"",
                entry("bob", What::Topic, "b to c"),
            ),
            ("2026-01-31 16:02:03\t-->\talice (~a@host) has joined #c", Some(Parsed::Event)),
            ("2026-01-31 16:02:03\t--\tMode #c [+o alice] by ChanServ", Some(Parsed::Event)),
            ("2026-01-31 16:02:03\talice\t", Some(Parsed::Nothing)),
            ("16:02 <alice> a\tb", None),
            ("2026-13-31 16:02:03\talice\thi", None),
            ("", None),
        ] {
            assert_eq!(parse(line), parsed, "{line}");
        }
    }
}
