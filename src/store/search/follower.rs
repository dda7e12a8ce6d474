//! The thread that keeps the index up to date with the messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Row};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::parts::{self, Progress};
use crate::core::record::{AccountId, Place};
use crate::store::journal::checkpoint;
use crate::store::{Store, StoreError, sums};
use crate::wire::MessageId;

/// Count of messages in one transaction of the index. It blocks nothing: readers of the index see the state before.
const CHUNK: u32 = if cfg!(test) { 7 } else { 500 };

/// Time that the index waits for more messages before it begins, so that it takes many at a time.
const QUIET: Duration = Duration::from_millis(50);

/// Delay after a failed attempt to erase.
const ERASE_AGAIN: Duration = Duration::from_secs(1);

/// Minimum time between two checks for damage.
const LOOK_EVERY: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_mins(10) };

/// Minimum time between two log lines about that.
const WARN_EVERY: Duration = Duration::from_mins(1);

/// Keeps the index up to date with the messages.
pub(super) struct Follower {
    index: Connection,
    messages: Connection,
    store: Store,
    runtime: Handle,
    progress: watch::Sender<Progress>,
    /// If text is to be erased: the time of the last erasing, and its duration.
    erases: Option<(Instant, Duration)>,
    erased: (Instant, Duration),
    /// If erasing fails: the time at which that was last logged.
    erase_failed: Option<Instant>,
    /// A search or this thread found damage; it is looked for in the index, and when that was done last.
    suspect: Arc<AtomicBool>,
    looked: Option<Instant>,
}

/// A row of the database, to be indexed if it is a message and not an event.
struct Read {
    id: MessageId,
    /// Text and scope of a message.
    said: Option<(String, String)>,
}

impl Read {
    /// Of a row of id, place, sender, text and class.
    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let is_said = row.get::<_, i64>(4)? == 0;
        let text = std::str::from_utf8(sums::bytes(row.get_ref(3)?)).ok().filter(|_| is_said);
        let said = match text {
            Some(text) => Some((text.to_owned(), scope(row.get(1)?, row.get(2)?))),
            None => None,
        };
        Ok(Self { id: row.get(0)?, said })
    }
}

/// The direction in which messages are read.
#[derive(Clone, Copy, Debug)]
enum Way {
    Later,
    Earlier,
}

