//! Groups of accounts in the database.

use rusqlite::Connection;

use crate::core::record::group::{GroupId, StoredGroup, StoredGroups};
use crate::core::record::{AccountId, ChannelId};
use crate::store::checksums;
use crate::store::values::counters::last_id;

/// Makes a group.
pub(in crate::store) fn create(tx: &Connection, group: &StoredGroup) -> rusqlite::Result<()> {
    let sql = "INSERT INTO groups (id, name, created) VALUES (?1, ?2, ?3)";
    tx.prepare_cached(sql)?.execute((group.id, &group.name, group.created)).map(drop)
}

/// Deletes a group, with its memberships and channels.
pub(in crate::store) fn delete(tx: &Connection, id: GroupId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM groups WHERE id = ?1")?.execute([id]).map(drop)
}

/// Makes an account a member of a group, or ends that.
pub(in crate::store) fn set_member(
    tx: &Connection,
    group: GroupId,
    account: AccountId,
    is_member: bool,
) -> rusqlite::Result<()> {
    let sql = if is_member {
        "INSERT INTO group_members (grp, account) VALUES (?1, ?2)"
    } else {
        "DELETE FROM group_members WHERE grp = ?1 AND account = ?2"
    };
    tx.prepare_cached(sql)?.execute((group, account)).map(drop)
}

/// Makes a channel one of a group, or ends that.
pub(in crate::store) fn set_channel(
    tx: &Connection,
    group: GroupId,
    channel: ChannelId,
    is_joined: bool,
) -> rusqlite::Result<()> {
    let sql = if is_joined {
        "INSERT INTO group_channels (grp, channel) VALUES (?1, ?2)"
    } else {
        "DELETE FROM group_channels WHERE grp = ?1 AND channel = ?2"
    };
    tx.prepare_cached(sql)?.execute((group, channel)).map(drop)
}

/// Returns all groups. One with a damaged row has the name that is there: it gives nobody any rights.
pub(in crate::store) fn read_all(conn: &Connection) -> rusqlite::Result<StoredGroups> {
    let mut groups = conn.prepare("SELECT id, name, created FROM groups ORDER BY id")?;
    let groups = groups
        .query_map([], |row| Ok(StoredGroup { id: row.get(0)?, name: row.get(1)?, created: row.get(2)? }))?;
    let mut members = conn.prepare(
        "SELECT m.grp, m.account FROM sound_group_members m JOIN accounts a ON a.id = m.account
         WHERE a.removed IS NULL",
    )?;
    let members = members.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut channels = conn.prepare("SELECT grp, channel FROM sound_group_channels")?;
    let channels = channels.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(StoredGroups {
        groups: checksums::collect_readable("groups", groups)?,
        members: checksums::collect_readable("members of groups", members)?,
        channels: checksums::collect_readable("channels of groups", channels)?,
        last_id: last_id(conn, "groups")?,
    })
}
