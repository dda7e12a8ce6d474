//! Reading of the snapshot from which the core starts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, Row};
use tracing::warn;

use super::accounts::groups;
use super::programs::{access_tokens, hooks};
use super::{accounts, audit, devices, files, invites};
use crate::core::record::modes::{ListEntry, ModeFlag, Modes};
use crate::core::record::received::{ReceivedRange, ReceivedRanges};
use crate::core::record::{
    AccountId, ChannelId, ContentHash, Conversation, MetadataOwner, Preferences, RetentionLimits, SendId,
    Snapshot, StoredChannel, StoredMetadata, StoredSend, Topic,
};
use crate::store::SEND_ID_RETENTION;
use crate::store::checksums::{collect_readable, rows};
use crate::store::values::counters::{last_id, last_message_id};
use crate::store::values::time;
use crate::wire::{ChannelName, MessageId, Timestamp};

pub(in crate::store) fn read_snapshot(conn: &Connection) -> rusqlite::Result<Snapshot> {
    // One transaction, so that all reads see one state.
    let tx = conn.unchecked_transaction()?;
    let last_message = last_message_id(&tx)?;
    let accounts = accounts::read_accounts(&tx)?;
    let snapshot = Snapshot {
        passwords: accounts::read_passwords(&tx)?,
        reserved_names: accounts::read_reserved_names(&tx, &accounts)?,
        created: accounts::created(&tx)?,
        last_account: last_id(&tx, "accounts")?,
        invites: invites::read_all(&tx)?,
        last_invite: last_id(&tx, "invites")?,
        accounts,
        channels: read_channels(&tx)?,
        last_message,
        times: time::read_id_offsets(&tx)?,
        last_channel: last_id(&tx, "channels")?,
        send_ids: read_send_ids(&tx, last_message)?,
        markers: read_markers(&tx)?,
        early_markers: read_early_markers(&tx)?,
        metadata: read_metadata(&tx)?,
        received: read_received_sets(&tx)?,
        preferences: read_preferences(&tx)?,
        devices: devices::read_all(&tx)?,
        noted_time: time::noted(&tx)?,
        roots: audit::roots(&tx)?,
        files: files::read_all(&tx)?,
        file_shares: files::read_shares(&tx)?,
        hooks: hooks::read_all(&tx)?,
        access_tokens: access_tokens::read_all(&tx)?,
        groups: groups::read_all(&tx)?,
        listed_names: accounts::read_listed_names(&tx)?,
    };
    tx.commit()?;
    Ok(snapshot)
}

fn read_channels(conn: &Connection) -> rusqlite::Result<Vec<StoredChannel>> {
    let mut members = group_by_channel(
        conn,
        "SELECT m.channel, m.account FROM sound_members m JOIN accounts a ON a.id = m.account
         WHERE a.removed IS NULL ORDER BY m.channel, m.account",
        |row| row.get(1),
    )?;
    let mut member_statuses =
        group_by_channel(conn, "SELECT channel, account, ranks FROM sound_ranks", |row| {
            Ok((row.get(1)?, row.get(2)?))
        })?;
    let mut lists = group_by_channel(
        conn,
        "SELECT channel, list, mask, set_by, set_at FROM sound_lists ORDER BY id",
        |row| Ok((row.get(1)?, ListEntry { mask: text_column(row, 2)?, by: row.get(3)?, at: row.get(4)? })),
    )?;
    let mut invited = group_by_channel(conn, "SELECT channel, account FROM sound_invited", |row| row.get(1))?;
    let mut old_names = group_by_channel(conn, "SELECT channel, name, since FROM sound_old_names", |row| {
        Ok((row.get(1)?, row.get(2)?))
    })?;
    let mut read = conn.prepare(
        "SELECT id, name, created, spoken, topic, topic_by, topic_at, flags, key, most, maker,
                keep_days, keep_messages, archived
         FROM channels ORDER BY id",
    )?;
    let read = read.query_map([], |row| {
        let id = row.get(0)?;
        let key = row.get::<_, Option<String>>(8)?.map(Arc::from);
        Ok(StoredChannel {
            id,
            name: row.get(1)?,
            created: row.get(2)?,
            creator: row.get(10)?,
            topic: parse_topic(row)?,
            members: members.remove(&id).unwrap_or_default(),
            has_messages: row.get(3)?,
            modes: Modes::new(row.get(7)?, key, row.get(9)?),
            retention: RetentionLimits { keep_days: row.get(11)?, keep_messages: row.get(12)? },
            archived: row.get(13)?,
            member_statuses: member_statuses.remove(&id).unwrap_or_default(),
            lists: lists.remove(&id).unwrap_or_default(),
            invited: invited.remove(&id).unwrap_or_default(),
            old_names: old_names.remove(&id).unwrap_or_default(),
        })
    })?;
    let mut channels = collect_readable("channels", read)?;
    for channel in &mut channels {
        // The damage may be in the modes that keep others out of the channel.
        if !rows::is_row_sound(conn, rows::CheckedTable::Channels, channel.id.0)? {
            warn!(
                channel = %channel.name,
                "the channel's row is damaged, so that it is for those who are invited; its modes, set anew, end that"
            );
            channel.modes.set(ModeFlag::InviteOnly, true);
            channel.modes.set(ModeFlag::Secret, true);
        }
    }
    Ok(channels)
}

