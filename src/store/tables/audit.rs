//! The audit log: actions of admins and moderators.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::core::record::{AccountId, Actor};
use crate::store::checksums;
use crate::wire::Timestamp;

/// Action of showing another root.
const ROOT_ACTION: &str = "server root";

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Time of the action.
    pub at: Timestamp,
    /// Author of the action.
    pub actor: Actor,
    /// Action, in the command's words, such as `user disable`.
    pub action: String,
    /// Target: an account's name, an invite's id.
    pub target: String,
    /// Further details, never a secret.
    pub detail: String,
}

/// Adds an entry, in the transaction of the action itself.
pub fn add(
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

/// Adds an entry for the root that the server shows from now on, unless it is the same as before.
pub fn add_root(tx: &Connection, now: Timestamp, pin: &str) -> rusqlite::Result<()> {
    let last: Option<String> = tx
        .prepare_cached("SELECT target FROM sound_audit WHERE action = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row([ROOT_ACTION], |row| row.get(0))
        .optional()?;
    if last.as_deref() == Some(pin) {
        return Ok(());
    }
    add(tx, (now, Actor::Console), ROOT_ACTION, pin, "")
}

/// Returns the time since which the server shows this root; `None` if it never did.
pub fn root_shown_since(conn: &Connection, pin: &str) -> rusqlite::Result<Option<Timestamp>> {
    conn.prepare_cached("SELECT min(at) FROM sound_audit WHERE action = ?1 AND target = ?2")?
        .query_row((ROOT_ACTION, pin), |row| row.get(0))
}

/// Removes up to `most` of the oldest entries from before a time. Returns their count. Keeps the entries about roots,
/// because [`root_shown_since`] needs them years later.
pub fn remove_expired(tx: &Connection, before: Timestamp, max_rows: u32) -> rusqlite::Result<usize> {
    // Up to the first entry that stays, so that later entries are not read.
    tx.prepare_cached(
        "DELETE FROM audit WHERE id IN
             (SELECT id FROM audit WHERE at < ?1 AND action != ?2 AND id < ifnull(
                  (SELECT id FROM audit WHERE at >= ?1 AND action != ?2 ORDER BY id LIMIT 1), 9223372036854775807)
              ORDER BY id LIMIT ?3)",
    )?
    .execute((before, ROOT_ACTION, max_rows))
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
