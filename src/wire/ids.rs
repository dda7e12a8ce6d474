//! Time stamps and message ids.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A time stamp of the server, in milliseconds since the Unix epoch, UTC; of the monotonic clock, since an arbitrary start.
/// Sums and differences end at the first and the last time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub u64);

impl fmt::Display for Timestamp {
    /// Writes the form of the `time` tag, `YYYY-MM-DDThh:mm:ss.sssZ`
    /// ([server-time](https://ircv3.net/specs/extensions/server-time)). Times after the year 9999 are written as its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = i64::try_from(self.0)
            .ok()
            .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
            .unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{time:.3}")
    }
}

impl Timestamp {
    /// Parses any RFC 3339 time stamp, so also the form that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let time: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(time.as_millisecond()).ok().map(Self)
    }

    /// Returns whole seconds since the epoch, for the numerics that carry seconds.
    pub fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Returns the time that has passed since an earlier time; zero for a later one.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(span)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(span)))
    }
}

fn whole_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Encoding of a duration as a number of milliseconds.
mod in_millis {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer, whole_millis};

    pub fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        whole_millis(*span).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// Message id: the message's position in the one total order of the server, its time and its `msgid` at once.
///
/// A hybrid logical clock: the upper bits are milliseconds since the epoch, the lower
/// [`COUNTER_BITS`](Self::COUNTER_BITS) bits count within one millisecond. Ids only grow: while the clock stands still
/// or runs backwards, the counter continues from the last id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId(u64);

impl MessageId {
    /// Bits of the counter: a million messages per millisecond before it overflows into the next one.
    pub const COUNTER_BITS: u32 = 20;

    /// Largest id: later than every message.
    pub const LAST: Self = Self(i64::MAX as u64);

    /// Returns the id of a stored form (SQLite integers are signed).
    pub fn from_i64(id: i64) -> Self {
        Self(id.unsigned_abs())
    }

    /// Returns the stored form. Every id fits, because the time overflows 63 bits only in the year 2248.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Returns the first id of a millisecond: messages of that time or later have this id or a larger one.
    pub fn first_at(time: Timestamp) -> Self {
        Self(time.0.min(u64::MAX >> (Self::COUNTER_BITS + 1)) << Self::COUNTER_BITS)
    }

    /// Returns the last id of a millisecond: messages of that time or earlier have this id or a smaller one.
    pub fn last_at(time: Timestamp) -> Self {
        Self::first_at(Timestamp(time.0.saturating_add(1))).predecessor()
    }

    /// Returns the id that follows `self` at time `now`.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        Self::first_at(now).max(Self(self.0 + 1))
    }

    /// Returns the smallest id after this one.
    #[must_use]
    pub fn successor(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the largest id before this one.
    #[must_use]
    pub fn predecessor(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Returns the 16 hexadecimal digits of the `msgid` tag. Their lexical order is the order of the messages.
    pub fn to_hex(self) -> HexDigits {
        let mut digits = [b'0'; 16];
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            let value = u8::try_from(rest & 0xf).unwrap_or(0);
            *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
            rest >>= 4;
        }
        HexDigits(digits)
    }

    /// Returns the time in the id. It is the message's time only while ids are not ahead of the clock ([`MessageTimes`]).
    pub fn time(self) -> Timestamp {
        Timestamp(self.0 >> Self::COUNTER_BITS)
    }
}

/// Start of a stretch of messages whose ids are ahead of the time by a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdOffset {
    /// First message of the stretch.
    pub from: MessageId,
    /// Offset of the ids from the time, in whole milliseconds. Zero ends the offset before.
    #[serde(with = "in_millis")]
    pub by: Duration,
}

/// Translation between message ids and times, for a server whose clock was once wrong.
///
/// Ids only grow. When a clock that was fast is corrected, ids continue from the last one, and are ahead of the time by
/// a constant from then on. That constant is kept, so the time of each message is known, and so is the first id of each
/// time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageTimes(Arc<[IdOffset]>);

impl MessageTimes {
    /// Offset up to which ids may be ahead of the time without a stretch of their own. After a smaller correction the
    /// clock catches up with the ids.
    pub const SLACK: Duration = Duration::from_mins(1);

    /// Creates the translation from stretches in the order of their messages.
    pub fn new(offsets: Vec<IdOffset>) -> Self {
        Self(offsets.into())
    }

    /// Returns the time of a message.
    pub fn time_of(&self, id: MessageId) -> Timestamp {
        let stretch = self.0.iter().rev().find(|stretch| stretch.from <= id);
        id.time() - stretch.map_or(Duration::ZERO, |stretch| stretch.by)
    }

    /// Returns the first id of a millisecond. A time that occurred twice, before the clock was corrected and after,
    /// means the later occurrence.
    pub fn first_at(&self, time: Timestamp) -> MessageId {
        let ahead = |by: Duration| MessageId::first_at(time + by);
        let mut before = MessageId::LAST;
        for stretch in self.0.iter().rev() {
            let id = ahead(stretch.by);
            if id >= stretch.from {
                return id.min(before);
            }
            before = stretch.from;
        }
        ahead(Duration::ZERO).min(before)
    }

