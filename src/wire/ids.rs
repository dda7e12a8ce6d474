//! Time and message ids.

use std::fmt;
use std::str::FromStr;

/// Server time in milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl fmt::Display for Millis {
    /// The form of the `time` tag, `YYYY-MM-DDThh:mm:ss.sssZ`
    /// ([server-time](https://ircv3.net/specs/extensions/server-time)).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = i64::try_from(self.0)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{time:.3}")
    }
}

impl Millis {
    /// Reads the form that [`fmt::Display`] writes (any RFC 3339 instant is accepted).
    pub fn parse(text: &str) -> Option<Self> {
        let time: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(time.as_millisecond()).ok().map(Self)
    }

    /// Whole seconds since the epoch, for the numerics that want them.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// A message's place in the one total order of the server, its time and its `msgid` at once.
///
/// A hybrid logical clock: the upper bits are milliseconds since the epoch, the lower
/// [`COUNTER_BITS`](Self::COUNTER_BITS) count within one millisecond. Ids only grow: when the
/// clock stands still or goes back, the counter carries on from the last id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(u64);

impl MessageId {
    /// A million messages a millisecond before the counter runs into the next one.
    pub const COUNTER_BITS: u32 = 20;

    /// Later than every message.
    pub const LAST: Self = Self(i64::MAX as u64);

    /// The id from its stored form (SQLite integers are signed).
    pub fn from_i64(id: i64) -> Self {
        Self(id.unsigned_abs())
    }

    /// The stored form. Fits: 2^63 is the year 2248.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The first id of a millisecond: every message of that time or later has this id or a larger one.
    pub fn first_at(time: Millis) -> Self {
        Self(time.0.min(u64::MAX >> (Self::COUNTER_BITS + 1)) << Self::COUNTER_BITS)
    }

    /// The last id of a millisecond: every message of that time or earlier has this id or a smaller one.
    pub fn last_at(time: Millis) -> Self {
        Self::first_at(Millis(time.0.saturating_add(1))).previous()
    }

    /// The next id after `self` at time `now`.
    #[must_use]
    pub fn next(self, now: Millis) -> Self {
        Self::first_at(now).max(Self(self.0 + 1))
    }

    /// The smallest id behind this one.
    #[must_use]
    pub fn following(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The largest id before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The 16 hexadecimal digits of the `msgid` tag, so that text order is message order.
    pub fn digits(self) -> Digits {
        let mut digits = [b'0'; 16];
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            let value = u8::try_from(rest & 0xf).unwrap_or(0);
            *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
            rest >>= 4;
        }
        Digits(digits)
    }

    /// The server time of the message.
    pub fn time(self) -> Millis {
        Millis(self.0 >> Self::COUNTER_BITS)
    }
}

impl fmt::Display for MessageId {
    /// The `msgid` tag's value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits().as_str())
    }
}

/// A message id in hexadecimal, made without an allocation: every message that goes out carries one.
#[derive(Clone, Copy, Debug)]
pub struct Digits([u8; 16]);

impl Digits {
    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for MessageId {
    type Err = std::num::ParseIntError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(s, 16).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_while_the_clock_goes_back() {
        let a = MessageId::default().next(Millis(1_700_000_000_123));
        let b = a.next(Millis(1_600_000_000_000));
        assert!(b > a);
        assert_eq!(b.time(), Millis(1_700_000_000_123));
        assert_eq!(a.to_string().parse(), Ok(a));
        assert_eq!(MessageId(0x0123_4567_89ab_cdef).to_string(), "0123456789abcdef");
        assert_eq!(MessageId::from_i64(a.as_i64()), a);
    }

    #[test]
    fn time_prints_as_the_tag_wants_it() {
        let text = "2023-11-14T22:13:20.007Z";
        assert_eq!(Millis(1_700_000_000_007).to_string(), text);
        assert_eq!(Millis::parse(text), Some(Millis(1_700_000_000_007)));
        assert_eq!(Millis(1_700_000_000_000).to_string(), "2023-11-14T22:13:20.000Z");
        assert_eq!(Millis::parse("yesterday"), None);
    }
}
