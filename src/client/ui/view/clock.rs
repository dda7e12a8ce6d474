//! Times on the user's clock and calendar.

use jiff::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::wire::Millis;

/// Hours and minutes on the user's clock.
pub fn clock(time: Millis, zone: &TimeZone) -> String {
    let zoned = zoned(time, zone);
    format!("{:02}:{:02}", zoned.hour(), zoned.minute())
}

/// The time on the user's calendar.
pub fn zoned(time: Millis, zone: &TimeZone) -> Zoned {
    let time = i64::try_from(time.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().to_zoned(zone.clone())
}
