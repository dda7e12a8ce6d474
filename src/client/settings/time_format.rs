//! Format of the times beside the messages.

use std::fmt;
use std::str::FromStr;

use jiff::Zoned;
use jiff::civil::date;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr as _;

use crate::wire::chars::is_terminal_control;

/// Limit of a pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 40;

/// Limit of a formatted time, in cells.
const MAX_WIDTH: usize = 20;

/// Format of the times beside the messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// Hours and minutes, as in 22:13.
    #[default]
    Hours24,
    /// Hours and minutes of a half day, as in 10:13 PM.
    Hours12,
    /// Hours, minutes and seconds.
    Seconds,
    /// Pattern for [`strtime`], and the width of the longest time in cells.
    Custom(String, usize),
}

impl TimeFormat {
    /// Names of the built-in formats.
    pub const NAMES: [&str; 3] = ["24h", "12h", "seconds"];

    /// Formats a time.
    pub fn format(&self, time: &Zoned) -> String {
        // The pattern was tried when it was set.
        strtime::format(self.pattern(), time).unwrap_or_default()
    }

    /// Returns the width of the longest time, in cells.
    pub fn width(&self) -> usize {
        match self {
            Self::Hours24 => 5,
            Self::Hours12 | Self::Seconds => 8,
            Self::Custom(_, width) => *width,
        }
    }

    fn pattern(&self) -> &str {
        match self {
            Self::Hours24 => "%H:%M",
            Self::Hours12 => "%I:%M %p",
            Self::Seconds => "%H:%M:%S",
            Self::Custom(pattern, _) => pattern,
        }
    }
}

impl FromStr for TimeFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "24h" => return Ok(Self::Hours24),
            "12h" => return Ok(Self::Hours12),
            "seconds" => return Ok(Self::Seconds),
            _ => {}
        }
        if !text.contains('%') {
            return Err("write 24h, 12h, seconds, or a pattern such as %H:%M:%S".to_owned());
        }
        if text.len() > MAX_PATTERN_BYTES || text.chars().any(is_terminal_control) {
            return Err(format!(
                "a pattern has at most {MAX_PATTERN_BYTES} bytes, none of them control characters"
            ));
        }
        if has_zone(text) {
            return Err("the times are those of this machine: %Q, %Z and %z are not shown".to_owned());
        }
        // Times over two years, at other hours each day, have every name of a day, a month and a half day.
        let mut time = date(2024, 1, 1).to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
        let (mut width, mut first, mut varies) = (1, None, false);
        for _ in 0..700 {
            let formatted = strtime::format(text, &time)
                .map_err(|error| format!("the pattern is not one of strftime: {error}"))?;
            if formatted.chars().any(is_terminal_control) {
                return Err("the pattern must give a single line".to_owned());
            }
            width = width.max(formatted.width());
            varies |= *first.get_or_insert_with(|| formatted.clone()) != formatted;
            time = time.saturating_add(jiff::SignedDuration::from_mins(25 * 60 + 7));
        }
        if !varies {
            return Err(
                "the pattern gives the same text for every time; %H:%M is hours and minutes".to_owned()
            );
        }
        if width > MAX_WIDTH {
            return Err(format!("the time would be {width} cells wide; at most {MAX_WIDTH} are"));
        }
        Ok(Self::Custom(text.to_owned(), width))
    }
}

/// Returns whether a pattern has a conversion for a time zone, whose width depends on the machine.
fn has_zone(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while chars.by_ref().any(|c| c == '%') {
        // Flags, a width and colons stand between the sign and the letter.
        let letter = chars.by_ref().find(|c| !(c.is_ascii_digit() || "-_+^#:.".contains(*c)));
        if matches!(letter, Some('Q' | 'Z' | 'z')) {
            return true;
        }
    }
    false
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hours24 => "24h",
            Self::Hours12 => "12h",
            Self::Seconds => "seconds",
            Self::Custom(pattern, _) => pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_formatted_within_their_width() {
        let evening = date(2026, 9, 30).at(21, 5, 7, 0).to_zoned(TimeZone::UTC).expect("a time");
        for (name, expected) in [
            ("24h", "21:05"),
            ("12h", "09:05 PM"),
            ("seconds", "21:05:07"),
            ("%-d.%-m. %H:%M", "30.9. 21:05"),
            ("%A %H", "Wednesday 21"),
        ] {
            let format: TimeFormat = name.parse().expect(name);
            assert_eq!(format.format(&evening), expected);
            assert!(expected.width() <= format.width(), "{name}");
            assert_eq!(format.to_string(), name);
        }
    }

    #[test]
    fn patterns_that_cannot_be_shown_are_refused() {
        for text in [
            "",
            "36h",
            "%",
            "%J",
            "%H%n%M",
            "%A, %B %Y, %A, %B %Y",
            "%Q",
            "%:Q",
            "%H %Z",
            "%H%:z",
            "100%%",
            "%H\u{1b}[2J",
        ] {
            assert!(text.parse::<TimeFormat>().is_err(), "{text:?}");
        }
        assert!("%H".repeat(30).parse::<TimeFormat>().is_err());
    }
}
