//! Bookkeeping of the messages that an account received live, and of those that a client without `chathistory` missed.

use crate::wire::{MessageId, Millis};
use serde::{Deserialize, Serialize};

/// Ranges of message ids in which an account had a session, the earliest first. Each is the id before its first message
/// and the id of its last. Ranges neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen(Vec<(MessageId, MessageId)>);

/// Ranges of missed messages, the earliest first. The bounds of each are exclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// The ranges, each as its exclusive bounds.
    pub gaps: Vec<(MessageId, MessageId)>,
    /// Maximum number of messages of all ranges together. The latest ones are kept.
    pub limit: usize,
}

impl Seen {
    /// Maximum number of ranges. Beyond it, the gap between the two earliest counts as seen.
    pub const MOST: usize = 8;

    /// Creates the ranges from their stored form.
    pub fn from_spans(spans: impl IntoIterator<Item = (MessageId, MessageId)>) -> Self {
        let mut seen = Self::default();
        for (after, up_to) in spans {
            seen.add(after, up_to);
        }
        seen
    }

    /// Returns the stored form.
    pub fn spans(&self) -> &[(MessageId, MessageId)] {
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
        let place = self.0.partition_point(|&(from, _)| from < first);
        self.0.insert(place, (first, last));
        while let (true, [(first, _), (_, last), ..]) = (self.0.len() > Self::MOST, self.0.as_slice()) {
            let both = (*first, *last);
            self.0.splice(..2, [both]);
        }
        true
    }

    /// Returns the ranges before an id that were not seen.
    pub fn missed(&self, before: MessageId, limit: usize) -> Missed {
        let mut gaps = Vec::new();
        let mut seen = MessageId::default();
        for &(from, to) in &self.0 {
            // The gap ends at the first message of the range, or at the end of the query.
            let end = from.next(Millis(0)).min(before);
            if seen.next(Millis(0)) < end {
                gaps.push((seen, end));
            }
            seen = seen.max(to);
        }
        if seen.next(Millis(0)) < before {
            gaps.push((seen, before));
        }
        Missed { gaps, limit }
    }
}

impl Missed {
    /// Returns the single range after `after` and before `before`.
    pub fn between(after: MessageId, before: MessageId, limit: usize) -> Self {
        let gaps = if after.next(Millis(0)) < before { vec![(after, before)] } else { Vec::new() };
        Self { gaps, limit }
    }

    /// Returns the ranges without the messages up to `read`.
    #[must_use]
    pub fn after(&self, read: MessageId) -> Self {
        let gaps = self.gaps.iter().filter(|(_, before)| read.next(Millis(0)) < *before);
        Self { gaps: gaps.map(|&(after, before)| (after.max(read), before)).collect(), limit: self.limit }
    }

    /// Excludes a message and all later ones.
    pub fn end_before(&mut self, message: MessageId) {
        for (_, before) in &mut self.gaps {
            *before = (*before).min(message);
        }
        self.gaps.retain(|(after, before)| after.next(Millis(0)) < *before);
    }

    /// Returns the id after which all ranges lie, or `None` if there are none.
    pub fn start(&self) -> Option<MessageId> {
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

    fn spans(seen: &Seen) -> Vec<(i64, i64)> {
        seen.spans().iter().map(|(from, to)| (from.as_i64(), to.as_i64())).collect()
    }

    #[test]
    fn adjacent_ranges_are_merged() {
        let mut seen = Seen::default();
        assert!(seen.add(id(10), id(20)) && seen.add(id(30), id(40)));
        assert_eq!(spans(&seen), [(10, 20), (30, 40)]);
        assert!(!seen.add(id(12), id(18)) && !seen.add(id(5), id(5)));
        assert!(seen.add(id(20), id(30)));
        assert_eq!(spans(&seen), [(10, 40)]);
        assert_eq!(seen.missed(id(50), 9).gaps, [(id(0), id(11)), (id(40), id(50))]);
        assert_eq!(seen.missed(id(41), 9).gaps, [(id(0), id(11))]);
        assert_eq!(seen.missed(id(50), 9).after(id(45)).gaps, [(id(45), id(50))]);
        assert_eq!(seen.missed(id(50), 9).after(id(49)).start(), None);
        let mut missed = seen.missed(id(50), 9);
        missed.end_before(id(42));
        assert_eq!(missed.gaps, [(id(0), id(11)), (id(40), id(42))]);
        missed.end_before(id(41));
        assert_eq!(missed.gaps, [(id(0), id(11))]);
        let many = Seen::from_spans((0..20).map(|n| (id(10 * n + 1), id(10 * n + 5))));
        assert_eq!((many.spans().len(), spans(&many)[0]), (Seen::MOST, (1, 125)));
    }

    proptest! {
        #[test]
        fn missed_ranges_complement_received_ranges(added in proptest::collection::vec((0i64..60, 0i64..12), 0..5), before in 0i64..70) {
            let seen = Seen::from_spans(added.iter().map(|&(from, length)| (id(from), id(from + length))));
            let missed = seen.missed(id(before), 1);
            for n in 1..before {
                let was_seen = added.iter().any(|&(from, length)| from < n && n <= from + length);
                let is_missed = missed.gaps.iter().any(|&(after, end)| after < id(n) && id(n) < end);
                prop_assert_eq!(was_seen, !is_missed, "{} of {:?} in {:?}", n, added, missed);
            }
        }
    }
}
