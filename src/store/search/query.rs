//! Searching: of the index, part by part, and of the messages that it lacks, by reading them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::parts::{self, Progress, RowRange};
use super::terms::Condition;
use crate::core::effects::history::{HistoryMessage, Search};
use crate::core::record::Conversation;
use crate::store::values::counters;
use crate::store::{checksums, history};
use crate::wire::{MessageId, Nick};

/// A message that was found, and the other account if it is of a direct conversation.
pub type Hit = (HistoryMessage, Option<Nick>);

/// Time that a search takes before other searches have their turn.
const TIME_SLICE: Duration = Duration::from_millis(100);

/// Maximum working time of a search; then it ends with what it has found.
pub(super) const MAX_TIME: Duration = Duration::from_secs(2);

/// Count of messages that are read in one step where the index has none. A step takes a millisecond.
const MESSAGES_PER_STEP: u32 = if cfg!(test) { 3 } else { 1000 };

/// Columns of a hit, of a message `m` and its sender `a`.
const HIT_COLUMNS: &str =
    "m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name, a.bot IS NOT NULL";

/// A search in progress.
#[derive(Debug)]
pub struct SearchRun {
    search: Search,
    /// `None` if nothing can match.
    condition: Option<Condition>,
    /// Sections that are not searched yet, in the order of the search; `None` until that is known.
    remaining: Option<VecDeque<Section>>,
    /// Beginning of the index when the search began.
    index_begin: MessageId,
    hits: Vec<Hit>,
    work_time: Duration,
    done: bool,
    complete: bool,
}

/// Consecutive messages that are searched in one way.
#[derive(Clone, Copy, Debug)]
enum Section {
    /// Rows of the index.
    Indexed(RowRange),
    /// Messages that the index lacks, between two ids that are not among them.
    Unindexed { after: MessageId, before: MessageId },
}

impl SearchRun {
    /// Makes a search that has not begun.
    pub fn new(search: Search) -> Self {
        let condition = Condition::parse(&search);
        let done = condition.is_none() || search.window.limit == 0;
        Self {
            search,
            condition,
            remaining: None,
            index_begin: MessageId::default(),
            hits: Vec::new(),
            work_time: Duration::ZERO,
            done,
            complete: true,
        }
    }

    /// Returns true when the search has ended.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Returns true if all relevant messages were searched; false if the time was over, or messages that were imported
    /// between others are not in the index yet.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the messages, the earliest first.
    pub fn into_hits(mut self) -> Vec<Hit> {
        if self.search.window.newest {
            self.hits.reverse();
        }
        self.hits
    }

    /// Returns the working time that is left.
    pub(super) fn time_left(&self) -> Duration {
        MAX_TIME.saturating_sub(self.work_time)
    }

    /// Ends the search with what it has found, because its time is over.
    pub(super) fn end_early(&mut self) {
        (self.done, self.complete) = (true, false);
    }

    /// Continues for a moment, on a connection to the messages that has the index attached as `search`.
    pub(super) fn search_for_slice(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let started = Instant::now();
        while !self.done && started.elapsed() < TIME_SLICE {
            let result = self.search_next_step(conn);
            if result.is_err() {
                self.work_time += started.elapsed();
                return result;
            }
        }
        self.work_time += started.elapsed();
        if !self.done && self.time_left().is_zero() {
            self.end_early();
        }
        Ok(())
    }

    /// Searches one part of the index or some messages, in one transaction, because an empty part may be dropped
    /// meanwhile, and its table must not be opened by an outdated schema.
    fn search_next_step(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let tx = conn.unchecked_transaction()?;
        self.search_next_step_in(&tx)?;
        tx.commit()
    }

    fn search_next_step_in(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        // Read first: what the index has by now, the messages have too.
        let progress = parts::progress(conn)?;
        let mut remaining = match self.remaining.take() {
            Some(remaining) => remaining,
            None => self.find_sections(conn, progress)?,
        };
        // The index was emptied since the search began, so its rows are missing.
        self.complete &= progress.first <= self.index_begin;
        let section = remaining.pop_front();
        let rest = match section {
            Some(Section::Indexed(rows)) => self.search_next_part(conn, rows)?,
            Some(Section::Unindexed { after, before }) => self.search_unindexed(conn, after, before)?,
            None => None,
        };
        if let Some(rest) = rest {
            remaining.push_front(rest);
        }
        self.done = remaining.is_empty() || self.hits.len() >= self.search.window.limit;
        self.remaining = Some(remaining);
        Ok(())
    }

    /// Divides the window into what the index has, the messages after that, and those before it if it is being built.
    fn find_sections(
        &mut self,
        conn: &Connection,
        progress: Progress,
    ) -> rusqlite::Result<VecDeque<Section>> {
        let window = &self.search.window;
        let Progress { first, last, complete } = progress;
        self.index_begin = first;
        let late = counters::late_message(conn)?;
        self.complete = late.is_none_or(|late| late <= window.after || !complete && late < first);
        let low = parts::first_row_from(conn, window.after.successor())?;
        let high = parts::first_row_from(conn, window.before)? - 1;
        let later = Section::Unindexed { after: window.after.max(last), before: window.before };
        let earlier = Section::Unindexed { after: window.after, before: window.before.min(first) };
        let mut sections = VecDeque::from([Section::Indexed(RowRange { low, high }), later]);
        if !complete {
            sections.push_front(earlier);
        }
        if window.newest {
            sections.make_contiguous().reverse();
        }
        Ok(sections)
    }

