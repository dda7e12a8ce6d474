//! The audit log: actions of admins and moderators.

use rusqlite::{Connection, Row};

use crate::core::effects::query::{AuditEntry, AuditFilter, NamedAuditEntry};
use crate::core::record::{AccountId, Actor, ForgottenAudit, ShownRoot};
use crate::store::checksums;
use crate::wire::{Nick, Timestamp};

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

/// Replaces the name of an account that is erased in the targets and details of all entries.
pub(in crate::store) fn replace_name(tx: &Connection, name: &Nick, new: &Nick) -> rusqlite::Result<()> {
    let mut read = tx.prepare_cached(
        "SELECT id, target, detail FROM audit
         WHERE (instr(lower(target), lower(?1)) OR instr(lower(detail), lower(?1))) AND action != ?2",
    )?;
    let named = read.query_map((name, ROOT_ACTION), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let named: Vec<(i64, String, String)> = named.collect::<rusqlite::Result<_>>()?;
    let mut write = tx.prepare_cached("UPDATE audit SET target = ?2, detail = ?3 WHERE id = ?1")?;
    for (id, target, detail) in named {
        write.execute((id, replace_word(&target, name, new), replace_word(&detail, name, new)))?;
    }
    Ok(())
}

/// Replaces a name where it is a word of its own, in any case.
fn replace_word(text: &str, name: &Nick, new: &Nick) -> String {
    let is_in_word = |c: char| c.is_ascii_alphanumeric() || "-_[]\\`^{|}".contains(c);
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_in_word) {
        let (before, from_word) = rest.split_at(start);
        let (word, after) = from_word.split_at(from_word.find(|c| !is_in_word(c)).unwrap_or(from_word.len()));
        replaced.push_str(before);
        replaced.push_str(if word.eq_ignore_ascii_case(name.as_str()) { new.as_str() } else { word });
        rest = after;
    }
    replaced + rest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_as_words() {
        let nick = |name| Nick::parse(name).expect("a nick");
        let replaced = |text| replace_word(text, &nick("al"), &nick("erased-16"));
        assert_eq!(replaced("resets Al, until 2026"), "resets erased-16, until 2026");
        assert_eq!(replaced("al: al's #al, al-2 dal"), "erased-16: erased-16's #erased-16, al-2 dal");
        assert_eq!(replaced(""), "");
        assert_eq!(replaced("é"), "é");
    }
}
