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
pub(in crate::server) struct QueueLimits {
    /// Turns held at one time, by all keys.
    pub total_turns: usize,
    /// Turns that one key holds at one time. Below `total_turns` it leaves some to the others.
    pub turns_per_key: usize,
    /// Waiting requests of one key.
    pub waiting_per_key: usize,
}

/// Fair queue. Clones share it.
#[derive(Debug)]
pub(in crate::server) struct FairQueue<K: Hash + Eq + Clone>(Arc<Mutex<QueueState<K>>>);

/// The right to use the resource, until it is dropped.
#[derive(Debug)]
pub(in crate::server) struct QueueTurn<K: Hash + Eq + Clone> {
    queue: FairQueue<K>,
    key: K,
}

/// Error for a key that has too many waiting requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of yours wait already")]
pub(in crate::server) struct QueueFull;

#[derive(Debug)]
struct QueueState<K: Hash + Eq + Clone> {
    limits: QueueLimits,
    held_turns: usize,
    /// Keys that hold a turn or wait for one.
    key_queues: HashMap<K, KeyQueue<K>>,
    /// Keys with waiting requests, each once, the next to be served first.
    waiting_keys: VecDeque<K>,
    next_request: u64,
}

/// The requests of one key.
#[derive(Debug)]
struct KeyQueue<K: Hash + Eq + Clone> {
    held_turns: usize,
    waiting: VecDeque<(u64, oneshot::Sender<QueueTurn<K>>)>,
}

/// A request in the queue; dropping it removes it.
struct WaitingRequest<K: Hash + Eq + Clone> {
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
    pub fn new(limits: QueueLimits) -> Self {
        let limits = QueueLimits {
            total_turns: limits.total_turns.max(1),
            turns_per_key: limits.turns_per_key.max(1),
            ..limits
        };
        let queue = QueueState {
            limits,
            held_turns: 0,
            key_queues: HashMap::new(),
            waiting_keys: VecDeque::new(),
            next_request: 0,
        };
        Self(Arc::new(Mutex::new(queue)))
    }

    /// Waits for a turn. Dropping the future gives the request up.
    ///
    /// # Errors
    /// [`QueueFull`] at once if [`QueueLimits::waiting_per_key`] requests of the key wait already.
    pub async fn acquire_turn(&self, key: K) -> Result<QueueTurn<K>, QueueFull> {
        let (sender, granted) = oneshot::channel();
        let request = {
            let mut queue = self.0.lock();
            let limits = queue.limits;
            let (all_held, request) = (queue.held_turns, queue.next_request);
            let key_queue = queue.key_queue_mut(&key);
            if all_held < limits.total_turns
                && key_queue.held_turns < limits.turns_per_key
                && key_queue.waiting.is_empty()
            {
                key_queue.held_turns += 1;
                queue.held_turns += 1;
                return Ok(QueueTurn { queue: self.clone(), key });
            }
            if key_queue.waiting.len() >= limits.waiting_per_key {
                return Err(QueueFull);
            }
            let first = key_queue.waiting.is_empty();
            key_queue.waiting.push_back((request, sender));
            queue.next_request += 1;
            if first {
                queue.waiting_keys.push_back(key.clone());
            }
            request
        };
        let _waiting = WaitingRequest { queue: self.clone(), key, request };
        // The sender stays in the queue until it sends, because `self` keeps the queue alive.
        granted.await.map_err(|_| QueueFull)
    }

    /// Gives free turns to the waiting keys.
    fn grant_free_turns(&self) {
        let mut granted = Vec::new();
        let mut queue = self.0.lock();
        while let Some((key, sender)) = queue.next_grant() {
            granted.push((sender, QueueTurn { queue: self.clone(), key }));
        }
        drop(queue);
        for (sender, turn) in granted {
            // If the request was given up just now, the turn comes back and is dropped, without the lock, for the next
            // request.
            drop(sender.send(turn));
        }
    }
}

impl<K: Hash + Eq + Clone> QueueState<K> {
    fn key_queue_mut(&mut self, key: &K) -> &mut KeyQueue<K> {
        self.key_queues
            .entry(key.clone())
            .or_insert_with(|| KeyQueue { held_turns: 0, waiting: VecDeque::new() })
    }

    /// Removes the next request from the queue and counts its turn as held.
    fn next_grant(&mut self) -> Option<(K, oneshot::Sender<QueueTurn<K>>)> {
        if self.held_turns >= self.limits.total_turns {
            return None;
        }
        let may_hold_turn = |key: &K| {
            self.key_queues.get(key).is_some_and(|line| line.held_turns < self.limits.turns_per_key)
        };
        let position = self.waiting_keys.iter().position(may_hold_turn)?;
        let key = self.waiting_keys.remove(position)?;
        let key_queue = self.key_queues.get_mut(&key)?;
        let (_, sender) = key_queue.waiting.pop_front()?;
        key_queue.held_turns += 1;
        self.held_turns += 1;
        if !key_queue.waiting.is_empty() {
            self.waiting_keys.push_back(key.clone());
        }
        Some((key, sender))
    }