    /// Searches the next part of the index that has some of the rows. Returns the rest of them.
    fn search_next_part(&mut self, conn: &Connection, rows: RowRange) -> rusqlite::Result<Option<Section>> {
        let RowRange { low, high } = rows;
        let newest = self.search.window.newest;
        let sql = if newest {
            "SELECT max(part) FROM search.parts WHERE part <= ?1"
        } else {
            "SELECT min(part) FROM search.parts WHERE part >= ?1"
        };
        let at = parts::part_of_row(if newest { high } else { low });
        let part: Option<i64> = conn.prepare_cached(sql)?.query_row([at], |row| row.get(0))?;
        let base = part.unwrap_or_default() * parts::ROWS_PER_PART;
        let (first, last) = (low.max(base), high.min(base + parts::ROWS_PER_PART - 1));
        let Some(part) = part.filter(|_| low <= high && first <= last) else { return Ok(None) };
        self.read_hits(conn, part, RowRange { low: first - base, high: last - base })?;
        let rest = if newest { RowRange { low, high: first - 1 } } else { RowRange { low: last + 1, high } };
        Ok((rest.low <= rest.high).then_some(Section::Indexed(rest)))
    }

    /// Reads the hits of a part between two of its rows.
    fn read_hits(&mut self, conn: &Connection, part: i64, rows_in_part: RowRange) -> rusqlite::Result<()> {
        let Some(condition) = &self.condition else { return Ok(()) };
        let (table, base) = (parts::part_table(part), part * parts::ROWS_PER_PART);
        let order = if self.search.window.newest { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT {HIT_COLUMNS}
             FROM search.{table} CROSS JOIN search.entries e ON e.row = {table}.rowid + {base}
             CROSS JOIN messages m ON m.id = e.message LEFT JOIN accounts a ON a.id = m.sender
             WHERE {table} MATCH ?1 AND {table}.rowid >= ?2 AND {table}.rowid <= ?3 AND m.class = 0
             ORDER BY {table}.rowid {order} LIMIT ?4"
        );
        let left = self.search.window.limit.saturating_sub(self.hits.len());
        let mut read = conn.prepare(&sql)?;
        let mut rows = read.query((
            condition.fts_query(),
            rows_in_part.low,
            rows_in_part.high,
            i64::try_from(left).unwrap_or(i64::MAX),
        ))?;
        while let Some(row) = rows.next()? {
            self.hits.push(read_hit(conn, row, &self.search)?);
        }
        Ok(())
    }

    /// Reads some messages between two ids, in the order of the search, and compares each with what is searched for.
    /// Returns the rest.
    fn search_unindexed(
        &mut self,
        conn: &Connection,
        after: MessageId,
        before: MessageId,
    ) -> rusqlite::Result<Option<Section>> {
        let Some(condition) = &self.condition else { return Ok(None) };
        let newest = self.search.window.newest;
        let sql = if newest {
            "SELECT id, place, sender, text, class FROM messages WHERE id > ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"
        } else {
            "SELECT id, place, sender, text, class FROM messages WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3"
        };
        let sql_hit = format!(
            "SELECT {HIT_COLUMNS} FROM messages m LEFT JOIN accounts a ON a.id = m.sender WHERE m.id = ?1"
        );
        let (mut count, mut latest) = (0, None);
        let mut read = conn.prepare_cached(sql)?;
        let mut rows = read.query((after, before, MESSAGES_PER_STEP))?;
        while let Some(row) = rows.next()? {
            count += 1;
            let id: MessageId = row.get(0)?;
            latest = Some(id);
            let is_message = row.get::<_, i64>(4)? == 0;
            // One that cannot be read has no words, as in the index.
            let text = std::str::from_utf8(checksums::text_bytes(row.get_ref(3)?));
            let (Ok(text), Ok(conversation), Ok(sender)) = (text, row.get(1), row.get(2)) else { continue };
            if is_message && condition.includes(conversation, sender) && condition.matches_text(text) {
                let hit = conn
                    .prepare_cached(&sql_hit)?
                    .query_row([id], |row| read_hit(conn, row, &self.search))?;
                self.hits.push(hit);
                if self.hits.len() >= self.search.window.limit {
                    return Ok(None);
                }
            }
        }
        let rest = latest.filter(|_| count == MESSAGES_PER_STEP).map(|latest| {
            let (after, before) = if newest { (after, latest) } else { (latest, before) };
            Section::Unindexed { after, before }
        });
        Ok(rest)
    }
}

/// Reads a row of [`HIT_COLUMNS`].
fn read_hit(conn: &Connection, row: &Row<'_>, search: &Search) -> rusqlite::Result<Hit> {
    let conversation = row.get(1)?;
    let peer = match conversation {
        Conversation::Channel(_) => None,
        Conversation::Direct(a, b) => {
            let peer = if a == search.account { b } else { a };
            let sql = "SELECT name FROM accounts WHERE id = ?1";
            conn.prepare_cached(sql)?.query_row([peer], |row| row.get(0)).optional()?
        }
    };
    let mut hit = history::message_or_unreadable(row, conversation)?;
    history::add_files(conn, &mut hit)?;
    Ok((hit, peer))
}
