//! Layout of the index on disk: in parts, each a full-text table of its own for so many consecutive messages.
//!
//! So a search goes part by part, from the newest or from the oldest, and can stop after each; and redacted text is
//! erased by rewriting one part, however large the index is. In it a message has a *row*, a small number in the order
//! of ids: the lists of a full-text table hold differences of these, which would take seven bytes each for ids. Rows
//! begin in the middle: new messages get higher ones, and a rebuild adds the history backwards, with
//! lower ones.

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _};

use super::tokenizer::Tokens;
use crate::wire::MessageId;

/// Count of messages in a part. Rewriting it takes a fraction of a second, and ten million messages are some 150 parts.
/// The tests of this crate use small parts, so that they fill many.
pub(super) const ROWS_PER_PART: i64 = if cfg!(test) { 4 } else { 1 << 16 };

/// First row of an index.
const FIRST_ROW: i64 = 1 << 40;

/// Version of the index's format. An index of another version is rebuilt.
pub(super) const VERSION: u32 = 3;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entries (row INTEGER PRIMARY KEY, message INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS parts (part INTEGER PRIMARY KEY, erase INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS progress (first INTEGER NOT NULL, last INTEGER NOT NULL, whole INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS erasing (log INTEGER PRIMARY KEY);";

/// Query of whether removed text is still in the index or its log. It fails on an index that no server has opened since
/// the table `erasing` was added.
pub(in crate::store) const IS_TO_ERASE: &str = "SELECT EXISTS (SELECT * FROM parts WHERE erase)
     OR EXISTS (SELECT * FROM erasing)";

/// Range of messages that the index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Earliest message of the range. Earlier ones are still to be added, unless `complete`.
    pub first: MessageId,
    /// Latest message of the range.
    pub last: MessageId,
    /// True if the index lacks no message before `first`.
    pub complete: bool,
}

/// Makes the tables of an index that begins after `last` and has all earlier messages still to add.
pub(super) fn create_tables(conn: &Connection, last: MessageId) -> rusqlite::Result<()> {
    conn.execute_batch(SCHEMA)?;
    let sql = "INSERT INTO progress SELECT ?1, ?2, 0 WHERE NOT EXISTS (SELECT * FROM progress)";
    conn.execute(sql, (MessageId::from_i64(last.as_i64().saturating_add(1)), last))?;
    conn.pragma_update(None, "user_version", VERSION)
}

/// Reads the progress. Fails if these are not the tables of an index.
pub(super) fn progress(conn: &Connection) -> rusqlite::Result<Progress> {
    conn.prepare_cached("SELECT first, last, whole FROM progress")?
        .query_row([], |row| Ok(Progress { first: row.get(0)?, last: row.get(1)?, complete: row.get(2)? }))
}

pub(super) fn set_progress(tx: &Connection, progress: Progress) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE progress SET first = ?1, last = ?2, whole = ?3")?
        .execute((progress.first, progress.last, progress.complete))
        .map(drop)
}

/// Returns the part that a row is in.
pub(super) fn part_of_row(row: i64) -> i64 {
    row.div_euclid(ROWS_PER_PART)
}

/// Returns the id of a row in its part's full-text table.
fn row_in_part(row: i64) -> i64 {
    row.rem_euclid(ROWS_PER_PART)
}

/// Returns the name of a part's full-text table. The prefix `said_` is a part of the format on disk.
pub(super) fn part_table(part: i64) -> String {
    format!("said_{part}")
}

/// Rows from the lowest to the highest, both included; none if `low` is above `high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowRange {
    pub low: i64,
    pub high: i64,
}

/// Returns the lowest and the highest row, if there are any.
fn row_bounds(conn: &Connection) -> rusqlite::Result<Option<RowRange>> {
    let sql = "SELECT (SELECT min(row) FROM entries), (SELECT max(row) FROM entries)";
    let (low, high): (Option<i64>, Option<i64>) =
        conn.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(low.zip(high).map(|(low, high)| RowRange { low, high }))
}

/// Returns the row for a message that is later than all others.
pub(super) fn next_row(conn: &Connection) -> rusqlite::Result<i64> {
    Ok(row_bounds(conn)?.map_or(FIRST_ROW, |rows| rows.high + 1))
}

/// Returns the row for a message that is earlier than all others.
pub(super) fn previous_row(conn: &Connection) -> rusqlite::Result<i64> {
    Ok(row_bounds(conn)?.map_or(FIRST_ROW, |rows| rows.low) - 1)
}

