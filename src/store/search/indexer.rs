//! The thread that keeps the index up to date with the messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Row};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::pacing::{CommitSignal, Pacing, Step};
use super::parts::{self, Progress};
use super::terms::scope_words;
use crate::platform::process;
use crate::store::journal::checkpoint;
use crate::store::values::counters::{self, last_message_id};
use crate::store::{Store, StoreError, checksums};
use crate::wire::MessageId;

/// Count of messages in one transaction of the index, the more the cheaper for each. It blocks nothing: readers of the
/// index see the state before.
const CHUNK: u32 = if cfg!(test) { 7 } else { 8192 };

/// Limit of the text that a transaction holds in memory, in bytes.
const CHUNK_BYTES: usize = 4 << 20;

/// Delay after a failed attempt to erase.
const ERASE_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Minimum time between two checks for damage.
const DAMAGE_CHECK_INTERVAL: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_mins(10) };

/// Minimum time between two log lines about that.
const WARN_INTERVAL: Duration = Duration::from_mins(1);

/// Keeps the index up to date with the messages.
pub(super) struct Indexer {
    index: Connection,
    messages: Connection,
    store: Store,
    runtime: Handle,
    progress: watch::Sender<Progress>,
    pacing: Pacing,
    signal: Arc<CommitSignal>,
    /// Count of commits at the last look at the messages.
    seen_commits: u64,
    /// If text is to be erased: the time of the last erasing, and its duration.
    pending_erase: Option<(Instant, Duration)>,
    last_erase: (Instant, Duration),
    /// If erasing fails: the time at which that was last logged.
    erase_failure_logged: Option<Instant>,
    /// A search or this thread found damage; it is looked for in the index, and when that was done last.
    damage_suspected: Arc<AtomicBool>,
    last_damage_check: Option<Instant>,
}

/// A row of the database, to be indexed if it is a message and not an event.
struct MessageRow {
    id: MessageId,
    content: Option<MessageContent>,
}

/// The indexed parts of a message.
struct MessageContent {
    text: String,
    /// Words that stand for its conversation and sender.
    scope: String,
}

impl MessageRow {
    /// Parses a row of id, conversation, sender, text and class.
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let is_message = row.get::<_, i64>(4)? == 0;
        let text = std::str::from_utf8(checksums::text_bytes(row.get_ref(3)?)).ok().filter(|_| is_message);
        let content = match text {
            Some(text) => {
                Some(MessageContent { text: text.to_owned(), scope: scope_words(row.get(1)?, row.get(2)?) })
            }
            None => None,
        };
        Ok(Self { id: row.get(0)?, content })
    }
}

/// Messages for one transaction.
struct Chunk {
    rows: Vec<MessageRow>,
    /// There may be more.
    is_full: bool,
}

/// Work that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    None,
    /// Latest messages, or removed ones.
    Latest,
    /// Messages from before the index was made.
    Past,
}

/// The direction in which messages are read.
#[derive(Clone, Copy, Debug)]
enum Direction {
    Later,
    Earlier,
}

impl Indexer {
    /// Makes the follower of a store. Needs tokio's runtime.
    pub fn new(
        (index, messages): (Connection, Connection),
        store: Store,
        progress: watch::Sender<Progress>,
        (pacing, signal): (Pacing, Arc<CommitSignal>),
        suspect: Arc<AtomicBool>,
    ) -> Result<Self, StoreError> {
        let now = (Instant::now(), Duration::ZERO);
        let erases = parts::is_to_erase(&index)?.then_some(now);
        store.status().set_index_to_erase(erases.is_some());
        let runtime = Handle::current();
        Ok(Self {
            index,
            messages,
            store,
            runtime,
            progress,
            pacing,
            signal,
            seen_commits: 0,
            pending_erase: erases,
            last_erase: now,
            erase_failure_logged: None,
            damage_suspected: suspect,
            last_damage_check: None,
        })
    }

