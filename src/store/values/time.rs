//! Times in the database: that of its last write, and the spans by which message ids are ahead.

use rusqlite::{Connection, OptionalExtension as _};

use crate::wire::ids::{IdOffset, MessageTimes};
use crate::wire::{MessageId, Timestamp};

/// Stores the server's settled time.
pub(in crate::store) fn store_time(tx: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO counters VALUES ('time', ?1) ON CONFLICT DO UPDATE SET value = ?1";
    tx.prepare_cached(sql)?.execute([now]).map(drop)
}

/// Returns the stored time, or that of the last message if none is stored. `None` for a new database.
pub fn last_commit(conn: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    match noted(conn)? {
        Some(noted) => Ok(Some(noted)),
        None => latest_message_time(conn),
    }
}

/// Returns the stored time.
pub(in crate::store) fn noted(conn: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    conn.query_row("SELECT value FROM counters WHERE name = 'time'", [], |row| row.get(0)).optional()
}

/// Returns the time of the last message.
pub fn latest_message_time(conn: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let last: Option<MessageId> = conn.query_row("SELECT max(id) FROM messages", [], |row| row.get(0))?;
    let Some(last) = last else { return Ok(None) };
    Ok(Some(read_id_offsets(conn)?.time_of(last)))
}

/// Reads the spans by which ids are ahead.
pub fn read_id_offsets(conn: &Connection) -> rusqlite::Result<MessageTimes> {
    let mut read = conn.prepare_cached("SELECT first, by FROM sound_ids_ahead ORDER BY first")?;
    let all = read.query_map([], |row| {
        Ok(IdOffset { from: row.get(0)?, by: row.get::<_, Timestamp>(1)?.since(Timestamp(0)) })
    })?;
    Ok(MessageTimes::new(all.collect::<Result<Vec<_>, _>>()?))
}

/// Stores that ids are ahead by another span from a message on.
pub(in crate::store) fn store_id_offset(tx: &Connection, offset: IdOffset) -> rusqlite::Result<()> {
    let sql = "INSERT INTO ids_ahead (first, by) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET by = ?2";
    tx.prepare_cached(sql)?.execute((offset.from, Timestamp(0) + offset.by)).map(drop)
}
