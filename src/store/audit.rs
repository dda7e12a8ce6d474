//! Who changed what, when: what admins and moderators did.

use rusqlite::{Connection, OptionalExtension as _};

use crate::chat::record::AccountId;
use crate::wire::Millis;

/// The server shows another root.
const ROOT: &str = "server root";

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at the command line of the server's machine.
    Console,
    /// An account.
    Account(AccountId),
}

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: Actor,
    /// What: the command's words, as `user disable`.
    pub action: String,
    /// To whom or what: an account's name, an invite's number.
    pub target: String,
    /// What else there is to say, never a secret.
    pub detail: String,
}

impl Actor {
    /// The account, if it is one.
    pub fn id(self) -> Option<AccountId> {
        match self {
            Self::Console => None,
            Self::Account(id) => Some(id),
        }
    }
}

/// Notes what was done, in the transaction that does it.
pub fn note(
    tx: &Connection,
    (at, actor): (Millis, Actor),
    action: &str,
    target: &str,
    detail: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO audit (at, actor, action, target, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((at, actor.id(), action, target, detail))?;
    Ok(())
}

/// Notes which root the server shows from now on, unless it is the one of before.
pub fn note_root(tx: &Connection, now: Millis, pin: &str) -> rusqlite::Result<()> {
    let last: Option<String> = tx
        .prepare_cached("SELECT target FROM audit WHERE action = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row([ROOT], |row| row.get(0))
        .optional()?;
    if last.as_deref() == Some(pin) {
        return Ok(());
    }
    note(tx, (now, Actor::Console), ROOT, pin, "")
}

/// Since when the server shows this root; `None`: it never did.
pub fn root_shown(conn: &Connection, pin: &str) -> rusqlite::Result<Option<Millis>> {
    conn.prepare_cached("SELECT min(at) FROM audit WHERE action = ?1 AND target = ?2")?
        .query_row((ROOT, pin), |row| row.get(0))
}

/// Removes up to `most` of the oldest entries from before a time; how many were removed. Which roots were shown stays:
/// [`root_shown`] asks for it years later.
pub fn forget(tx: &Connection, before: Millis, most: u32) -> rusqlite::Result<usize> {
    // Up to the first that is to stay, so that nothing is read of what there is beyond.
    tx.prepare_cached(
        "DELETE FROM audit WHERE id IN
             (SELECT id FROM audit WHERE at < ?1 AND action != ?2 AND id < ifnull(
                  (SELECT id FROM audit WHERE at >= ?1 AND action != ?2 ORDER BY id LIMIT 1), 9223372036854775807)
              ORDER BY id LIMIT ?3)",
    )?
    .execute((before, ROOT, most))
}

/// The latest entries, the newest first.
pub fn latest(conn: &Connection, limit: u32) -> rusqlite::Result<Vec<Entry>> {
    conn.prepare("SELECT at, actor, action, target, detail FROM audit ORDER BY id DESC LIMIT ?1")?
        .query_map([limit], |row| {
            Ok(Entry {
                at: row.get(0)?,
                actor: row.get::<_, Option<AccountId>>(1)?.map_or(Actor::Console, Actor::Account),
                action: row.get(2)?,
                target: row.get(3)?,
                detail: row.get(4)?,
            })
        })?
        .collect()
}
