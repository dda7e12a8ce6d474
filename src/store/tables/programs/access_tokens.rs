//! Access tokens in the database.

use rusqlite::{Connection, Row};

use crate::core::record::access_token::{AccessScope, StoredAccessToken};
use crate::core::record::{AccountId, TokenHash};
use crate::store::checksums;
use crate::store::values::counters::schedule_erasing;

/// Adds an access token.
pub(in crate::store) fn create(tx: &Connection, token: &StoredAccessToken) -> rusqlite::Result<()> {
    // A row of this hash or name that is there all the same is damaged.
    let sql = "INSERT OR REPLACE INTO access_tokens (hash, name, account, scope, created, expires)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let StoredAccessToken { hash, name, account, scope, created, expires } = token;
    tx.prepare_cached(sql)?.execute((hash, name, account, scope.as_str(), created, expires)).map(drop)
}

/// Removes an access token.
pub(in crate::store) fn revoke(tx: &Connection, hash: &TokenHash) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM access_tokens WHERE hash = ?1")?.execute([hash])?;
    schedule_erasing(tx)
}

/// Removes all access tokens of an account.
pub(in crate::store) fn revoke_all(tx: &Connection, account: AccountId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM access_tokens WHERE account = ?1")?.execute([account]).map(drop)
}

/// Returns the access tokens of all accounts that were not removed. One with a damaged row counts as revoked, because its
/// account or its scope could be the damage.
pub(in crate::store) fn read_all(conn: &Connection) -> rusqlite::Result<Vec<StoredAccessToken>> {
    let mut rows = conn.prepare(
        "SELECT t.hash, t.name, t.account, t.scope, t.created, t.expires FROM sound_access_tokens t
         JOIN accounts a ON a.id = t.account WHERE a.removed IS NULL ORDER BY t.name",
    )?;
    checksums::collect_readable("access tokens", rows.query_map([], parse_token)?)
}

fn parse_token(row: &Row<'_>) -> rusqlite::Result<StoredAccessToken> {
    let scope = AccessScope::from_name(&row.get::<_, String>(3)?).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(StoredAccessToken {
        hash: row.get(0)?,
        name: row.get(1)?,
        account: row.get(2)?,
        scope,
        created: row.get(4)?,
        expires: row.get(5)?,
    })
}
