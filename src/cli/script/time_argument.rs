//! Points in time on the command line.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::core::request::durations::duration;
use crate::wire::Timestamp;

/// Description of the values of `--since` and `--until`.
pub const ACCEPTED_FORMS: &str = "a time such as 2026-03-01T09:30:00Z, 2026-03-01, '2026-03-01 09:30' or 09:30 (today), or how long ago: 2h, 7d";

/// A point in time as the user wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeArgument {
    /// An absolute time. Times before 1970 are 0, because there are no messages that old.
    At(Timestamp),
    /// A duration before now, by the server's clock: that of this machine may be wrong, and the messages have the
    /// server's time.
    Ago(Duration),
    /// A time of today in the local time zone. The server's clock says which day today is.
    Today(Time),
}

/// The time of day that a date without one stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DateStandsFor {
    StartOfDay,
    EndOfDay,
}

impl TimeArgument {
    /// Parses the value of `--since`: an instant (RFC 3339), a local date with or without a time, a local time of today,
    /// or a duration. A date is the start of that day.
    pub fn parse_since(text: &str) -> Result<Self, String> {
        Self::parse_in(text.trim(), DateStandsFor::StartOfDay, &TimeZone::system())
    }

    /// Parses the value of `--until`, as [`parse_since`](Self::parse_since) does. A date is the end of that day.
    pub fn parse_until(text: &str) -> Result<Self, String> {
        Self::parse_in(text.trim(), DateStandsFor::EndOfDay, &TimeZone::system())
    }

    fn parse_in(text: &str, date_stands_for: DateStandsFor, zone: &TimeZone) -> Result<Self, String> {
        let wrong = || format!("write {ACCEPTED_FORMS}");
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::At(to_time_stamp(instant)));
        }
        if let Some(duration) = duration(text) {
            return Ok(Self::Ago(duration));
        }
        if let Some(time) = parse_time_of_day(text) {
            return Ok(Self::Today(time));
        }
        let start =
            |local: DateTime| local.to_zoned(zone.clone()).map(|zoned| to_time_stamp(zoned.timestamp()));
        let time = match (text.parse::<Date>(), text.contains(':')) {
            (Ok(date), false) if date_stands_for == DateStandsFor::EndOfDay => {
                // The day may have 23 or 25 hours.
                let next = date.tomorrow().map_err(|_| wrong())?;
                start(next.into()).map(|next| Timestamp(next.0.saturating_sub(1)))
            }
            (Ok(date), false) => start(date.into()),
            _ => start(text.parse::<DateTime>().map_err(|_| wrong())?),
        };
        time.map(Self::At).map_err(|_| wrong())
    }

    /// Returns whether the time stamp depends on the time of the server.
    pub fn is_relative(self) -> bool {
        !matches!(self, Self::At(_))
    }

    /// Returns the time stamp, at this time of the server.
    pub fn to_time_stamp(self, now: Timestamp) -> Timestamp {
        self.to_time_stamp_in(now, &TimeZone::system())
    }

    fn to_time_stamp_in(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(duration) => {
                let span = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
                Timestamp(now.0.saturating_sub(span))
            }
            Self::Today(time) => {
                let milliseconds = i64::try_from(now.0).unwrap_or(i64::MAX);
                let instant = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::MAX);
                let today = instant.to_zoned(zone.clone()).date();
                // A clock at the end of all dates has no such time.
                let zoned = today.to_datetime(time).to_zoned(zone.clone());
                zoned.map_or(now, |zoned| to_time_stamp(zoned.timestamp()))
            }
        }
    }
}

/// Parses a time of day with a colon: `9:30`, `09:30` or `09:30:15`.
fn parse_time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let mut number = || -> Option<Option<i8>> {
        parts.next().map(|part| {
            let is_number = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| is_number)
        })
    };
    let (hour, minute, second, rest) = (number()??, number()??, number(), number());
    let second = match second {
        None => 0,
        Some(second) => second?,
    };
    if rest.is_some() { None } else { Time::new(hour, minute, second, 0).ok() }
}

fn to_time_stamp(instant: jiff::Timestamp) -> Timestamp {
    Timestamp(u64::try_from(instant.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, date_stands_for: DateStandsFor, zone: &str) -> String {
        let now = Timestamp::parse("2026-03-08T12:00:00.000Z").expect("a time");
        let zone = TimeZone::get(zone).expect("a zone");
        TimeArgument::parse_in(text, date_stands_for, &zone)
            .map_or_else(|why| why, |when| when.to_time_stamp_in(now, &zone).to_string())
    }

    #[test]
    fn accepts_many_time_formats() {
        for (text, meant) in [
            ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000Z"),
            ("2026-03-01T09:30:00.250+02:00", "2026-03-01T07:30:00.250Z"),
            ("2026-03-01 09:30", "2026-03-01T08:30:00.000Z"),
            ("2026-03-01T09:30:15", "2026-03-01T08:30:15.000Z"),
            ("2h", "2026-03-08T10:00:00.000Z"),
            ("7d", "2026-03-01T12:00:00.000Z"),
            ("1h 30m", "2026-03-08T10:30:00.000Z"),
            ("1900-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("1000years", "1970-01-01T00:00:00.000Z"),
        ] {
            for date_stands_for in [DateStandsFor::StartOfDay, DateStandsFor::EndOfDay] {
                assert_eq!(parse(text, date_stands_for, "Europe/Berlin"), meant, "{text}");
            }
        }
        for text in ["", "soon", "7", "2026-13-01", "25:00", "-2h", "9:", ":30", "9:60", "9:30:15:1", "9:+3"]
        {
            assert!(
                parse(text, DateStandsFor::StartOfDay, "UTC").starts_with("write a time such as"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_of_day_is_one_of_today_by_the_clock_of_the_server() {
        // 2026-03-08T12:00:00Z is still the eighth in Berlin, and the ninth in Auckland.
        for (text, zone, meant) in [
            ("15:27", "UTC", "2026-03-08T15:27:00.000Z"),
            ("9:05", "Europe/Berlin", "2026-03-08T08:05:00.000Z"),
            ("09:05:07", "Europe/Berlin", "2026-03-08T08:05:07.000Z"),
            ("00:30", "Pacific/Auckland", "2026-03-08T11:30:00.000Z"),
            // This time does not exist on the day on which the clocks go forward.
            ("02:30", "America/New_York", "2026-03-08T07:30:00.000Z"),
        ] {
            for date_stands_for in [DateStandsFor::StartOfDay, DateStandsFor::EndOfDay] {
                assert_eq!(parse(text, date_stands_for, zone), meant, "{text} {zone}");
            }
        }
    }

    #[test]
    fn date_is_the_start_or_the_end_of_that_day() {
        for (date, zone, start, end) in [
            ("2026-03-01", "Europe/Berlin", "2026-02-28T23:00:00.000Z", "2026-03-01T22:59:59.999Z"),
            ("2026-03-01", "UTC", "2026-03-01T00:00:00.000Z", "2026-03-01T23:59:59.999Z"),
            // Days of 23 and 25 hours, and one that begins at 1:00.
            ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z"),
            ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z"),
            ("2024-04-26", "Africa/Cairo", "2024-04-25T22:00:00.000Z", "2024-04-26T20:59:59.999Z"),
            ("1900-01-01", "UTC", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(parse(date, DateStandsFor::StartOfDay, zone), start, "{date} {zone}");
            assert_eq!(parse(date, DateStandsFor::EndOfDay, zone), end, "{date} {zone}");
        }
    }
}
