//! The server's time: the machine's clock, unless that jumped (docs/time.md).
//!
//! A clock that is wrong for a minute must neither remove the history nor put wrong time stamps on messages for good.
//! So the time of day is compared with the monotonic clock and, at the start, with the time of the last commit; `guard`
//! holds the policy.

mod guard;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tracing::{info, warn};

use guard::{ClockChange, ClockGuard};
pub use guard::{ClockSample, SELF_SETTLING_JUMP_MS, ServerTime, TRUSTED_JUMP_MS};

use crate::platform::clock;
use crate::store::values::time;
use crate::store::{Store, StoreError};
use crate::wire::Timestamp;

/// Interval at which the time is stored and checked, whatever else happens.
const STORE_INTERVAL: Duration = Duration::from_mins(10);

/// Count of intervals after which an unsettled difference is logged again.
const REMINDER_ROUNDS: u32 = 6;

/// Says what to do about a clock that is not believed.
fn remedy() -> String {
    format!(
        "if the machine's clock is right, run `parlour clock accept`; if not, set it ({})",
        clock::SET_CLOCK
    )
}

/// The guarded clock of one server.
pub struct Clock {
    guard: Mutex<ClockGuard>,
    read_clocks: Box<dyn Fn() -> ClockSample + Send + Sync>,
}

