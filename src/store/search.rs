//! Full-text search: an index beside the database, kept up in the background and never on the path of a message.
//!
//! It lives in a file of its own, `search.db`, which holds nothing that is not in the database: where it is missing or
//! broken it is made anew. A thread follows behind the messages, and unlearns what was redacted or removed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{error, warn};

use super::bounded::{self, Stop};
use super::lock::private_file;
use super::{Store, StoreError, history, schema};
use crate::chat::history::{Kept, Search};
use crate::chat::record::{AccountId, Place};
use crate::wire::{MessageId, Nick};

/// Messages that one transaction of the index takes. It holds nothing up: readers of the index see the one before.
const CHUNK: i64 = 500;

/// The index waits so long for more messages before it begins, so that it takes many at a time.
const QUIET: Duration = Duration::from_millis(50);

/// A search waits so long for the index to know what was said last, and then does without.
const PATIENCE: Duration = Duration::from_secs(2);

/// A search that takes longer is interrupted.
const MOST_TIME: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
    CREATE VIRTUAL TABLE IF NOT EXISTS said USING fts5
        (text, scope, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');
    CREATE TABLE IF NOT EXISTS progress (last INTEGER NOT NULL, erase INTEGER NOT NULL);
    INSERT INTO progress SELECT 0, 0 WHERE NOT EXISTS (SELECT * FROM progress);
    PRAGMA user_version = 1;";

/// What the index knows, and whoever searches it. Dropping it ends its thread.
pub struct Index {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    known: watch::Receiver<MessageId>,
    /// One search at a time: a core is enough for them.
    reader: Arc<Mutex<Connection>>,
}

/// A message that was found, and the other side where it was said in a talk.
pub type Hit = (Kept, Option<Nick>);

impl Index {
    /// Opens the index of a store, making it where it is missing, and begins to follow. Needs tokio's runtime.
    ///
    /// # Errors
    /// When the index can be neither opened nor made.
    pub fn start(store: &Store) -> Result<Self, StoreError> {
        let (database, path) = (store.folder().join("parlour.db"), store.folder().join("search.db"));
        let (index, last, erase) = open(&path).or_else(|error| {
            warn!(%error, "the search index is made anew");
            for suffix in ["", "-wal", "-shm"] {
                // What is not there need not be removed.
                let _ = std::fs::remove_file(with_suffix(&path, suffix));
            }
            open(&path)
        })?;
        let reader = schema::open_reader(&database)?;
        reader.execute("ATTACH ?1 AS search", [path.to_string_lossy()])?;
        let (wake, woken) = sync_channel(1);
        let (progress, known) = watch::channel(last);
        let follower = Follower {
            index,
            messages: schema::open_reader(&database)?,
            store: store.clone(),
            runtime: Handle::current(),
            progress,
            erases: erase.then_some((Instant::now(), Duration::ZERO)),
            erased: (Instant::now(), Duration::ZERO),
        };
        let thread = std::thread::Builder::new()
            .name("search".into())
            .spawn(move || follower.run(&woken))
            .map_err(StoreError::file("the thread of the search index"))?;
        let index =
            Self { wake: Some(wake), thread: Some(thread), known, reader: Arc::new(Mutex::new(reader)) };
        index.wake();
        Ok(index)
    }

    /// Something was said or removed. Never waits.
    pub fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Full: it is awake already.
            let _ = wake.try_send(());
        }
    }

    /// Waits until the index knows the message `up_to`, or for a while: a search that comes too early misses the latest,
    /// which is better than none.
    pub async fn catch_up(&self, up_to: MessageId) {
        let mut known = self.known.clone();
        let _ = tokio::time::timeout(PATIENCE, known.wait_for(|known| *known >= up_to)).await;
    }

    /// Searches what the index knows; the earliest first. One search runs at a time, and the caller decides whose is next.
    /// Dropping the future interrupts it.
    pub async fn search(&self, search: Search) -> Result<Vec<Hit>, StoreError> {
        let (reader, stop) = (self.reader.clone(), Stop::default());
        let signal = stop.signal();
        let task = tokio::task::spawn_blocking(move || {
            bounded::run(&mut reader.lock(), &signal, Some(MOST_TIME), |conn| find(conn, &search))
        });
        Ok(task.await.map_err(|_| StoreError::Closed)???)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens or makes the index, and reads which message it knows last.
fn open(path: &Path) -> Result<(Connection, MessageId, bool), StoreError> {
    drop(private_file(path)?);
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(schema::BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // Whatever a power cut takes is indexed again.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "secure_delete", true)?;
    conn.execute_batch(SCHEMA)?;
    // Tables of these names may be there that are not ours.
    conn.prepare("SELECT text, scope FROM said WHERE said MATCH ''")?;
    let (last, erase) =
        conn.query_row("SELECT last, erase FROM progress", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((conn, last, erase))
}

/// Follows behind the messages.
struct Follower {
    index: Connection,
    messages: Connection,
    store: Store,
    runtime: Handle,
    progress: watch::Sender<MessageId>,
    /// Something is to be erased: when that was last done, and how long it took.
    erases: Option<(Instant, Duration)>,
    erased: (Instant, Duration),
}

impl Follower {
    fn run(mut self, woken: &Receiver<()>) {
        loop {
            // Erasing costs as much as the index is large: it may take a tenth of the time.
            let rest = self.erases.map(|(at, took)| (10 * took).saturating_sub(at.elapsed()));
            match rest.map_or_else(|| woken.recv().map_err(Into::into), |rest| woken.recv_timeout(rest)) {
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => self.erase(),
                Ok(()) => {}
            }
            // More may follow at once. Asleep, it is not woken by each of them.
            std::thread::sleep(QUIET);
            loop {
                let started = Instant::now();
                match self.step() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        error!(%error, "the search index cannot follow");
                        break;
                    }
                }
                // The server has work that matters more: a fifth of a core at most.
                std::thread::sleep(4 * started.elapsed());
                if matches!(woken.try_recv(), Err(TryRecvError::Disconnected)) {
                    return;
                }
            }
        }
    }

    /// What was unlearnt is marked in the index and not gone: now it is written anew without that.
    fn erase(&mut self) {
        let started = Instant::now();
        let erased = self.index.execute_batch(
            "INSERT INTO said (said) VALUES ('optimize');
             UPDATE progress SET erase = 0;
             PRAGMA wal_checkpoint(TRUNCATE);",
        );
        let database = self.store.folder().join("parlour.db");
        if let Err(error) = erased.map_err(StoreError::from).and_then(|()| schema::empty_log(&database)) {
            warn!(%error, "what was redacted is still in a log or in the search index");
        }
        self.erased = (Instant::now(), started.elapsed());
        self.erases = None;
    }

    /// Learns and unlearns some; is there more to do?
    fn step(&mut self) -> Result<bool, StoreError> {
        let forgotten = self.unlearn()?;
        let learnt = self.learn()?;
        Ok(forgotten || learnt)
    }

    fn learn(&mut self) -> Result<bool, StoreError> {
        let last = *self.progress.borrow();
        let tx = self.index.transaction()?;
        let mut count = 0;
        let mut latest = last;
        {
            let mut add = tx.prepare_cached("INSERT INTO said (rowid, text, scope) VALUES (?1, ?2, ?3)")?;
            let mut read = self.messages.prepare_cached(
                "SELECT id, place, sender, text, class FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let mut rows = read.query((last, CHUNK))?;
            while let Some(row) = rows.next()? {
                count += 1;
                latest = row.get(0)?;
                if row.get::<_, i64>(4)? == 0 {
                    let scope = scope(row.get(1)?, row.get(2)?);
                    add.execute((latest, row.get::<_, String>(3)?, scope))?;
                }
            }
        }
        if count == 0 {
            return Ok(false);
        }
        tx.execute("UPDATE progress SET last = ?1", [latest])?;
        tx.commit()?;
        self.progress.send_replace(latest);
        Ok(count == CHUNK)
    }

    fn unlearn(&mut self) -> Result<bool, StoreError> {
        let gone: Vec<MessageId> = self
            .messages
            .prepare_cached("SELECT message FROM forgotten LIMIT ?1")?
            .query_map([CHUNK], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if gone.is_empty() {
            return Ok(false);
        }
        let tx = self.index.transaction()?;
        for id in &gone {
            tx.prepare_cached("DELETE FROM said WHERE rowid = ?1")?.execute([id])?;
        }
        tx.execute("UPDATE progress SET erase = 1", [])?;
        tx.commit()?;
        self.erases = Some(self.erased);
        let store = self.store.clone();
        let more = i64::try_from(gone.len()).is_ok_and(|count| count == CHUNK);
        self.runtime.block_on(store.write(move |tx| {
            for id in &gone {
                tx.prepare_cached("DELETE FROM forgotten WHERE message = ?1")?.execute([id])?;
            }
            Ok::<_, StoreError>(())
        }))?;
        Ok(more)
    }
}

/// Where a message may be found and who said it, as words of the index: `p` and a channel, `d` and each side of a
/// talk, `t` and both, `s` and the sender.
fn scope(place: Place, sender: AccountId) -> String {
    match place {
        Place::Channel(id) => format!("p{} s{}", id.0, sender.0),
        Place::Direct(a, b) => format!("d{} d{} t{}x{} s{}", a.0, b.0, a.0, b.0, sender.0),
    }
}

/// The search in the words of FTS5 (<https://www.sqlite.org/fts5.html#full_text_query_syntax>). Words match from their
/// beginning, without regard to case and accents.
fn query(search: &Search) -> String {
    let places = match search.place {
        Some(Place::Channel(id)) => vec![format!("p{}", id.0)],
        Some(Place::Direct(a, b)) => vec![format!("t{}x{}", a.0, b.0)],
        None => {
            let channels = search.channels.iter().map(|(id, _)| format!("p{}", id.0));
            channels.chain([format!("d{}", search.me.0)]).collect()
        }
    };
    let mut query = format!("scope : ({})", places.join(" OR "));
    if let Some(from) = search.from {
        let _ = write!(query, " AND scope : s{}", from.0);
    }
    let words = search.text.as_deref().unwrap_or_default().split_whitespace();
    for word in words.filter(|word| word.chars().any(char::is_alphanumeric)) {
        let _ = write!(query, " AND text : \"{}\" *", word.replace('"', "\"\""));
    }
    query
}

fn find(conn: &Connection, search: &Search) -> rusqlite::Result<Vec<Hit>> {
    let window = &search.window;
    let order = if window.newest { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT m.id, m.sender, m.kind, m.text, m.tags, a.name, m.place
         FROM search.said CROSS JOIN messages m ON m.id = said.rowid CROSS JOIN accounts a ON a.id = m.sender
         WHERE said MATCH ?1 AND said.rowid > ?2 AND said.rowid < ?3 AND m.class = 0
         ORDER BY said.rowid {order} LIMIT ?4"
    );
    let mut read = conn.prepare_cached(&sql)?;
    let limit = i64::try_from(window.limit).unwrap_or(i64::MAX);
    let mut rows = read.query((query(search), window.after, window.before, limit))?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        let place = row.get(6)?;
        let peer = match place {
            Place::Channel(_) => None,
            Place::Direct(a, b) => {
                let peer = if a == search.me { b } else { a };
                let sql = "SELECT name FROM accounts WHERE id = ?1";
                conn.prepare_cached(sql)?.query_row([peer], |row| row.get(0)).optional()?
            }
        };
        hits.push((history::kept(row, place)?, peer));
    }
    if window.newest {
        hits.reverse();
    }
    Ok(hits)
}

#[cfg(test)]
mod tests;
