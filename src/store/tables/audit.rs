//! The audit log: actions of admins and moderators.

use rusqlite::{Connection, Row};

use crate::core::effects::query::{AuditEntry, AuditFilter, NamedAuditEntry};
use crate::core::record::{AccountId, Actor, ForgottenAudit, ShownRoot};
use crate::store::checksums;
use crate::wire::Timestamp;

/// Action of showing another root.
const ROOT_ACTION: &str = "server root";

/// Adds an entry, in the transaction of the action itself.
pub(in crate::store) fn add(
    tx: &Connection,
    (at, actor): (Timestamp, Actor),
    action: &str,
    target: &str,
    detail: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO audit (at, actor, action, target, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((at, actor.account_id(), action, target, detail))?;
    Ok(())
}

/// Adds an entry for the root that clients are shown from now on.
pub(in crate::store) fn show_root(tx: &Connection, root: &ShownRoot) -> rusqlite::Result<()> {
    add(tx, (root.at, Actor::Console), ROOT_ACTION, &root.pin, "")
}

/// Returns the roots that clients were shown, in this order.
pub(in crate::store) fn roots(conn: &Connection) -> rusqlite::Result<Vec<ShownRoot>> {
    let mut rows = conn.prepare("SELECT target, at FROM sound_audit WHERE action = ?1 ORDER BY id")?;
    let read = |row: &Row<'_>| Ok(ShownRoot { pin: row.get::<_, String>(0)?.into(), at: row.get(1)? });
    checksums::collect_readable("shown roots", rows.query_map([ROOT_ACTION], read)?)
}

/// Returns the time since which the server shows this root; `None` if it never did.
pub fn root_shown_since(conn: &Connection, pin: &str) -> rusqlite::Result<Option<Timestamp>> {
    conn.prepare_cached("SELECT min(at) FROM sound_audit WHERE action = ?1 AND target = ?2")?
        .query_row((ROOT_ACTION, pin), |row| row.get(0))
}

/// Selects up to `?3` of the oldest entries from before a time, except for those about roots, because a rotation needs
/// them years later. Reads up to the first entry that stays, so that later entries are not read.
const OLD: &str = "SELECT id FROM audit WHERE at < ?1 AND action != ?2 AND id < ifnull(
         (SELECT id FROM audit WHERE at >= ?1 AND action != ?2 ORDER BY id LIMIT 1), 9223372036854775807)
     ORDER BY id LIMIT ?3";

/// Removes old entries.
pub(in crate::store) fn remove_expired(tx: &Connection, forgotten: &ForgottenAudit) -> rusqlite::Result<()> {
    let &ForgottenAudit { before, most } = forgotten;
    tx.prepare_cached(&format!("DELETE FROM audit WHERE id IN ({OLD})"))?
        .execute((before, ROOT_ACTION, most))
        .map(drop)
}

/// Counts the entries that [`Record::AuditForgotten`](crate::core::record::Record::AuditForgotten) removes.
pub fn old(conn: &Connection, forgotten: &ForgottenAudit) -> rusqlite::Result<u32> {
    let &ForgottenAudit { before, most } = forgotten;
    conn.prepare_cached(&format!("SELECT count(*) FROM ({OLD})"))?
        .query_row((before, ROOT_ACTION, most), |row| row.get(0))
}

/// Returns the latest entries, the newest first.
pub fn latest(conn: &Connection, limit: u32) -> rusqlite::Result<Vec<AuditEntry>> {
    let mut rows =
        conn.prepare("SELECT at, actor, action, target, detail FROM sound_audit ORDER BY id DESC LIMIT ?1")?;
    let entry = |row: &Row<'_>| {
        Ok(AuditEntry {
            at: row.get(0)?,
            actor: row.get::<_, Option<AccountId>>(1)?.map_or(Actor::Console, Actor::Account),
            action: row.get(2)?,
            target: row.get(3)?,
            detail: row.get(4)?,
        })
    };
    checksums::collect_readable("entries of the audit", rows.query_map([limit], entry)?)
}

/// Returns the latest entries that match, the newest first, with the names of their authors.
pub fn matching(conn: &Connection, filter: &AuditFilter) -> rusqlite::Result<Vec<NamedAuditEntry>> {
    let mut rows = conn.prepare(
        "SELECT e.at, a.name, e.action, e.target, e.detail, e.actor FROM sound_audit e
             LEFT JOIN accounts a ON a.id = e.actor ORDER BY e.id DESC",
    )?;
    let entry = |row: &Row<'_>| {
        let name: Option<String> = row.get(1)?;
        let id: Option<i64> = row.get(5)?;
        Ok(NamedAuditEntry {
            at: row.get(0)?,
            by: name.or_else(|| id.map(|id| id.to_string())),
            action: row.get(2)?,
            target: row.get(3)?,
            detail: row.get(4)?,
        })
    };
    let limit = usize::try_from(filter.limit.min(AuditFilter::MAX_ENTRIES)).unwrap_or(usize::MAX);
    let matching = |entry: &rusqlite::Result<NamedAuditEntry>| {
        entry.as_ref().map_or(true, |entry| filter.matches(entry))
    };
    checksums::collect_readable(
        "entries of the audit",
        rows.query_map([], entry)?.filter(matching).take(limit),
    )
}
