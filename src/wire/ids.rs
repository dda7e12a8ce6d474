//! Time and message ids.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

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

    /// The time that the id was made at, which is the message's where ids are not ahead ([`Times`]).
    pub fn time(self) -> Millis {
        Millis(self.0 >> Self::COUNTER_BITS)
    }
}

/// From which message on ids are ahead of the time, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The first such message.
    pub from: MessageId,
    /// How far. Zero ends it.
    pub by: Millis,
}

/// The times of messages, where the clock was not always right.
///
/// Ids only grow. When a clock that was ahead is set right, ids go on from the last one, ahead of the time by a constant
/// from then on, which is kept. So the time of each message is known, and so is the id of each time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times(Arc<[Ahead]>);

impl Times {
    /// How far ids may be ahead of the time without a stretch of their own. A clock that is set back by less catches up
    /// with them.
    pub const SLACK: Millis = Millis(60 * 1000);

    /// From stretches in the order of their messages.
    pub fn new(stretches: Vec<Ahead>) -> Self {
        Self(stretches.into())
    }

    /// The time of a message.
    pub fn of(&self, id: MessageId) -> Millis {
        let stretch = self.0.iter().rev().find(|stretch| stretch.from <= id);
        Millis(id.time().0.saturating_sub(stretch.map_or(0, |stretch| stretch.by.0)))
    }

    /// The first id of a millisecond. A time that was there twice, before the clock was set right and after, is the later
    /// one.
    pub fn first_at(&self, time: Millis) -> MessageId {
        let ahead = |by: Millis| MessageId::first_at(Millis(time.0.saturating_add(by.0)));
        let mut before = MessageId::LAST;
        for stretch in self.0.iter().rev() {
            let id = ahead(stretch.by);
            if id >= stretch.from {
                return id.min(before);
            }
            before = stretch.from;
        }
        ahead(Millis(0)).min(before)
    }

    /// The next id after `last` at time `now`.
    pub fn next(&self, last: MessageId, now: Millis) -> MessageId {
        last.next(Millis(now.0.saturating_add(self.by().0)))
    }

    /// The stretch that begins after `last` at time `now`, where one does: ids would be too far ahead, or the time has
    /// caught up with them.
    pub fn begins(&self, last: MessageId, now: Millis) -> Option<Ahead> {
        let by = self.by();
        if last.time().0 > now.0.saturating_add(by.0).saturating_add(Self::SLACK.0) {
            return Some(Ahead { from: last.following(), by: Millis(last.time().0.saturating_sub(now.0)) });
        }
        let caught_up = by > Millis(0) && MessageId::first_at(now) > last;
        caught_up.then(|| Ahead { from: last.following(), by: Millis(0) })
    }

    /// With another stretch behind the others.
    #[must_use]
    pub fn with(&self, stretch: Ahead) -> Self {
        // Nothing was said in one that begins at the same message.
        let known = self.0.iter().copied().filter(|known| known.from < stretch.from);
        Self(known.chain([stretch]).collect())
    }

    /// Whether ids were ever ahead.
    pub fn is_shifted(&self) -> bool {
        !self.0.is_empty()
    }

    /// All stretches.
    pub fn iter(&self) -> impl Iterator<Item = &Ahead> {
        self.0.iter()
    }

    fn by(&self) -> Millis {
        self.0.last().map_or(Millis(0), |stretch| stretch.by)
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
    fn after_a_clock_was_set_right_messages_have_the_true_time() {
        let (year, mut times) = (365 * 24 * 60 * 60 * 1000, Times::default());
        let true_time = 1_700_000_000_000;
        let (early, wrong) = (Millis(true_time - 1000), Millis(true_time + 25 * year));
        let first = times.next(MessageId::default(), early);
        let bogus = times.next(first, wrong);
        let mut last = bogus;
        let mut ids = vec![(first, early), (bogus, wrong)];
        assert_eq!(times.begins(last, Millis(wrong.0 - 30_000)), None, "a little is nothing");
        for second in 0..3 {
            let now = Millis(true_time + second * 1000);
            if let Some(stretch) = times.begins(last, now) {
                assert_eq!(second, 0, "it begins once");
                times = times.with(stretch);
            }
            let id = times.next(last, now);
            assert!(id > last, "ids only grow");
            ids.push((id, now));
            last = id;
        }
        for &(id, time) in &ids {
            assert_eq!(times.of(id), time);
        }
        // A point in the time leads to what was said from then on.
        assert!(
            times.first_at(Millis(true_time + 1000)) <= ids[3].0
                && times.first_at(Millis(true_time + 1000)) > ids[2].0
        );
        assert!(times.first_at(early) <= first && times.first_at(Millis(early.0 + 1)) > first);
        assert!(times.first_at(Millis(early.0 + 1)) <= bogus);
        // And when the time has come there, ids are it again.
        let late = Millis(wrong.0 + 60 * 60 * 1000);
        let end = times.begins(last, late).expect("caught up");
        assert_eq!(end.by, Millis(0));
        times = times.with(end);
        let id = times.next(last, late);
        assert_eq!((id, times.of(id)), (MessageId::first_at(late), late));
        assert_eq!(times.of(ids[4].0), ids[4].1, "what was said keeps its time");
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
