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

/// Notes, in the transaction that removes text, that the text is still in the write-ahead log.
pub(in crate::store) fn schedule_erasing(tx: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'erase'";
    tx.prepare_cached(sql)?.execute([]).map(drop)
}
