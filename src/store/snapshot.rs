//! Reading what the chat starts from.

use std::collections::HashMap;

use rusqlite::{Connection, Row};

use super::{SENDS_KEPT, accounts};
use crate::chat::record::{AccountId, ChannelId, SendId, Snapshot, StoredChannel, Topic};
use crate::wire::{MessageId, Millis};

pub(super) fn snapshot(conn: &Connection) -> rusqlite::Result<Snapshot> {
    // One transaction, so that all of it is of one moment.
    let tx = conn.unchecked_transaction()?;
    let last_message = last_message(&tx)?;
    let snapshot = Snapshot {
        accounts: accounts::people(&tx)?,
        channels: channels(&tx)?,
        last_message,
        last_channel: tx.query_row(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'channels'",
            [],
            |row| row.get(0),
        )?,
        sends: sends(&tx, last_message)?,
    };
    tx.commit()?;
    Ok(snapshot)
}

fn last_message(conn: &Connection) -> rusqlite::Result<MessageId> {
    conn.query_row(
        "SELECT max(value, coalesce((SELECT max(id) FROM messages), 0)) FROM counters WHERE name = 'message'",
        [],
        |row| row.get(0),
    )
}

fn channels(conn: &Connection) -> rusqlite::Result<Vec<StoredChannel>> {
    let mut members: HashMap<ChannelId, Vec<AccountId>> = HashMap::new();
    let mut rows = conn.prepare(
        "SELECT m.channel, m.account FROM members m JOIN accounts a ON a.id = m.account
         WHERE a.removed IS NULL ORDER BY m.channel, m.account",
    )?;
    for row in rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (channel, account) = row?;
        members.entry(channel).or_default().push(account);
    }
    conn.prepare("SELECT id, name, created, spoken, topic, topic_by, topic_at FROM channels ORDER BY id")?
        .query_map([], |row| {
            let id = row.get(0)?;
            Ok(StoredChannel {
                id,
                name: row.get(1)?,
                created: row.get(2)?,
                topic: topic(row)?,
                members: members.remove(&id).unwrap_or_default(),
                spoken_in: row.get(3)?,
            })
        })?
        .collect()
}

fn topic(row: &Row<'_>) -> rusqlite::Result<Option<Topic>> {
    let Some(text) = row.get::<_, Option<String>>(4)? else { return Ok(None) };
    Ok(Some(Topic { text: text.into(), by: row.get(5)?, at: row.get(6)? }))
}

/// Those of the window before the last message.
fn sends(conn: &Connection, last: MessageId) -> rusqlite::Result<Vec<(AccountId, SendId, MessageId)>> {
    let since = MessageId::first_at(Millis(last.time().0.saturating_sub(SENDS_KEPT.0)));
    conn.prepare("SELECT account, send, message FROM sends WHERE message >= ?1 ORDER BY message")?
        .query_map([since], |row| {
            let send: String = row.get(1)?;
            Ok((row.get(0)?, SendId(send.into()), row.get(2)?))
        })?
        .collect()
}
