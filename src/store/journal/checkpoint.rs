//! Checkpoints: the write-ahead log is copied into the database, concurrently with the writer.
//!
//! A thread of its own copies most of it while commits go on. Only the rest, a few pages, is copied on the writer's
//! thread, between two commits. The log is emptied only when no reader prevents it, so no commit waits for a reader.
//! Redacted or removed text is in the log until that is emptied: that is pending work in the database
//! (`counters.erase`), retried until it is done, also after a restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::wake::{CHECKPOINT_PAGES, Wake};
use super::writer::{MaintenanceQueue, transaction};
use crate::store::database::{generation, schema};
use crate::store::values::counters::read_counter;
use crate::store::{StoreError, StoreStatus, checksums};

/// Length of the log, in pages, from which on it is copied completely, even if many pages are left to the writer's
/// thread.
const LONG_LOG_PAGES: u64 = 4 * CHECKPOINT_PAGES;

/// Maximum count of pages left to the writer's thread: a millisecond, and two syncs.
const MAX_REST_PAGES: i64 = 256;

/// Maximum count of concurrent rounds before the rest is copied.
const MAX_ROUNDS: u32 = 8;

/// Minimum time between two times that the log is emptied.
const ERASE_INTERVAL: Duration = Duration::from_secs(1);

/// Delay after an attempt that a reader prevented, or that failed. Doubles each time, up to [`MAX_RETRY_DELAY`].
const RETRY_DELAY: Duration = Duration::from_millis(500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);

/// Size of the log that causes a warning, in bytes: another program reads the database and does not stop.
const LARGE_LOG_BYTES: u64 = 256 << 20;

/// Count of the latest messages that are checked when a database is opened, which takes a few milliseconds.
const CHECKED_MESSAGES: i64 = 1000;

/// Minimum time between two such warnings.
const WARN_INTERVAL: Duration = Duration::from_mins(1);

/// The checkpoint thread. Dropping it ends the thread.
pub(in crate::store) struct Checkpointer {
    wake: Wake,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Cancelled when the thread ends, in whatever way.
    ended: CancellationToken,
}

impl Checkpointer {
    pub fn start(
        path: &Path,
        jobs: MaintenanceQueue,
        wake: Wake,
        woken: Receiver<()>,
        status: Arc<StoreStatus>,
    ) -> Result<Self, StoreError> {
        let stop = Arc::new(AtomicBool::new(false));
        let conn = schema::open_file(path)?;
        schema::require_setting(&conn, "synchronous", "FULL", "2")?;
        schema::require_setting(&conn, "wal_autocheckpoint", "0", "0")?;
        let work = CheckpointWorker {
            conn,
            path: path.into(),
            jobs,
            stop: stop.clone(),
            status,
            not_before: Instant::now(),
            delay: RETRY_DELAY,
            last_warning: None,
        };
        let ended = CancellationToken::new();
        let ending = ended.clone().drop_guard();
        let thread = std::thread::Builder::new()
            .name("checkpoint".into())
            .spawn(move || {
                let _ending = ending;
                work.run(&woken);
            })
            .map_err(StoreError::file("the thread that copies the log"))?;
        // Removed text of the last run may still be in the log.
        wake.wake();
        Ok(Self { wake, stop, thread: Some(thread), ended })
    }

    /// Returns the token that is cancelled when the thread has ended.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.wake.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("the thread that copies the log of the database had panicked");
        }
    }
}

/// Result of a checkpoint (<https://www.sqlite.org/pragma.html#pragma_wal_checkpoint>).
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// True if a reader or writer prevented it, which SQLite does not report as an error.
    busy: bool,
    /// Count of pages that are only in the log.
    pages_left: i64,
}

impl Outcome {
    fn is_complete(self) -> bool {
        !self.busy && self.pages_left <= 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Passive,
    Truncate,
}

fn checkpoint(conn: &Connection, mode: Mode) -> rusqlite::Result<Outcome> {
    let sql = match mode {
        Mode::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        Mode::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    conn.query_row(sql, [], |row| {
        let (busy, log, copied): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Outcome { busy: busy != 0, pages_left: log - copied })
    })
}

/// Copies and empties the log of a connection's database. Returns true if that was done, which readers can prevent.
pub(in crate::store) fn empty_log(conn: &Connection) -> Result<bool, StoreError> {
    Ok(checkpoint(conn, Mode::Truncate)?.is_complete())
}

/// Copies and empties the log of a database that was just opened, as far as no reader prevents it, and checks its
/// latest messages.
pub(in crate::store) fn checkpoint_at_start(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    transaction(conn, |tx| Ok::<_, StoreError>(checksums::rows::fill_row_checksums(tx)?))?;
    checksums::rows::warn_of_damaged_rows(conn)?;
    match checksums::find_damaged_messages(conn, CHECKED_MESSAGES) {
        Ok(bad) if bad.is_empty() => {}
        Ok(bad) => {
            let latest = bad.first().map(|id| id.time().to_string()).unwrap_or_default();
            warn!(
                messages = bad.len(),
                latest,
                "the database is damaged: some of the latest messages cannot be read; run `parlour doctor`"
            );
        }
        Err(error) => {
            warn!(%error, "the database is damaged: its latest messages cannot be read; run `parlour doctor`");
        }
    }
    transaction(conn, |tx| Ok::<_, StoreError>(generation::mark_checkpoint_begun(tx)?))?;
    let outcome = checkpoint(conn, Mode::Truncate)?;
    record_outcome(conn, path, outcome.is_complete()).map(drop)
}

/// Notes the result of a checkpoint. Returns true if it copied everything.
fn record_outcome(conn: &Connection, path: &Path, emptied: bool) -> Result<bool, StoreError> {
    let arrived = generation::is_in_main_file(conn, path);
    if arrived || emptied {
        transaction(conn, |tx| {
            if arrived {
                generation::mark_checkpoint_complete(tx)?;
            }
            if emptied {
                tx.prepare_cached("UPDATE counters SET value = 0 WHERE name = 'erase'")?.execute([])?;
            }
            Ok::<_, StoreError>(())
        })?;
    }
    Ok(arrived)
}

struct CheckpointWorker {
    conn: Connection,
    path: PathBuf,
    jobs: MaintenanceQueue,
    stop: Arc<AtomicBool>,
    status: Arc<StoreStatus>,
    not_before: Instant,
    delay: Duration,
    last_warning: Option<Instant>,
}

impl CheckpointWorker {
    fn run(mut self, woken: &Receiver<()>) {
        let mut wait = None;
        loop {
            let ended = match wait {
                None => woken.recv().is_err(),
                Some(wait) => woken.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected),
            };
            if ended || self.stop.load(Ordering::Acquire) {
                return;
            }
            wait = self.run_once();
        }
    }

