//! Bookkeeping of the messages that an account received live, and of those that a client without `chathistory` missed.

use crate::wire::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// Ranges of message ids in which an account had a session, the earliest first. Each is the id before its first message
/// and the id of its last. Ranges neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedRanges(Vec<(MessageId, MessageId)>);

/// Ranges of missed messages, the earliest first. The bounds of each are exclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissedRanges {
    /// The ranges, each as its exclusive bounds.
    pub gaps: Vec<(MessageId, MessageId)>,
    /// Maximum number of messages of all ranges together. The latest ones are kept.
    pub limit: usize,
}

impl ReceivedRanges {
    /// Maximum number of ranges. Beyond it, the gap between the two earliest counts as seen.
    pub const MAX_RANGES: usize = 8;

    /// Creates the ranges from their stored form.
    pub fn from_ranges(spans: impl IntoIterator<Item = (MessageId, MessageId)>) -> Self {
        let mut seen = Self::default();
        for (after, up_to) in spans {
            seen.add(after, up_to);
        }
        seen
    }

    /// Returns the stored form.
    pub fn ranges(&self) -> &[(MessageId, MessageId)] {
        &self.0
    }

    /// Adds the messages after `after` up to and including `up_to`. Returns whether any of them is new.
    pub fn add(&mut self, after: MessageId, up_to: MessageId) -> bool {
        if after >= up_to || self.0.iter().any(|&(from, to)| from <= after && up_to <= to) {
            return false;
        }
        let (mut first, mut last) = (after, up_to);
        self.0.retain(|&(from, to)| {
            let apart = to < first || last < from;
            if !apart {
                (first, last) = (first.min(from), last.max(to));
            }
            apart
        });
        let index = self.0.partition_point(|&(from, _)| from < first);
        self.0.insert(index, (first, last));
        while let (true, [(first, _), (_, last), ..]) = (self.0.len() > Self::MAX_RANGES, self.0.as_slice()) {
            let both = (*first, *last);
            self.0.splice(..2, [both]);
        }
        true
    }

    /// Returns the ranges before an id that were not seen.
    pub fn missed_before(&self, before: MessageId, limit: usize) -> MissedRanges {
        let mut gaps = Vec::new();
        let mut received_up_to = MessageId::default();
        for &(from, to) in &self.0 {
            // The gap ends at the first message of the range, or at the end of the query.
            let end = from.next(Timestamp(0)).min(before);
            if received_up_to.next(Timestamp(0)) < end {
                gaps.push((received_up_to, end));
            }
            received_up_to = received_up_to.max(to);
        }
        if received_up_to.next(Timestamp(0)) < before {
            gaps.push((received_up_to, before));
        }
        MissedRanges { gaps, limit }
    }
}

impl MissedRanges {
    /// Returns the single range after `after` and before `before`.
    pub fn between(after: MessageId, before: MessageId, limit: usize) -> Self {
        let gaps = if after.next(Timestamp(0)) < before { vec![(after, before)] } else { Vec::new() };
        Self { gaps, limit }
    }

    /// Returns the ranges without the messages up to `read`.
    #[must_use]
    pub fn after(&self, read: MessageId) -> Self {
        let gaps = self.gaps.iter().filter(|(_, before)| read.next(Timestamp(0)) < *before);
        Self { gaps: gaps.map(|&(after, before)| (after.max(read), before)).collect(), limit: self.limit }
    }

    /// Excludes a message and all later ones.
    pub fn end_before(&mut self, message: MessageId) {
        for (_, before) in &mut self.gaps {
            *before = (*before).min(message);
        }
        self.gaps.retain(|(after, before)| after.next(Timestamp(0)) < *before);
    }

    /// Returns the id after which all ranges lie, or `None` if there are none.
    pub fn first_bound(&self) -> Option<MessageId> {
        self.gaps.first().map(|(after, _)| *after)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: i64) -> MessageId {
        MessageId::from_i64(n)
    }

    fn spans(seen: &ReceivedRanges) -> Vec<(i64, i64)> {
        seen.ranges().iter().map(|(from, to)| (from.as_i64(), to.as_i64())).collect()
    }

    #[test]
    fn adjacent_ranges_are_merged() {
        let mut received = ReceivedRanges::default();
        assert!(received.add(id(10), id(20)) && received.add(id(30), id(40)));
        assert_eq!(spans(&received), [(10, 20), (30, 40)]);
        assert!(!received.add(id(12), id(18)) && !received.add(id(5), id(5)));
        assert!(received.add(id(20), id(30)));
        assert_eq!(spans(&received), [(10, 40)]);
        assert_eq!(received.missed_before(id(50), 9).gaps, [(id(0), id(11)), (id(40), id(50))]);
        assert_eq!(received.missed_before(id(41), 9).gaps, [(id(0), id(11))]);
        assert_eq!(received.missed_before(id(50), 9).after(id(45)).gaps, [(id(45), id(50))]);
        assert_eq!(received.missed_before(id(50), 9).after(id(49)).first_bound(), None);
        let mut missed = received.missed_before(id(50), 9);
        missed.end_before(id(42));
        assert_eq!(missed.gaps, [(id(0), id(11)), (id(40), id(42))]);
        missed.end_before(id(41));
        assert_eq!(missed.gaps, [(id(0), id(11))]);
        let many = ReceivedRanges::from_ranges((0..20).map(|n| (id(10 * n + 1), id(10 * n + 5))));
        assert_eq!((many.ranges().len(), spans(&many)[0]), (ReceivedRanges::MAX_RANGES, (1, 125)));
    }

    proptest! {
        #[test]
        fn missed_ranges_complement_received_ranges(added in proptest::collection::vec((0i64..60, 0i64..12), 0..5), before in 0i64..70) {
            let received = ReceivedRanges::from_ranges(added.iter().map(|&(from, length)| (id(from), id(from + length))));
            let missed = received.missed_before(id(before), 1);
            for n in 1..before {
                let was_seen = added.iter().any(|&(from, length)| from < n && n <= from + length);
                let is_missed = missed.gaps.iter().any(|&(after, end)| after < id(n) && id(n) < end);
                prop_assert_eq!(was_seen, !is_missed, "{} of {:?} in {:?}", n, added, missed);
            }
        }
    }
}
