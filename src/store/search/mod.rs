//! Full-text search: an index beside the database, maintained in the background and never on the path of a message.
//!
//! It is a file of its own, `search.db`, which holds nothing that is not in the database. If it is missing, broken or
//! of another format it is rebuilt, the latest messages first. A thread of low priority follows the messages, some seconds
//! behind (`pacing`), and removes redacted and removed ones from the index. A search reads what the index lacks in the
//! messages themselves, so it misses nothing.

mod indexer;
mod pacing;
pub(super) mod parts;
mod query;
mod terms;
mod tokenizer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::database::lock::open_private_file;
use super::database::schema;
use super::interrupt::{self, CancelOnDrop};
use super::{Store, StoreError, checksums, with_suffix};
use crate::wire::MessageId;
use indexer::Indexer;
use pacing::{CommitSignal, Pacing};
use parts::Progress;

pub use query::{Hit, SearchRun};

/// The index and its thread. Dropping it ends the thread.
pub struct Index {
    signal: Arc<CommitSignal>,
    thread: Option<JoinHandle<()>>,
    /// Cancelled when the thread ends, in whatever way.
    ended: CancellationToken,
    progress: watch::Receiver<Progress>,
    /// Lets one search run at a time, because a core is enough for them.
    reader: Arc<Mutex<Connection>>,
    /// A search found damage, in the index or in the messages.
    damage_suspected: Arc<AtomicBool>,
}

impl Index {
    /// Opens the index of a store, making it if it is missing, and starts to follow. Needs tokio's runtime.
    ///
    /// # Errors
    /// When the index can be neither opened nor made.
    pub fn start(store: &Store) -> Result<Self, StoreError> {
        Self::start_with_pacing(store, Pacing::SERVER)
    }

    fn start_with_pacing(store: &Store, pacing: Pacing) -> Result<Self, StoreError> {
        let (database, path) = (store.folder().join("parlour.db"), store.folder().join("search.db"));
        let messages = schema::open_reader(&database)?;
        let last: Option<MessageId> =
            messages.query_row("SELECT max(id) FROM messages", [], |row| row.get(0))?;
        let last = last.unwrap_or_default();
        let (index, progress) = open_index(&path, last).or_else(|error| {
            warn!(%error, "the search index is made anew");
            for suffix in ["", "-wal", "-shm"] {
                // A missing file need not be removed.
                let _ = std::fs::remove_file(with_suffix(&path, suffix));
            }
            open_index(&path, last)
        })?;
        let reader = schema::open_reader(&database)?;
        reader.execute("ATTACH ?1 AS search", [path.to_string_lossy()])?;
        let signal = Arc::new(CommitSignal::default());
        let (progress, known) = watch::channel(progress);
        let suspect = Arc::new(AtomicBool::new(false));
        let (connections, pacing) = ((index, messages), (pacing, signal.clone()));
        let follower = Indexer::new(connections, store.clone(), progress, pacing, suspect.clone())?;
        let ended = CancellationToken::new();
        let ending = ended.clone().drop_guard();
        let thread = std::thread::Builder::new()
            .name("search".into())
            .spawn(move || {
                let _ending = ending;
                follower.run();
            })
            .map_err(StoreError::file("the thread of the search index"))?;
        Ok(Self {
            signal,
            thread: Some(thread),
            progress: known,
            ended,
            reader: Arc::new(Mutex::new(reader)),
            damage_suspected: suspect,
        })
    }

    /// Returns a future that is ready when the thread has ended. It ends by itself only after a failure.
    pub fn wait_until_ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.ended.clone().cancelled_owned()
    }

    /// Tells the index that messages were added or removed. Never waits.
    pub fn wake(&self) {
        self.signal.count_commit();
    }

    /// Waits until the index has the message `up_to` and all before it. Searches need not wait, but measurements do.
    pub async fn wait_until_indexed(&self, up_to: MessageId) {
        // It ends with the index, which this borrows.
        let _ = self.progress.clone().wait_for(|known| known.last >= up_to && known.complete).await;
    }

    /// Continues a search for some hundred milliseconds. One runs at a time, and the caller decides the order. Dropping
    /// the future interrupts it.
    pub async fn continue_search(&self, mut search_run: SearchRun) -> Result<SearchRun, StoreError> {
        let (reader, stop) = (self.reader.clone(), CancelOnDrop::default());
        let signal = stop.flag();
        let (suspect, indexer) = (self.damage_suspected.clone(), self.signal.clone());
        let task = tokio::task::spawn_blocking(move || {
            let left = search_run.time_left();
            let mut reader = reader.lock();
            match interrupt::run_interruptible(&mut reader, &signal, Some(left), |conn| {
                search_run.search_for_slice(conn)
            })? {
                Ok(()) => Ok(search_run),
                Err(error) if checksums::is_damage(&error) => {
                    // The thread finds out what is damaged, and makes the index anew if it is that.
                    suspect.store(true, Ordering::Release);
                    indexer.count_commit();
                    search_run.end_early();
                    Ok(search_run)
                }
                Err(error) => match StoreError::from(error) {
                    StoreError::Interrupted if !signal.is_cancelled() => {
                        search_run.end_early();
                        Ok(search_run)
                    }
                    error => Err(error),
                },
            }
        });
        task.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.signal.end();
        if let Some(thread) = self.thread.take() {
            // The panic hook has reported a panic of the thread already.
            let _ = thread.join();
        }
    }
}

/// Opens the index, or makes one that begins after the message `last`.
fn open_index(path: &Path, last: MessageId) -> Result<(Connection, Progress), StoreError> {
    drop(open_private_file(path)?);
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(schema::BUSY_TIMEOUT)?;
    schema::require_setting(&conn, "journal_mode", "WAL", "wal")?;
    // Entries that a power cut loses are indexed again.
    schema::require_setting(&conn, "synchronous", "NORMAL", "1")?;
    schema::require_setting(&conn, "secure_delete", "ON", "1")?;
    let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let is_empty: bool =
        conn.query_row("SELECT NOT EXISTS (SELECT * FROM sqlite_schema)", [], |row| row.get(0))?;
    if !is_empty && version != parts::VERSION {
        return Err(StoreError::Sql(Arc::new(rusqlite::Error::InvalidQuery)));
    }
    parts::create_tables(&conn, last)?;
    // Fails if tables of these names belong to another program.
    conn.prepare("SELECT row, message FROM entries")?;
    conn.prepare("SELECT part, erase FROM parts")?;
    let progress = parts::progress(&conn)?;
    Ok((conn, progress))
}

#[cfg(test)]
mod tests;
