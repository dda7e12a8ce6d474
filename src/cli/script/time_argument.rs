//! Points in time on the command line.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};

use crate::core::request::durations::duration;
use crate::wire::Timestamp;

/// Description of the values of `--since` and `--until`.
pub const ACCEPTED_FORMS: &str =
    "a time such as 2026-03-01T09:30:00Z, 2026-03-01 or '2026-03-01 09:30', or how long ago: 2h, 7d";

/// A point in time as the user wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeArgument {
    /// An absolute time.
    At(jiff::Timestamp),
    /// A duration before now.
    Ago(Duration),
}

impl TimeArgument {
    /// Parses an instant (RFC 3339), a local date with or without a time, or a duration.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_in(text.trim(), &TimeZone::system())
    }

    fn parse_in(text: &str, zone: &TimeZone) -> Result<Self, String> {
        let wrong = || format!("write {ACCEPTED_FORMS}");
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::At(instant));
        }
        if let Some(duration) = duration(text) {
            return Ok(Self::Ago(duration));
        }
        let local = match (text.parse::<Date>(), text.contains(':')) {
            (Ok(date), false) => date.to_datetime(jiff::civil::Time::midnight()),
            _ => text.parse::<DateTime>().map_err(|_| wrong())?,
        };
        let zoned: Zoned = local.to_zoned(zone.clone()).map_err(|_| wrong())?;
        Ok(Self::At(zoned.timestamp()))
    }

    /// Returns the time stamp. Times before 1970 become 0, because there are no messages that old.
    pub fn to_time_stamp(self) -> Timestamp {
        self.to_time_stamp_at(jiff::Timestamp::now())
    }

    fn to_time_stamp_at(self, now: jiff::Timestamp) -> Timestamp {
        let instant = match self {
            Self::At(instant) => instant,
            Self::Ago(duration) => SignedDuration::try_from(duration)
                .ok()
                .and_then(|duration| now.checked_sub(duration).ok())
                .unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        };
        Timestamp(u64::try_from(instant.as_millisecond()).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_at(text: &str, zone: &str) -> String {
        let now: jiff::Timestamp = "2026-03-08T12:00:00Z".parse().expect("a time");
        let zone = TimeZone::get(zone).expect("a zone");
        TimeArgument::parse_in(text, &zone)
            .map_or_else(|why| why, |when| when.to_time_stamp_at(now).to_string())
    }

    #[test]
    fn accepts_many_time_formats() {
        for (text, meant) in [
            ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000Z"),
            ("2026-03-01T09:30:00.250+02:00", "2026-03-01T07:30:00.250Z"),
            ("2026-03-01", "2026-02-28T23:00:00.000Z"),
            ("2026-03-01 09:30", "2026-03-01T08:30:00.000Z"),
            ("2026-03-01T09:30:15", "2026-03-01T08:30:15.000Z"),
            ("2h", "2026-03-08T10:00:00.000Z"),
            ("7d", "2026-03-01T12:00:00.000Z"),
            ("1h 30m", "2026-03-08T10:30:00.000Z"),
            ("1900-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("1000years", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(parse_at(text, "Europe/Berlin"), meant, "{text}");
        }
        for text in ["", "soon", "7", "2026-13-01", "25:00", "-2h"] {
            assert!(parse_at(text, "UTC").starts_with("write a time such as"), "{text}");
        }
    }
}
