//! The password pool: hashes for async callers, computed on a few threads of low priority.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::oneshot;
use tracing::error;
use zeroize::Zeroizing;

use super::recent_passwords::RecentPasswords;
use super::{HashMemory, Password, PasswordError, PasswordHasher, Verdict};
use crate::core::record::AccountId;
use crate::core::record::secret::PasswordHash;
use crate::server::config;
use crate::server::limits::fair_queue::{FairQueue, QueueLimits, QueueTurn};
use crate::server::limits::subject::Subject;
use crate::server::tasks::lower_thread_priority;

/// The password pool. Its threads end when it is dropped.
#[derive(Debug)]
pub struct PasswordPool {
    hasher: Arc<PasswordHasher>,
    /// Hash that replaces a missing one, so that a check for an unknown account takes as long as any other.
    dummy_hash: PasswordHash,
    recent_passwords: Arc<Mutex<RecentPasswords>>,
    fair_queue: FairQueue<Requester>,
    queue: Arc<JobQueue>,
}

/// Key by which requests take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Requester {
    /// A connection before its login.
    Subject(Subject),
    /// A session of this account.
    Account(AccountId),
}

/// Jobs that have their turn and wait for a thread to wake up; at most as many as there are threads.
#[derive(Default)]
struct JobQueue {
    jobs: Mutex<Jobs>,
    job_available: Condvar,
}

#[derive(Default)]
struct Jobs {
    queued_jobs: VecDeque<Job>,
    closed: bool,
}

struct Job {
    work: Box<dyn FnOnce(&mut HashMemory) + Send>,
    /// Ends after the work, even if the caller has gone.
    _turn: QueueTurn<Requester>,
}

impl PasswordPool {
    /// Maximum count of waiting requests of one requester. A waiting request holds a password and no memory for
    /// hashing. Connections are bounded, and so are these requests.
    pub const MAX_WAITING: usize = 4096;

    /// Maximum count of threads. Eight of them hash 200 logins a second and need 152 MiB with the default costs.
    const MAX_THREADS: usize = 8;

    /// Time after which an idle thread frees its memory. What is remembered of passwords goes a span later.
    const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

    /// Makes a pool with a thread for each core, up to eight.
    pub fn new(costs: config::Passwords) -> Self {
        let threads = available_parallelism().map_or(1, usize::from).min(Self::MAX_THREADS);
        let queue = Arc::new(JobQueue::default());
        let recent_passwords = Arc::new(Mutex::new(RecentPasswords::new()));
        let started = (0..threads).filter(|_| start_thread(queue.clone(), recent_passwords.clone())).count();
        let (m, t, p) = (costs.memory_kib, costs.iterations, costs.parallelism);
        // 16 bytes of salt and 32 of output, as argon2 makes them. No known password has this output.
        let dummy_phc = format!("$argon2id$v=19$m={m},t={t},p={p}${}${}", "A".repeat(22), "A".repeat(43));
        Self {
            hasher: Arc::new(PasswordHasher::new(costs)),
            dummy_hash: PasswordHash::from_phc(dummy_phc),
            recent_passwords,
            fair_queue: FairQueue::new(QueueLimits {
                total_turns: started,
                turns_per_key: started,
                waiting_per_key: Self::MAX_WAITING,
            }),
            queue,
        }
    }

    /// Returns the count of the hashes that were computed.
    pub fn computed_hashes(&self) -> &Counter {
        self.hasher.computed()
    }

    /// Computes the hash of a new password.
    pub async fn hash(
        &self,
        requester: Requester,
        password: Password,
    ) -> Result<PasswordHash, PasswordError> {
        self.run_job(requester, move |hasher, memory| hasher.hash_in(memory, &password)).await
    }

    /// Checks a typed password. Without a stored hash (no such account, or disabled) it costs the same and is always
    /// wrong. Dropping the future before its turn saves the cost, and a remembered (`Recent`) password costs almost
    /// nothing.
    pub async fn verify(
        &self,
        requester: Requester,
        stored: Option<PasswordHash>,
        password: Zeroizing<String>,
    ) -> Result<Verdict, PasswordError> {
        let has_stored_hash = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy_hash.clone());
        let recent = self.recent_passwords.clone();
        let verdict = self
            .run_job(requester, move |hasher, memory| {
                // Checked after the wait for the turn, because other logins of the account may have been right
                // meanwhile.
                let (tag, is_remembered) = {
                    let recent = recent.lock();
                    let tag = recent.tag_password(&stored, &password);
                    let is_remembered = recent.is_remembered(&stored, &tag, Instant::now());
                    (tag, is_remembered)
                };
                if is_remembered {
                    return Ok(Verdict::Right(None));
                }
                let verdict = hasher.verify_in(memory, &stored, &password)?;
                if has_stored_hash && verdict == Verdict::Right(None) {
                    recent.lock().note_correct_password(&stored, tag, Instant::now());
                }
                Ok(verdict)
            })
            .await?;
        Ok(if has_stored_hash { verdict } else { Verdict::Wrong })
    }

    async fn run_job<T: Send + 'static>(
        &self,
        requester: Requester,
        work: impl FnOnce(&PasswordHasher, &mut HashMemory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = self.fair_queue.acquire_turn(requester).await.map_err(|_| PasswordError::Busy)?;
        let hasher = self.hasher.clone();
        let (result, outcome) = oneshot::channel();
        let work = Box::new(move |memory: &mut HashMemory| {
            if !result.is_closed() {
                // The caller may have gone meanwhile.
                let _ = result.send(work(&hasher, memory));
            }
        });
        self.queue.jobs.lock().queued_jobs.push_back(Job { work, _turn: turn });
        self.queue.job_available.notify_one();
        outcome.await.map_err(|_| PasswordError::OutOfResources)?
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        self.queue.jobs.lock().closed = true;
        self.queue.job_available.notify_all();
    }
}

