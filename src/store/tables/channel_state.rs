//! Records about the state of channels: modes, mask lists, member status, invitations, names.

use rusqlite::Connection;

use crate::core::model::channel::Channels;
use crate::core::record::member_status::MemberStatus;
use crate::core::record::modes::{ListEntry, ListKind, Modes};
use crate::core::record::{AccountId, ChannelId, RetentionLimits};
use crate::wire::{ChannelName, Timestamp};

pub(super) fn remove_list_entry(
    tx: &Connection,
    channel: ChannelId,
    list: ListKind,
    mask: &str,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM lists WHERE channel = ?1 AND list = ?2 AND mask = ?3";
    tx.prepare_cached(sql)?.execute((channel, list, mask)).map(drop)
}

pub(super) fn set_member_status(
    tx: &Connection,
    channel: ChannelId,
    account: AccountId,
    status: MemberStatus,
) -> rusqlite::Result<()> {
    if status.is_empty() {
        let sql = "DELETE FROM ranks WHERE channel = ?1 AND account = ?2";
        return tx.prepare_cached(sql)?.execute((channel, account)).map(drop);
    }
    let sql = "INSERT INTO ranks (channel, account, ranks) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET ranks = ?3";
    tx.prepare_cached(sql)?.execute((channel, account, status)).map(drop)
}

pub(super) fn set_modes(tx: &Connection, channel: ChannelId, modes: &Modes) -> rusqlite::Result<()> {
    let sql = "UPDATE channels SET flags = ?2, key = ?3, most = ?4 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((channel, modes.flags(), modes.key.as_deref(), modes.limit)).map(drop)
}

pub(super) fn set_retention(
    tx: &Connection,
    channel: ChannelId,
    limits: RetentionLimits,
) -> rusqlite::Result<()> {
    let sql = "UPDATE channels SET keep_days = ?2, keep_messages = ?3 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((channel, limits.keep_days, limits.keep_messages)).map(drop)
}

pub(super) fn set_archived(
    tx: &Connection,
    channel: ChannelId,
    at: Option<Timestamp>,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE channels SET archived = ?2 WHERE id = ?1")?.execute((channel, at)).map(drop)
}

pub(super) fn add_list_entry(
    tx: &Connection,
    channel: ChannelId,
    list: ListKind,
    entry: &ListEntry,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO lists (channel, list, mask, set_by, set_at) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (channel, list, mask) DO UPDATE SET set_by = ?4, set_at = ?5";
    tx.prepare_cached(sql)?.execute((channel, list, &*entry.mask, &entry.by, entry.at)).map(drop)
}

pub(super) fn set_invited(
    tx: &Connection,
    channel: ChannelId,
    account: AccountId,
    pending: bool,
) -> rusqlite::Result<()> {
    let sql = if pending {
        "INSERT INTO invited (channel, account) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET account = ?2"
    } else {
        "DELETE FROM invited WHERE channel = ?1 AND account = ?2"
    };
    tx.prepare_cached(sql)?.execute((channel, account)).map(drop)
}

/// The change of a channel's name.
pub(super) struct ChannelRename<'a> {
    pub id: ChannelId,
    pub old: &'a ChannelName,
    pub new: &'a ChannelName,
    pub at: Timestamp,
}

pub(super) fn rename_channel(
    tx: &Connection,
    ChannelRename { id, old, new, at }: ChannelRename<'_>,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM old_names WHERE folded = ?1")?.execute([new.folded()])?;
    tx.prepare_cached("UPDATE channels SET name = ?2 WHERE id = ?1")?.execute((id, new))?;
    if old != new {
        let sql = "INSERT INTO old_names (folded, name, channel, since) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET name = ?2, channel = ?3, since = ?4";
        tx.prepare_cached(sql)?.execute((old.folded(), old, id, at))?;
        let since = at - Channels::OLD_NAME_RETENTION;
        tx.prepare_cached("DELETE FROM old_names WHERE since <= ?1")?.execute([since])?;
        let sql = "DELETE FROM old_names WHERE channel = ?1 AND folded NOT IN
                   (SELECT folded FROM old_names WHERE channel = ?1 ORDER BY since DESC, folded LIMIT ?2)";
        tx.prepare_cached(sql)?.execute((id, Channels::MAX_OLD_NAMES))?;
    }
    Ok(())
}
