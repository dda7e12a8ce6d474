//! Searching of the index, part by part.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _};

use super::parts::{self, Progress};
use super::words::{Token, Tokens};
use crate::core::effects::history::{Kept, Search};
use crate::core::record::Place;
use crate::store::history;
use crate::wire::Nick;

/// A message that was found, and the other account if it is of a direct conversation.
pub type Hit = (Kept, Option<Nick>);

/// Time that a search takes before other searches have their turn.
const SLICE: Duration = Duration::from_millis(100);

/// Maximum working time of a search; then it ends with what it has found.
pub(super) const MOST_TIME: Duration = Duration::from_secs(2);

/// A search in progress.
#[derive(Debug)]
pub struct Searching {
    search: Search,
    /// The query in the syntax of FTS5; `None` if nothing can match.
    query: Option<String>,
    /// Range of rows that are still to be searched, once it is known.
    left: Option<(i64, i64)>,
    hits: Vec<Hit>,
    worked: Duration,
    done: bool,
    whole: bool,
}

impl Searching {
    /// Makes a search that has not begun.
    pub fn new(search: Search) -> Self {
        let query = query(&search);
        let done = query.is_none() || search.window.limit == 0;
        Self { search, query, left: None, hits: Vec::new(), worked: Duration::ZERO, done, whole: true }
    }

    /// Returns true when the search has ended.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Returns true if all relevant messages were searched; false if the index is not complete yet, or the time was
    /// over.
    pub fn is_whole(&self) -> bool {
        let window = &self.search.window;
        // If the limit is reached with the newest messages, earlier ones that the index lacks do not matter.
        self.whole || window.newest && self.hits.len() >= window.limit
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
        MOST_TIME.saturating_sub(self.worked)
    }

    /// Ends the search with what it has found, because its time is over.
    pub(super) fn cut_off(&mut self) {
        (self.done, self.whole) = (true, false);
    }

    /// Searches some parts, on a connection to the messages that has the index attached as `search`.
    pub(super) fn go_on(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let started = Instant::now();
        while !self.done && started.elapsed() < SLICE {
            let result = self.part(conn);
            if result.is_err() {
                self.worked += started.elapsed();
                return result;
            }
        }
        self.worked += started.elapsed();
        if !self.done && self.time_left().is_zero() {
            self.cut_off();
        }
        Ok(())
    }

    /// Searches one part, in one transaction, because an empty part may be dropped meanwhile, and its table must not be
    /// opened by an outdated schema.
    fn part(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let moment = conn.unchecked_transaction()?;
        self.part_of(&moment)?;
        moment.commit()
    }

    fn part_of(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let (low, high) = match self.left {
            Some(left) => left,
            None => self.begin(conn)?,
        };
        let newest = self.search.window.newest;
        // The next part that has rows.
        let sql = if newest {
            "SELECT max(part) FROM search.parts WHERE part <= ?1"
        } else {
            "SELECT min(part) FROM search.parts WHERE part >= ?1"
        };
        let at = parts::place(if newest { high } else { low }).0;
        let part: Option<i64> = conn.prepare_cached(sql)?.query_row([at], |row| row.get(0))?;
        let base = part.unwrap_or_default() * parts::ROWS;
        let (first, last) = (low.max(base), high.min(base + parts::ROWS - 1));
        let Some(part) = part.filter(|_| low <= high && first <= last) else {
            self.done = true;
            return Ok(());
        };
        self.read(conn, part, (first - base, last - base))?;
        self.left = Some(if newest { (low, first - 1) } else { (last + 1, high) });
        self.done = self.hits.len() >= self.search.window.limit;
        Ok(())
    }

    /// Computes the rows of the window.
    fn begin(&mut self, conn: &Connection) -> rusqlite::Result<(i64, i64)> {
        let window = &self.search.window;
        let Progress { first, whole, .. } = parts::progress(conn)?;
        self.whole = whole || window.after.as_i64() >= first.as_i64().saturating_sub(1);
        let low = parts::row_from(conn, window.after.following())?;
        let high = parts::row_from(conn, window.before)? - 1;
        self.left = Some((low, high));
        Ok((low, high))
    }

    /// Reads the hits of a part between two of its rows.
    fn read(&mut self, conn: &Connection, part: i64, (first, last): (i64, i64)) -> rusqlite::Result<()> {
        let Some(query) = &self.query else { return Ok(()) };
        let (table, base) = (parts::table(part), part * parts::ROWS);
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
        let mut rows = read.query((query, first, last, i64::try_from(left).unwrap_or(i64::MAX)))?;
        while let Some(row) = rows.next()? {
            let place = row.get(1)?;
            let peer = match place {
                Place::Channel(_) => None,
                Place::Direct(a, b) => {
                    let peer = if a == self.search.me { b } else { a };
                    let sql = "SELECT name FROM accounts WHERE id = ?1";
                    conn.prepare_cached(sql)?.query_row([peer], |row| row.get(0)).optional()?
                }
            };
            self.hits.push((history::kept_or_unreadable(row, place)?, peer));
        }
        Ok(())
    }
}

/// Returns the search in the syntax of FTS5 (<https://www.sqlite.org/fts5.html#full_text_query_syntax>). `None` if its
/// text holds nothing that can be found.
fn query(search: &Search) -> Option<String> {
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
    let tokens = Tokens::of(word);
    let is_symbols = !tokens.text.iter().any(Token::has_letters);
    if is_symbols && !tokens.marks.is_empty() {
        let longest = tokens.marks.iter().map(|mark| mark.chars().count()).max().unwrap_or_default();
        let longest = tokens.marks.iter().filter(|mark| mark.chars().count() == longest);
        return longest.map(|mark| format!("marks : {} *", quoted(mark))).collect();
    }
    let phrase: Vec<&str> = tokens.text.iter().map(Token::as_str).collect();
    let Some(last) = tokens.text.last() else { return Vec::new() };
    let star = if matches!(last, Token::Word(_)) { " *" } else { "" };
    vec![format!("text : {}{star}", quoted(&phrase.join(" ")))]
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
