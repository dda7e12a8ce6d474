//! Numbers of the database that outlive the rows they came from (`counters`).

use rusqlite::Connection;

use crate::wire::MessageId;

/// A number that outlives the rows that held it; 0 for one that was never set.
pub(super) fn counter(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce((SELECT value FROM counters WHERE name = ?1), 0)";
    conn.prepare_cached(sql)?.query_row([name], |row| row.get(0))
}

/// The last message id that was given.
pub(super) fn last_message(conn: &Connection) -> rusqlite::Result<MessageId> {
    conn.query_row(
        "SELECT max(value, coalesce((SELECT max(id) FROM messages), 0)) FROM counters WHERE name = 'message'",
        [],
        |row| row.get(0),
    )
}

/// Notes, in the transaction that removes something, that it is still in the write-ahead log.
pub(super) fn erase_later(tx: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'erase'";
    tx.prepare_cached(sql)?.execute([]).map(drop)
}