    /// Runs until the signal ends.
    pub fn run(mut self) {
        if let Err(error) = process::lower_thread_priority() {
            debug!(%error, "cannot lower the priority of the search index");
        }
        self.catch_up(Instant::now());
        while !self.signal.is_ended() {
            // Erasing writes a part of the index anew, so it may take a tenth of the time.
            let erase_at = self.pending_erase.map(|(at, took)| at + 10 * took);
            if erase_at.is_some_and(|at| at <= Instant::now()) {
                self.erase();
            } else if self.signal.wait_for_commit(self.seen_commits, erase_at) {
                let since = Instant::now();
                self.wait_for_quiet(since);
                self.catch_up(since);
            }
        }
    }

    /// Waits until no more commits come, or the messages have waited for the maximum time. Removals are not delayed.
    fn wait_for_quiet(&self, since: Instant) {
        let mut known = self.signal.commits();
        let mut is_busy = true;
        while !self.signal.is_ended() && !self.damage_suspected.load(Ordering::Acquire) {
            match self.pacing.next_step(since.elapsed(), is_busy) {
                Step::Begin => return,
                // Where it cannot be read, the next step reports it.
                Step::Wait(_) if self.has_removed_messages().unwrap_or(true) => return,
                Step::Wait(time) => self.signal.sleep(time),
            }
            let commits = self.signal.commits();
            is_busy = std::mem::replace(&mut known, commits) != commits;
        }
    }

    /// Adds and removes messages until there are none left. The first of them has waited since `since`.
    fn catch_up(&mut self, since: Instant) {
        while !self.signal.is_ended() {
            let started = Instant::now();
            let commits = self.signal.commits();
            let is_busy = std::mem::replace(&mut self.seen_commits, commits) != commits;
            let waited = match self.step() {
                Ok(Work::Latest) => since.elapsed(),
                Ok(Work::Past) => Duration::ZERO,
                Ok(Work::None) if !self.damage_suspected.load(Ordering::Acquire) => return,
                Err(error) if !error.is_damage() => {
                    error!(%error, "the search index cannot follow");
                    return;
                }
                damaged => {
                    if let Err(error) = damaged {
                        error!(%error, "the search index cannot follow");
                    }
                    if !self.repair() {
                        return;
                    }
                    Duration::ZERO
                }
            };
            self.signal.sleep(self.pacing.pause_after(started.elapsed(), is_busy, waited));
        }
    }

    /// Checks the index and makes it anew if it is damaged; returns `true` if it did. Damage of the messages themselves is
    /// left alone.
    fn repair(&mut self) -> bool {
        // Reads the whole index, so not each time: the next search that finds damage requests it again.
        self.damage_suspected.store(false, Ordering::Release);
        if self.last_damage_check.is_some_and(|at| at.elapsed() < DAMAGE_CHECK_INTERVAL) {
            return false;
        }
        self.last_damage_check = Some(Instant::now());
        let Some(why) = parts::find_damage(&self.index) else { return false };
        warn!(why, "the search index is damaged and made anew");
        let anew = || {
            let last = self.messages.query_row("SELECT max(id) FROM messages", [], |row| row.get(0));
            parts::reset(&self.index, last.ok().flatten().unwrap_or_default())?;
            parts::progress(&self.index)
        };
        match anew() {
            Ok(progress) => {
                self.progress.send_replace(progress);
                self.pending_erase = Some(self.last_erase);
                self.store.status().set_index_to_erase(true);
                true
            }
            Err(error) => {
                error!(%error, "the search index cannot be made anew");
                false
            }
        }
    }

