//! Invites in the database.

use rusqlite::{Connection, Row};

use crate::core::record::{Invite, InviteId};
use crate::store::checksums;
use crate::wire::Timestamp;

const INVITE_COLUMNS: &str =
    "i.id, i.token, i.role, i.channel, i.uses, i.spent, i.expires, i.revoked, i.created, i.created_by,
    i.resets, i.power";

/// Makes an invite.
pub(in crate::store) fn create(tx: &Connection, invite: &Invite) -> rusqlite::Result<()> {
    let sql = "INSERT INTO invites
                   (id, token, role, channel, uses, spent, expires, revoked, created, created_by, resets, power)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    tx.prepare_cached(sql)?
        .execute((
            invite.id.0,
            invite.token,
            invite.role,
            &invite.channel,
            invite.uses,
            invite.spent,
            invite.expires,
            invite.revoked,
            invite.created,
            invite.created_by,
            invite.resets,
            invite.admin_account,
        ))
        .map(drop)
}

/// Sets the count of uses of an invite.
pub(in crate::store) fn set_spent(tx: &Connection, id: InviteId, spent: u32) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE invites SET spent = ?2 WHERE id = ?1")?.execute((id.0, spent)).map(drop)
}

/// Revokes an invite; the accounts that it made stay.
pub(in crate::store) fn revoke(tx: &Connection, id: InviteId, at: Timestamp) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE invites SET revoked = ?2 WHERE id = ?1")?.execute((id.0, at)).map(drop)
}

/// Returns all invites but those whose row is damaged: their role could be the damage.
pub(in crate::store) fn read_all(conn: &Connection) -> rusqlite::Result<Vec<Invite>> {
    let mut rows = conn.prepare(&format!("SELECT {INVITE_COLUMNS} FROM sound_invites i ORDER BY id"))?;
    checksums::collect_readable("invites", rows.query_map([], parse_invite)?)
}

fn parse_invite(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        id: InviteId(row.get(0)?),
        token: row.get(1)?,
        role: row.get(2)?,
        channel: row.get(3)?,
        uses: row.get(4)?,
        spent: row.get(5)?,
        expires: row.get(6)?,
        revoked: row.get(7)?,
        created: row.get(8)?,
        created_by: row.get(9)?,
        resets: row.get(10)?,
        admin_account: row.get(11)?,
    })
}
