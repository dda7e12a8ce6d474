//! Connections for reading, concurrent with the writer and never in its way (WAL).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::store::StoreError;
use crate::store::interrupt::{self, CancelOnDrop};

/// Count of concurrent reads. A read is short and the pages are in memory, so a few keep all cores busy.
pub const READERS: usize = 4;

/// Opens a connection for reading a database.
type OpenReader = fn(&Path) -> Result<Connection, StoreError>;

/// Pool of reading connections, which are opened when first needed and kept.
#[derive(Clone)]
pub(in crate::store) struct Readers {
    path: Arc<PathBuf>,
    open: OpenReader,
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub fn new(path: PathBuf, open: OpenReader) -> Self {
        Self { path: path.into(), open, idle: Arc::default(), free: Arc::new(Semaphore::new(READERS)) }
    }

    /// Closes the connections that are idle.
    pub fn close_idle(&self) {
        self.idle.lock().clear();
    }

    /// Runs `work` on a connection of the pool, for at most `time_limit`. Dropping the future interrupts it, which
    /// frees the connection at once, and its snapshot, which would keep the log from being emptied.
    pub async fn read<T, E, F>(&self, time_limit: Option<Duration>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let permit = self.free.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let pool = self.clone();
        let stop = CancelOnDrop::default();
        let signal = stop.flag();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            if signal.is_cancelled() {
                return Err(StoreError::Interrupted.into());
            }
            let idle = pool.idle.lock().pop();
            let mut conn = idle.map_or_else(|| (pool.open)(&pool.path), Ok)?;
            let result = interrupt::run_interruptible(&mut conn, &signal, time_limit, work)
                .map_err(StoreError::from)?;
            pool.idle.lock().push(conn);
            result
        });
        match task.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(StoreError::Closed.into()),
        }
    }
}
