//! Numbers that outlive the rows that they count (table `counters`).

use rusqlite::Connection;

use crate::wire::MessageId;

/// Returns a counter; 0 if it was never set.
pub(in crate::store) fn read_counter(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce((SELECT value FROM counters WHERE name = ?1), 0)";
    conn.prepare_cached(sql)?.query_row([name], |row| row.get(0))
}

/// Returns the last message id that was assigned.
pub(in crate::store) fn last_message_id(conn: &Connection) -> rusqlite::Result<MessageId> {
    conn.query_row(
        "SELECT max(value, coalesce((SELECT max(id) FROM messages), 0)) FROM counters WHERE name = 'message'",
        [],
        |row| row.get(0),
    )
}

/// Name of the counter of the latest message that was inserted before others, and that the search index may have passed.
const LATE: &str = "late";

/// Notes, in the transaction that inserts a message before others, that the search index may have passed its place.
pub(in crate::store) fn note_late_message(tx: &Connection, id: MessageId) -> rusqlite::Result<()> {
    let sql = "INSERT INTO counters VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = max(value, ?2)";
    tx.prepare_cached(sql)?.execute((LATE, id)).map(drop)
}

/// Returns the latest message that was inserted before others since [`clear_late_message`].
pub(in crate::store) fn late_message(conn: &Connection) -> rusqlite::Result<Option<MessageId>> {
    let late = read_counter(conn, LATE)?;
    Ok((late > 0).then(|| MessageId::from_i64(late)))
}

/// Notes that the search index has, or will come to, the messages up to this one that were inserted before others.
pub(in crate::store) fn clear_late_message(tx: &Connection, late: MessageId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM counters WHERE name = ?1 AND value = ?2")?.execute((LATE, late)).map(drop)
}

/// Notes, in the transaction that removes text, that the text is still in the write-ahead log.
pub(in crate::store) fn schedule_erasing(tx: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'erase'";
    tx.prepare_cached(sql)?.execute([]).map(drop)
}

/// Returns the largest id that a table ever had.
pub(in crate::store) fn last_id(conn: &Connection, table: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1";
    conn.query_row(sql, [table], |row| row.get(0))
}