/// Groups rows by the channel in their first column.
fn group_by_channel<T>(
    conn: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<HashMap<ChannelId, Vec<T>>> {
    let mut groups: HashMap<ChannelId, Vec<T>> = HashMap::new();
    let mut rows = conn.prepare(sql)?;
    for (channel, value) in
        collect_readable("rows of channels", rows.query_map([], |row| Ok((row.get(0)?, read(row)?)))?)?
    {
        groups.entry(channel).or_default().push(value);
    }
    Ok(groups)
}

fn parse_topic(row: &Row<'_>) -> rusqlite::Result<Option<Topic>> {
    let Some(text) = row.get::<_, Option<String>>(4)? else { return Ok(None) };
    Ok(Some(Topic { text: text.into(), by: row.get(5)?, at: row.get(6)? }))
}

fn text_column(row: &Row<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    row.get::<_, String>(column).map(Arc::from)
}

/// Reads the send ids of the time window before the last message.
fn read_send_ids(conn: &Connection, last: MessageId) -> rusqlite::Result<Vec<StoredSend>> {
    let since = MessageId::first_at(last.time() - SEND_ID_RETENTION);
    let mut rows = conn.prepare(
        "SELECT s.account, s.send, s.message, m.place, m.kind, m.text, m.tags
         FROM sends s LEFT JOIN messages m ON m.id = s.message AND m.redacted IS NULL
         WHERE s.message >= ?1 ORDER BY s.message",
    )?;
    let read = |row: &Row<'_>| {
        let (account, id, message) = (row.get(0)?, SendId(text_column(row, 1)?), row.get(2)?);
        Ok(StoredSend { account, id, message, content: content(row).ok() })
    };
    collect_readable("send ids", rows.query_map([since], read)?)
}

/// Hashes the message of a send id. Fails if the message was redacted or removed, or cannot be read.
fn content(row: &Row<'_>) -> rusqlite::Result<ContentHash> {
    let text = row.get_ref(5)?.as_str()?;
    let tags = row.get_ref(6)?.as_str_or_null()?.unwrap_or_default();
    Ok(ContentHash::of(Ok(row.get(3)?), row.get(4)?, text, tags))
}

fn read_markers(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Conversation, Timestamp)>> {
    let mut rows = conn.prepare("SELECT account, place, read FROM sound_markers")?;
    collect_readable("read markers", rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
}

fn read_early_markers(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, ChannelName, Timestamp)>> {
    let mut rows = conn.prepare("SELECT account, channel, read FROM sound_early_markers")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    collect_readable("early read markers", rows.query_map([], read)?)
}

fn read_received_sets(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, ReceivedRanges)>> {
    let mut ranges: BTreeMap<AccountId, Vec<ReceivedRange>> = BTreeMap::new();
    let mut statement =
        conn.prepare("SELECT account, after, up_to FROM sound_seen ORDER BY account, after")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, ReceivedRange { after: row.get(1)?, up_to: row.get(2)? }));
    for (account, range) in collect_readable("received ranges", statement.query_map([], read)?)? {
        ranges.entry(account).or_default().push(range);
    }
    Ok(ranges.into_iter().map(|(account, ranges)| (account, ReceivedRanges::from_ranges(ranges))).collect())
}

fn read_preferences(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Preferences)>> {
    conn.prepare("SELECT id, replay, bot IS NOT NULL FROM accounts WHERE id > 0 AND removed IS NULL AND (replay IS NOT NULL OR bot IS NOT NULL)")?
        .query_map([], |row| Ok((row.get(0)?, Preferences { replay: row.get(1)?, bot: row.get(2)? })))?
        .collect()
}

fn read_metadata(conn: &Connection) -> rusqlite::Result<Vec<StoredMetadata>> {
    let read = |sql: &str, owner: fn(&Row<'_>) -> rusqlite::Result<MetadataOwner>| {
        let mut rows = conn.prepare(sql)?;
        collect_readable(
            "metadata",
            rows.query_map([], |row| {
                let owner = owner(row)?;
                Ok(StoredMetadata { owner, key: text_column(row, 0)?, value: text_column(row, 1)? })
            })?,
        )
    };
    let mut all = read("SELECT key, value, account FROM sound_account_metadata", |row| {
        Ok(MetadataOwner::Account(row.get(2)?))
    })?;
    all.extend(read("SELECT key, value, channel FROM sound_channel_metadata", |row| {
        Ok(MetadataOwner::Channel(row.get(2)?))
    })?);
    all.extend(read("SELECT key, value, account, place FROM sound_private_metadata", |row| {
        Ok(MetadataOwner::Private(row.get(2)?, row.get(3)?))
    })?);
    Ok(all)
}