    /// Removes a key that neither holds a turn nor waits for one.
    fn remove_idle_key(&mut self, key: &K) {
        if self.key_queues.get(key).is_some_and(|line| line.held_turns == 0 && line.waiting.is_empty()) {
            self.key_queues.remove(key);
        }
    }
}

impl<K: Hash + Eq + Clone> Drop for QueueTurn<K> {
    fn drop(&mut self) {
        let mut queue = self.queue.0.lock();
        queue.held_turns -= 1;
        queue.key_queue_mut(&self.key).held_turns -= 1;
        queue.remove_idle_key(&self.key);
        drop(queue);
        self.queue.grant_free_turns();
    }
}

impl<K: Hash + Eq + Clone> Drop for WaitingRequest<K> {
    fn drop(&mut self) {
        let mut queue = self.queue.0.lock();
        // A granted request is not in the queue any longer.
        let Some(key_queue) = queue.key_queues.get_mut(&self.key) else { return };
        let Some(position) = key_queue.waiting.iter().position(|(request, _)| *request == self.request)
        else {
            return;
        };
        key_queue.waiting.remove(position);
        if key_queue.waiting.is_empty() {
            queue.waiting_keys.retain(|key| *key != self.key);
        }
        queue.remove_idle_key(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use proptest::prelude::*;

    use super::*;

    type Request = std::pin::Pin<Box<dyn Future<Output = Result<QueueTurn<u8>, QueueFull>>>>;

    fn queue(at_once: usize, each: usize, waiting: usize) -> FairQueue<u8> {
        FairQueue::new(QueueLimits { total_turns: at_once, turns_per_key: each, waiting_per_key: waiting })
    }

    /// Makes a request that is in the queue, or has its turn.
    fn make_request(queue: &FairQueue<u8>, key: u8) -> (Request, Poll<Result<QueueTurn<u8>, QueueFull>>) {
        let queue = queue.clone();
        let mut request: Request = Box::pin(async move { queue.acquire_turn(key).await });
        let polled = poll(&mut request);
        (request, polled)
    }

    fn poll(request: &mut Request) -> Poll<Result<QueueTurn<u8>, QueueFull>> {
        request.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn busy_key_delays_another_by_one_turn() {
        let queue = queue(1, 1, 200);
        let (_, Poll::Ready(Ok(first))) = make_request(&queue, 1) else { panic!("free") };
        let mut crowd: Vec<_> = (0..200).map(|_| make_request(&queue, 1).0).collect();
        let (mut other, Poll::Pending) = make_request(&queue, 2) else { panic!("taken") };
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
        let held: Vec<_> = (0..2).map(|_| make_request(&queue, 1).1).collect();
        let (mut third, Poll::Pending) = make_request(&queue, 1) else { panic!("two each") };
        assert!(matches!(make_request(&queue, 1).1, Poll::Ready(Err(QueueFull))));
        let Poll::Ready(Ok(_other)) = make_request(&queue, 2).1 else { panic!("one is left to others") };
        drop(held);
        assert!(poll(&mut third).is_ready());
    }

    #[test]
    fn dropped_request_leaves_the_queue() {
        let queue = queue(1, 1, 2);
        let (_, Poll::Ready(Ok(held))) = make_request(&queue, 1) else { panic!("free") };
        let (waits, _) = make_request(&queue, 1);
        let (granted, _) = make_request(&queue, 2);
        drop(waits);
        // Granted, and given up before it was polled.
        drop(held);
        assert_eq!(queue.0.lock().held_turns, 1);
        drop(granted);
        let state = queue.0.lock();
        assert!(state.held_turns == 0 && state.key_queues.is_empty() && state.waiting_keys.is_empty());
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
            let mut held: Vec<QueueTurn<u8>> = Vec::new();
            let mut waiting: Vec<(u8, Request)> = Vec::new();
            // Count of grants to each other key since the first request of a key began to wait.
            let mut passed: HashMap<u8, HashMap<u8, u32>> = HashMap::new();
            for (step, key, which) in steps {
                match step {
                    0 => match make_request(&queue, key) {
                        (_, Poll::Ready(Ok(turn))) => held.push(turn),
                        (_, Poll::Ready(Err(QueueFull))) => {}
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
            prop_assert!(state.held_turns == 0 && state.key_queues.is_empty() && state.waiting_keys.is_empty());
        }
    }
}
