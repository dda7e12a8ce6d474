//! Bookkeeping of the messages that an account received live, and of those that a client without `chathistory` missed.

use crate::wire::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// Ranges of message ids in which an account had a session, the earliest first. Ranges neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedRanges(Vec<ReceivedRange>);

/// Messages that an account received live: those after one id, up to and including another. Its encoding is that of the
/// two ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedRange {
    /// The id before the first message.
    pub after: MessageId,
    /// The id of the last message.
    pub up_to: MessageId,
}

/// Ranges of missed messages, the earliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissedRanges {
    /// Ranges in which messages are missing, each with both bounds exclusive.
    pub gaps: Vec<MissedRange>,
    /// Maximum number of messages of all ranges together. The latest ones are kept.
    pub limit: usize,
}

/// Missed messages: those between two ids, without these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissedRange {
    /// The id before the first message.
    pub after: MessageId,
    /// The id behind the last message.
    pub before: MessageId,
}

impl ReceivedRanges {
    /// Maximum number of ranges. Beyond it, the gap between the two earliest counts as seen.
    pub const MAX_RANGES: usize = 8;

    /// Creates the ranges from their stored form.
    pub fn from_ranges(stored: impl IntoIterator<Item = ReceivedRange>) -> Self {
        let mut received = Self::default();
        for range in stored {
            received.add(range);
        }
        received
    }

    /// Returns the stored form.
    pub fn ranges(&self) -> &[ReceivedRange] {
        &self.0
    }

    /// Adds a range. Returns whether any of its messages is new.
    pub fn add(&mut self, added: ReceivedRange) -> bool {
        let is_known = |range: &ReceivedRange| range.after <= added.after && added.up_to <= range.up_to;
        if added.after >= added.up_to || self.0.iter().any(is_known) {
            return false;
        }
        let mut merged = added;
        self.0.retain(|range| {
            let apart = range.up_to < merged.after || merged.up_to < range.after;
            if !apart {
                merged.after = merged.after.min(range.after);
                merged.up_to = merged.up_to.max(range.up_to);
            }
            apart
        });
        let index = self.0.partition_point(|range| range.after < merged.after);
        self.0.insert(index, merged);
        while let (true, [first, second, ..]) = (self.0.len() > Self::MAX_RANGES, self.0.as_slice()) {
            let both = ReceivedRange { after: first.after, up_to: second.up_to };
            self.0.splice(..2, [both]);
        }
        true
    }

    /// Returns the ranges before an id that were not received.
    pub fn missed_before(&self, before: MessageId, limit: usize) -> MissedRanges {
        let mut gaps = Vec::new();
        let mut received_up_to = MessageId::default();
        for range in &self.0 {
            // The gap ends at the first message of the range, or at the end of the query.
            let end = range.after.next(Timestamp(0)).min(before);
            gaps.extend(MissedRange::new(received_up_to, end));
            received_up_to = received_up_to.max(range.up_to);
        }
        gaps.extend(MissedRange::new(received_up_to, before));
        MissedRanges { gaps, limit }
    }
}

impl MissedRange {
    /// Returns the range after `after` and before `before`, or `None` if no id lies between them.
    fn new(after: MessageId, before: MessageId) -> Option<Self> {
        (after.next(Timestamp(0)) < before).then_some(Self { after, before })
    }
}

impl MissedRanges {
    /// Returns the single range after `after` and before `before`.
    pub fn between(after: MessageId, before: MessageId, limit: usize) -> Self {
        Self { gaps: MissedRange::new(after, before).into_iter().collect(), limit }
    }

    /// Returns the ranges without the messages up to `read`.
    #[must_use]
    pub fn after(&self, read: MessageId) -> Self {
        let gaps = self.gaps.iter().filter_map(|gap| MissedRange::new(gap.after.max(read), gap.before));
        Self { gaps: gaps.collect(), limit: self.limit }
    }

    /// Excludes a message and all later ones.
    pub fn end_before(&mut self, message: MessageId) {
        let cut = |gap: &MissedRange| MissedRange::new(gap.after, gap.before.min(message));
        self.gaps = self.gaps.iter().filter_map(cut).collect();
    }

    /// Returns the id after which all ranges lie, or `None` if there are none.
    pub fn first_bound(&self) -> Option<MessageId> {
        self.gaps.first().map(|gap| gap.after)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: i64) -> MessageId {
        MessageId::from_i64(n)
    }

    fn range(after: i64, up_to: i64) -> ReceivedRange {
        ReceivedRange { after: id(after), up_to: id(up_to) }
    }

    fn spans(received: &ReceivedRanges) -> Vec<(i64, i64)> {
        received.ranges().iter().map(|range| (range.after.as_i64(), range.up_to.as_i64())).collect()
    }

    fn gaps(missed: &MissedRanges) -> Vec<(i64, i64)> {
        missed.gaps.iter().map(|gap| (gap.after.as_i64(), gap.before.as_i64())).collect()
    }

    #[test]
    fn adjacent_ranges_are_merged() {
        let mut received = ReceivedRanges::default();
        assert!(received.add(range(10, 20)) && received.add(range(30, 40)));
        assert_eq!(spans(&received), [(10, 20), (30, 40)]);
        assert!(!received.add(range(12, 18)) && !received.add(range(5, 5)));
        assert!(received.add(range(20, 30)));
        assert_eq!(spans(&received), [(10, 40)]);
        assert_eq!(gaps(&received.missed_before(id(50), 9)), [(0, 11), (40, 50)]);
        assert_eq!(gaps(&received.missed_before(id(41), 9)), [(0, 11)]);
        assert_eq!(gaps(&received.missed_before(id(50), 9).after(id(45))), [(45, 50)]);
        assert_eq!(received.missed_before(id(50), 9).after(id(49)).first_bound(), None);
        let mut missed = received.missed_before(id(50), 9);
        missed.end_before(id(42));
        assert_eq!(gaps(&missed), [(0, 11), (40, 42)]);
        missed.end_before(id(41));
        assert_eq!(gaps(&missed), [(0, 11)]);
        let many = ReceivedRanges::from_ranges((0..20).map(|n| range(10 * n + 1, 10 * n + 5)));
        assert_eq!((many.ranges().len(), spans(&many)[0]), (ReceivedRanges::MAX_RANGES, (1, 125)));
    }

    proptest! {
        #[test]
        fn missed_ranges_complement_received_ranges(added in proptest::collection::vec((0i64..60, 0i64..12), 0..5), before in 0i64..70) {
            let received = ReceivedRanges::from_ranges(added.iter().map(|&(from, length)| range(from, from + length)));
            let missed = received.missed_before(id(before), 1);
            for n in 1..before {
                let was_seen = added.iter().any(|&(from, length)| from < n && n <= from + length);
                let is_missed = missed.gaps.iter().any(|gap| gap.after < id(n) && id(n) < gap.before);
                prop_assert_eq!(was_seen, !is_missed, "{} of {:?} in {:?}", n, added, missed);
            }
        }
    }
}