/// The two times of an input of the core.
#[derive(Clone, Copy, Debug)]
pub struct InputTimes {
    /// Time for everything that is sent and shown.
    pub at: Timestamp,
    /// Monotonic clock for deadlines.
    pub monotonic: Timestamp,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl Clock {
    /// Starts the clock of a server that continues a store.
    pub async fn start(store: &Store) -> Result<Self, StoreError> {
        Self::start_with_clocks(store, read_machine_clocks).await
    }

    /// Starts the clock as [`start`](Self::start) does, with `read_clocks` instead of the machine's.
    pub async fn start_with_clocks(
        store: &Store,
        read_clocks: impl Fn() -> ClockSample + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let last = store.read(|conn| Ok::<_, StoreError>(time::last_commit(conn)?)).await?;
        let guard = Mutex::new(ClockGuard::new(last, read_clocks().monotonic));
        let clock = Self { guard, read_clocks: Box::new(read_clocks) };
        // A problem with the clock is logged before anything else happens.
        clock.read_time();
        Ok(clock)
    }

    /// Returns the time for everything that is sent and shown.
    pub fn now(&self) -> Timestamp {
        self.read_time().now
    }

    /// Returns the time for everything that is sent and shown, and the [monotonic](Self::monotonic_time) clock at the
    /// same moment.
    pub fn times(&self) -> InputTimes {
        let clocks = (self.read_clocks)();
        InputTimes { at: self.settle(clocks).now, monotonic: in_milliseconds(clocks.monotonic) }
    }

    /// Returns the time that is stored and that a later start is compared with.
    pub fn settled_time(&self) -> Timestamp {
        self.read_time().settled
    }

    /// Returns the time for permanent removal.
    pub fn removal_time(&self) -> Timestamp {
        self.read_time().removal
    }

    /// Returns the monotonic clock for deadlines, in milliseconds. It has no jumps, and runs while the machine sleeps.
    pub fn monotonic_time(&self) -> Timestamp {
        in_milliseconds((self.read_clocks)().monotonic)
    }

    /// Accepts the machine's clock as it is. Returns the time that it shows.
    pub fn accept(&self) -> Timestamp {
        let now = self.guard.lock().accept((self.read_clocks)()).now;
        info!(time = %now, "the clock was accepted");
        now
    }

    fn read_time(&self) -> ServerTime {
        self.settle((self.read_clocks)())
    }

    fn settle(&self, clocks: ClockSample) -> ServerTime {
        let (reading, change) = self.guard.lock().read(clocks);
        if let Some(change) = change {
            log_change(change, clocks, reading);
        }
        reading
    }

    /// Records the settled time periodically, by `note`, and repeats the warning about an unsettled difference. Never
    /// returns.
    pub async fn run<F, Fut, E>(&self, note: F)
    where
        F: Fn(Timestamp) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: fmt::Display,
    {
        for round in 0_u32.. {
            if let Err(error) = note(self.settled_time()).await {
                warn!(%error, "cannot note the time");
            }
            let unsettled_ms = self.guard.lock().unsettled_ms();
            if let Some(ahead) = unsettled_ms.filter(|_| round > 0 && round.is_multiple_of(REMINDER_ROUNDS)) {
                warn!(
                    "the clock is still {} {}; {}",
                    format_difference(ahead),
                    describe_direction(ahead),
                    remedy()
                );
            }
            tokio::time::sleep(STORE_INTERVAL).await;
        }
    }
}

/// Returns the machine's clock, for commands that run without a server.
pub fn now() -> Timestamp {
    read_machine_clocks().wall
}

fn read_machine_clocks() -> ClockSample {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ClockSample {
        wall: Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        monotonic: clock::monotonic(),
    }
}

fn in_milliseconds(time: Duration) -> Timestamp {
    Timestamp(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn log_change(change: ClockChange, clocks: ClockSample, reading: ServerTime) {
    let (clock, now, remedy) = (clocks.wall, reading.now, remedy());
    match change {
        ClockChange::Followed(ahead) => {
            info!(
                "the clock is {} {}, and is followed; it says {clock}",
                format_difference(ahead),
                describe_direction(ahead)
            );
        }
        ClockChange::Unsettled(ahead, true) => warn!(
            "the clock says {clock}, {} {}: nothing that is old by it is removed for a day, or until it is accepted; {remedy}",
            format_difference(ahead),
            describe_direction(ahead)
        ),
        ClockChange::Unsettled(ahead, false) => warn!(
            "the clock says {clock}, {} {}: nothing that is old by it is removed; {remedy}",
            format_difference(ahead),
            describe_direction(ahead)
        ),
        ClockChange::Rejected(ahead) => warn!(
            "the clock says {clock}, {} {}: it is not believed, and the server goes by {now}; {remedy}",
            format_difference(ahead),
            describe_direction(ahead)
        ),
        ClockChange::Settled => info!("the clock is trusted again; it says {clock}"),
    }
}

fn format_difference(ahead: i64) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(ahead.unsigned_abs() / 1000))
}

fn describe_direction(ahead: i64) -> &'static str {
    if ahead > 0 {
        "later than the last time that is known"
    } else {
        "earlier than the last time that is known"
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::record::{AccountId, Conversation, MessageKind, Record, StoredMessage};
    use crate::core::request::admin::{Change, ChangeRequest, RequestOutcome};
    use crate::core::request::maintenance::Maintenance;
    use crate::server::admin;
    use crate::server::config::History;
    use crate::server::maintenance::retention;
    use crate::wire::MessageId;

    const DAY: u64 = 24 * 60 * 60 * 1000;
    const YEAR: u64 = 365 * DAY;
    const LAST: u64 = 1_800_000_000_000;

    /// Makes a store with a message of each of the last fifty days.
    async fn store_with_messages() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let said = |days: u64| {
            let id = MessageId::first_at(Timestamp(LAST - days * DAY));
            let (from, conversation) = (AccountId(0), Conversation::direct(AccountId(0), AccountId(0)));
            let (kind, text, tags) = (MessageKind::Privmsg, "x".into(), "".into());
            Record::Message(StoredMessage { id, conversation, from, kind, text, tags, send_id: None })
        };
        let records: Vec<Record> = (0..50).rev().map(said).collect();
        let (done, result) = tokio::sync::oneshot::channel();
        store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
        result.await.expect("answered").expect("kept");
        (folder, store)
    }

    async fn start_clock(store: &Store, wall: &Arc<Mutex<(u64, u64)>>) -> Clock {
        let wall = wall.clone();
        let clocks = move || {
            let (wall, steady) = *wall.lock();
            ClockSample { wall: Timestamp(wall), monotonic: Duration::from_millis(steady) }
        };
        Clock::start_with_clocks(store, clocks).await.expect("starts")
    }

    async fn prune_count(store: &Store, clock: &Clock) -> u64 {
        let policy: History = toml::from_str("keep_days = 30").expect("a policy");
        let carry_out = |maintenance| admin::tests::carried_out(store, maintenance, clock.now());
        retention::prune(store, &policy, clock.removal_time(), carry_out).await.expect("prunes")
    }

    async fn noted(store: &Store, clock: &Clock) {
        let note = Maintenance::NoteTime(clock.settled_time());
        admin::tests::carried_out(store, note, clock.now()).await.expect("noted");
    }

