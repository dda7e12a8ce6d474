//! Connections before their login, bounded by subject and in total.
//!
//! When the total is reached, the subject with the most connections loses its oldest, so that earlier connections keep
//! nobody out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::subject::Subject;

/// All connections before their login.
#[derive(Debug)]
pub struct PreLoginConnections {
    /// Limit of one subject; 0 for no limit.
    max_per_subject: usize,
    max_total: usize,
    state: Mutex<State>,
}

/// A connection's share of the count, returned when it is dropped.
#[derive(Debug)]
pub struct PreLoginSlot {
    connections: Arc<PreLoginConnections>,
    subject: Subject,
    number: u64,
    evicted: CancellationToken,
}

/// Reason for refusing a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// The subject has reached its limit.
    Subject,
    /// The total is reached, and no subject has more connections than this one.
    Total,
}

#[derive(Debug, Default)]
struct State {
    count: usize,
    next_number: u64,
    subjects: HashMap<Subject, BTreeMap<u64, CancellationToken>>,
    /// Subjects by their count of connections, and then by the age of their oldest one. At the limit of all, the last
    /// subject loses its oldest connection.
    eviction_order: BTreeSet<(usize, Reverse<u64>, Subject)>,
}

impl PreLoginConnections {
    /// Creates the limits: `max_per_subject` connections of one subject, 0 for no limit, and `max_total` of all.
    pub fn new(max_per_subject: usize, max_total: usize) -> Arc<Self> {
        Arc::new(Self { max_per_subject, max_total, state: Mutex::default() })
    }

    /// Counts one more connection, or refuses it.
    pub fn acquire_slot(self: &Arc<Self>, subject: Subject) -> Result<PreLoginSlot, LimitReached> {
        let mut state = self.state.lock();
        let subject_count = state.subjects.get(&subject).map_or(0, BTreeMap::len);
        if self.max_per_subject > 0 && subject_count >= self.max_per_subject {
            return Err(LimitReached::Subject);
        }
        if state.count >= self.max_total && !state.evict_oldest(subject_count) {
            return Err(LimitReached::Total);
        }
        let number = state.next_number;
        state.next_number += 1;
        let evicted = CancellationToken::new();
        state.update_subject(subject, |connections| connections.insert(number, evicted.clone()));
        drop(state);
        Ok(PreLoginSlot { connections: self.clone(), subject, number, evicted })
    }

    /// Closes one connection to free another resource, such as file descriptors.
    pub fn evict_one(&self) {
        self.state.lock().evict_oldest(0);
    }

    /// Returns the count of connections.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.state.lock().count
    }
}

impl PreLoginSlot {
    /// Waits until the connection is evicted and no longer counts.
    pub async fn wait_until_evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for PreLoginSlot {
    fn drop(&mut self) {
        self.connections
            .state
            .lock()
            .update_subject(self.subject, |connections| connections.remove(&self.number));
    }
}

impl State {
    /// Closes the oldest connection of the subject that has the most, if those are more than `min_count`.
    fn evict_oldest(&mut self, min_count: usize) -> bool {
        let Some(&(_, Reverse(oldest), subject)) =
            self.eviction_order.last().filter(|(size, ..)| *size > min_count)
        else {
            return false;
        };
        if let Some(connection) = self.update_subject(subject, |connections| connections.remove(&oldest)) {
            connection.cancel();
        }
        true
    }

    /// Changes the connections of a subject and updates its position in the order of eviction.
    fn update_subject<T>(
        &mut self,
        subject: Subject,
        change: impl FnOnce(&mut BTreeMap<u64, CancellationToken>) -> T,
    ) -> T {
        let rank = |connections: &BTreeMap<u64, _>| {
            let oldest = connections.first_key_value();
            oldest.map(|(&oldest, _)| (connections.len(), Reverse(oldest), subject))
        };
        let connections = self.subjects.entry(subject).or_default();
        if let Some(rank) = rank(connections) {
            self.eviction_order.remove(&rank);
        }
        self.count -= connections.len();
        let changed = change(connections);
        self.count += connections.len();
        match rank(connections) {
            Some(rank) => {
                self.eviction_order.insert(rank);
            }
            None => {
                self.subjects.remove(&subject);
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn subject(n: u8) -> Subject {
        Subject::Address(Ipv4Addr::new(192, 0, 2, n).into())
    }

    #[test]
    fn slots_are_counted_and_released() {
        let connections = PreLoginConnections::new(2, 100);
        let one = connections.acquire_slot(subject(1)).expect("room");
        let two = connections.acquire_slot(subject(1)).expect("room");
        assert_eq!(connections.acquire_slot(subject(1)).expect_err("two are there"), LimitReached::Subject);
        let other = connections.acquire_slot(subject(2)).expect("room");
        drop(one);
        let three = connections.acquire_slot(subject(1)).expect("room again");
        drop((two, three, other));
        let state = connections.state.lock();
        assert!(
            state.count == 0 && state.subjects.is_empty() && state.eviction_order.is_empty(),
            "{state:?}"
        );
    }

    #[test]
    fn oldest_connection_of_largest_subject_is_evicted() {
        let connections = PreLoginConnections::new(0, 5);
        let crowd: Vec<_> = (0..4).map(|_| connections.acquire_slot(subject(1)).expect("room")).collect();
        let alone = connections.acquire_slot(subject(2)).expect("room");
        assert_eq!(
            connections.acquire_slot(subject(1)).expect_err("it has the most itself"),
            LimitReached::Total
        );
        let newcomer = connections.acquire_slot(subject(3)).expect("room is made");
        let evicted = |slots: &[PreLoginSlot]| -> Vec<bool> {
            slots.iter().map(|slot| slot.evicted.is_cancelled()).collect()
        };
        assert_eq!(evicted(&crowd), [true, false, false, false]);
        assert_eq!(evicted(&[alone, newcomer]), [false, false]);
        assert_eq!(connections.count(), 3, "the two that were dropped are gone");
        drop(crowd);
        assert_eq!(connections.count(), 0, "one that was evicted is not counted twice");
    }

    #[test]
    fn oldest_connection_is_evicted_among_equals() {
        let connections = PreLoginConnections::new(0, 3);
        let slots: Vec<_> = [9, 1, 5].map(|n| connections.acquire_slot(subject(n)).expect("room")).into();
        let newcomer = connections.acquire_slot(subject(7)).expect("room is made");
        let evicted: Vec<_> = slots.iter().map(|slot| slot.evicted.is_cancelled()).collect();
        assert_eq!(evicted, [true, false, false]);
        connections.evict_one();
        assert!(slots[1].evicted.is_cancelled() && !newcomer.evicted.is_cancelled());
    }
}
