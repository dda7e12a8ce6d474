//! Fair turns at a scarce resource, by key, such as an account or an address.
//!
//! Waiting keys are served round-robin, so a key with a thousand waiting requests delays another by one turn and not by
//! a thousand. Requests of one key are served in the order of their arrival. A request that is dropped while it waits,
//! such as that of a connection that ended, leaves the queue at once.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Limits of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Turns held at one time, by all keys.
    pub at_once: usize,
    /// Turns that one key holds at one time. Below `at_once` it leaves some to the others.
    pub each: usize,
    /// Waiting requests of one key.
    pub waiting: usize,
}

/// Fair queue. Clones share it.
#[derive(Debug)]
pub(super) struct FairQueue<K: Hash + Eq + Clone>(Arc<Mutex<Queue<K>>>);

/// The right to use the resource, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<K: Hash + Eq + Clone> {
    queue: FairQueue<K>,
    key: K,
}

/// Error for a key that has too many waiting requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of yours wait already")]
pub(super) struct Crowded;

#[derive(Debug)]
struct Queue<K: Hash + Eq + Clone> {
    limits: Limits,
    held: usize,
    /// Keys that hold a turn or wait for one.
    keys: HashMap<K, Line<K>>,
    /// Keys with waiting requests, each once, the next to be served first.
    ring: VecDeque<K>,
    next_request: u64,
}

/// The requests of one key.
#[derive(Debug)]
struct Line<K: Hash + Eq + Clone> {
    held: usize,
    waiting: VecDeque<(u64, oneshot::Sender<Turn<K>>)>,
}

/// A request in the queue; dropping it removes it.
struct Waiting<K: Hash + Eq + Clone> {
    queue: FairQueue<K>,
    key: K,
    request: u64,
}

impl<K: Hash + Eq + Clone> Clone for FairQueue<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq + Clone> FairQueue<K> {
    /// Makes an empty queue. Limits of zero turns count as one.
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { at_once: limits.at_once.max(1), each: limits.each.max(1), ..limits };
        let queue = Queue { limits, held: 0, keys: HashMap::new(), ring: VecDeque::new(), next_request: 0 };
        Self(Arc::new(Mutex::new(queue)))
    }

    /// Waits for a turn. Dropping the future gives the request up.
    ///
    /// # Errors
    /// [`Crowded`] at once if [`Limits::waiting`] requests of the key wait already.
    pub async fn take(&self, key: K) -> Result<Turn<K>, Crowded> {
        let (turn, granted) = oneshot::channel();
        let request = {
            let mut queue = self.0.lock();
            let limits = queue.limits;
            let (all, request) = (queue.held, queue.next_request);
            let line = queue.line(&key);
            if all < limits.at_once && line.held < limits.each && line.waiting.is_empty() {
                line.held += 1;
                queue.held += 1;
                return Ok(Turn { queue: self.clone(), key });
            }
            if line.waiting.len() >= limits.waiting {
                return Err(Crowded);
            }
            let first = line.waiting.is_empty();
            line.waiting.push_back((request, turn));
            queue.next_request += 1;
            if first {
                queue.ring.push_back(key.clone());
            }
            request
        };
        let _waiting = Waiting { queue: self.clone(), key, request };
        // The sender stays in the queue until it sends, because `self` keeps the queue alive.
        granted.await.map_err(|_| Crowded)
    }

    /// Gives free turns to the waiting keys.
    fn grant(&self) {
        let mut granted = Vec::new();
        let mut queue = self.0.lock();
        while let Some((key, answer)) = queue.next() {
            granted.push((answer, Turn { queue: self.clone(), key }));
        }
        drop(queue);
        for (answer, turn) in granted {
            // If the request was given up just now, the turn comes back and is dropped, without the lock, for the next
            // request.
            drop(answer.send(turn));
        }
    }
}

impl<K: Hash + Eq + Clone> Queue<K> {
    fn line(&mut self, key: &K) -> &mut Line<K> {
        self.keys.entry(key.clone()).or_insert_with(|| Line { held: 0, waiting: VecDeque::new() })
    }

    /// Removes the next request from the queue and counts its turn as held.
    fn next(&mut self) -> Option<(K, oneshot::Sender<Turn<K>>)> {
        if self.held >= self.limits.at_once {
            return None;
        }
        let may = |key: &K| self.keys.get(key).is_some_and(|line| line.held < self.limits.each);
        let place = self.ring.iter().position(may)?;
        let key = self.ring.remove(place)?;
        let line = self.keys.get_mut(&key)?;
        let (_, answer) = line.waiting.pop_front()?;
        line.held += 1;
        self.held += 1;
        if !line.waiting.is_empty() {
            self.ring.push_back(key.clone());
        }
        Some((key, answer))
    }

    /// Removes a key that neither holds a turn nor waits for one.
    fn tidy(&mut self, key: &K) {
        if self.keys.get(key).is_some_and(|line| line.held == 0 && line.waiting.is_empty()) {
            self.keys.remove(key);
        }
    }
}

impl<K: Hash + Eq + Clone> Drop for Turn<K> {
    fn drop(&mut self) {
        let mut queue = self.queue.0.lock();
        queue.held -= 1;
        queue.line(&self.key).held -= 1;
        queue.tidy(&self.key);
        drop(queue);
        self.queue.grant();
    }
}

