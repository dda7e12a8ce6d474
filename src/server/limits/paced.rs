//! Tasks that run step by step, in turns by key, such as the subject of a connection.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Key by which tasks take turns.
pub trait Key: Copy + Eq + Hash + Send + Unpin + 'static {}

impl<K: Copy + Eq + Hash + Send + Unpin + 'static> Key for K {}

/// Processor time that a group of tasks shares, in turns by key.
///
/// It differs from a [`FairQueue`](crate::server::turns::FairQueue) in that a free turn is given away only when all
/// tasks that are ready to run have asked for one. A step is so short that a turn would always be free for the task
/// that the runtime happens to poll next, and the order would be that of the runtime.
pub struct Rounds<K: Key>(Mutex<State<K>>);

/// A future each of whose steps waits for a turn of its key, so that a key with a thousand tasks gets as much of the
/// processor as one with a single task.
pub struct Paced<F, K: Key> {
    future: Pin<Box<F>>,
    rounds: Arc<Rounds<K>>,
    key: K,
    step: Option<Step<K>>,
}

/// A step that waits for its turn. Dropping it gives up its place in the queue.
struct Step<K: Key> {
    rounds: Arc<Rounds<K>>,
    key: K,
    number: u64,
    turn: oneshot::Receiver<Turn<K>>,
    /// True until a free turn has been given away since this step began to wait.
    fresh: bool,
}

/// A turn, until it is dropped.
struct Turn<K: Key>(Option<Arc<Rounds<K>>>);

struct State<K: Key> {
    free: usize,
    number: u64,
    /// Keys that wait, the next one first.
    order: VecDeque<K>,
    steps: HashMap<K, VecDeque<Waiting<K>>>,
}

/// Number of a step, and the sender that gives it a turn.
type Waiting<K> = (u64, oneshot::Sender<Turn<K>>);

impl<K: Key> Rounds<K> {
    /// Runs so many steps at a time.
    pub fn new(steps: usize) -> Arc<Self> {
        let (order, waiting) = (VecDeque::new(), HashMap::new());
        Arc::new(Self(Mutex::new(State { free: steps.max(1), number: 0, order, steps: waiting })))
    }

    fn step(self: &Arc<Self>, key: K) -> Step<K> {
        let (give, turn) = oneshot::channel();
        let mut state = self.0.lock();
        let number = state.number;
        state.number += 1;
        let steps = state.steps.entry(key).or_default();
        steps.push_back((number, give));
        if steps.len() == 1 {
            state.order.push_back(key);
        }
        drop(state);
        Step { rounds: self.clone(), key, number, turn, fresh: true }
    }

    /// Gives the free turns to the next steps.
    fn settle(self: &Arc<Self>) {
        let mut state = self.0.lock();
        while state.free > 0 {
            let Some(give) = state.next() else { return };
            match give.send(Turn(Some(self.clone()))) {
                Ok(()) => state.free -= 1,
                // The step is being dropped. Its turn was never taken from the free ones.
                Err(mut unused) => unused.0 = None,
            }
        }
    }
}

impl<K: Key> State<K> {
    /// Takes the longest waiting step of the next key.
    fn next(&mut self) -> Option<oneshot::Sender<Turn<K>>> {
        let key = self.order.pop_front()?;
        let steps = self.steps.get_mut(&key)?;
        let (_, give) = steps.pop_front()?;
        if steps.is_empty() {
            self.steps.remove(&key);
        } else {
            self.order.push_back(key);
        }
        Some(give)
    }

    fn leave(&mut self, key: K, number: u64) {
        let Some(steps) = self.steps.get_mut(&key) else { return };
        steps.retain(|(other, _)| *other != number);
        if steps.is_empty() {
            self.steps.remove(&key);
            self.order.retain(|other| *other != key);
        }
    }
}

impl<K: Key> Step<K> {
    /// Polls for the turn. `None` only if the rounds have ended, which they do not while a step waits.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Turn<K>>> {
        if std::mem::take(&mut self.fresh) {
            if self.rounds.0.lock().free > 0 {
                cx.waker().wake_by_ref();
            }
        } else {
            self.rounds.settle();
        }
        Pin::new(&mut self.turn).poll(cx).map(Result::ok)
    }
}

impl<K: Key> Drop for Step<K> {
    fn drop(&mut self) {
        self.rounds.0.lock().leave(self.key, self.number);
    }
}

impl<K: Key> Drop for Turn<K> {
    fn drop(&mut self) {
        if let Some(rounds) = self.0.take() {
            rounds.0.lock().free += 1;
            rounds.settle();
        }
    }
}

impl<F, K: Key> Paced<F, K> {
    /// Wraps a future, to run in turns by key.
    pub fn new(future: F, rounds: Arc<Rounds<K>>, key: K) -> Self {
        Self { future: Box::pin(future), rounds, key, step: None }
    }
}

impl<F: Future, K: Key> Future for Paced<F, K> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let step = this.step.get_or_insert_with(|| this.rounds.step(this.key));
        let _turn = ready!(step.poll(cx));
        this.step = None;
        this.future.as_mut().poll(cx)
    }
}

impl<K: Key> fmt::Debug for Rounds<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rounds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    /// Ten tasks with three steps each, which are always ready; records the keys in the order of the steps.
    #[tokio::test]
    async fn key_with_many_tasks_does_not_delay_others() {
        let rounds = Rounds::new(1);
        let order: Arc<Mutex<String>> = Arc::default();
        let mut tasks = tokio::task::JoinSet::new();
        for key in "aaaaaaaaab".chars() {
            let order = order.clone();
            let mut left = 3;
            let steps = poll_fn(move |cx| {
                order.lock().push(key);
                left -= 1;
                if left == 0 {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            });
            tasks.spawn(Paced::new(steps, rounds.clone(), key));
        }
        while tasks.join_next().await.is_some() {}
        let order = order.lock().clone();
        assert_eq!(order.len(), 30);
        let last = order.rfind('b').expect("it ran");
        assert!(last < 15, "{order}");
        let state = rounds.0.lock();
        assert!(state.free == 1 && state.order.is_empty() && state.steps.is_empty());
    }

    #[tokio::test]
    async fn dropped_task_releases_its_turn() {
        let rounds = Rounds::new(1);
        let never = tokio::spawn(Paced::new(std::future::pending::<()>(), rounds.clone(), 'a'));
        tokio::task::yield_now().await;
        never.abort();
        Paced::new(async {}, rounds.clone(), 'b').await;
        assert!(never.await.is_err());
        // A step that has its turn and is dropped before it is polled again.
        let mut granted = rounds.step('a');
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(granted.poll(&mut cx).is_pending());
        rounds.settle();
        drop(granted);
        assert_eq!(rounds.0.lock().free, 1);
        Paced::new(async {}, rounds, 'a').await;
    }
}
