//! Reading of the snapshot from which the core starts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, Row};
use tracing::warn;

use super::{accounts, devices, invites};
use crate::core::record::modes::{Flag, ListEntry, Modes};
use crate::core::record::seen::Seen;
use crate::core::record::{
    AccountId, ChannelId, KeptKey, Place, Preferences, SendId, Snapshot, StoredChannel, Subject, Topic,
};
use crate::store::counters::last_message;
use crate::store::sums::{readable, rows};
use crate::store::{SENDS_KEPT, time};
use crate::wire::{ChannelName, MessageId, Millis};

pub(in crate::store) fn snapshot(conn: &Connection) -> rusqlite::Result<Snapshot> {
    // One transaction, so that all reads see one state.
    let tx = conn.unchecked_transaction()?;
    let last_message = last_message(&tx)?;
    let people = accounts::people(&tx)?;
    let snapshot = Snapshot {
        passwords: accounts::passwords(&tx)?,
        former: accounts::former(&tx, &people)?,
        last_account: last(&tx, "accounts")?,
        invites: invites::all(&tx)?,
        last_invite: last(&tx, "invites")?,
        accounts: people,
        channels: channels(&tx)?,
        last_message,
        times: time::times(&tx)?,
        last_channel: last(&tx, "channels")?,
        sends: sends(&tx, last_message)?,
        markers: markers(&tx)?,
        early_markers: early_markers(&tx)?,
        metadata: metadata(&tx)?,
        seen: seen(&tx)?,
        preferences: preferences(&tx)?,
        devices: devices::all(&tx)?,
    };
    tx.commit()?;
    Ok(snapshot)
}

/// Returns the largest id that a table ever had.
fn last(conn: &Connection, table: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1";
    conn.query_row(sql, [table], |row| row.get(0))
}

fn channels(conn: &Connection) -> rusqlite::Result<Vec<StoredChannel>> {
    let mut members = grouped(
        conn,
        "SELECT m.channel, m.account FROM sound_members m JOIN accounts a ON a.id = m.account
         WHERE a.removed IS NULL ORDER BY m.channel, m.account",
        |row| row.get(1),
    )?;
    let mut ranks = grouped(conn, "SELECT channel, account, ranks FROM sound_ranks", |row| {
        Ok((row.get(1)?, row.get(2)?))
    })?;
    let mut lists =
        grouped(conn, "SELECT channel, list, mask, set_by, set_at FROM sound_lists ORDER BY id", |row| {
            Ok((row.get(1)?, ListEntry { mask: text(row, 2)?, by: row.get(3)?, at: row.get(4)? }))
        })?;
    let mut invited = grouped(conn, "SELECT channel, account FROM sound_invited", |row| row.get(1))?;
    let mut old_names = grouped(conn, "SELECT channel, name, since FROM sound_old_names", |row| {
        Ok((row.get(1)?, row.get(2)?))
    })?;
    let mut read = conn.prepare(
        "SELECT id, name, created, spoken, topic, topic_by, topic_at, flags, key, most, maker FROM channels ORDER BY id",
    )?;
    let read = read.query_map([], |row| {
        let id = row.get(0)?;
        let key = row.get::<_, Option<String>>(8)?.map(Arc::from);
        Ok(StoredChannel {
            id,
            name: row.get(1)?,
            created: row.get(2)?,
            maker: row.get(10)?,
            topic: topic(row)?,
            members: members.remove(&id).unwrap_or_default(),
            spoken_in: row.get(3)?,
            modes: Modes::new(row.get(7)?, key, row.get(9)?),
            ranks: ranks.remove(&id).unwrap_or_default(),
            lists: lists.remove(&id).unwrap_or_default(),
            invited: invited.remove(&id).unwrap_or_default(),
            old_names: old_names.remove(&id).unwrap_or_default(),
        })
    })?;
    let mut channels = readable("channels", read)?;
    for channel in &mut channels {
        // Who may come in could be the damage.
        if !rows::is_channel_sound(conn, channel.id.0)? {
            warn!(
                channel = %channel.name,
                "the channel's row is damaged, so that it is for those who are invited; its modes, set anew, end that"
            );
            channel.modes.set(Flag::InviteOnly, true);
            channel.modes.set(Flag::Secret, true);
        }
    }
    Ok(channels)
}

