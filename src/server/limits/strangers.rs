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
pub struct Strangers {
    /// Limit of one subject; 0 for no limit.
    each: usize,
    total: usize,
    state: Mutex<State>,
}

/// A connection's share of the count, returned when it is dropped.
#[derive(Debug)]
pub struct Place {
    strangers: Arc<Strangers>,
    subject: Subject,
    number: u64,
    evicted: CancellationToken,
}

/// Reason for refusing a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// The subject has reached its limit.
    Subject,
    /// The total is reached, and no subject has more connections than this one.
    Total,
}

#[derive(Debug, Default)]
struct State {
    count: usize,
    number: u64,
    subjects: HashMap<Subject, BTreeMap<u64, CancellationToken>>,
    /// Subjects by their count of connections, and then by the age of their oldest; the last one makes room first.
    ranks: BTreeSet<(usize, Reverse<u64>, Subject)>,
}

impl Strangers {
    /// Allows at most `each` connections of one subject, 0 for no limit, and at most `total` of all.
    pub fn new(each: usize, total: usize) -> Arc<Self> {
        Arc::new(Self { each, total, state: Mutex::default() })
    }

    /// Counts one more connection, or refuses it.
    pub fn enter(self: &Arc<Self>, subject: Subject) -> Result<Place, NoPlace> {
        let mut state = self.state.lock();
        let own = state.subjects.get(&subject).map_or(0, BTreeMap::len);
        if self.each > 0 && own >= self.each {
            return Err(NoPlace::Subject);
        }
        if state.count >= self.total && !state.evict(own) {
            return Err(NoPlace::Total);
        }
        let number = state.number;
        state.number += 1;
        let evicted = CancellationToken::new();
        state.change(subject, |connections| connections.insert(number, evicted.clone()));
        drop(state);
        Ok(Place { strangers: self.clone(), subject, number, evicted })
    }

    /// Closes one connection to free another resource, such as file descriptors.
    pub fn make_room(&self) {
        self.state.lock().evict(0);
    }

    /// Returns the count of connections.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.state.lock().count
    }
}

impl Place {
    /// Waits until the connection is evicted and no longer counts.
    pub async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.strangers.state.lock().change(self.subject, |connections| connections.remove(&self.number));
    }
}

impl State {
    /// Closes the oldest connection of the subject that has the most, if those are more than `least`.
    fn evict(&mut self, least: usize) -> bool {
        let Some(&(_, Reverse(oldest), subject)) = self.ranks.last().filter(|(size, ..)| *size > least)
        else {
            return false;
        };
        if let Some(connection) = self.change(subject, |connections| connections.remove(&oldest)) {
            connection.cancel();
        }
        true
    }

    /// Changes the connections of a subject and updates its rank.
    fn change<T>(
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
            self.ranks.remove(&rank);
        }
        self.count -= connections.len();
        let changed = change(connections);
        self.count += connections.len();
        match rank(connections) {
            Some(rank) => {
                self.ranks.insert(rank);
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
        let strangers = Strangers::new(2, 100);
        let one = strangers.enter(subject(1)).expect("room");
        let two = strangers.enter(subject(1)).expect("room");
        assert_eq!(strangers.enter(subject(1)).expect_err("two are there"), NoPlace::Subject);
        let other = strangers.enter(subject(2)).expect("room");
        drop(one);
        let three = strangers.enter(subject(1)).expect("room again");
        drop((two, three, other));
        let state = strangers.state.lock();
        assert!(state.count == 0 && state.subjects.is_empty() && state.ranks.is_empty(), "{state:?}");
    }

    #[test]
    fn oldest_connection_of_largest_subject_is_evicted() {
        let strangers = Strangers::new(0, 5);
        let crowd: Vec<_> = (0..4).map(|_| strangers.enter(subject(1)).expect("room")).collect();
        let alone = strangers.enter(subject(2)).expect("room");
        assert_eq!(strangers.enter(subject(1)).expect_err("it has the most itself"), NoPlace::Total);
        let newcomer = strangers.enter(subject(3)).expect("room is made");
        let evicted = |places: &[Place]| -> Vec<bool> {
            places.iter().map(|place| place.evicted.is_cancelled()).collect()
        };
        assert_eq!(evicted(&crowd), [true, false, false, false]);
        assert_eq!(evicted(&[alone, newcomer]), [false, false]);
        assert_eq!(strangers.count(), 3, "the two that were dropped are gone");
        drop(crowd);
        assert_eq!(strangers.count(), 0, "one that was evicted is not counted twice");
    }

    #[test]
    fn oldest_connection_is_evicted_among_equals() {
        let strangers = Strangers::new(0, 3);
        let places: Vec<_> = [9, 1, 5].map(|n| strangers.enter(subject(n)).expect("room")).into();
        let newcomer = strangers.enter(subject(7)).expect("room is made");
        let evicted: Vec<_> = places.iter().map(|place| place.evicted.is_cancelled()).collect();
        assert_eq!(evicted, [true, false, false]);
        strangers.make_room();
        assert!(places[1].evicted.is_cancelled() && !newcomer.evicted.is_cancelled());
    }
}
