//! The check that each member receives each message once and in the sender's order. Pure.

use std::collections::BTreeSet;

/// Largest gap that is kept number by number. A window is far smaller; a larger step is a message that nobody sent.
const MAX_GAP: u64 = 1_000_000;

/// Deviations from "once and in order".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Messages that did not arrive.
    pub lost: u64,
    /// Copies after the first one.
    pub repeated: u64,
    /// Messages that arrived after a later one of the same sender.
    pub reordered: u64,
    /// Messages that nobody sent.
    pub unknown: u64,
}

impl Faults {
    /// Returns true if there are none.
    pub fn is_clean(self) -> bool {
        self == Self::default()
    }

    /// Adds those of another member.
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.reordered += other.reordered;
        self.unknown += other.unknown;
    }
}

/// What one member has received of each sender, whose messages are numbered from 0.
#[derive(Debug)]
pub struct Ledger {
    senders: Vec<Received>,
    faults: Faults,
    count: u64,
}

/// Messages received of one sender.
#[derive(Clone, Debug, Default)]
struct Received {
    /// The number after the highest one received.
    next: u64,
    /// Lower numbers that have not arrived.
    missing: BTreeSet<u64>,
}

impl Ledger {
    /// Makes the empty ledger of a member that hears this many senders.
    pub fn new(senders: usize) -> Self {
        Self { senders: vec![Received::default(); senders], faults: Faults::default(), count: 0 }
    }

    /// Notes a message.
    pub fn receive(&mut self, sender: usize, number: u64) {
        self.count += 1;
        let Some(received) = self.senders.get_mut(sender) else {
            self.faults.unknown += 1;
            return;
        };
        if number == received.next {
            received.next += 1;
        } else if number > received.next {
            if number - received.next > MAX_GAP {
                self.faults.unknown += 1;
                return;
            }
            received.missing.extend(received.next..number);
            received.next = number + 1;
        } else if received.missing.remove(&number) {
            self.faults.reordered += 1;
        } else {
            self.faults.repeated += 1;
        }
    }

    /// Returns the count of all messages noted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns true if all that was sent has arrived; `sent` has a count for each sender.
    pub fn is_complete(&self, sent: &[u64]) -> bool {
        self.senders
            .iter()
            .zip(sent)
            .all(|(received, &sent)| received.next >= sent && received.missing.is_empty())
    }

    /// Returns the faults, once nothing more is to come.
    pub fn faults(&self, sent: &[u64]) -> Faults {
        let mut faults = self.faults;
        for (received, &sent) in self.senders.iter().zip(sent) {
            let missing = u64::try_from(received.missing.range(..sent).count()).unwrap_or(u64::MAX);
            faults.lost += missing + sent.saturating_sub(received.next);
            faults.unknown += received.next.saturating_sub(sent);
        }
        faults
    }
}