/// Groups rows by the channel in their first column.
fn grouped<T>(
    conn: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<HashMap<ChannelId, Vec<T>>> {
    let mut groups: HashMap<ChannelId, Vec<T>> = HashMap::new();
    let mut rows = conn.prepare(sql)?;
    for (channel, value) in
        readable("what belongs to channels", rows.query_map([], |row| Ok((row.get(0)?, read(row)?)))?)?
    {
        groups.entry(channel).or_default().push(value);
    }
    Ok(groups)
}

fn topic(row: &Row<'_>) -> rusqlite::Result<Option<Topic>> {
    let Some(text) = row.get::<_, Option<String>>(4)? else { return Ok(None) };
    Ok(Some(Topic { text: text.into(), by: row.get(5)?, at: row.get(6)? }))
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    row.get::<_, String>(column).map(Arc::from)
}

/// Reads the send ids of the time window before the last message.
fn sends(conn: &Connection, last: MessageId) -> rusqlite::Result<Vec<(AccountId, SendId, MessageId)>> {
    let since = MessageId::first_at(Millis(last.time().0.saturating_sub(SENDS_KEPT.0)));
    let mut rows =
        conn.prepare("SELECT account, send, message FROM sends WHERE message >= ?1 ORDER BY message")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, SendId(text(row, 1)?), row.get(2)?));
    readable("send ids", rows.query_map([since], read)?)
}

fn markers(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Place, Millis)>> {
    let mut rows = conn.prepare("SELECT account, place, read FROM sound_markers")?;
    readable("read markers", rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
}

fn early_markers(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, ChannelName, Millis)>> {
    let mut rows = conn.prepare("SELECT account, channel, read FROM sound_early_markers")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    readable("early read markers", rows.query_map([], read)?)
}

fn seen(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Seen)>> {
    let mut spans: BTreeMap<AccountId, Vec<(MessageId, MessageId)>> = BTreeMap::new();
    let mut statement =
        conn.prepare("SELECT account, after, up_to FROM sound_seen ORDER BY account, after")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
    for (account, span) in readable("what was seen", statement.query_map([], read)?)? {
        spans.entry(account).or_default().push(span);
    }
    Ok(spans.into_iter().map(|(account, spans)| (account, Seen::from_spans(spans))).collect())
}

fn preferences(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Preferences)>> {
    conn.prepare("SELECT id, replay, bot IS NOT NULL FROM accounts WHERE id > 0 AND removed IS NULL AND (replay IS NOT NULL OR bot IS NOT NULL)")?
        .query_map([], |row| Ok((row.get(0)?, Preferences { replay: row.get(1)?, bot: row.get(2)? })))?
        .collect()
}

fn metadata(conn: &Connection) -> rusqlite::Result<Vec<KeptKey>> {
    let read = |sql: &str, subject: fn(&Row<'_>) -> rusqlite::Result<Subject>| {
        let mut rows = conn.prepare(sql)?;
        readable("metadata", rows.query_map([], |row| Ok((subject(row)?, text(row, 0)?, text(row, 1)?)))?)
    };
    let mut all = read("SELECT key, value, account FROM sound_account_metadata", |row| {
        Ok(Subject::Account(row.get(2)?))
    })?;
    all.extend(read("SELECT key, value, channel FROM sound_channel_metadata", |row| {
        Ok(Subject::Channel(row.get(2)?))
    })?);
    all.extend(read("SELECT key, value, account, place FROM sound_private_metadata", |row| {
        Ok(Subject::Private(row.get(2)?, row.get(3)?))
    })?);
    Ok(all)
}
