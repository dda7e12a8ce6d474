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

use guard::{Change, Guard};
pub use guard::{Clocks, Reading, TRUSTED, USUAL};

use crate::store::{Store, StoreError, time};
use crate::wire::Millis;

/// Interval at which the time is stored and checked, whatever else happens.
const EVERY: Duration = Duration::from_mins(10);

/// Count of intervals after which an unsettled difference is logged again.
const REMIND: u32 = 6;

const REMEDY: &str = "if the machine's clock is right, run `parlour clock accept`; if not, set it (`timedatectl set-ntp true`)";

/// The guarded clock of one server.
pub struct Clock {
    guard: Mutex<Guard>,
    clocks: Box<dyn Fn() -> Clocks + Send + Sync>,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl Clock {
    /// Starts the clock of a server that continues a store.
    pub async fn start(store: &Store) -> Result<Self, StoreError> {
        Self::start_with(store, machine).await
    }

    /// Starts the clock as [`start`](Self::start) does, with `clocks` instead of the machine's.
    pub async fn start_with(
        store: &Store,
        clocks: impl Fn() -> Clocks + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let last = store.read(|conn| Ok::<_, StoreError>(time::last_commit(conn)?)).await?;
        let guard = Mutex::new(Guard::new(last, clocks().steady));
        let clock = Self { guard, clocks: Box::new(clocks) };
        // A problem with the clock is logged before anything else happens.
        clock.read();
        Ok(clock)
    }

    /// Makes a clock without a store to compare with.
    #[cfg(test)]
    pub fn unguarded() -> Self {
        Self { guard: Mutex::new(Guard::new(None, machine().steady)), clocks: Box::new(machine) }
    }

    /// Returns the time for everything that is sent and shown.
    pub fn now(&self) -> Millis {
        self.read().now
    }

    /// Returns the time that is stored and that a later start is compared with.
    pub fn settled(&self) -> Millis {
        self.read().settled
    }

    /// Returns the time for permanent removal.
    pub fn removal(&self) -> Millis {
        self.read().removal
    }

    /// Returns the monotonic clock for deadlines, in milliseconds. It has no jumps, and runs while the machine sleeps.
    pub fn steady(&self) -> Millis {
        Millis(u64::try_from((self.clocks)().steady.as_millis()).unwrap_or(u64::MAX))
    }

    /// Accepts the machine's clock as it is, and stores that for the next start.
    pub async fn accept(&self, store: &Store) -> Result<Millis, StoreError> {
        let now = self.guard.lock().accept((self.clocks)()).now;
        store.write(move |tx| Ok::<_, StoreError>(time::note(tx, now)?)).await?;
        info!(time = %now, "the clock was accepted");
        Ok(now)
    }

    fn read(&self) -> Reading {
        let clocks = (self.clocks)();
        let (reading, change) = self.guard.lock().read(clocks);
        if let Some(change) = change {
            tell(change, clocks, reading);
        }
        reading
    }

    /// Stores the settled time.
    pub async fn note(&self, store: &Store) {
        let settled = self.settled();
        let noted = store.write(move |tx| Ok::<_, StoreError>(time::note(tx, settled)?));
        if let Err(error) = noted.await {
            warn!(%error, "cannot note the time");
        }
    }

    /// Stores the settled time periodically and repeats the warning about an unsettled difference. Never returns.
    pub async fn keep(&self, store: &Store) {
        for round in 0_u32.. {
            self.note(store).await;
            let doubt = self.guard.lock().doubt();
            if let Some(ahead) = doubt.filter(|_| round > 0 && round.is_multiple_of(REMIND)) {
                warn!("the clock is still {} {}; {REMEDY}", span(ahead), side(ahead));
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// Returns the machine's clock, for commands that run without a server.
pub fn now() -> Millis {
    machine().wall
}

fn machine() -> Clocks {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Clocks { wall: Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)), steady: steady() }
}

/// Reads Linux's boot-time clock, which runs while the machine sleeps, so that waking up is no jump.
#[cfg(target_os = "linux")]
fn steady() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn steady() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

fn tell(change: Change, clocks: Clocks, reading: Reading) {
    let (clock, now) = (clocks.wall, reading.now);
    match change {
        Change::Followed(ahead) => {
            info!("the clock is {} {}, and is followed; it says {clock}", span(ahead), side(ahead));
        }
        Change::Unsettled(ahead, true) => warn!(
            "the clock says {clock}, {} {}: nothing that is old by it is removed for a day, or until it is accepted; {REMEDY}",
            span(ahead),
            side(ahead)
        ),
        Change::Unsettled(ahead, false) => warn!(
            "the clock says {clock}, {} {}: nothing that is old by it is removed; {REMEDY}",
            span(ahead),
            side(ahead)
        ),
        Change::Held(ahead) => warn!(
            "the clock says {clock}, {} {}: it is not believed, and the server goes by {now}; {REMEDY}",
            span(ahead),
            side(ahead)
        ),
        Change::Settled => info!("the clock is trusted again; it says {clock}"),
    }
}

fn span(ahead: i64) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(ahead.unsigned_abs() / 1000))
}

fn side(ahead: i64) -> &'static str {
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
    use crate::core::record::{AccountId, MessageKind, Place, Record, StoredMessage};
    use crate::server::config::History;
    use crate::server::upkeep::retention;
    use crate::wire::MessageId;

