//! Work on a connection that is interrupted when its result is not awaited any longer, or at a time limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Instructions of SQLite's virtual machine between two checks: some ten microseconds.
const OPERATIONS_PER_CHECK: i32 = 1000;

/// Interrupts the work that was started with its [`flag`](Self::flag) when it is dropped.
#[derive(Debug, Default)]
pub(super) struct CancelOnDrop(Arc<AtomicBool>);

/// The receiving end of a [`CancelOnDrop`].
#[derive(Clone, Debug)]
pub(super) struct CancelFlag(Arc<AtomicBool>);

impl CancelOnDrop {
    pub fn flag(&self) -> CancelFlag {
        CancelFlag(self.0.clone())
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl CancelFlag {
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `work`. Its statements fail with `SQLITE_INTERRUPT` once the signal comes or the time limit is over.
pub(super) fn run_interruptible<T>(
    conn: &mut Connection,
    signal: &CancelFlag,
    time_limit: Option<Duration>,
    work: impl FnOnce(&Connection) -> T,
) -> rusqlite::Result<T> {
    let (signal, started) = (signal.clone(), Instant::now());
    let over = move || signal.is_cancelled() || time_limit.is_some_and(|most| started.elapsed() > most);
    conn.progress_handler(OPERATIONS_PER_CHECK, Some(over))?;
    let result = work(conn);
    conn.progress_handler(0, None::<fn() -> bool>)?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

    fn count(conn: &Connection, sql: &str) -> rusqlite::Result<i64> {
        conn.query_row(sql, [], |row| row.get(0))
    }

    #[test]
    fn work_ends_at_time_limit_or_cancellation() {
        let mut conn = Connection::open_in_memory().expect("opens");
        let stop = CancelOnDrop::default();
        let signal = stop.flag();
        let endless = |conn: &Connection| count(conn, ENDLESS);
        let timed =
            run_interruptible(&mut conn, &signal, Some(Duration::from_millis(1)), endless).expect("runs");
        assert_eq!(
            timed.expect_err("stopped").sqlite_error_code(),
            Some(rusqlite::ErrorCode::OperationInterrupted)
        );
        std::thread::scope(|scope| {
            let work = scope.spawn(|| run_interruptible(&mut conn, &signal, None, endless).expect("runs"));
            drop(stop);
            work.join().expect("joined").expect_err("stopped");
        });
        assert_eq!(count(&conn, "SELECT 7").expect("goes on"), 7);
    }
}
