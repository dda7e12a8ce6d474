//! Time stamps in the user's time zone.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::wire::Timestamp;

/// A quarter of an hour, in milliseconds.
const QUARTER: u64 = 15 * 60_000;

/// Returns whether two time stamps are of the same day in the user's time zone.
pub fn is_same_day(one: Timestamp, other: Timestamp, zone: &TimeZone) -> bool {
    // Time zones change the date at full quarters of an hour only, so two time stamps in the same one need no
    // conversion.
    one.0 / QUARTER == other.0 / QUARTER || to_zoned(one, zone).date() == to_zoned(other, zone).date()
}

/// Converts a time stamp to the user's time zone. The epoch stands for one out of range.
pub fn to_zoned(time: Timestamp, zone: &TimeZone) -> Zoned {
    let time = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().to_zoned(zone.clone())
}