impl Follower {
    /// Makes the follower of a store. Needs tokio's runtime.
    pub fn new(
        index: Connection,
        messages: Connection,
        store: Store,
        progress: watch::Sender<Progress>,
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
            erases,
            erased: now,
            erase_failed: None,
            suspect,
            looked: None,
        })
    }

    /// Runs until the other end of `woken` is dropped.
    pub fn run(mut self, woken: &Receiver<()>) {
        loop {
            // Erasing writes a part of the index anew, so it may take a tenth of the time.
            let rest = self.erases.map(|(at, took)| (10 * took).saturating_sub(at.elapsed()));
            match rest.map_or_else(|| woken.recv().map_err(Into::into), |rest| woken.recv_timeout(rest)) {
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => self.erase(),
                Ok(()) => {}
            }
            // More messages may follow at once. While it sleeps, they do not wake it one by one.
            std::thread::sleep(QUIET);
            loop {
                let started = Instant::now();
                match self.step() {
                    Ok(true) => {}
                    Ok(false) if !self.suspect.load(Ordering::Acquire) => break,
                    Err(error) if !error.is_damage() => {
                        error!(%error, "the search index cannot follow");
                        break;
                    }
                    damaged => {
                        if let Err(error) = damaged {
                            error!(%error, "the search index cannot follow");
                        }
                        if !self.repair() {
                            break;
                        }
                    }
                }
                // The server has more important work, so this takes a fifth of a core at most.
                std::thread::sleep(4 * started.elapsed());
                if matches!(woken.try_recv(), Err(TryRecvError::Disconnected)) {
                    return;
                }
            }
        }
    }

    /// Checks the index and makes it anew if it is damaged; returns `true` if it did. Damage of the messages themselves is
    /// left alone.
    fn repair(&mut self) -> bool {
        // Reads the whole index, so not each time: the next search that finds damage asks again.
        self.suspect.store(false, Ordering::Release);
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return false;
        }
        self.looked = Some(Instant::now());
        let Some(why) = parts::fault(&self.index) else { return false };
        warn!(why, "the search index is damaged and made anew");
        let anew = || {
            let last = self.messages.query_row("SELECT max(id) FROM messages", [], |row| row.get(0));
            parts::reset(&self.index, last.ok().flatten().unwrap_or_default())?;
            parts::progress(&self.index)
        };
        match anew() {
            Ok(progress) => {
                self.progress.send_replace(progress);
                self.erases = Some(self.erased);
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
                    parts::erased(&self.index)?;
                }
                Ok(emptied)
            });
        self.erased = (Instant::now(), started.elapsed());
        self.store.status().set_index_to_erase(!matches!(erased, Ok(true)));
        self.erases = match erased {
            Ok(true) => {
                self.erase_failed = None;
                None
            }
            again => {
                if again.as_ref().is_err_and(StoreError::is_damage) {
                    self.suspect.store(true, Ordering::Release);
                }
                // Another program reads the index, or the disk is full: retried until it is done, also after a restart.
                if self.erase_failed.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
                    let why =
                        again.err().map_or("another program reads it".to_owned(), |error| error.to_string());
                    warn!(
                        why,
                        "what was redacted or removed is still in the search index; it is tried again"
                    );
                    self.erase_failed = Some(Instant::now());
                }
                Some((Instant::now(), self.erased.1.max(ERASE_AGAIN / 10)))
            }
        };
    }

    /// Adds and removes some messages. Returns true if there is more to do. New messages come before past ones.
    fn step(&mut self) -> Result<bool, StoreError> {
        let forgotten = self.unlearn()?;
        let learnt = self.learn()?;
        Ok(forgotten || learnt || self.take_up_past()?)
    }

    fn learn(&mut self) -> Result<bool, StoreError> {
        let mut progress = *self.progress.borrow();
        let read = self.read(progress.last, Way::Later)?;
        let Some(latest) = read.last() else { return Ok(false) };
        progress.last = latest.id;
        let tx = self.index.transaction()?;
        let mut row = parts::above(&tx)?;
        for Read { id, said } in &read {
            if let Some((text, scope)) = said {
                parts::add(&tx, (row, *id), text, scope)?;
                row += 1;
            }
        }
        parts::set_progress(&tx, progress)?;
        tx.commit()?;
        self.progress.send_replace(progress);
        Ok(read.len() == CHUNK as usize)
    }

    /// Adds some of the messages from before the index was made, the latest of them first.
    fn take_up_past(&mut self) -> Result<bool, StoreError> {
        let mut progress = *self.progress.borrow();
        if progress.whole {
            return Ok(false);
        }
        let mut read = self.read(progress.first, Way::Earlier)?;
        progress.whole = read.len() < CHUNK as usize;
        progress.first = read.last().map_or(progress.first, |earliest| earliest.id);
        read.retain(|read| read.said.is_some());
        let tx = self.index.transaction()?;
        // Full-text tables are written fastest in the order of rows.
        let count = i64::try_from(read.len()).unwrap_or_default();
        let lowest = parts::below(&tx)? - count + 1;
        for (row, Read { id, said }) in (lowest..).zip(read.iter().rev()) {
            if let Some((text, scope)) = said {
                parts::add(&tx, (row, *id), text, scope)?;
            }
        }
        parts::set_progress(&tx, progress)?;
        tx.commit()?;
        self.progress.send_replace(progress);
        if progress.whole {
            info!("the search index has all messages");
        }
        Ok(!progress.whole)
    }

    /// Reads the next messages after or before the given one.
    fn read(&self, from: MessageId, way: Way) -> rusqlite::Result<Vec<Read>> {
        let sql = match way {
            Way::Later => {
                "SELECT id, place, sender, text, class FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2"
            }
            Way::Earlier => {
                "SELECT id, place, sender, text, class FROM messages WHERE id < ?1 ORDER BY id DESC LIMIT ?2"
            }
        };
        match self.messages.prepare_cached(sql)?.query_map((from, CHUNK), Read::of_row)?.collect() {
            Err(error) if sums::is_damage(&error) => self.read_one_by_one(from, way),
            read => read,
        }
    }

    /// As [`read`](Self::read), where a page of the table is damaged: the index says what there is, volume by volume.
    fn read_one_by_one(&self, from: MessageId, way: Way) -> rusqlite::Result<Vec<Read>> {
        let (volumes, ids) = match way {
            Way::Later => (
                "SELECT number FROM volumes
                 WHERE number >= (SELECT number FROM volumes WHERE first <= ?1 ORDER BY first DESC LIMIT 1)
                 ORDER BY number",
                "SELECT id FROM messages INDEXED BY messages_by_volume WHERE volume = ?1 AND id > ?2
                 ORDER BY id LIMIT ?3",
            ),
            Way::Earlier => (
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
        let one = |id| read.query_row([id], Read::of_row).unwrap_or(Read { id, said: None });
        Ok(found.into_iter().map(one).collect())
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
            parts::remove(&tx, *id)?;
        }
        tx.commit()?;
        self.erases = Some(self.erased);
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

/// Returns the conversation and the sender of a message as words of the index: `p` and a channel, `d` and each side of
/// a direct conversation, `t` and both, `s` and the sender.
fn scope(place: Place, sender: AccountId) -> String {
    match place {
        Place::Channel(id) => format!("p{} s{}", id.0, sender.0),
        Place::Direct(a, b) => format!("d{} d{} t{}x{} s{}", a.0, b.0, a.0, b.0, sender.0),
    }
}
