//! Hooks in the database.

use rusqlite::{Connection, Row};

use crate::core::record::hook::{HookKey, HookKind, OutgoingHook, StoredHook};
use crate::core::record::{AccountId, TokenHash};
use crate::store::checksums;
use crate::store::values::counters::schedule_erasing;
use crate::wire::{MessageId, Nick};

/// Makes a hook with its account, or gives the account of a revoked one another.
pub(in crate::store) fn create(tx: &Connection, hook: &StoredHook, name: &Nick) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO accounts (id, name, role, created, bot) VALUES (?1, ?2, 0, ?3, 1)
         ON CONFLICT (id) DO UPDATE SET name = ?2, bot = 1, removed = NULL",
    )?
    .execute((hook.account, name, hook.created))?;
    let token = match &hook.kind {
        HookKind::Incoming(token) => Some(*token),
        HookKind::Outgoing(_) | HookKind::Revoked => None,
    };
    let outgoing = match &hook.kind {
        HookKind::Outgoing(outgoing) => Some(outgoing),
        HookKind::Incoming(_) | HookKind::Revoked => None,
    };
    tx.prepare_cached(
        "INSERT OR REPLACE INTO hooks (account, channel, created, token, url, pattern, key, delivered)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        hook.account,
        hook.channel,
        hook.created,
        token,
        outgoing.map(|outgoing| &*outgoing.url),
        outgoing.and_then(|outgoing| outgoing.pattern.as_deref()),
        outgoing.map(|outgoing| outgoing.key.0),
        outgoing.map(|outgoing| outgoing.delivered),
    ))
    .map(drop)
}

/// Deletes the secrets of a hook. Its account is removed apart.
pub(in crate::store) fn revoke(tx: &Connection, account: AccountId) -> rusqlite::Result<()> {
    let sql = "UPDATE hooks SET token = NULL, url = NULL, pattern = NULL, key = NULL, delivered = NULL
               WHERE account = ?1";
    tx.prepare_cached(sql)?.execute([account])?;
    schedule_erasing(tx)
}

/// Notes the last message that a hook has sent.
pub(in crate::store) fn set_delivered(
    tx: &Connection,
    account: AccountId,
    up_to: MessageId,
) -> rusqlite::Result<()> {
    let sql = "UPDATE hooks SET delivered = ?2 WHERE account = ?1 AND url IS NOT NULL";
    tx.prepare_cached(sql)?.execute((account, up_to)).map(drop)
}

/// Returns all hooks. One with a damaged row counts as revoked, because its channel or URL could be the damage.
pub(in crate::store) fn read_all(conn: &Connection) -> rusqlite::Result<Vec<StoredHook>> {
    let mut rows = conn.prepare(
        "SELECT h.account, h.channel, h.created, s.token, s.url, s.pattern, s.key, s.delivered
         FROM hooks h LEFT JOIN sound_hooks s ON s.account = h.account ORDER BY h.account",
    )?;
    checksums::collect_readable("hooks", rows.query_map([], parse_hook)?)
}

fn parse_hook(row: &Row<'_>) -> rusqlite::Result<StoredHook> {
    let url: Option<String> = row.get(4)?;
    let kind = match (row.get::<_, Option<TokenHash>>(3)?, url) {
        (Some(token), _) => HookKind::Incoming(token),
        (None, Some(url)) => HookKind::Outgoing(OutgoingHook {
            url: url.into(),
            pattern: row.get::<_, Option<String>>(5)?.map(Into::into),
            key: HookKey(row.get(6)?),
            delivered: row.get(7)?,
        }),
        (None, None) => HookKind::Revoked,
    };
    Ok(StoredHook { account: row.get(0)?, channel: row.get(1)?, created: row.get(2)?, kind })
}
