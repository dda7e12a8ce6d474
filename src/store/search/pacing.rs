//! The times at which the index is brought up to date: after the commits of a burst, and while they go on in large portions, so that it
//! takes no time from people. Searches do without it (`super::query`), so it may be late.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// The delays of the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pacing {
    /// Time without a commit after which the server counts as quiet.
    pub quiet: Duration,
    /// Time that a message waits for that. Together with the time to index what has come meanwhile it stays below ten
    /// seconds.
    pub max_wait: Duration,
}

impl Pacing {
    /// The delays of a server.
    pub const SERVER: Self = Self { quiet: Duration::from_millis(250), max_wait: Duration::from_secs(5) };
}

/// The next step of the thread that writes the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait so long, and look again.
    Wait(Duration),
    Begin,
}

impl Pacing {
    /// Decides how to go on with messages the first of which has waited for `waited`. `is_busy` is set if there were commits
    /// since it was decided last.
    pub fn next_step(&self, waited: Duration, is_busy: bool) -> Step {
        let left = self.max_wait.saturating_sub(waited);
        if !is_busy || left.is_zero() { Step::Begin } else { Step::Wait(self.quiet.min(left)) }
    }

    /// Returns the pause after a transaction that took `took`: under load the index takes a fifth of a core, otherwise, and
    /// if messages have waited for much longer than they should, the half of one.
    pub fn pause_after(&self, took: Duration, is_busy: bool, waited: Duration) -> Duration {
        if is_busy && waited < 2 * self.max_wait { 4 * took } else { took }
    }
}

/// Counts the commits, for a thread that waits for them and is woken by the first one alone.
#[derive(Debug, Default)]
pub(super) struct CommitSignal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    commits: u64,
    /// The thread waits for a commit, not for a time.
    is_idle: bool,
    is_ended: bool,
}

impl CommitSignal {
    /// Counts a commit. Never waits.
    pub fn count_commit(&self) {
        let mut state = self.state.lock();
        state.commits += 1;
        if state.is_idle {
            self.changed.notify_all();
        }
    }

    /// Ends all waiting.
    pub fn end(&self) {
        self.state.lock().is_ended = true;
        self.changed.notify_all();
    }

    pub fn is_ended(&self) -> bool {
        self.state.lock().is_ended
    }

    /// Returns the count of commits.
    pub fn commits(&self) -> u64 {
        self.state.lock().commits
    }

    /// Waits until there were more than `known` commits, at most until `deadline`. Returns true if there were.
    pub fn wait_for_commit(&self, known: u64, deadline: Option<Instant>) -> bool {
        let mut state = self.state.lock();
        state.is_idle = true;
        while state.commits == known && !state.is_ended {
            match deadline {
                None => self.changed.wait(&mut state),
                Some(deadline) => {
                    if self.changed.wait_until(&mut state, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        state.is_idle = false;
        state.commits != known
    }

    /// Waits for a time, whatever is committed, or until the end.
    pub fn sleep(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut state = self.state.lock();
        while !state.is_ended && !self.changed.wait_until(&mut state, deadline).timed_out() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_server_is_indexed_at_once_and_busy_one_within_limit() {
        let pacing = Pacing::SERVER;
        assert_eq!(pacing.next_step(Duration::ZERO, false), Step::Begin);
        let mut waited = Duration::ZERO;
        let mut looks = 0;
        while let Step::Wait(time) = pacing.next_step(waited, true) {
            assert!(!time.is_zero());
            waited += time;
            looks += 1;
        }
        assert_eq!((waited, looks), (pacing.max_wait, 20));
    }

    #[test]
    fn pause_grows_under_load_until_index_falls_behind() {
        let (pacing, took) = (Pacing::SERVER, Duration::from_millis(100));
        assert_eq!(pacing.pause_after(took, false, Duration::ZERO), took);
        assert_eq!(pacing.pause_after(took, true, Duration::ZERO), 4 * took);
        assert_eq!(pacing.pause_after(took, true, 2 * pacing.max_wait), took);
    }

    #[test]
    fn signal_wakes_idle_thread_and_ends_sleep() {
        let signal = CommitSignal::default();
        assert!(!signal.wait_for_commit(0, Some(Instant::now())), "no commit");
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| signal.wait_for_commit(0, None));
            signal.count_commit();
            assert!(waits.join().expect("joined"));
            assert_eq!(signal.commits(), 1);
            let sleeps = scope.spawn(|| signal.sleep(Duration::from_hours(1)));
            signal.end();
            sleeps.join().expect("joined");
        });
        assert!(signal.is_ended() && !signal.wait_for_commit(1, None));
    }
}