/// Returns the row that divides the messages: all with lower rows are earlier than `message`, and the others are not.
/// Rows are in the order of messages, so a binary search of some twenty look-ups suffices, without an index.
pub(super) fn first_row_from(conn: &Connection, message: MessageId) -> rusqlite::Result<i64> {
    let Some(RowRange { mut low, high }) = row_bounds(conn)? else { return Ok(FIRST_ROW) };
    let mut high = high + 1;
    let mut read =
        conn.prepare_cached("SELECT row, message FROM entries WHERE row >= ?1 ORDER BY row LIMIT 1")?;
    // Rows below `low` are earlier, those from `high` on are not.
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, MessageId)> =
            read.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found {
            Some((row, known)) if row < high && known < message => low = row + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Adds messages in one transaction.
pub(super) struct MessageWriter<'tx> {
    tx: &'tx Connection,
    insert_entry: CachedStatement<'tx>,
    /// The part of the last message, with the statement for its full-text table.
    part: Option<(i64, CachedStatement<'tx>)>,
}

impl<'tx> MessageWriter<'tx> {
    pub fn new(tx: &'tx Connection) -> rusqlite::Result<Self> {
        let insert_entry = tx.prepare_cached("INSERT INTO entries (row, message) VALUES (?1, ?2)")?;
        Ok(Self { tx, insert_entry, part: None })
    }

    /// Adds a message under a new row, from [`next_row`] or [`previous_row`].
    pub fn add(&mut self, row: i64, id: MessageId, text: &str, scope: &str) -> rusqlite::Result<()> {
        let part = part_of_row(row);
        let insert_words = match &mut self.part {
            Some((current, insert)) if *current == part => insert,
            other => &mut other.insert((part, open_part(self.tx, part)?)).1,
        };
        let tokens = Tokens::from_text(text);
        let mut words = String::with_capacity(text.len() + 8);
        for token in &tokens.tokens {
            words.push_str(token.as_str());
            words.push(' ');
        }
        let marks: Vec<&str> = tokens.marks.iter().map(String::as_str).collect();
        insert_words.execute((row_in_part(row), words, marks.join(" "), scope))?;
        self.insert_entry.execute((row, id)).map(drop)
    }
}

/// Makes the full-text table of a part unless it exists. Returns the statement that adds to it.
fn open_part(tx: &Connection, part: i64) -> rusqlite::Result<CachedStatement<'_>> {
    let table = part_table(part);
    if tx.prepare_cached("INSERT INTO parts (part) VALUES (?1) ON CONFLICT DO NOTHING")?.execute([part])? > 0
    {
        // Tokens come separated by spaces: every other character is a part of a token.
        let sql = format!(
            r#"CREATE VIRTUAL TABLE {table} USING fts5 (text, marks, scope, content = '', contentless_delete = 1,
               tokenize = "ascii tokenchars '#!""$%&''()*+,-./:;<=>?@[\]^_`{{|}}~'")"#
        );
        tx.execute_batch(&sql)?;
    }
    tx.prepare_cached(&format!("INSERT INTO {table} (rowid, text, marks, scope) VALUES (?1, ?2, ?3, ?4)"))
}

/// Removes a message, if the index has it. Its words are in the file until [`erase`].
pub(super) fn remove_message(tx: &Connection, id: MessageId) -> rusqlite::Result<()> {
    let row: Option<i64> = tx
        .prepare_cached(
            "DELETE FROM entries WHERE message = ?2 AND row = (SELECT min(row) FROM entries WHERE row >= ?1) RETURNING row",
        )?
        .query_row((first_row_from(tx, id)?, id), |row| row.get(0))
        .optional()?;
    if let Some(row) = row {
        let part = part_of_row(row);
        tx.prepare_cached(&format!("DELETE FROM {} WHERE rowid = ?1", part_table(part)))?
            .execute([row_in_part(row)])?;
        tx.prepare_cached("UPDATE parts SET erase = 1 WHERE part = ?1")?.execute([part])?;
    }
    Ok(())
}

/// Returns `true` when there are messages to [`erase`], or a log to be emptied of them.
pub(super) fn is_to_erase(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row(IS_TO_ERASE, [], |row| row.get(0))
}

/// The log was emptied after [`erase`]: nothing of what was removed is left in any file.
pub(super) fn clear_erasing(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("DELETE FROM erasing", []).map(drop)
}

/// Empties a sound index in one transaction, so that each search finds either the former index or an empty one. Its pages
/// are overwritten (`secure_delete`), and its log is to be erased.
pub(super) fn empty(conn: &Connection, last: MessageId) -> rusqlite::Result<()> {
    let tx = conn.unchecked_transaction()?;
    let parts: Vec<i64> =
        tx.prepare("SELECT part FROM parts")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for part in parts {
        tx.execute_batch(&format!("DROP TABLE IF EXISTS {}", part_table(part)))?;
    }
    tx.execute_batch(
        "DELETE FROM entries;
         DELETE FROM parts;
         DELETE FROM progress;
         INSERT OR REPLACE INTO erasing VALUES (1);",
    )?;
    create_tables(&tx, last)?;
    tx.commit()
}

