//! The password pool: hashes for async callers, computed on a few threads of low priority.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;
use tracing::error;
use zeroize::Zeroizing;

use super::recent::Recent;
use super::{Hasher, Memory, Password, PasswordError, Verdict};
use crate::core::record::AccountId;
use crate::core::record::secret::PasswordHash;
use crate::server::limits::subject::Subject;
use crate::server::turns::{FairQueue, Limits, Turn};
use crate::server::{config, priority};

/// The password pool. Its threads end when it is dropped.
#[derive(Debug)]
pub struct Passwords {
    hasher: Arc<Hasher>,
    /// Hash that replaces a missing one, so that a check for an unknown account takes as long as any other.
    nobody: PasswordHash,
    recent: Arc<Mutex<Recent>>,
    turns: FairQueue<Requester>,
    queue: Arc<Queue>,
}

/// Key by which requests take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Requester {
    /// A connection before its login.
    Stranger(Subject),
    /// A session of this account.
    Account(AccountId),
}

/// Jobs that have their turn and wait for a thread to wake up; at most as many as there are threads.
#[derive(Default)]
struct Queue {
    jobs: Mutex<Jobs>,
    more: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    closed: bool,
}

struct Job {
    work: Box<dyn FnOnce(&mut Memory) + Send>,
    /// Ends after the work, even if the caller has gone.
    _turn: Turn<Requester>,
}

impl Passwords {
    /// Maximum count of waiting requests of one requester. A waiting request holds a password and no memory for
    /// hashing. Connections are bounded, and so are these requests.
    pub const MOST_WAITING: usize = 4096;

    /// Maximum count of threads. Eight of them hash 200 logins a second and need 152 MiB with the default costs.
    const MOST_THREADS: usize = 8;

    /// Time after which an idle thread frees its memory.
    const IDLE: Duration = Duration::from_secs(2);

    /// Makes a pool with a thread for each core, up to eight.
    pub fn new(costs: config::Passwords) -> Self {
        let threads = available_parallelism().map_or(1, usize::from).min(Self::MOST_THREADS);
        let queue = Arc::new(Queue::default());
        let started = (0..threads).filter(|_| start(queue.clone())).count();
        let (m, t, p) = (costs.memory_kib, costs.iterations, costs.parallelism);
        // 16 bytes of salt and 32 of output, as argon2 makes them. No known password has this output.
        let nobody = format!("$argon2id$v=19$m={m},t={t},p={p}${}${}", "A".repeat(22), "A".repeat(43));
        Self {
            hasher: Arc::new(Hasher::new(costs)),
            nobody: PasswordHash::from_phc(nobody),
            recent: Arc::new(Mutex::new(Recent::new())),
            turns: FairQueue::new(Limits { at_once: started, each: started, waiting: Self::MOST_WAITING }),
            queue,
        }
    }

    /// Computes the hash of a new password.
    pub async fn hash(&self, by: Requester, password: Password) -> Result<PasswordHash, PasswordError> {
        self.run(by, move |hasher, memory| hasher.hash_in(memory, &password)).await
    }

    /// Checks a typed password. Without a stored hash (no such account, or disabled) it costs the same and is always
    /// wrong. Dropping the future before its turn saves the cost, and a remembered (`Recent`) password costs almost
    /// nothing.
    pub async fn verify(
        &self,
        by: Requester,
        stored: Option<PasswordHash>,
        typed: Zeroizing<String>,
    ) -> Result<Verdict, PasswordError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let recent = self.recent.clone();
        let verdict = self
            .run(by, move |hasher, memory| {
                // Checked after the wait for the turn, because other logins of the account may have been right
                // meanwhile.
                let (hash, is_known) = {
                    let recent = recent.lock();
                    let hash = recent.typed(&stored, &typed);
                    let is_known = recent.knows(&stored, &hash, Instant::now());
                    (hash, is_known)
                };
                if is_known {
                    return Ok(Verdict::Right(None));
                }
                let verdict = hasher.verify_in(memory, &stored, &typed)?;
                if known && verdict == Verdict::Right(None) {
                    recent.lock().was_right(&stored, hash, Instant::now());
                }
                Ok(verdict)
            })
            .await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    async fn run<T: Send + 'static>(
        &self,
        by: Requester,
        work: impl FnOnce(&Hasher, &mut Memory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = self.turns.take(by).await.map_err(|_| PasswordError::Busy)?;
        let hasher = self.hasher.clone();
        let (result, outcome) = oneshot::channel();
        let work = Box::new(move |memory: &mut Memory| {
            if !result.is_closed() {
                // The caller may have gone meanwhile.
                let _ = result.send(work(&hasher, memory));
            }
        });
        self.queue.jobs.lock().waiting.push_back(Job { work, _turn: turn });
        self.queue.more.notify_one();
        outcome.await.map_err(|_| PasswordError::Resources)?
    }
}