impl<K: Hash + Eq + Clone> Drop for Waiting<K> {
    fn drop(&mut self) {
        let mut queue = self.queue.0.lock();
        let Some(line) = queue.keys.get_mut(&self.key) else { return };
        let Some(place) = line.waiting.iter().position(|(request, _)| *request == self.request) else {
            return;
        };
        line.waiting.remove(place);
        if line.waiting.is_empty() {
            queue.ring.retain(|key| *key != self.key);
        }
        queue.tidy(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use proptest::prelude::*;

    use super::*;

    type Request = std::pin::Pin<Box<dyn Future<Output = Result<Turn<u8>, Crowded>>>>;

    fn queue(at_once: usize, each: usize, waiting: usize) -> FairQueue<u8> {
        FairQueue::new(Limits { at_once, each, waiting })
    }

    /// Makes a request that is in the queue, or has its turn.
    fn request(queue: &FairQueue<u8>, key: u8) -> (Request, Poll<Result<Turn<u8>, Crowded>>) {
        let queue = queue.clone();
        let mut request: Request = Box::pin(async move { queue.take(key).await });
        let polled = poll(&mut request);
        (request, polled)
    }

    fn poll(request: &mut Request) -> Poll<Result<Turn<u8>, Crowded>> {
        request.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn busy_key_delays_another_by_one_turn() {
        let queue = queue(1, 1, 200);
        let (_, Poll::Ready(Ok(first))) = request(&queue, 1) else { panic!("free") };
        let mut crowd: Vec<_> = (0..200).map(|_| request(&queue, 1).0).collect();
        let (mut other, Poll::Pending) = request(&queue, 2) else { panic!("taken") };
        drop(first);
        let Poll::Ready(Ok(turn)) = poll(&mut crowd[0]) else { panic!("first come") };
        assert!(poll(&mut other).is_pending());
        drop(turn);
        let Poll::Ready(Ok(turn)) = poll(&mut other) else { panic!("the other's turn") };
        assert!(crowd[1..].iter_mut().all(|request| poll(request).is_pending()));
        drop(turn);
        assert!(poll(&mut crowd[1]).is_ready(), "and then the crowd goes on, in its order");
    }

    #[test]
    fn turns_and_waiting_are_limited_per_key() {
        let queue = queue(3, 2, 1);
        let held: Vec<_> = (0..2).map(|_| request(&queue, 1).1).collect();
        let (mut third, Poll::Pending) = request(&queue, 1) else { panic!("two each") };
        assert!(matches!(request(&queue, 1).1, Poll::Ready(Err(Crowded))));
        let Poll::Ready(Ok(_other)) = request(&queue, 2).1 else { panic!("one is left to others") };
        drop(held);
        assert!(poll(&mut third).is_ready());
    }

    #[test]
    fn dropped_request_leaves_the_queue() {
        let queue = queue(1, 1, 2);
        let (_, Poll::Ready(Ok(held))) = request(&queue, 1) else { panic!("free") };
        let (waits, _) = request(&queue, 1);
        let (granted, _) = request(&queue, 2);
        drop(waits);
        // Granted, and given up before it was polled.
        drop(held);
        assert_eq!(queue.0.lock().held, 1);
        drop(granted);
        let state = queue.0.lock();
        assert!(state.held == 0 && state.keys.is_empty() && state.ring.is_empty());
    }

    proptest! {
        /// Checks that after any requests, grants, returns and cancellations the limits hold, no turn is idle while a
        /// request may have it, and no other key is served twice while a request of a key that may be served waits.
        #[test]
        fn turns_are_bounded_and_fair(
            at_once in 1..4usize,
            each in 1..4usize,
            steps in prop::collection::vec((0..3u8, 0..5u8, any::<prop::sample::Index>()), 1..200),
        ) {
            let queue = queue(at_once, each, 8);
            let mut held: Vec<Turn<u8>> = Vec::new();
            let mut waiting: Vec<(u8, Request)> = Vec::new();
            // Count of grants to each other key since the first request of a key began to wait.
            let mut passed: HashMap<u8, HashMap<u8, u32>> = HashMap::new();
            for (step, key, which) in steps {
                match step {
                    0 => match request(&queue, key) {
                        (_, Poll::Ready(Ok(turn))) => held.push(turn),
                        (_, Poll::Ready(Err(Crowded))) => {}
                        (request, Poll::Pending) => waiting.push((key, request)),
                    },
                    1 if !held.is_empty() => drop(held.swap_remove(which.index(held.len()))),
                    2 if !waiting.is_empty() => drop(waiting.remove(which.index(waiting.len()))),
                    _ => {}
                }
                let mut still = Vec::new();
                for (key, mut request) in waiting {
                    match poll(&mut request) {
                        Poll::Ready(turn) => {
                            held.push(turn.expect("a turn"));
                            passed.remove(&key);
                            for others in passed.values_mut() {
                                *others.entry(key).or_default() += 1;
                            }
                        }
                        Poll::Pending => still.push((key, request)),
                    }
                }
                waiting = still;
                let of = |key: u8| held.iter().filter(|turn| turn.key == key).count();
                prop_assert!(held.len() <= at_once && (0..5).all(|key| of(key) <= each));
                for (key, _) in &waiting {
                    prop_assert!(held.len() == at_once || of(*key) == each, "an idle turn");
                    // A key at its own limit waits for itself, not for others.
                    if of(*key) == each {
                        passed.remove(key);
                    }
                    let most = passed.entry(*key).or_default().values().copied().max().unwrap_or_default();
                    prop_assert!(most <= 1, "{key} was passed over");
                }
                passed.retain(|key, _| waiting.iter().any(|(other, _)| other == key));
            }
            drop((held, waiting));
            let state = queue.0.lock();
            prop_assert!(state.held == 0 && state.keys.is_empty() && state.ring.is_empty());
        }
    }
}
