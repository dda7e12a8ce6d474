//! Times of the lines of a log, which has local times of whole minutes or seconds.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::wire::Timestamp;

/// Finds the times of the lines of one log, in their order.
///
/// What follows within the resolution of the log's clock is put a millisecond later each time, which keeps the order. A
/// line with an earlier time than the one before it begins anew from its own time: it moves neither itself nor others.
pub(super) struct Clock<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
    last: Option<Last>,
}

/// The line before.
struct Last {
    /// Its time in the log.
    local: DateTime,
    /// Its point in time, as the log has it.
    start: u64,
    /// The time that it was given.
    given: u64,
    /// The hour of its time came twice, and this is the second one.
    is_second_time: bool,
}

/// Reason why a line has no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// It is in the future.
    Future,
    /// No message can have it.
    OutOfRange,
}

impl<'a> Clock<'a> {
    /// Makes the clock of a log that is read at this moment.
    pub fn new(zone: &'a TimeZone, now: Timestamp) -> Self {
        Self { zone, now, last: None }
    }

    /// Returns the point in time of the next line. Lines that are refused leave no trace.
    pub fn place(&mut self, local: DateTime) -> Result<Timestamp, Misplaced> {
        let (start, is_second_time) = self.point(local).ok_or(Misplaced::OutOfRange)?;
        if start >= self.now.0 {
            return Err(Misplaced::Future);
        }
        let given = match &self.last {
            Some(last) if start >= last.start => start.max(last.given + 1),
            _ => start,
        };
        self.last = Some(Last { local, start, given, is_second_time });
        Ok(Timestamp(given))
    }

    /// Returns the point in time of a local time. One that came twice, because clocks were set back, is taken for the
    /// earlier one until the log itself steps back within that hour. One that never came is taken for that much later.
    fn point(&self, local: DateTime) -> Option<(u64, bool)> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let (time, is_second_time) = match ambiguous.offset() {
            AmbiguousOffset::Fold { before, after } => {
                let last = self.last.as_ref().filter(|last| {
                    last.local.date() == local.date()
                        && self.zone.to_ambiguous_timestamp(last.local).is_ambiguous()
                });
                let is_second_time = last.is_some_and(|last| last.is_second_time || local < last.local);
                let offset = if is_second_time { after } else { before };
                (offset.to_timestamp(local).ok()?, is_second_time)
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => {
                (ambiguous.compatible().ok()?, false)
            }
        };
        let time = u64::try_from(time.as_millisecond()).ok().filter(|time| *time > 0)?;
        Some((time, is_second_time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the times that lines get, in UTC; a cross for those that are left out.
    fn placed(lines: &[&str]) -> Vec<String> {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let now: jiff::Timestamp = "2026-11-01T00:00:00Z".parse().expect("a time");
        let mut clock = Clock::new(&zone, Timestamp(u64::try_from(now.as_millisecond()).expect("positive")));
        let times = lines.iter().map(|line| clock.place(line.parse().expect("a time")));
        times.map(|time| time.map_or("x".to_owned(), |time| time.to_string())).collect()
    }

    #[test]
    fn lines_within_the_resolution_keep_their_order() {
        assert_eq!(
            placed(&["2026-01-31 10:00:00", "2026-01-31 10:00:00", "2026-01-31 10:00:01"]),
            ["2026-01-31T09:00:00.000Z", "2026-01-31T09:00:00.001Z", "2026-01-31T09:00:01.000Z"]
        );
    }

    #[test]
    fn a_line_of_the_future_moves_no_other_one() {
        assert_eq!(
            placed(&["2026-01-31 10:00", "2038-01-19 03:14", "1969-12-31 10:00", "2026-01-31 10:00"]),
            ["2026-01-31T09:00:00.000Z", "x", "x", "2026-01-31T09:00:00.001Z"]
        );
    }

    #[test]
    fn a_step_backwards_begins_anew() {
        assert_eq!(
            placed(&["2026-05-01 10:00", "2026-03-01 10:00", "2026-03-01 10:00", "2026-05-01 10:00"]),
            [
                "2026-05-01T08:00:00.000Z",
                "2026-03-01T09:00:00.000Z",
                "2026-03-01T09:00:00.001Z",
                "2026-05-01T08:00:00.000Z"
            ]
        );
    }

    #[test]
    fn the_hour_that_comes_twice_is_told_apart_by_the_step_backwards() {
        assert_eq!(
            placed(&[
                "2026-10-25 01:59",
                "2026-10-25 02:40",
                "2026-10-25 02:40",
                "2026-10-25 02:10",
                "2026-10-25 02:50",
                "2026-10-25 03:00",
                "2026-10-25 02:20"
            ]),
            [
                "2026-10-24T23:59:00.000Z",
                "2026-10-25T00:40:00.000Z",
                "2026-10-25T00:40:00.001Z",
                "2026-10-25T01:10:00.000Z",
                "2026-10-25T01:50:00.000Z",
                "2026-10-25T02:00:00.000Z",
                "2026-10-25T00:20:00.000Z"
            ]
        );
    }

    #[test]
    fn the_hour_that_never_came_is_an_hour_later() {
        assert_eq!(
            placed(&["2026-03-29 02:30", "2026-03-29 03:30"]),
            ["2026-03-29T01:30:00.000Z", "2026-03-29T01:30:00.001Z"]
        );
    }
}