    /// Copies the log and erases where needed. Returns the time until the next turn.
    fn run_once(&mut self) -> Option<Duration> {
        let rest = self.not_before.saturating_duration_since(Instant::now());
        if !rest.is_zero() {
            return Some(rest);
        }
        self.status.take_long_log_signal();
        let erase = self.status.erasing.borrow().log > 0;
        if !erase && self.status.log_bytes() < CHECKPOINT_PAGES * schema::PAGE_BYTES {
            return None;
        }
        match self.checkpoint(erase) {
            Ok(true) => {
                if self.last_warning.take().is_some() {
                    info!("the write-ahead log of the database is copied and free again");
                }
                debug!(erased = erase, "the write-ahead log was copied");
                self.delay = RETRY_DELAY;
                self.not_before = Instant::now() + ERASE_INTERVAL;
                // A later removal has woken the thread again.
                return erase.then_some(ERASE_INTERVAL);
            }
            Ok(false) => self.warn(erase, "another program reads the database and has not stopped since"),
            Err(StoreError::Closed) => return None,
            Err(error) => self.warn(erase, &error.to_string()),
        }
        let delay = self.delay;
        self.delay = (2 * delay).min(MAX_RETRY_DELAY);
        self.not_before = Instant::now() + delay;
        Some(delay)
    }

    /// Copies the log, and empties it if `erase` is set. Returns true if that was done.
    fn checkpoint(&self, erase: bool) -> Result<bool, StoreError> {
        self.jobs.run(|conn| {
            transaction(conn, |tx| Ok::<_, StoreError>(generation::mark_checkpoint_begun(tx)?))
        })?;
        let mut outcome = checkpoint(&self.conn, Mode::Passive)?;
        for _ in 0..MAX_ROUNDS {
            if outcome.pages_left <= MAX_REST_PAGES {
                break;
            }
            let before = outcome.pages_left;
            outcome = checkpoint(&self.conn, Mode::Passive)?;
            if outcome.pages_left >= before || self.stop.load(Ordering::Acquire) {
                break;
            }
        }
        let path = self.path.clone();
        // A busy writer may never leave so little; then it copies the pages since the last round.
        let small = outcome.pages_left <= MAX_REST_PAGES
            || self.status.log_bytes() >= LONG_LOG_PAGES * schema::PAGE_BYTES;
        let status = self.status.clone();
        self.jobs.run(move |conn| {
            let mut emptied = false;
            if small {
                // Does not wait for a reader: fails at once and is retried.
                conn.busy_timeout(Duration::ZERO)?;
                let done = checkpoint(conn, if erase { Mode::Truncate } else { Mode::Passive });
                conn.busy_timeout(schema::BUSY_TIMEOUT)?;
                emptied = erase && done?.is_complete();
            }
            let arrived = record_outcome(conn, &path, emptied)?;
            status.set_log_to_erase(read_counter(conn, "erase")?);
            Ok(arrived && (emptied || !erase))
        })
    }

    /// Logs the obstacle, once a minute, where it matters: if removed text is not erased yet, or the log grows.
    fn warn(&mut self, erase: bool, why: &str) {
        let (bytes, first) = (self.status.log_bytes(), self.delay == RETRY_DELAY);
        let matters = bytes >= LARGE_LOG_BYTES || (erase && !first);
        if !matters || self.last_warning.is_some_and(|at| at.elapsed() < WARN_INTERVAL) {
            return;
        }
        self.last_warning = Some(Instant::now());
        let mib = bytes >> 20;
        if erase {
            warn!(
                why,
                log_mib = mib,
                "what was redacted or removed is still in the log of the database; it is tried again"
            );
        } else {
            warn!(
                why,
                log_mib = mib,
                "the log of the database grows and cannot be copied; it is tried again"
            );
        }
    }
}
