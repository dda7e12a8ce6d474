//! Searching of the index, part by part.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _};

use super::parts::{self, Progress, RowRange};
use super::tokenizer::{SearchToken, Tokens};
use crate::core::effects::history::{HistoryMessage, Search};
use crate::core::record::Conversation;
use crate::store::history;
use crate::wire::Nick;

/// A message that was found, and the other account if it is of a direct conversation.
pub type Hit = (HistoryMessage, Option<Nick>);

/// Time that a search takes before other searches have their turn.
const TIME_SLICE: Duration = Duration::from_millis(100);

/// Maximum working time of a search; then it ends with what it has found.
pub(super) const MAX_TIME: Duration = Duration::from_secs(2);

/// A search in progress.
#[derive(Debug)]
pub struct SearchRun {
    search: Search,
    /// The query in the syntax of FTS5; `None` if nothing can match.
    query: Option<String>,
    /// Range of rows that are still to be searched, once it is known.
    remaining_rows: Option<RowRange>,
    hits: Vec<Hit>,
    work_time: Duration,
    done: bool,
    complete: bool,
}

impl SearchRun {
    /// Makes a search that has not begun.
    pub fn new(search: Search) -> Self {
        let query = fts_query(&search);
        let done = query.is_none() || search.window.limit == 0;
        Self {
            search,
            query,
            remaining_rows: None,
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

    /// Returns true if all relevant messages were searched; false if the index is not complete yet, or the time was
    /// over.
    pub fn is_complete(&self) -> bool {
        let window = &self.search.window;
        // If the limit is reached with the newest messages, earlier ones that the index lacks do not matter.
        self.complete || window.newest && self.hits.len() >= window.limit
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

    /// Searches some parts, on a connection to the messages that has the index attached as `search`.
    pub(super) fn search_for_slice(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let started = Instant::now();
        while !self.done && started.elapsed() < TIME_SLICE {
            let result = self.search_next_part(conn);
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

    /// Searches one part, in one transaction, because an empty part may be dropped meanwhile, and its table must not be
    /// opened by an outdated schema.
    fn search_next_part(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let tx = conn.unchecked_transaction()?;
        self.search_next_part_in(&tx)?;
        tx.commit()
    }

    fn search_next_part_in(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let rows = match self.remaining_rows {
            Some(left) => left,
            None => self.find_row_range(conn)?,
        };
        let RowRange { low, high } = rows;
        let newest = self.search.window.newest;
        // The next part that has rows.
        let sql = if newest {
            "SELECT max(part) FROM search.parts WHERE part <= ?1"
        } else {
            "SELECT min(part) FROM search.parts WHERE part >= ?1"
        };
        let at = parts::part_of_row(if newest { high } else { low });
        let part: Option<i64> = conn.prepare_cached(sql)?.query_row([at], |row| row.get(0))?;
        let base = part.unwrap_or_default() * parts::ROWS_PER_PART;
        let (first, last) = (low.max(base), high.min(base + parts::ROWS_PER_PART - 1));
        let Some(part) = part.filter(|_| low <= high && first <= last) else {
            self.done = true;
            return Ok(());
        };
        self.read_hits(conn, part, RowRange { low: first - base, high: last - base })?;
        self.remaining_rows =
            Some(if newest { RowRange { low, high: first - 1 } } else { RowRange { low: last + 1, high } });
        self.done = self.hits.len() >= self.search.window.limit;
        Ok(())
    }

    /// Computes the rows of the window.
    fn find_row_range(&mut self, conn: &Connection) -> rusqlite::Result<RowRange> {
        let window = &self.search.window;
        let Progress { first, complete: whole, .. } = parts::progress(conn)?;
        self.complete = whole || window.after.as_i64() >= first.as_i64().saturating_sub(1);
        let low = parts::first_row_from(conn, window.after.successor())?;
        let high = parts::first_row_from(conn, window.before)? - 1;
        let rows = RowRange { low, high };
        self.remaining_rows = Some(rows);
        Ok(rows)
    }

    /// Reads the hits of a part between two of its rows.
    fn read_hits(&mut self, conn: &Connection, part: i64, rows_in_part: RowRange) -> rusqlite::Result<()> {
        let Some(query) = &self.query else { return Ok(()) };
        let (table, base) = (parts::part_table(part), part * parts::ROWS_PER_PART);
        let order = if self.search.window.newest { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name, a.bot IS NOT NULL
             FROM search.{table} CROSS JOIN search.entries e ON e.row = {table}.rowid + {base}
             CROSS JOIN messages m ON m.id = e.message LEFT JOIN accounts a ON a.id = m.sender
             WHERE {table} MATCH ?1 AND {table}.rowid >= ?2 AND {table}.rowid <= ?3 AND m.class = 0
             ORDER BY {table}.rowid {order} LIMIT ?4"
        );
        let left = self.search.window.limit.saturating_sub(self.hits.len());
        let mut read = conn.prepare(&sql)?;
        let mut rows = read.query((
            query,
            rows_in_part.low,
            rows_in_part.high,
            i64::try_from(left).unwrap_or(i64::MAX),
        ))?;
        while let Some(row) = rows.next()? {
            let conversation = row.get(1)?;
            let peer = match conversation {
                Conversation::Channel(_) => None,
                Conversation::Direct(a, b) => {
                    let peer = if a == self.search.account { b } else { a };
                    let sql = "SELECT name FROM accounts WHERE id = ?1";
                    conn.prepare_cached(sql)?.query_row([peer], |row| row.get(0)).optional()?
                }
            };
            let mut hit = history::message_or_unreadable(row, conversation)?;
            history::add_files(conn, &mut hit)?;
            self.hits.push((hit, peer));
        }
        Ok(())
    }
}

/// Returns the search in the syntax of FTS5 (<https://www.sqlite.org/fts5.html#full_text_query_syntax>). `None` if its
/// text holds nothing that can be found.
fn fts_query(search: &Search) -> Option<String> {
    let conversations = match search.conversation {
        Some(Conversation::Channel(id)) => vec![format!("p{}", id.0)],
        Some(Conversation::Direct(a, b)) => vec![format!("t{}x{}", a.0, b.0)],
        None => {
            let channels = search.channels.iter().map(|(id, _)| format!("p{}", id.0));
            let direct = search.includes_direct.then(|| format!("d{}", search.account.0));
            channels.chain(direct).collect()
        }
    };
    if conversations.is_empty() {
        return None;
    }
    let mut query = format!("scope : ({})", conversations.join(" OR "));
    if let Some(from) = search.from {
        let _ = write!(query, " AND scope : s{}", from.0);
    }
    if let Some(text) = &search.text {
        let mut words: Vec<String> = text.split_whitespace().flat_map(terms).collect();
        words.sort_unstable();
        words.dedup();
        if words.is_empty() {
            return None;
        }
        for word in words {
            let _ = write!(query, " AND {word}");
        }
    }
    Some(query)
}

/// Returns the terms that must all match for a word of a query: its tokens as neighbours, or, for punctuation alone,
/// its marks.
fn terms(word: &str) -> Vec<String> {
    let tokens = Tokens::from_text(word);
    let is_symbols = !tokens.tokens.iter().any(SearchToken::has_letters);
    if is_symbols && !tokens.marks.is_empty() {
        let longest = tokens.marks.iter().map(|mark| mark.chars().count()).max().unwrap_or_default();
        let longest = tokens.marks.iter().filter(|mark| mark.chars().count() == longest);
        return longest.map(|mark| format!("marks : {} *", quote(mark))).collect();
    }
    let phrase: Vec<&str> = tokens.tokens.iter().map(SearchToken::as_str).collect();
    let Some(last) = tokens.tokens.last() else { return Vec::new() };
    let star = if matches!(last, SearchToken::Word(_)) { " *" } else { "" };
    vec![format!("text : {}{star}", quote(&phrase.join(" ")))]
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
