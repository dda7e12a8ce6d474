//! Applying of records inside the writer's transaction.

use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::apply;
use super::volumes::{Class, LIST, Volumes};
use crate::core::record::{AccountId, ChannelId, Place, Record, StoredMessage, Topic};
use crate::store::counters::erase_later;
use crate::store::{SENDS_KEPT, sums};
use crate::wire::{ChannelName, MessageId, Millis};

/// Count of send ids after which old ones are removed. Removing them one by one would cost pages of their own each
/// time.
const PRUNE_AFTER: u32 = 64;

/// Applies records. Lives as long as the writing connection and holds the statements that every message needs.
pub(in crate::store) struct Keeper<'conn> {
    conn: &'conn Connection,
    volumes: Volumes<'conn>,
    send: Statement<'conn>,
    /// Count of send ids since the last pruning, and the newest of them.
    sends: u32,
    newest_send: MessageId,
    /// True if text was removed since [`take_removed`](Self::take_removed).
    removed: bool,
}

impl<'conn> Keeper<'conn> {
    pub fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            volumes: Volumes::new(conn)?,
            send: conn.prepare("INSERT INTO sends (message, account, send) VALUES (?1, ?2, ?3)")?,
            sends: 0,
            newest_send: MessageId::default(),
            removed: false,
        })
    }

    /// Applies one record to the open transaction.
    pub fn apply(&mut self, record: &Record) -> rusqlite::Result<()> {
        match record {
            Record::Message(message) => self.message(message),
            Record::ChannelCreated { id, name, maker, at } => self.channel_created(*id, name, *maker, *at),
            Record::ChannelRemoved(id) => self.channel_removed(*id),
            Record::TopicSet(id, topic) => self.topic_set(*id, topic.as_ref()),
            Record::Joined { channel, account, at } => self.joined(*channel, *account, *at),
            Record::Parted { channel, account } => self.parted(*channel, *account),
            Record::Redacted { place, message } => self.redacted(*place, *message),
            other => apply::apply(self.conn, other),
        }
    }

    /// Runs as the last step before the commit: periodically removes send ids that no client will repeat. Each one
    /// added pays for removing two, so the table stays at its window and no pruning takes long.
    pub fn finish(&mut self) -> rusqlite::Result<()> {
        if self.sends < PRUNE_AFTER {
            return Ok(());
        }
        let before = MessageId::first_at(Millis(self.newest_send.time().0.saturating_sub(SENDS_KEPT.0)));
        self.conn
            .prepare_cached(
                "DELETE FROM sends WHERE message <
                     min(?1, ifnull((SELECT message FROM sends ORDER BY message LIMIT 1 OFFSET ?2), ?1))",
            )?
            .execute((before, 2 * self.sends))?;
        self.sends = 0;
        Ok(())
    }

    /// Returns true if text was removed that is still to be erased from the log, and resets that.
    pub fn take_removed(&mut self) -> bool {
        std::mem::take(&mut self.removed)
    }

    /// Resets the state after the transaction was rolled back.
    pub fn rolled_back(&mut self) {
        self.volumes.rolled_back();
        self.removed = false;
        self.sends = 0;
    }

    fn message(&mut self, m: &StoredMessage) -> rusqlite::Result<()> {
        if self.volumes.append(m)? && m.kind.is_said() {
            self.first_said(m.place)?;
        }
        if let Some(parent) = m.reacts_to() {
            let sql = "INSERT INTO reactions (id, parent) VALUES (?1, ?2)";
            self.conn.prepare_cached(sql)?.execute((m.id, parent))?;
        }
        if let Some(send) = &m.send_id {
            self.send.execute((m.id, m.from, &*send.0))?;
            self.sends += 1;
            self.newest_send = m.id;
        }
        Ok(())
    }

    /// Notes that a conversation has messages.
    fn first_said(&self, place: Place) -> rusqlite::Result<()> {
        match place {
            Place::Channel(channel) => {
                let sql = "UPDATE channels SET spoken = 1 WHERE id = ?1 AND spoken = 0";
                self.conn.prepare_cached(sql)?.execute([channel])?;
            }
            Place::Direct(a, b) => {
                let sql = "INSERT INTO talks VALUES (?1, ?2, ?3), (?2, ?1, ?3) ON CONFLICT DO NOTHING";
                self.conn.prepare_cached(sql)?.execute((a, b, place))?;
            }
        }
        Ok(())
    }

    /// Erases the text and tags of a message; its row stays.
    fn redacted(&mut self, place: Place, message: MessageId) -> rusqlite::Result<()> {
        let sql = "UPDATE messages SET text = '', tags = NULL, redacted = 1 WHERE id = ?1 AND place = ?2
             RETURNING volume, sender, kind";
        let redacted = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found: Option<(i64, i64, i64)> =
            self.conn.prepare_cached(sql)?.query_row((message, place), redacted).optional()?;
        if let Some((volume, sender, kind)) = found {
            let sum = sums::of_redacted(message, place, sender, kind);
            self.conn
                .prepare_cached("UPDATE messages SET sum = ?2 WHERE id = ?1")?
                .execute((message, sum))?;
            self.conn.prepare_cached(LIST)?.execute((place, Class::Redacted as i64, volume))?;
            let sql = "INSERT INTO forgotten VALUES (?1) ON CONFLICT DO NOTHING";
            self.conn.prepare_cached(sql)?.execute([message])?;
            erase_later(self.conn)?;
            self.removed = true;
        }
        Ok(())
    }

    fn channel_created(
        &self,
        id: ChannelId,
        name: &ChannelName,
        maker: AccountId,
        at: Millis,
    ) -> rusqlite::Result<()> {
        self.conn.prepare_cached("DELETE FROM old_names WHERE folded = ?1")?.execute([name.folded()])?;
        self.conn
            .prepare_cached("INSERT INTO channels (id, name, created, maker) VALUES (?1, ?2, ?3, ?4)")?
            .execute((id, name, at, maker))?;
        Ok(())
    }

    /// Removes the channel with its members, member statuses, lists and old names, and its joins and parts, which are
    /// all that its history has.
    fn channel_removed(&mut self, id: ChannelId) -> rusqlite::Result<()> {
        self.volumes.remove(Place::Channel(id))?;
        self.conn.prepare_cached("DELETE FROM channels WHERE id = ?1")?.execute([id])?;
        for sql in ["DELETE FROM markers WHERE place = ?1", "DELETE FROM private_metadata WHERE place = ?1"] {
            self.conn.prepare_cached(sql)?.execute([Place::Channel(id)])?;
        }
        Ok(())
    }

    fn topic_set(&self, id: ChannelId, topic: Option<&Topic>) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("UPDATE channels SET topic = ?2, topic_by = ?3, topic_at = ?4 WHERE id = ?1")?
            .execute((id, topic.map(|t| &*t.text), topic.map(|t| &t.by), topic.map(|t| t.at)))?;
        Ok(())
    }

    fn joined(&self, channel: ChannelId, account: AccountId, at: Millis) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO members (channel, account, joined) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET joined = ?3",
            )?
            .execute((channel, account, at))?;
        Ok(())
    }

    fn parted(&self, channel: ChannelId, account: AccountId) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("DELETE FROM members WHERE channel = ?1 AND account = ?2")?
            .execute((channel, account))?;
        Ok(())
    }
}
