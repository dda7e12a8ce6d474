//! Tasks that run step by step, in turns by key, such as the subject of a connection.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::invariants::MustExist as _;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Key by which tasks take turns.
pub trait FairnessKey: Copy + Eq + Hash + Send + Unpin + 'static {}

impl<K: Copy + Eq + Hash + Send + Unpin + 'static> FairnessKey for K {}

/// Processor time that a group of tasks shares, in turns by key.
///
/// It differs from a [`FairQueue`](crate::server::limits::fair_queue::FairQueue) in that a free turn is given away only when all
/// tasks that are ready to run have requested one. A step is so short that a turn would always be free for the task
/// that the runtime happens to poll next, and the order would be that of the runtime.
pub struct FairScheduler<K: FairnessKey>(Mutex<SchedulerState<K>>);

/// A future each of whose steps waits for a turn of its key, so that a key with a thousand tasks gets as much of the
/// processor as one with a single task.
pub struct FairFuture<F, K: FairnessKey> {
    future: Pin<Box<F>>,
    scheduler: Arc<FairScheduler<K>>,
    key: K,
    queued_poll: Option<QueuedPoll<K>>,
}

/// A step that waits for its turn. Dropping it gives up its position in the queue.
struct QueuedPoll<K: FairnessKey> {
    scheduler: Arc<FairScheduler<K>>,
    key: K,
    number: u64,
    turn: oneshot::Receiver<PollTurn<K>>,
    /// True until a free turn has been given away since this step began to wait.
    is_first_poll: bool,
}

/// A turn, until it is dropped.
struct PollTurn<K: FairnessKey>(Option<Arc<FairScheduler<K>>>);

struct SchedulerState<K: FairnessKey> {
    free_turns: usize,
    next_number: u64,
    /// Keys that wait, the next one first.
    waiting_keys: VecDeque<K>,
    waiting_polls: HashMap<K, VecDeque<WaitingPoll<K>>>,
}

/// Number of a step, and the sender that gives it a turn.
type WaitingPoll<K> = (u64, oneshot::Sender<PollTurn<K>>);

impl<K: FairnessKey> FairScheduler<K> {
    /// Runs so many steps at a time.
    pub fn new(concurrent_polls: usize) -> Arc<Self> {
        let (order, waiting) = (VecDeque::new(), HashMap::new());
        Arc::new(Self(Mutex::new(SchedulerState {
            free_turns: concurrent_polls.max(1),
            next_number: 0,
            waiting_keys: order,
            waiting_polls: waiting,
        })))
    }

    fn enqueue_poll(self: &Arc<Self>, key: K) -> QueuedPoll<K> {
        let (sender, turn) = oneshot::channel();
        let mut state = self.0.lock();
        let number = state.next_number;
        state.next_number += 1;
        let steps = state.waiting_polls.entry(key).or_default();
        steps.push_back((number, sender));
        if steps.len() == 1 {
            state.waiting_keys.push_back(key);
        }
        drop(state);
        QueuedPoll { scheduler: self.clone(), key, number, turn, is_first_poll: true }
    }

    /// Gives the free turns to the next steps.
    fn grant_free_turns(self: &Arc<Self>) {
        let mut state = self.0.lock();
        while state.free_turns > 0 {
            let Some(sender) = state.next_waiting() else { return };
            match sender.send(PollTurn(Some(self.clone()))) {
                Ok(()) => state.free_turns -= 1,
                // The step is being dropped. Its turn was never taken from the free ones.
                Err(mut unused) => unused.0 = None,
            }
        }
    }
}

impl<K: FairnessKey> SchedulerState<K> {
    /// Takes the longest waiting step of the next key.
    fn next_waiting(&mut self) -> Option<oneshot::Sender<PollTurn<K>>> {
        let key = self.waiting_keys.pop_front()?;
        let steps = self.waiting_polls.get_mut(&key).must_exist("a waiting key has steps")?;
        let (_, sender) = steps.pop_front().must_exist("a waiting key has steps")?;
        if steps.is_empty() {
            self.waiting_polls.remove(&key);
        } else {
            self.waiting_keys.push_back(key);
        }
        Some(sender)
    }

