//! Connections that are not logged in, bounded by subject and in total.
//!
//! Where the total is reached, the subject with the most of them makes room by its oldest, so that nobody is kept out by
//! those who came before.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::subject::Subject;

/// The connections that are not logged in.
#[derive(Debug)]
pub struct Strangers {
    /// Most of one subject; 0 for no limit.
    each: usize,
    total: usize,
    state: Mutex<State>,
}

/// The place of a connection, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    strangers: Arc<Strangers>,
    subject: Subject,
    number: u64,
    evicted: CancellationToken,
}

/// The reason for which a connection gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// The subject has as many as it may have.
    Subject,
    /// There are as many as there may be, and no subject has more of them than this one.
    Total,
}

#[derive(Debug, Default)]
struct State {
    count: usize,
    number: u64,
    subjects: HashMap<Subject, BTreeMap<u64, CancellationToken>>,
    /// The subjects by how many connections they have, and then by the age of their oldest; the last makes room first.
    ranks: BTreeSet<(usize, Reverse<u64>, Subject)>,
}

impl Strangers {
    /// At most `each` of one subject, 0 for no limit, and at most `total` of all.
    pub fn new(each: usize, total: usize) -> Arc<Self> {
        Arc::new(Self { each, total, state: Mutex::default() })
    }

    /// A place for one more connection.
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

    /// Closes one connection, for lack of something else than places.
    pub fn make_room(&self) {
        self.state.lock().evict(0);
    }

    /// The number of connections.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.state.lock().count
    }
}

impl Place {
    /// Ready when the connection has to make room and no longer has a place.
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
    /// Closes the oldest connection of the subject that has the most, where those are more than `least`.
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

    /// Changes the connections of a subject and what is counted of them.
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
    fn places_are_counted_and_given_back() {
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
    fn the_subject_with_the_most_makes_room_by_its_oldest() {
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
    fn where_each_has_one_the_oldest_makes_room() {
        let strangers = Strangers::new(0, 3);
        let places: Vec<_> = [9, 1, 5].map(|n| strangers.enter(subject(n)).expect("room")).into();
        let newcomer = strangers.enter(subject(7)).expect("room is made");
        let evicted: Vec<_> = places.iter().map(|place| place.evicted.is_cancelled()).collect();
        assert_eq!(evicted, [true, false, false]);
        strangers.make_room();
        assert!(places[1].evicted.is_cancelled() && !newcomer.evicted.is_cancelled());
    }
}
