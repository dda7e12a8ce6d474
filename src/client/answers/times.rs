//! Points in time and spans, in words.

use jiff::tz::TimeZone;

use crate::wire::Timestamp;

/// Formats a point in time with its date, in the user's time zone.
pub fn date_and_time(time: Timestamp, zone: &TimeZone) -> String {
    let time = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or_default().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Formats a point in time that a server sent in seconds; unchanged if it is no number.
pub fn date_of_seconds(seconds: &str, zone: &TimeZone) -> String {
    let time = seconds.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1000));
    time.map_or_else(|| seconds.to_owned(), |ms| date_and_time(Timestamp(ms), zone))
}

/// Formats a point in time that a server sent as text; unchanged if it is none.
pub fn date_of_text(text: &str, zone: &TimeZone) -> String {
    Timestamp::parse(text).map_or_else(|| text.to_owned(), |time| date_and_time(time, zone))
}

/// Formats a span of seconds by its largest unit.
pub fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_points_and_spans() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(date_of_seconds("1700000000", &zone), "2023-11-14 23:13");
        assert_eq!(date_of_text("2023-11-14T22:13:20.000Z", &zone), "2023-11-14 23:13");
        for odd in ["", "soon", "18446744073709551615"] {
            assert_eq!(date_of_text(odd, &zone), odd);
        }
        let spans =
            [(1, "1 second"), (59, "59 seconds"), (61, "1 minute"), (7_300, "2 hours"), (90_000, "1 day")];
        for (seconds, expected) in spans {
            assert_eq!(span(seconds), expected);
        }
    }
}