    /// Returns the id that follows `last` at time `now`.
    pub fn next_id(&self, last: MessageId, now: Timestamp) -> MessageId {
        last.next(now + self.current_offset())
    }

    /// Returns the stretch that has to begin after `last` at time `now`: the ids would be too far ahead without it, or
    /// the time has caught up with them.
    pub fn needed_offset(&self, last: MessageId, now: Timestamp) -> Option<IdOffset> {
        let by = self.current_offset();
        if last.time() > now + by + Self::SLACK {
            return Some(IdOffset { from: last.successor(), by: last.time().since(now) });
        }
        let caught_up = !by.is_zero() && MessageId::first_at(now) > last;
        caught_up.then(|| IdOffset { from: last.successor(), by: Duration::ZERO })
    }

    /// Returns the translation with another stretch at its end.
    #[must_use]
    pub fn with_offset(&self, offset: IdOffset) -> Self {
        // A known stretch that begins at the same message holds no messages.
        let known = self.0.iter().copied().filter(|known| known.from < offset.from);
        Self(known.chain([offset]).collect())
    }

    /// Returns whether ids were ever ahead of the time.
    pub fn has_offsets(&self) -> bool {
        !self.0.is_empty()
    }

    /// Iterates over all stretches, in the order of their messages.
    pub fn iter(&self) -> impl Iterator<Item = &IdOffset> {
        self.0.iter()
    }

    fn current_offset(&self) -> Duration {
        self.0.last().map_or(Duration::ZERO, |stretch| stretch.by)
    }
}

impl fmt::Display for MessageId {
    /// Writes the value of the `msgid` tag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_hex().as_str())
    }
}

/// A message id in hexadecimal, made without an allocation, because every outgoing message carries one.
#[derive(Clone, Copy, Debug)]
pub struct HexDigits([u8; 16]);

impl HexDigits {
    /// Returns the digits as text.
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
        let a = MessageId::default().next(Timestamp(1_700_000_000_123));
        let b = a.next(Timestamp(1_600_000_000_000));
        assert!(b > a);
        assert_eq!(b.time(), Timestamp(1_700_000_000_123));
        assert_eq!(a.to_string().parse(), Ok(a));
        assert_eq!(MessageId(0x0123_4567_89ab_cdef).to_string(), "0123456789abcdef");
        assert_eq!(MessageId::from_i64(a.as_i64()), a);
    }

    #[test]
    fn messages_have_the_true_time_after_a_clock_correction() {
        let (year, mut times) = (365 * 24 * 60 * 60 * 1000, MessageTimes::default());
        let true_time = 1_700_000_000_000;
        let (early, wrong) = (Timestamp(true_time - 1000), Timestamp(true_time + 25 * year));
        let first = times.next_id(MessageId::default(), early);
        let bogus = times.next_id(first, wrong);
        let mut last = bogus;
        let mut ids = vec![(first, early), (bogus, wrong)];
        assert_eq!(times.needed_offset(last, Timestamp(wrong.0 - 30_000)), None, "a little is nothing");
        for second in 0..3 {
            let now = Timestamp(true_time + second * 1000);
            if let Some(stretch) = times.needed_offset(last, now) {
                assert_eq!(second, 0, "it begins once");
                times = times.with_offset(stretch);
            }
            let id = times.next_id(last, now);
            assert!(id > last, "ids only grow");
            ids.push((id, now));
            last = id;
        }
        for &(id, time) in &ids {
            assert_eq!(times.time_of(id), time);
        }
        // A time leads to the first message of that time.
        assert!(
            times.first_at(Timestamp(true_time + 1000)) <= ids[3].0
                && times.first_at(Timestamp(true_time + 1000)) > ids[2].0
        );
        assert!(times.first_at(early) <= first && times.first_at(Timestamp(early.0 + 1)) > first);
        assert!(times.first_at(Timestamp(early.0 + 1)) <= bogus);
        // Once the time has caught up, ids follow it again.
        let late = Timestamp(wrong.0 + 60 * 60 * 1000);
        let end = times.needed_offset(last, late).expect("caught up");
        assert_eq!(end.by, Duration::ZERO);
        times = times.with_offset(end);
        let id = times.next_id(last, late);
        assert_eq!((id, times.time_of(id)), (MessageId::first_at(late), late));
        assert_eq!(times.time_of(ids[4].0), ids[4].1, "what was said keeps its time");
    }

    #[test]
    fn time_prints_in_server_time_format() {
        let text = "2023-11-14T22:13:20.007Z";
        assert_eq!(Timestamp(1_700_000_000_007).to_string(), text);
        assert_eq!(Timestamp::parse(text), Some(Timestamp(1_700_000_000_007)));
        assert_eq!(Timestamp(1_700_000_000_000).to_string(), "2023-11-14T22:13:20.000Z");
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