/// Empties an index that is damaged, also while others have it open, and makes its tables anew.
pub(super) fn reset(conn: &Connection, last: MessageId) -> rusqlite::Result<()> {
    // Read once, so that it stays with its write-ahead log (https://www.sqlite.org/c3ref/c_dbconfig_defensive.html).
    let _ = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
    let emptied = conn.execute_batch("VACUUM");
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
    emptied?;
    create_tables(conn, last)?;
    conn.execute_batch("INSERT INTO erasing VALUES (1)")
}

/// Checks the whole index with FTS5's own check. Returns the first fault, or `None` for a sound index.
pub(super) fn find_damage(conn: &Connection) -> Option<String> {
    let check = || {
        let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Ok(Some(found));
        }
        let mut parts = conn.prepare("SELECT part FROM parts")?;
        for part in parts.query_map([], |row| row.get::<_, i64>(0))? {
            let table = part_table(part?);
            conn.execute(&format!("INSERT INTO {table} ({table}) VALUES ('integrity-check')"), [])?;
        }
        Ok::<_, rusqlite::Error>(None)
    };
    check().unwrap_or_else(|error| Some(error.to_string()))
}

/// Rewrites the parts from which something was removed, without it, each in a transaction of its own.
pub(super) fn erase(conn: &Connection) -> rusqlite::Result<()> {
    let parts: Vec<i64> = conn
        .prepare_cached("SELECT part FROM parts WHERE erase")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for part in parts {
        let table = part_table(part);
        let is_empty: bool = conn.query_row(
            "SELECT NOT EXISTS (SELECT * FROM entries WHERE row >= ?1 AND row < ?2)",
            (part * ROWS_PER_PART, (part + 1) * ROWS_PER_PART),
            |row| row.get(0),
        )?;
        let work = if is_empty {
            format!("DROP TABLE {table}; DELETE FROM parts WHERE part = {part};")
        } else {
            format!(
                "INSERT INTO {table} ({table}) VALUES ('optimize'); UPDATE parts SET erase = 0 WHERE part = {part};"
            )
        };
        let tx = conn.unchecked_transaction()?;
        tx.execute_batch("INSERT INTO erasing VALUES (1) ON CONFLICT DO NOTHING")?;
        tx.execute_batch(&work)?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_message_despite_gaps() {
        let conn = Connection::open_in_memory().expect("opens");
        create_tables(&conn, MessageId::from_i64(100)).expect("made");
        assert_eq!(first_row_from(&conn, MessageId::from_i64(5)).expect("searched"), FIRST_ROW);
        let add = |row: rusqlite::Result<i64>, id, text| {
            let (mut writer, id) = (MessageWriter::new(&conn).expect("prepares"), MessageId::from_i64(id));
            writer.add(row.expect("a row"), id, text, "p1").expect("added");
        };
        for id in 101..120 {
            add(next_row(&conn), id, "late");
        }
        for id in (50..=100).rev() {
            add(previous_row(&conn), id, "early");
        }
        let message = |row: i64| -> Option<i64> {
            conn.query_row("SELECT message FROM entries WHERE row >= ?1 ORDER BY row LIMIT 1", [row], |row| {
                row.get(0)
            })
            .optional()
            .expect("read")
        };
        let found = |id: i64| message(first_row_from(&conn, MessageId::from_i64(id)).expect("searched"));
        for removed in [50, 60, 61, 62, 63, 64, 65, 66, 119] {
            remove_message(&conn, MessageId::from_i64(removed)).expect("removed");
            remove_message(&conn, MessageId::from_i64(removed)).expect("nothing twice");
        }
        for id in 40..=118 {
            let next = if id <= 50 {
                51
            } else if (60..=66).contains(&id) {
                67
            } else {
                id
            };
            assert_eq!(found(id), Some(next), "{id}");
        }
        assert_eq!((found(119), found(500)), (None, None));
        assert!(is_to_erase(&conn).expect("read"));
        let parts =
            || conn.query_row("SELECT count(*) FROM parts", [], |row| row.get::<_, i64>(0)).expect("read");
        let before = parts();
        erase(&conn).expect("erased");
        assert!(is_to_erase(&conn).expect("read"), "from the log");
        clear_erasing(&conn).expect("noted");
        assert!(!is_to_erase(&conn).expect("read") && parts() < before, "an empty part is gone");
    }
}