impl std::fmt::Debug for JobQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

/// Starts a thread. Returns true if that worked.
fn start_thread(queue: Arc<JobQueue>, recent: Arc<Mutex<RecentPasswords>>) -> bool {
    let thread = thread::Builder::new().name("passwords".to_owned()).spawn(move || {
        lower_thread_priority();
        let mut memory = HashMemory::default();
        while let Some(job) = queue.next_job(&mut memory, &recent) {
            if catch_unwind(AssertUnwindSafe(|| (job.work)(&mut memory))).is_err() {
                // The panic hook reports it, and the caller gets an error.
                memory = HashMemory::default();
            }
        }
    });
    if let Err(error) = &thread {
        error!(%error, "cannot start a thread for passwords");
    }
    thread.is_ok()
}

impl JobQueue {
    /// Waits for the next job; `None` at the end of the pool. Frees the memory after a while without a job, and what is
    /// remembered once it no longer counts.
    fn next_job(&self, memory: &mut HashMemory, recent: &Mutex<RecentPasswords>) -> Option<Job> {
        let mut jobs = self.jobs.lock();
        loop {
            if let Some(job) = jobs.queued_jobs.pop_front() {
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            if !memory.is_empty() {
                if self.job_available.wait_for(&mut jobs, PasswordPool::IDLE_TIMEOUT).timed_out() {
                    MutexGuard::unlocked(&mut jobs, || memory.free());
                }
            } else if recent.lock().is_empty() {
                self.job_available.wait(&mut jobs);
            } else if self.job_available.wait_for(&mut jobs, RecentPasswords::SPAN).timed_out() {
                MutexGuard::unlocked(&mut jobs, || recent.lock().remove_expired(Instant::now()));
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

    fn password_text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    fn new(text: &str) -> Password {
        Password::new(text).expect(text)
    }

    /// Takes all turns of a pool, so that requests wait.
    async fn take_all_turns(pool: &PasswordPool) -> Vec<QueueTurn<Requester>> {
        let threads = available_parallelism().map_or(1, usize::from).min(PasswordPool::MAX_THREADS);
        let mut turns = Vec::new();
        for _ in 0..threads {
            turns.push(pool.fair_queue.acquire_turn(HERE).await.expect("a turn"));
        }
        turns
    }

    #[tokio::test]
    async fn missing_hash_costs_the_same_and_never_matches() {
        let pool = PasswordPool::new(CHEAP);
        assert!(PasswordHash::parse(pool.dummy_hash.as_str()).is_some());
        let params = |hash: &PasswordHash| Params::try_from(&Phc::new(hash.as_str()).expect("parses"));
        let hash = pool.hash(HERE, new("secret12")).await.expect("hashes");
        assert_eq!(params(&pool.dummy_hash), params(&hash), "as much work for both");
        assert_eq!(pool.verify(HERE, Some(hash), password_text("secret12")).await, Ok(Verdict::Right(None)));
        assert_eq!(pool.verify(HERE, None, password_text("secret12")).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn frequent_logins_skip_hashing() {
        let pool = PasswordPool::new(CHEAP);
        let hash = pool.hash(HERE, new("secret12")).await.expect("hashes");
        let right = Ok(Verdict::Right(None));
        for _ in 0..=RecentPasswords::HASHED_CHECKS {
            assert_eq!(pool.verify(HERE, Some(hash.clone()), password_text("secret12")).await, right);
        }
        let tag = pool.recent_passwords.lock().tag_password(&hash, "secret12");
        assert!(pool.recent_passwords.lock().is_remembered(&hash, &tag, Instant::now()));
        assert_eq!(pool.verify(ELSEWHERE, Some(hash.clone()), password_text("secret12")).await, right);
        assert_eq!(pool.verify(HERE, Some(hash), password_text("secret13")).await, Ok(Verdict::Wrong));
        assert_eq!(pool.verify(HERE, None, password_text("secret12")).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn waiting_requests_are_limited_per_requester() {
        let pool = PasswordPool::new(CHEAP);
        let held = take_all_turns(&pool).await;
        let mut cx = Context::from_waker(Waker::noop());
        let mut waiting: Vec<_> = (0..PasswordPool::MAX_WAITING)
            .map(|_| Box::pin(pool.verify(HERE, None, password_text("x"))))
            .collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(pool.verify(HERE, None, password_text("x")).await, Err(PasswordError::Busy));
        let mut other = Box::pin(pool.verify(ELSEWHERE, None, password_text("x")));
        assert!(other.as_mut().poll(&mut cx).is_pending(), "others find room");
        drop(held);
        drop(waiting);
        assert_eq!(other.await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn password_guesser_does_not_delay_others() {
        let pool = PasswordPool::new(CHEAP);
        let held = take_all_turns(&pool).await;
        let mut cx = Context::from_waker(Waker::noop());
        let mut guesses: Vec<_> =
            (0..200).map(|_| Box::pin(pool.verify(HERE, None, password_text("x")))).collect();
        let mut other = Box::pin(pool.verify(ELSEWHERE, None, password_text("x")));
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