    async fn accepted(store: &Store, clock: &Clock) -> RequestOutcome {
        let now = clock.accept();
        admin::carry_out(store, ChangeRequest::Admin(Change::ClockAccept), now).await.expect("accepted")
    }

    #[tokio::test]
    async fn start_ten_years_ahead_removes_and_stamps_nothing() {
        let (_folder, store) = store_with_messages().await;
        let wall = Arc::new(Mutex::new((LAST + 10 * YEAR, 0)));
        let clock = start_clock(&store, &wall).await;
        assert_eq!(clock.now(), Timestamp(LAST));
        assert_eq!(prune_count(&store, &clock).await, 19, "what was due anyway");
        // Any number of restarts, and any running time.
        for _ in 0..3 {
            let clock = start_clock(&store, &wall).await;
            *wall.lock() = (LAST + 10 * YEAR + DAY, DAY);
            noted(&store, &clock).await;
            assert!(clock.now() <= Timestamp(LAST + 3 * DAY));
            *wall.lock() = (LAST + 10 * YEAR, 0);
        }
        assert!(prune_count(&store, &clock).await <= 3);
        // The clock is set right, and no trace is left.
        *wall.lock() = (LAST + 4 * DAY, 0);
        let clock = start_clock(&store, &wall).await;
        assert_eq!(
            (clock.now(), clock.settled_time()),
            (Timestamp(LAST + 4 * DAY), Timestamp(LAST + 4 * DAY))
        );
    }

    /// An admin accepts a clock that is wrong; then the clock is right again.
    #[tokio::test]
    async fn corrected_clock_removes_nothing_by_old_time() {
        let (_folder, store) = store_with_messages().await;
        let wall = Arc::new(Mutex::new((LAST + 10 * YEAR, 0)));
        accepted(&store, &start_clock(&store, &wall).await).await;
        *wall.lock() = (LAST + 4 * DAY, 0);
        let clock = start_clock(&store, &wall).await;
        assert_eq!(clock.now(), Timestamp(LAST + 10 * YEAR), "it is not believed");
        assert_eq!(prune_count(&store, &clock).await, 23, "what is due by the earlier of the two");
        noted(&store, &clock).await;
        let clock = start_clock(&store, &wall).await;
        assert_eq!(clock.now(), Timestamp(LAST + 10 * YEAR));
        accepted(&store, &clock).await;
        assert_eq!((clock.now(), prune_count(&store, &clock).await), (Timestamp(LAST + 4 * DAY), 0));
    }

    #[tokio::test]
    async fn accepted_clock_survives_restart() {
        let (_folder, store) = store_with_messages().await;
        let wall = Arc::new(Mutex::new((LAST + 10 * YEAR, 0)));
        let clock = start_clock(&store, &wall).await;
        assert_eq!(
            accepted(&store, &clock).await,
            RequestOutcome::ClockAccepted(Timestamp(LAST + 10 * YEAR))
        );
        assert_eq!(prune_count(&store, &clock).await, 50);
        let clock = start_clock(&store, &wall).await;
        assert_eq!(clock.settled_time(), Timestamp(LAST + 10 * YEAR));
        // Back by decades, after a clock that was wrong before the guard existed.
        *wall.lock() = (LAST - 20 * YEAR, 0);
        let clock = start_clock(&store, &wall).await;
        assert_eq!(clock.now(), Timestamp(LAST + 10 * YEAR));
        accepted(&store, &clock).await;
        let clock = start_clock(&store, &wall).await;
        assert_eq!(clock.now(), Timestamp(LAST - 20 * YEAR));
    }

    #[tokio::test]
    async fn jump_of_weeks_removes_nothing_on_first_day() {
        let (_folder, store) = store_with_messages().await;
        let wall = Arc::new(Mutex::new((LAST + 21 * DAY, 0)));
        let clock = start_clock(&store, &wall).await;
        assert_eq!(clock.now(), Timestamp(LAST + 21 * DAY));
        assert_eq!(prune_count(&store, &clock).await, 19);
        noted(&store, &clock).await;
        *wall.lock() = (LAST + 21 * DAY + DAY / 2, DAY / 2);
        clock.now();
        assert_eq!(prune_count(&store, &clock).await, 1);
        *wall.lock() = (LAST + 22 * DAY, DAY);
        assert_eq!(prune_count(&store, &clock).await, 21);
    }
}