    /// Rewrites the parts from which messages were removed; until then these are only marked.
    fn erase(&mut self) {
        let started = Instant::now();
        let erased = parts::erase(&self.index)
            .map_err(StoreError::from)
            .and_then(|()| checkpoint::empty_log(&self.index))
            .and_then(|emptied| {
                if emptied {
                    parts::clear_erasing(&self.index)?;
                }
                Ok(emptied)
            });
        self.last_erase = (Instant::now(), started.elapsed());
        self.store.status().set_index_to_erase(!matches!(erased, Ok(true)));
        self.pending_erase = match erased {
            Ok(true) => {
                self.erase_failure_logged = None;
                None
            }
            again => {
                if again.as_ref().is_err_and(StoreError::is_damage) {
                    self.damage_suspected.store(true, Ordering::Release);
                }
                // Another program reads the index, or the disk is full: retried until it is done, also after a restart.
                if self.erase_failure_logged.is_none_or(|at| at.elapsed() >= WARN_INTERVAL) {
                    let why =
                        again.err().map_or("another program reads it".to_owned(), |error| error.to_string());
                    warn!(
                        why,
                        "what was redacted or removed is still in the search index; it is tried again"
                    );
                    self.erase_failure_logged = Some(Instant::now());
                }
                Some((Instant::now(), self.last_erase.1.max(ERASE_RETRY_DELAY / 10)))
            }
        };
    }

    /// Adds and removes some messages. Returns what there is more to do. New messages come before older ones.
    fn step(&mut self) -> Result<Work, StoreError> {
        self.restart_for_late_messages()?;
        let removed = self.unindex_removed_messages()?;
        let added = self.index_new_messages()?;
        if removed || added {
            return Ok(Work::Latest);
        }
        Ok(if self.index_past_messages()? { Work::Past } else { Work::None })
    }

    /// Makes the index anew, from the latest message to the first, if messages were imported at places that it has passed.
    fn restart_for_late_messages(&mut self) -> Result<(), StoreError> {
        let Some(late) = counters::late_message(&self.messages)? else { return Ok(()) };
        let progress = *self.progress.borrow();
        if progress.complete || late >= progress.first {
            parts::empty(&self.index, last_message_id(&self.messages)?)?;
            self.progress.send_replace(parts::progress(&self.index)?);
            self.pending_erase = Some(self.last_erase);
            self.store.status().set_index_to_erase(true);
            info!("messages were imported: the search index is made anew");
        }
        // If more come meanwhile, the counter has another value and stays.
        let store = self.store.clone();
        self.runtime
            .block_on(store.write(move |tx| Ok::<_, StoreError>(counters::clear_late_message(tx, late)?)))
    }

    fn index_new_messages(&mut self) -> Result<bool, StoreError> {
        let mut progress = *self.progress.borrow();
        let Chunk { rows, is_full } = self.read(progress.last, Direction::Later)?;
        let Some(latest) = rows.last() else { return Ok(false) };
        progress.last = latest.id;
        let tx = self.index.transaction()?;
        let mut row = parts::next_row(&tx)?;
        let mut writer = parts::MessageWriter::new(&tx)?;
        for MessageRow { id, content } in &rows {
            if let Some(MessageContent { text, scope }) = content {
                writer.add(row, *id, text, scope)?;
                row += 1;
            }
        }
        drop(writer);
        parts::set_progress(&tx, progress)?;
        tx.commit()?;
        self.progress.send_replace(progress);
        Ok(is_full)
    }

    /// Adds some of the messages from before the index was made, the latest of them first.
    fn index_past_messages(&mut self) -> Result<bool, StoreError> {
        let mut progress = *self.progress.borrow();
        if progress.complete {
            return Ok(false);
        }
        let Chunk { mut rows, is_full } = self.read(progress.first, Direction::Earlier)?;
        progress.complete = !is_full;
        progress.first = rows.last().map_or(progress.first, |earliest| earliest.id);
        rows.retain(|row| row.content.is_some());
        let tx = self.index.transaction()?;
        // Full-text tables are written fastest in the order of rows.
        let count = i64::try_from(rows.len()).unwrap_or_default();
        let lowest = parts::previous_row(&tx)? - count + 1;
        let mut writer = parts::MessageWriter::new(&tx)?;
        for (row, MessageRow { id, content }) in (lowest..).zip(rows.iter().rev()) {
            if let Some(MessageContent { text, scope }) = content {
                writer.add(row, *id, text, scope)?;
            }
        }
        drop(writer);
        parts::set_progress(&tx, progress)?;
        tx.commit()?;
        self.progress.send_replace(progress);
        if progress.complete {
            info!("the search index has all messages");
        }
        Ok(!progress.complete)
    }

