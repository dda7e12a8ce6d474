//! Time stamps in the user's time zone.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::wire::Timestamp;

/// Converts a time stamp to the user's time zone. The epoch stands for one out of range.
pub fn to_zoned(time: Timestamp, zone: &TimeZone) -> Zoned {
    let time = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().to_zoned(zone.clone())
}
