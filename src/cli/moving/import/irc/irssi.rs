//! Lines of irssi's logs: the time, and the text as on the screen; the day on lines of its own.

use jiff::civil::{Date, DateTime, Time};

use super::{Entry, Parsed, What};

/// Months as irssi writes them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Parses line after line of a log, because only some have a date.
#[derive(Debug, Default)]
pub(super) struct Parser {
    day: Option<Date>,
}

impl Parser {
    /// Parses a line.
    pub fn parse<'a>(&mut self, line: &'a str) -> Parsed<'a> {
        if line.is_empty() {
            return Parsed::Nothing;
        }
        if let Some(rest) = line.strip_prefix("--- ") {
            let date = rest.strip_prefix("Log opened ").or_else(|| rest.strip_prefix("Day changed "));
            if let Some(date) = date {
                self.day = parse_day(date);
                return if self.day.is_some() { Parsed::Nothing } else { Parsed::Unknown };
            }
            return if rest.starts_with("Log closed ") { Parsed::Nothing } else { Parsed::Unknown };
        }
        let Some((at, rest)) = self.parse_time(line) else { return Parsed::Unknown };
        parse_text(at, rest)
    }

    /// Parses the time at the beginning of a line: `16:02`, `16:02:03`, `[16:02]`, also with a date before it.
    fn parse_time<'a>(&self, line: &'a str) -> Option<(DateTime, &'a str)> {
        let bare = line.strip_prefix('[').unwrap_or(line);
        let (day, clock) = match bare.get(..10).and_then(|date| date.parse().ok()) {
            Some(day) => (day, bare.get(11..)?),
            None => (self.day?, bare),
        };
        let end = clock.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(clock.len());
        let (time, rest) = clock.split_at_checked(end)?;
        let mut parts = time.split(':').map(|part| part.parse::<i8>().ok().filter(|_| part.len() == 2));
        let (hour, minute) = (parts.next()??, parts.next()??);
        let second = parts.next().unwrap_or(Some(0))?;
        let at = day.to_datetime(Time::new(hour, minute, second.min(59), 0).ok()?);
        Some((at, rest.strip_prefix(']').unwrap_or(rest).strip_prefix(' ').unwrap_or(rest)))
    }
}

/// Parses what stands behind the time.
fn parse_text(at: DateTime, rest: &str) -> Parsed<'_> {
    let found = if let Some(rest) = rest.strip_prefix('<') {
        rest.split_once("> ").map(|(from, text)| {
            (from.trim_start_matches([' ', '@', '+', '%', '~', '&']), What::Message, text)
        })
    } else if let Some(rest) = rest.strip_prefix(" * ").or_else(|| rest.strip_prefix("* ")) {
        rest.split_once(' ').map(|(from, text)| (from, What::Action, text))
    } else if let Some(rest) = rest.strip_prefix("-!- ") {
        let Some((from, topic)) = rest.split_once(" changed the topic of ") else { return Parsed::Event };
        topic.split_once(" to: ").map(|(_, text)| (from, What::Topic, text))
    } else if let Some(rest) = rest.strip_prefix('-') {
        // `-alice:#chan- text`, and `-alice(host)- text` in a direct conversation.
        rest.split_once("- ").and_then(|(from, text)| {
            let end = from.find([':', '(']).unwrap_or(from.len());
            from.get(..end).map(|from| (from, What::Notice, text))
        })
    } else {
        None
    };
    match found {
        Some((from, what, text)) if is_nick(from) && !text.is_empty() => {
            Parsed::Entry(Entry { at, from, what, text })
        }
        Some(_) => Parsed::Nothing,
        None => Parsed::Unknown,
    }
}

fn is_nick(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '!', '@', ',', '*', '?']) && text.len() <= 64
}

/// Parses `Sat Jan 31 16:02:03 2026`, also without the time.
fn parse_day(text: &str) -> Option<Date> {
    let mut words = text.split_ascii_whitespace();
    let _weekday = words.next()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|known| *known == month)?;
    let day = words.next()?.parse().ok()?;
    let year = words.last()?.parse().ok()?;
    Date::new(year, i8::try_from(month + 1).ok()?, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed() {
        let mut parser = Parser::default();
        assert_eq!(parser.parse("16:02 < alice> before any date"), Parsed::Unknown);
        assert_eq!(parser.parse("--- Log opened Sat Jan 31 16:00:01 2026"), Parsed::Nothing);
        let at: DateTime = "2026-01-31T16:02:00".parse().expect("a time");
        let entry = |from, what, text| Parsed::Entry(Entry { at, from, what, text });
        for (line, parsed) in [
            ("16:02 < alice> hi > there", entry("alice", What::Message, "hi > there")),
            ("16:02 <@alice> hi", entry("alice", What::Message, "hi")),
            ("16:02 <alice>  two blanks", entry("alice", What::Message, " two blanks")),
            ("[16:02] <alice> hi", entry("alice", What::Message, "hi")),
            ("2026-01-31 16:02:00 <alice> hi", entry("alice", What::Message, "hi")),
            ("16:02  * alice waves", entry("alice", What::Action, "waves")),
            ("16:02 -alice:#c- look", entry("alice", What::Notice, "look")),
            (
                "16:02 -!- alice changed the topic of #c to: new: topic",
                entry("alice", What::Topic, "new: topic"),
            ),
            ("16:02 -!- alice [~a@host] has joined #c", Parsed::Event),
            ("16:02 -!- mode/#c [+o alice] by bob", Parsed::Event),
            ("16:02 <> nobody", Parsed::Nothing),
            ("16:02 something else", Parsed::Unknown),
            ("99:99 <alice> hi", Parsed::Unknown),
            ("1:2 <alice> hi", Parsed::Unknown),
            ("", Parsed::Nothing),
        ] {
            assert_eq!(parser.parse(line), parsed, "{line}");
        }
        assert_eq!(parser.parse("--- Day changed Sun Feb 01 2026"), Parsed::Nothing);
        let Parsed::Entry(entry) = parser.parse("00:00 < bob> next") else { panic!("an entry") };
        assert_eq!(entry.at.to_string(), "2026-02-01T00:00:00");
        assert_eq!(parser.parse("--- Log closed Sun Feb 01 00:01:00 2026"), Parsed::Nothing);
    }
}