    /// Reads the next messages after or before the given one.
    fn read(&self, from: MessageId, direction: Direction) -> rusqlite::Result<Chunk> {
        let sql = match direction {
            Direction::Later => {
                "SELECT id, place, sender, text, class FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2"
            }
            Direction::Earlier => {
                "SELECT id, place, sender, text, class FROM messages WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
            }
        };
        let read_chunk = || {
            let mut statement = self.messages.prepare_cached(sql)?;
            let (mut rows, mut bytes) = (Vec::new(), 0);
            for row in statement.query_map((from, CHUNK), MessageRow::from_row)? {
                let row = row?;
                bytes += row.content.as_ref().map_or(0, |content| content.text.len());
                rows.push(row);
                if bytes >= CHUNK_BYTES {
                    break;
                }
            }
            let is_full = rows.len() >= CHUNK as usize || bytes >= CHUNK_BYTES;
            Ok(Chunk { rows, is_full })
        };
        match read_chunk() {
            Err(error) if checksums::is_damage(&error) => self.read_one_by_one(from, direction),
            read => read,
        }
    }

    /// As [`read`](Self::read), where a page of the table is damaged: the index says what there is, volume by volume.
    fn read_one_by_one(&self, from: MessageId, direction: Direction) -> rusqlite::Result<Chunk> {
        let (volumes, ids) = match direction {
            Direction::Later => (
                "SELECT number FROM volumes
                 WHERE number >= (SELECT number FROM volumes WHERE first <= ?1 ORDER BY first DESC LIMIT 1)
                 ORDER BY number",
                "SELECT id FROM messages INDEXED BY messages_by_volume WHERE volume = ?1 AND id > ?2
                 ORDER BY id LIMIT ?3",
            ),
            Direction::Earlier => (
                "SELECT number FROM volumes WHERE first < ?1 ORDER BY number DESC",
                "SELECT id FROM messages INDEXED BY messages_by_volume WHERE volume = ?1 AND id < ?2
                 ORDER BY id DESC LIMIT ?3",
            ),
        };
        let mut ids = self.messages.prepare_cached(ids)?;
        let mut found = Vec::<MessageId>::new();
        let mut volumes = self.messages.prepare_cached(volumes)?;
        let mut volumes = volumes.query_map([from], |row| row.get::<_, i64>(0))?;
        while found.len() < CHUNK as usize
            && let Some(volume) = volumes.next()
        {
            let left = i64::try_from(CHUNK as usize - found.len()).unwrap_or_default();
            let more = ids.query_map((volume?, from, left), |row| row.get(0))?;
            found.extend(more.collect::<rusqlite::Result<Vec<MessageId>>>()?);
        }
        let sql = "SELECT id, place, sender, text, class FROM messages WHERE id = ?1";
        let mut read = self.messages.prepare_cached(sql)?;
        // An unreadable message cannot be found, but the ones after it can.
        let one = |id| read.query_row([id], MessageRow::from_row).unwrap_or(MessageRow { id, content: None });
        Ok(Chunk { is_full: found.len() >= CHUNK as usize, rows: found.into_iter().map(one).collect() })
    }

    /// Returns true if there are messages to remove from the index.
    fn has_removed_messages(&self) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT * FROM forgotten)";
        self.messages.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }

    fn unindex_removed_messages(&mut self) -> Result<bool, StoreError> {
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
            parts::remove_message(&tx, *id)?;
        }
        tx.commit()?;
        self.pending_erase = Some(self.last_erase);
        self.store.status().set_index_to_erase(true);
        let store = self.store.clone();
        let more = gone.len() == CHUNK as usize;
        self.runtime.block_on(store.write(move |tx| {
            for id in &gone {
                tx.prepare_cached("DELETE FROM forgotten WHERE message = ?1")?.execute([id])?;
            }
            Ok::<_, StoreError>(())
        }))?;
        Ok(more)
    }
}