    const DAY: u64 = 24 * 60 * 60 * 1000;
    const YEAR: u64 = 365 * DAY;
    const LAST: u64 = 1_800_000_000_000;

    /// Makes a store with a message of each of the last fifty days.
    async fn filled() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let said = |days: u64| {
            let id = MessageId::first_at(Millis(LAST - days * DAY));
            let (from, place) = (AccountId(0), Place::direct(AccountId(0), AccountId(0)));
            let (kind, text, tags) = (MessageKind::Privmsg, "x".into(), "".into());
            Record::Message(StoredMessage { id, place, from, kind, text, tags, send_id: None })
        };
        let records: Vec<Record> = (0..50).rev().map(said).collect();
        let (done, result) = tokio::sync::oneshot::channel();
        store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
        result.await.expect("answered").expect("kept");
        (folder, store)
    }

    async fn started(store: &Store, wall: &Arc<Mutex<(u64, u64)>>) -> Clock {
        let wall = wall.clone();
        let clocks = move || {
            let (wall, steady) = *wall.lock();
            Clocks { wall: Millis(wall), steady: Duration::from_millis(steady) }
        };
        Clock::start_with(store, clocks).await.expect("starts")
    }

    async fn pruned(store: &Store, clock: &Clock) -> u64 {
        let policy: History = toml::from_str("keep_days = 30").expect("a policy");
        retention::prune(store, &policy, clock.removal()).await.expect("prunes")
    }

    #[tokio::test]
    async fn start_ten_years_ahead_removes_and_stamps_nothing() {
        let (_folder, store) = filled().await;
        let wall = Arc::new(Mutex::new((LAST + 10 * YEAR, 0)));
        let clock = started(&store, &wall).await;
        assert_eq!(clock.now(), Millis(LAST));
        assert_eq!(pruned(&store, &clock).await, 19, "what was due anyway");
        // Any number of restarts, and any running time.
        for _ in 0..3 {
            let clock = started(&store, &wall).await;
            *wall.lock() = (LAST + 10 * YEAR + DAY, DAY);
            clock.note(&store).await;
            assert!(clock.now() <= Millis(LAST + 3 * DAY));
            *wall.lock() = (LAST + 10 * YEAR, 0);
        }
        assert!(pruned(&store, &clock).await <= 3);
        // The clock is set right, and no trace is left.
        *wall.lock() = (LAST + 4 * DAY, 0);
        let clock = started(&store, &wall).await;
        assert_eq!((clock.now(), clock.settled()), (Millis(LAST + 4 * DAY), Millis(LAST + 4 * DAY)));
    }

    /// An admin accepts a clock that is wrong; then the clock is right again.
    #[tokio::test]
    async fn corrected_clock_removes_nothing_by_old_time() {
        let (_folder, store) = filled().await;
        let wall = Arc::new(Mutex::new((LAST + 10 * YEAR, 0)));
        started(&store, &wall).await.accept(&store).await.expect("accepted");
        *wall.lock() = (LAST + 4 * DAY, 0);
        let clock = started(&store, &wall).await;
        assert_eq!(clock.now(), Millis(LAST + 10 * YEAR), "it is not believed");
        assert_eq!(pruned(&store, &clock).await, 23, "what is due by the earlier of the two");
        clock.note(&store).await;
        let clock = started(&store, &wall).await;
        assert_eq!(clock.now(), Millis(LAST + 10 * YEAR));
        clock.accept(&store).await.expect("accepted");
        assert_eq!((clock.now(), pruned(&store, &clock).await), (Millis(LAST + 4 * DAY), 0));
    }

    #[tokio::test]
    async fn accepted_clock_survives_restart() {
        let (_folder, store) = filled().await;
        let wall = Arc::new(Mutex::new((LAST + 10 * YEAR, 0)));
        let clock = started(&store, &wall).await;
        assert_eq!(clock.accept(&store).await.expect("accepted"), Millis(LAST + 10 * YEAR));
        assert_eq!(pruned(&store, &clock).await, 50);
        let clock = started(&store, &wall).await;
        assert_eq!(clock.settled(), Millis(LAST + 10 * YEAR));
        // Back by decades, after a clock that was wrong before the guard existed.
        *wall.lock() = (LAST - 20 * YEAR, 0);
        let clock = started(&store, &wall).await;
        assert_eq!(clock.now(), Millis(LAST + 10 * YEAR));
        clock.accept(&store).await.expect("accepted");
        let clock = started(&store, &wall).await;
        assert_eq!(clock.now(), Millis(LAST - 20 * YEAR));
    }

    #[tokio::test]
    async fn jump_of_weeks_removes_nothing_on_first_day() {
        let (_folder, store) = filled().await;
        let wall = Arc::new(Mutex::new((LAST + 21 * DAY, 0)));
        let clock = started(&store, &wall).await;
        assert_eq!(clock.now(), Millis(LAST + 21 * DAY));
        assert_eq!(pruned(&store, &clock).await, 19);
        clock.note(&store).await;
        *wall.lock() = (LAST + 21 * DAY + DAY / 2, DAY / 2);
        clock.now();
        assert_eq!(pruned(&store, &clock).await, 1);
        *wall.lock() = (LAST + 22 * DAY, DAY);
        assert_eq!(pruned(&store, &clock).await, 21);
    }
}
