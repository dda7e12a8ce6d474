//! Time stamps in the user's time zone.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::wire::Timestamp;

/// Formats hours and minutes in the user's time zone.
pub fn format_time(time: Timestamp, zone: &TimeZone) -> String {
    let zoned = to_zoned(time, zone);
    format!("{:02}:{:02}", zoned.hour(), zoned.minute())
}

/// Converts a time stamp to the user's time zone. The epoch stands for one out of range.
pub fn to_zoned(time: Timestamp, zone: &TimeZone) -> Zoned {
    let time = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().to_zoned(zone.clone())
}