    fn remove_poll(&mut self, key: K, number: u64) {
        // The steps of the key may all have had their turns.
        let Some(steps) = self.waiting_polls.get_mut(&key) else { return };
        steps.retain(|(other, _)| *other != number);
        if steps.is_empty() {
            self.waiting_polls.remove(&key);
            self.waiting_keys.retain(|other| *other != key);
        }
    }
}

impl<K: FairnessKey> QueuedPoll<K> {
    /// Polls for the turn. `None` only if the rounds have ended, which they do not while a step waits.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<PollTurn<K>>> {
        if std::mem::take(&mut self.is_first_poll) {
            if self.scheduler.0.lock().free_turns > 0 {
                // Without a waker in the channel: the turn that the next poll receives would wake the task once more,
                // which would begin the next step, and so on without end.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        } else {
            self.scheduler.grant_free_turns();
        }
        Pin::new(&mut self.turn).poll(cx).map(Result::ok)
    }
}

impl<K: FairnessKey> Drop for QueuedPoll<K> {
    fn drop(&mut self) {
        self.scheduler.0.lock().remove_poll(self.key, self.number);
    }
}

impl<K: FairnessKey> Drop for PollTurn<K> {
    fn drop(&mut self) {
        if let Some(rounds) = self.0.take() {
            rounds.0.lock().free_turns += 1;
            rounds.grant_free_turns();
        }
    }
}

impl<F, K: FairnessKey> FairFuture<F, K> {
    /// Wraps a future, to run in turns by key.
    pub fn new(future: F, scheduler: Arc<FairScheduler<K>>, key: K) -> Self {
        Self { future: Box::pin(future), scheduler, key, queued_poll: None }
    }
}

impl<F: Future, K: FairnessKey> Future for FairFuture<F, K> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let step = this.queued_poll.get_or_insert_with(|| this.scheduler.enqueue_poll(this.key));
        let _turn = ready!(step.poll(cx));
        this.queued_poll = None;
        this.future.as_mut().poll(cx)
    }
}

impl<K: FairnessKey> fmt::Debug for FairScheduler<K> {
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
        let rounds = FairScheduler::new(1);
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
            tasks.spawn(FairFuture::new(steps, rounds.clone(), key));
        }
        while tasks.join_next().await.is_some() {}
        let order = order.lock().clone();
        assert_eq!(order.len(), 30);
        let last = order.rfind('b').expect("it ran");
        assert!(last < 15, "{order}");
        let state = rounds.0.lock();
        assert!(state.free_turns == 1 && state.waiting_keys.is_empty() && state.waiting_polls.is_empty());
    }

    #[tokio::test]
    async fn task_that_nothing_wakes_takes_no_further_step() {
        let rounds = FairScheduler::new(1);
        let steps: Arc<Mutex<u32>> = Arc::default();
        let counted = steps.clone();
        let waiting = poll_fn(move |_| {
            *counted.lock() += 1;
            Poll::<()>::Pending
        });
        let waiting = tokio::spawn(FairFuture::new(waiting, rounds, 'a'));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(*steps.lock(), 1);
        waiting.abort();
    }

    #[tokio::test]
    async fn dropped_task_releases_its_turn() {
        let rounds = FairScheduler::new(1);
        let never = tokio::spawn(FairFuture::new(std::future::pending::<()>(), rounds.clone(), 'a'));
        tokio::task::yield_now().await;
        never.abort();
        FairFuture::new(async {}, rounds.clone(), 'b').await;
        assert!(never.await.is_err());
        // A step that has its turn and is dropped before it is polled again.
        let mut granted = rounds.enqueue_poll('a');
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(granted.poll(&mut cx).is_pending());
        rounds.grant_free_turns();
        drop(granted);
        assert_eq!(rounds.0.lock().free_turns, 1);
        FairFuture::new(async {}, rounds, 'a').await;
    }
}
