//! Writing of the history, in volumes, one after the other, so that appending costs the same at any size.
//! `migrations/0004_volumes.sql` gives the reason, [`crate::store::history`] reads them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Statement};

use crate::core::record::{MessageKind, Place, StoredMessage};
use crate::store::sums;
use crate::wire::MessageId;

/// Count of rows in a volume. Its part of the index is then some 0.2 MiB: small enough to stay in every cache, large
/// enough that a page of history seldom takes more than a few volumes. The tests of this crate use small volumes, so
/// that they fill many.
const ROWS: u32 = if cfg!(test) { 3 } else { 8 * 1024 };

/// Class of a message or event, stored in `messages.class`; see the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::store) enum Class {
    Said = 0,
    Event = 1,
    Redaction = 2,
    Redacted = 3,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Said, Self::Event, Self::Redaction, Self::Redacted];

    /// Returns the class of a new message.
    pub fn of(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Redact => Self::Redaction,
            kind if kind.is_said() => Self::Said,
            _ => Self::Event,
        }
    }
}

/// The volume that is written now. Lives as long as the writing connection.
pub(in crate::store) struct Volumes<'conn> {
    conn: &'conn Connection,
    message: Statement<'conn>,
    list: Statement<'conn>,
    /// `None` at first and after a roll-back; then it is read from the database.
    open: Option<Open>,
    /// Entries of the volume's contents, so that a message costs no look-up. At most [`ROWS`].
    listed: HashSet<(Place, Class)>,
}

struct Open {
    number: i64,
    rows: u32,
}

impl<'conn> Volumes<'conn> {
    pub fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            message: conn.prepare(
                "INSERT INTO messages (id, place, sender, kind, text, tags, volume, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            list: conn.prepare(LIST)?,
            open: None,
            listed: HashSet::new(),
        })
    }

    /// Appends a message, whose id must be higher than any before. Returns true if it is the first of its class in its
    /// conversation in this volume, as far as is known.
    pub fn append(&mut self, m: &StoredMessage) -> rusqlite::Result<bool> {
        let volume = self.volume(m.id)?;
        let tags = (!m.tags.is_empty()).then_some(&*m.tags);
        let sum = sums::of_message(m);
        self.message.execute((m.id, m.place, m.from, m.kind, &*m.text, tags, volume, sum))?;
        let class = Class::of(m.kind);
        let first = self.listed.insert((m.place, class));
        if first {
            self.list.execute((m.place, class as i64, volume))?;
        }
        Ok(first)
    }

    /// Resets the state after the transaction was rolled back.
    pub fn rolled_back(&mut self) {
        self.open = None;
        self.listed.clear();
    }

    /// Removes a conversation with all its messages and events.
    pub fn remove(&mut self, place: Place) -> rusqlite::Result<()> {
        self.listed.retain(|(listed, _)| *listed != place);
        self.conn
            .prepare_cached("DELETE FROM messages WHERE id IN (SELECT id FROM history WHERE place = ?1)")?
            .execute([place])?;
        self.conn.prepare_cached("DELETE FROM contents WHERE place = ?1")?.execute([place])?;
        Ok(())
    }

    /// Returns the volume for one more row.
    fn volume(&mut self, id: MessageId) -> rusqlite::Result<i64> {
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(last(self.conn)?),
        };
        if open.rows >= ROWS {
            *open = Open { number: open.number + 1, rows: 0 };
            self.listed.clear();
            self.conn.prepare_cached("INSERT INTO volumes VALUES (?1, ?2)")?.execute((open.number, id))?;
        }
        open.rows += 1;
        Ok(open.number)
    }
}

/// Removes the volumes that have no messages of a class in a conversation any longer from the contents, except for the
/// volume that is written now. Called after the oldest were removed.
pub(in crate::store) fn strike(tx: &Connection, place: Place, class: Class) -> rusqlite::Result<()> {
    let oldest = tx
        .prepare_cached(FIRST)?
        .query_row((place, class as i64), |row| row.get(0))
        .optional()?
        .unwrap_or(i64::MAX);
    let sql = "DELETE FROM contents WHERE place = ?1 AND class = ?2
               AND volume < min(?3, (SELECT max(number) FROM volumes))";
    tx.prepare_cached(sql)?.execute((place, class as i64, oldest)).map(drop)
}

/// Selects the first volume that has messages of a class in a conversation.
pub(in crate::store) const FIRST: &str = "SELECT volume FROM history WHERE place = ?1 AND class = ?2
     ORDER BY volume, id LIMIT 1";

/// Notes that a volume has messages of a class in a conversation.
pub(in crate::store) const LIST: &str =
    "INSERT INTO contents (place, class, volume) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

fn last(conn: &Connection) -> rusqlite::Result<Open> {
    let number = conn
        .query_row("SELECT number FROM volumes ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    // A volume from before the limit may have any count of rows.
    let rows = conn.query_row(
        "SELECT count(*) FROM (SELECT 1 FROM messages WHERE volume = ?1 LIMIT ?2)",
        (number, ROWS),
        |row| row.get(0),
    )?;
    Ok(Open { number, rows })
}

#[cfg(test)]
mod tests;
