//! Applying records inside the writer's transaction.

use std::collections::HashSet;

use rusqlite::{Connection, Statement};

use super::{SENDS_KEPT, settings};
use crate::chat::record::{AccountId, ChannelId, Place, Record, StoredMessage, Topic};
use crate::wire::{ChannelName, MessageId, Millis};

/// Places that are remembered as spoken in: some hundred KiB.
const SPOKEN: usize = 16 * 1024;

/// Sends after which old ones are forgotten: at once they cost pages of their own, each time.
const PRUNE_AFTER: u32 = 64;

/// Applies records. Lives as long as the writing connection and holds what every message needs.
pub(super) struct Keeper<'conn> {
    conn: &'conn Connection,
    message: Statement<'conn>,
    send: Statement<'conn>,
    /// Places known to be noted as spoken in, so that a message costs no look-up. At most [`SPOKEN`].
    spoken: HashSet<Place>,
    /// Sends since the last pruning, and the newest of them.
    sends: u32,
    newest_send: MessageId,
}

impl<'conn> Keeper<'conn> {
    pub fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            message: conn.prepare(
                "INSERT INTO messages (id, place, sender, kind, text, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            send: conn.prepare("INSERT INTO sends (message, account, send) VALUES (?1, ?2, ?3)")?,
            spoken: HashSet::new(),
            sends: 0,
            newest_send: MessageId::default(),
        })
    }

    /// Applies one record to the open transaction.
    pub fn apply(&mut self, record: &Record) -> rusqlite::Result<()> {
        match record {
            Record::Message(message) => self.message(message),
            Record::ChannelCreated { id, name, at } => self.channel_created(*id, name, *at),
            Record::ChannelRemoved(id) => self.channel_removed(*id),
            Record::TopicSet(id, topic) => self.topic_set(*id, topic.as_ref()),
            Record::Joined { channel, account, at } => self.joined(*channel, *account, *at),
            Record::Parted { channel, account } => self.parted(*channel, *account),
            Record::Redacted { place, message } => self.redacted(*place, *message),
            other => settings::apply(self.conn, other),
        }
    }

    /// The last step before the commit: forgets send ids that no client will come back with, now and then. Each one
    /// added pays for removing two, so the table stays at its window and no pruning ever takes long.
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

    /// The transaction was rolled back: nothing that this remembers of it holds.
    pub fn rolled_back(&mut self) {
        self.spoken.clear();
        self.sends = 0;
    }

    fn message(&mut self, m: &StoredMessage) -> rusqlite::Result<()> {
        if m.kind.is_said() && self.spoken.insert(m.place) {
            self.first_said(m.place)?;
        }
        let tags = (!m.tags.is_empty()).then_some(&*m.tags);
        self.message.execute((m.id, m.place, m.from, m.kind, &*m.text, tags))?;
        if let Some(send) = &m.send_id {
            self.send.execute((m.id, m.from, &*send.0))?;
            self.sends += 1;
            self.newest_send = m.id;
        }
        Ok(())
    }

    /// Something is said at a place, perhaps for the first time.
    fn first_said(&mut self, place: Place) -> rusqlite::Result<()> {
        // People have more talks than there are channels.
        if self.spoken.len() > SPOKEN {
            self.spoken.clear();
        }
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

    /// Nothing of what was said remains, but that something was.
    fn redacted(&self, place: Place, message: MessageId) -> rusqlite::Result<()> {
        let sql = "UPDATE messages SET text = '', tags = NULL, redacted = 1 WHERE id = ?1 AND place = ?2";
        if self.conn.prepare_cached(sql)?.execute((message, place))? > 0 {
            let sql = "INSERT INTO forgotten VALUES (?1) ON CONFLICT DO NOTHING";
            self.conn.prepare_cached(sql)?.execute([message])?;
        }
        Ok(())
    }

    fn channel_created(&self, id: ChannelId, name: &ChannelName, at: Millis) -> rusqlite::Result<()> {
        self.conn.prepare_cached("DELETE FROM old_names WHERE name = ?1")?.execute([name])?;
        self.conn
            .prepare_cached("INSERT INTO channels (id, name, created) VALUES (?1, ?2, ?3)")?
            .execute((id, name, at))?;
        Ok(())
    }

    /// Its members, ranks, lists and old names go with it, and its joins and parts: nothing else is in its history.
    fn channel_removed(&mut self, id: ChannelId) -> rusqlite::Result<()> {
        self.spoken.remove(&Place::Channel(id));
        self.conn.prepare_cached("DELETE FROM channels WHERE id = ?1")?.execute([id])?;
        for sql in [
            "DELETE FROM messages WHERE place = ?1",
            "DELETE FROM markers WHERE place = ?1",
            "DELETE FROM private_metadata WHERE place = ?1",
        ] {
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
                "INSERT INTO members (channel, account, joined) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
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
