//! Forms of the log: text for people, JSON, and entries of systemd's journal.

use std::cell::RefCell;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing::Level;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::server::config::LogFormat;

/// Local time with its offset from UTC, such as `2026-11-30T12:35:25.123456+01:00`.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime;

impl LocalTime {
    /// Returns the present time.
    pub fn now() -> String {
        let now = Timestamp::now();
        let (second, micros) = (now.as_second(), now.subsec_microsecond());
        SECOND_PARTS.with_borrow_mut(|parts| {
            if parts.second != Some(second) {
                let local = now.to_zoned(TimeZone::system());
                *parts = SecondParts {
                    second: Some(second),
                    date_and_time: local.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                    offset: local.strftime("%:z").to_string(),
                };
            }
            format!("{}.{micros:06}{}", parts.date_and_time, parts.offset)
        })
    }
}

/// The parts of the local time that last for a second.
#[derive(Default)]
struct SecondParts {
    second: Option<i64>,
    date_and_time: String,
    offset: String,
}

thread_local! {
    /// Those of the latest line: lines come many in a second, and a calendar takes longer than the rest of one.
    static SECOND_PARTS: RefCell<SecondParts> = RefCell::default();
}

impl FormatTime for LocalTime {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        w.write_str(&Self::now())
    }
}

/// Returns a line of the log that does not come from `tracing`, in its form.
pub fn format_line(format: LogFormat, level: Level, text: &str) -> Vec<u8> {
    match format {
        LogFormat::Text => format!("{} {level:>5} {text}\n", LocalTime::now()).into_bytes(),
        LogFormat::Json => {
            let line = serde_json::json!({
                "timestamp": LocalTime::now(), "level": level.as_str(), "message": text,
            });
            format!("{line}\n").into_bytes()
        }
        LogFormat::Journald => {
            let mut entry = JournalEntry::default();
            entry.push("PRIORITY", priority(level));
            entry.push("SYSLOG_IDENTIFIER", IDENTIFIER);
            entry.push("MESSAGE", text);
            entry.0
        }
    }
}

/// Name of the program in the journal.
pub(super) const IDENTIFIER: &str = "parlour";

/// Severity in the numbers of syslog, as the journal has it.
pub(super) fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

/// An entry in the journal's protocol.
#[derive(Default)]
pub(super) struct JournalEntry(pub Vec<u8>);

impl JournalEntry {
    /// Appends a field in the form that permits any value. The name has capital letters, digits and `_` alone.
    pub fn push(&mut self, name: &str, value: &str) {
        let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        self.0.extend(name.bytes().map(|byte| if is_plain(byte) { byte } else { b'_' }));
        self.0.push(b'\n');
        self.0.extend((value.len() as u64).to_le_bytes());
        self.0.extend(value.as_bytes());
        self.0.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_has_its_offset() {
        let now = LocalTime::now();
        let parsed: jiff::Timestamp = now.parse().expect(&now);
        assert!(parsed.duration_since(jiff::Timestamp::now()).abs().as_secs() < 60, "{now}");
        assert!(!now.ends_with('Z'), "{now}");
    }

    #[test]
    fn own_lines_have_the_form_of_the_log() {
        let text = String::from_utf8(format_line(LogFormat::Text, Level::WARN, "a \"text\"")).expect("text");
        assert!(text.ends_with("  WARN a \"text\"\n"), "{text}");
        let json = format_line(LogFormat::Json, Level::WARN, "a \"text\"");
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!((&json["level"], &json["message"]), (&"WARN".into(), &"a \"text\"".into()));
    }

    #[test]
    fn journal_entries_permit_any_value() {
        let entry = format_line(LogFormat::Journald, Level::ERROR, "two\nlines");
        assert!(entry.starts_with(b"PRIORITY\n\x01\0\0\0\0\0\0\x003\n"), "{entry:?}");
        assert!(entry.ends_with(b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n"), "{entry:?}");
    }
}
