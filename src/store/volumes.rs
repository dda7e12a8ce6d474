//! Where the history is written: in volumes, one after the other, so that appending costs the same however much
//! there is. `migrations/0004_volumes.sql` says why, [`super::history`] reads them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::sums;
use crate::chat::record::{MessageKind, Place, StoredMessage};
use crate::wire::MessageId;

/// Rows of a volume. Its part of the index is then some 0.2 MiB: small enough to stay in every cache, large enough
/// that a page of history seldom takes more than a few volumes. The tests of this crate turn them all the time.
const ROWS: u32 = if cfg!(test) { 3 } else { 8 * 1024 };

/// `messages.class`, see the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Said = 0,
    Event = 1,
    Redaction = 2,
    Redacted = 3,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Said, Self::Event, Self::Redaction, Self::Redacted];

    /// That of a new message.
    pub fn of(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Redact => Self::Redaction,
            kind if kind.is_said() => Self::Said,
            _ => Self::Event,
        }
    }
}

/// The volume that is written now. Lives as long as the writing connection.
pub(super) struct Volumes<'conn> {
    conn: &'conn Connection,
    message: Statement<'conn>,
    list: Statement<'conn>,
    /// `None` at first and after a roll-back: as the database says.
    open: Option<Open>,
    /// What its contents list, so that a message costs no look-up. At most [`ROWS`].
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

    /// Appends a message, whose id is higher than any before. Is it the first of its class at its place in this
    /// volume, as far as is known?
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

    /// Nothing that was remembered of the transaction holds.
    pub fn rolled_back(&mut self) {
        self.open = None;
        self.listed.clear();
    }

    /// A place is gone, with all that is there.
    pub fn remove(&mut self, place: Place) -> rusqlite::Result<()> {
        self.listed.retain(|(listed, _)| *listed != place);
        self.conn
            .prepare_cached("DELETE FROM messages WHERE id IN (SELECT id FROM history WHERE place = ?1)")?
            .execute([place])?;
        self.conn.prepare_cached("DELETE FROM contents WHERE place = ?1")?.execute([place])?;
        Ok(())
    }

    /// The volume that has room for one more row.
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

/// The oldest of a class at a place are gone: takes out of the contents the volumes that have none of it any more, but
/// for the one that is written now.
pub(super) fn strike(tx: &Connection, place: Place, class: Class) -> rusqlite::Result<()> {
    let oldest = tx
        .prepare_cached(FIRST)?
        .query_row((place, class as i64), |row| row.get(0))
        .optional()?
        .unwrap_or(i64::MAX);
    let sql = "DELETE FROM contents WHERE place = ?1 AND class = ?2
               AND volume < min(?3, (SELECT max(number) FROM volumes))";
    tx.prepare_cached(sql)?.execute((place, class as i64, oldest)).map(drop)
}

/// The first volume that really has something of a class at a place.
pub(super) const FIRST: &str = "SELECT volume FROM history WHERE place = ?1 AND class = ?2
     ORDER BY volume, id LIMIT 1";

/// Notes that a volume has something of a class at a place.
pub(super) const LIST: &str =
    "INSERT INTO contents (place, class, volume) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

fn last(conn: &Connection) -> rusqlite::Result<Open> {
    let number = conn
        .query_row("SELECT number FROM volumes ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    // One from before there were volumes may have any number of rows.
    let rows = conn.query_row(
        "SELECT count(*) FROM (SELECT 1 FROM messages WHERE volume = ?1 LIMIT ?2)",
        (number, ROWS),
        |row| row.get(0),
    )?;
    Ok(Open { number, rows })
}

#[cfg(test)]
mod tests;
