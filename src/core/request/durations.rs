//! Durations in the text of commands, in the IRC command INVITES and on the command line alike.

use std::time::Duration;

/// Maximum lifetime of an invite or a token: ten years. For permanent use there is `parlour user add`, or no time at all.
const LONGEST_LIFETIME: Duration = Duration::from_hours(10 * 365 * 24);

/// Parses a duration such as `30min`, `24h`, `7d`, `2w` or `1h 30m`.
///
/// Texts of over 64 bytes, and numbers of more than eleven digits, are refused: humantime panics where the seconds
/// exceed 64 bits, and below these bounds no sum does.
pub fn duration(text: &str) -> Option<Duration> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    if text.len() > 64 || numbers.any(|digits| digits.len() > 11) {
        return None;
    }
    humantime::parse_duration(text).ok()
}

/// Parses the lifetime of an invite or a token, from a millisecond to ten years.
pub fn lifetime(text: &str) -> Option<Duration> {
    duration(text).filter(|lifetime| (Duration::from_millis(1)..=LONGEST_LIFETIME).contains(lifetime))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lifetimes_have_a_minimum_and_a_maximum() {
        let hours = |hours| Some(Duration::from_hours(hours));
        for (text, expected) in [
            ("24h", hours(24)),
            ("90min", Some(Duration::from_mins(90))),
            ("1h 30m", Some(Duration::from_mins(90))),
            ("2w", hours(14 * 24)),
            ("3650d", hours(3650 * 24)),
            ("1ms", Some(Duration::from_millis(1))),
            ("0h", None),
            ("1ns", None),
            ("3651d", None),
            ("24", None),
            ("-1h", None),
            ("soon", None),
        ] {
            assert_eq!(lifetime(text), expected, "{text}");
        }
    }

    #[test]
    fn the_largest_sums_are_refused_or_computed() {
        // humantime alone panics at this one.
        assert_eq!(duration("18446744073709551615s 1000ms"), None);
        assert!(duration(&"99999999999y".repeat(5)).is_some());
        assert_eq!(duration(&"99999999999y".repeat(6)), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([0-9]{1,21}(\\.[0-9]{1,3})?[a-zµ]{1,6} ?){1,6}|\\PC{0,80}") {
            let _ = lifetime(&text);
        }
    }
}