impl Drop for Passwords {
    fn drop(&mut self) {
        self.queue.jobs.lock().closed = true;
        self.queue.more.notify_all();
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

/// Starts a thread. Returns true if that worked.
fn start(queue: Arc<Queue>) -> bool {
    let thread = thread::Builder::new().name("passwords".to_owned()).spawn(move || {
        priority::lower();
        let mut memory = Memory::default();
        while let Some(job) = queue.next(&mut memory) {
            if catch_unwind(AssertUnwindSafe(|| (job.work)(&mut memory))).is_err() {
                // The panic hook reports it, and the caller gets an error.
                memory = Memory::default();
            }
        }
    });
    if let Err(error) = &thread {
        error!(%error, "cannot start a thread for passwords");
    }
    thread.is_ok()
}

impl Queue {
    /// Waits for the next job; `None` at the end of the pool. Frees the memory after a while without a job.
    fn next(&self, memory: &mut Memory) -> Option<Job> {
        let mut jobs = self.jobs.lock();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            if memory.is_empty() {
                self.more.wait(&mut jobs);
            } else if self.more.wait_for(&mut jobs, Passwords::IDLE).timed_out() {
                MutexGuard::unlocked(&mut jobs, || memory.free());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::Params;
    use argon2::password_hash::phc::PasswordHash as Phc;
    use std::task::{Context, Waker};

    const CHEAP: config::Passwords = config::Passwords { memory_kib: 8, iterations: 1, parallelism: 1 };
    const HERE: Requester = Requester::Account(AccountId(1));
    const ELSEWHERE: Requester = Requester::Account(AccountId(2));

    fn typed(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    fn new(text: &str) -> Password {
        Password::new(text).expect(text)
    }

    /// Takes all turns of a pool, so that requests wait.
    async fn hold(pool: &Passwords) -> Vec<Turn<Requester>> {
        let threads = available_parallelism().map_or(1, usize::from).min(Passwords::MOST_THREADS);
        let mut turns = Vec::new();
        for _ in 0..threads {
            turns.push(pool.turns.take(HERE).await.expect("a turn"));
        }
        turns
    }

    #[tokio::test]
    async fn missing_hash_costs_the_same_and_never_matches() {
        let pool = Passwords::new(CHEAP);
        assert!(PasswordHash::parse(pool.nobody.as_str()).is_some());
        let params = |hash: &PasswordHash| Params::try_from(&Phc::new(hash.as_str()).expect("parses"));
        let hash = pool.hash(HERE, new("secret12")).await.expect("hashes");
        assert_eq!(params(&pool.nobody), params(&hash), "as much work for both");
        assert_eq!(pool.verify(HERE, Some(hash), typed("secret12")).await, Ok(Verdict::Right(None)));
        assert_eq!(pool.verify(HERE, None, typed("secret12")).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn frequent_logins_skip_hashing() {
        let pool = Passwords::new(CHEAP);
        let hash = pool.hash(HERE, new("secret12")).await.expect("hashes");
        let right = Ok(Verdict::Right(None));
        for _ in 0..=Recent::FREE {
            assert_eq!(pool.verify(HERE, Some(hash.clone()), typed("secret12")).await, right);
        }
        let tag = pool.recent.lock().typed(&hash, "secret12");
        assert!(pool.recent.lock().knows(&hash, &tag, Instant::now()));
        assert_eq!(pool.verify(ELSEWHERE, Some(hash.clone()), typed("secret12")).await, right);
        assert_eq!(pool.verify(HERE, Some(hash), typed("secret13")).await, Ok(Verdict::Wrong));
        assert_eq!(pool.verify(HERE, None, typed("secret12")).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn waiting_requests_are_limited_per_requester() {
        let pool = Passwords::new(CHEAP);
        let held = hold(&pool).await;
        let mut cx = Context::from_waker(Waker::noop());
        let mut waiting: Vec<_> =
            (0..Passwords::MOST_WAITING).map(|_| Box::pin(pool.verify(HERE, None, typed("x")))).collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(pool.verify(HERE, None, typed("x")).await, Err(PasswordError::Busy));
        let mut other = Box::pin(pool.verify(ELSEWHERE, None, typed("x")));
        assert!(other.as_mut().poll(&mut cx).is_pending(), "others find room");
        drop(held);
        drop(waiting);
        assert_eq!(other.await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn password_guesser_does_not_delay_others() {
        let pool = Passwords::new(CHEAP);
        let held = hold(&pool).await;
        let mut cx = Context::from_waker(Waker::noop());
        let mut guesses: Vec<_> = (0..200).map(|_| Box::pin(pool.verify(HERE, None, typed("x")))).collect();
        let mut other = Box::pin(pool.verify(ELSEWHERE, None, typed("x")));
        for guess in &mut guesses {
            assert!(guess.as_mut().poll(&mut cx).is_pending());
        }
        assert!(other.as_mut().poll(&mut cx).is_pending());
        drop(held);
        // The oldest guess has a turn and gives it up. Nothing polls the others.
        drop(guesses.remove(0));
        assert_eq!(other.await, Ok(Verdict::Wrong), "its turn does not wait for 199 guesses");
    }
}
