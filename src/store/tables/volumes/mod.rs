//! Writing of the history, in volumes, one after the other, so that appending costs the same at any size.
//! `migrations/0004_volumes.sql` gives the reason, [`crate::store::history`] reads them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Statement};

use crate::core::record::{Conversation, MessageKind, StoredMessage};
use crate::store::checksums;
use crate::wire::MessageId;

/// Count of rows in a volume. Its part of the index is then some 0.2 MiB: small enough to stay in every cache, large
/// enough that a page of history seldom takes more than a few volumes. The tests of this crate use small volumes, so
/// that they fill many.
const ROWS_PER_VOLUME: u32 = if cfg!(test) { 3 } else { 8 * 1024 };

/// Class of a message or event, stored in `messages.class`; see the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::store) enum Class {
    Message = 0,
    Event = 1,
    Redaction = 2,
    Redacted = 3,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Message, Self::Event, Self::Redaction, Self::Redacted];

    /// Returns the class of a new message.
    pub fn from_kind(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Redact => Self::Redaction,
            kind if kind.is_text_message() => Self::Message,
            _ => Self::Event,
        }
    }
}

/// The volume that is written now. Lives as long as the writing connection.
pub(in crate::store) struct VolumeWriter<'conn> {
    conn: &'conn Connection,
    insert_message: Statement<'conn>,
    insert_contents: Statement<'conn>,
    /// `None` at first and after a roll-back; then it is read from the database.
    open_volume: Option<OpenVolume>,
    /// Entries of the volume's contents, so that a message costs no look-up. At most [`ROWS_PER_VOLUME`].
    listed_contents: HashSet<(Conversation, Class)>,
}

struct OpenVolume {
    number: i64,
    rows: u32,
}

impl<'conn> VolumeWriter<'conn> {
    pub fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            insert_message: conn.prepare(
                "INSERT INTO messages (id, place, sender, kind, text, tags, volume, sum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            insert_contents: conn.prepare(INSERT_CONTENTS)?,
            open_volume: None,
            listed_contents: HashSet::new(),
        })
    }

    /// Appends a message, whose id must be higher than any before. Returns true if it is the first of its class in its
    /// conversation in this volume, as far as is known.
    pub fn append(&mut self, m: &StoredMessage) -> rusqlite::Result<bool> {
        let volume = self.volume_for_row(m.id)?;
        let tags = (!m.tags.is_empty()).then_some(&*m.tags);
        let sum = checksums::message_checksum(m);
        self.insert_message.execute((m.id, m.conversation, m.from, m.kind, &*m.text, tags, volume, sum))?;
        let class = Class::from_kind(m.kind);
        let first = self.listed_contents.insert((m.conversation, class));
        if first {
            self.insert_contents.execute((m.conversation, class as i64, volume))?;
        }
        Ok(first)
    }

    /// Inserts a message whose id is not higher than all before, into the volume that begins before it. That may then have
    /// more rows than others.
    pub fn insert_late(&mut self, m: &StoredMessage) -> rusqlite::Result<()> {
        let sql = "SELECT number FROM volumes WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
        let volume: i64 = self.conn.prepare_cached(sql)?.query_row([m.id], |row| row.get(0))?;
        let tags = (!m.tags.is_empty()).then_some(&*m.tags);
        let sum = checksums::message_checksum(m);
        self.insert_message.execute((m.id, m.conversation, m.from, m.kind, &*m.text, tags, volume, sum))?;
        self.insert_contents.execute((m.conversation, Class::from_kind(m.kind) as i64, volume))?;
        Ok(())
    }

    /// Resets the state after the transaction was rolled back.
    pub fn reset_after_rollback(&mut self) {
        self.open_volume = None;
        self.listed_contents.clear();
    }

    /// Removes a conversation with all its messages and events.
    pub fn remove_conversation(&mut self, conversation: Conversation) -> rusqlite::Result<()> {
        self.listed_contents.retain(|(listed, _)| *listed != conversation);
        self.conn
            .prepare_cached("DELETE FROM messages WHERE id IN (SELECT id FROM history WHERE place = ?1)")?
            .execute([conversation])?;
        self.conn.prepare_cached("DELETE FROM contents WHERE place = ?1")?.execute([conversation])?;
        Ok(())
    }

    /// Returns the volume for one more row.
    fn volume_for_row(&mut self, id: MessageId) -> rusqlite::Result<i64> {
        let open = match &mut self.open_volume {
            Some(open) => open,
            none => none.insert(read_last_volume(self.conn)?),
        };
        if open.rows >= ROWS_PER_VOLUME {
            *open = OpenVolume { number: open.number + 1, rows: 0 };
            self.listed_contents.clear();
            self.conn.prepare_cached("INSERT INTO volumes VALUES (?1, ?2)")?.execute((open.number, id))?;
        }
        open.rows += 1;
        Ok(open.number)
    }
}

/// Removes the volumes that have no messages of a class in a conversation any longer from the contents, except for the
/// volume that is written now. Called after the oldest were removed.
pub(in crate::store) fn prune_contents(
    tx: &Connection,
    conversation: Conversation,
    class: Class,
) -> rusqlite::Result<()> {
    let oldest = tx
        .prepare_cached(SELECT_FIRST_VOLUME)?
        .query_row((conversation, class as i64), |row| row.get(0))
        .optional()?
        .unwrap_or(i64::MAX);
    let sql = "DELETE FROM contents WHERE place = ?1 AND class = ?2
               AND volume < min(?3, (SELECT max(number) FROM volumes))";
    tx.prepare_cached(sql)?.execute((conversation, class as i64, oldest)).map(drop)
}

/// Selects the first volume that has messages of a class in a conversation.
pub(in crate::store) const SELECT_FIRST_VOLUME: &str =
    "SELECT volume FROM history WHERE place = ?1 AND class = ?2
     ORDER BY volume, id LIMIT 1";

/// Notes that a volume has messages of a class in a conversation.
pub(in crate::store) const INSERT_CONTENTS: &str =
    "INSERT INTO contents (place, class, volume) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

fn read_last_volume(conn: &Connection) -> rusqlite::Result<OpenVolume> {
    let number = conn
        .query_row("SELECT number FROM volumes ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    // A volume from before the limit may have any count of rows.
    let rows = conn.query_row(
        "SELECT count(*) FROM (SELECT 1 FROM messages WHERE volume = ?1 LIMIT ?2)",
        (number, ROWS_PER_VOLUME),
        |row| row.get(0),
    )?;
    Ok(OpenVolume { number, rows })
}

#[cfg(test)]
mod tests;
