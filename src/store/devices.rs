//! Devices: client certificates that log in to an account without its password.

use rusqlite::{Connection, OptionalExtension as _};

use super::{StoreError, sums};
use crate::chat::account::{Device, DeviceKey};
use crate::chat::record::{Account, AccountId};
use crate::wire::{Millis, Nick};

/// Most devices of one account: every laptop, phone and bot of anybody has room.
pub const MOST: usize = 32;

/// Why a device cannot be added. The texts are for people.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeviceError {
    /// It logs in to another account already.
    #[error("this certificate logs in to another account")]
    Taken,
    /// There are too many.
    #[error("an account has at most {MOST} devices; remove one first")]
    TooMany,
    /// A password was changed, it may be this account's.
    #[error("a password was changed on the server just now; try again")]
    Meanwhile,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for DeviceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Lets a device log in to an account. One that may already stays as it is.
pub fn add(tx: &Connection, account: AccountId, key: DeviceKey, now: Millis) -> Result<(), DeviceError> {
    let owner: Option<AccountId> = tx
        .prepare_cached("SELECT account FROM devices WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    match owner {
        Some(owner) if owner == account => return Ok(()),
        Some(_) => return Err(DeviceError::Taken),
        None => {}
    }
    if list(tx, account)?.len() >= MOST {
        return Err(DeviceError::TooMany);
    }
    tx.prepare_cached("INSERT INTO devices (key, account, added) VALUES (?1, ?2, ?3)")?
        .execute((key, account, now))?;
    Ok(())
}

/// The devices of an account, in the order in which they were added.
pub fn list(conn: &Connection, account: AccountId) -> rusqlite::Result<Vec<Device>> {
    conn.prepare_cached("SELECT key, added, used FROM devices WHERE account = ?1 ORDER BY added, key")?
        .query_map([account], |row| Ok(Device { key: row.get(0)?, added: row.get(1)?, used: row.get(2)? }))?
        .collect()
}

/// Up to `limit` devices, of accounts that may log in, that were last there before `since`, in the order of their
/// keys from the one after `after` on.
pub fn absent(
    conn: &Connection,
    since: Millis,
    after: DeviceKey,
    limit: u32,
) -> rusqlite::Result<Vec<(Nick, Device)>> {
    conn.prepare_cached(
        "SELECT a.name, d.key, d.added, d.used FROM devices d JOIN accounts a ON a.id = d.account
         WHERE d.key > ?1 AND d.added < ?2 AND ifnull(d.used, 0) < ?2 AND a.removed IS NULL AND a.disabled IS NULL
         ORDER BY d.key LIMIT ?3",
    )?
    .query_map((after, since, limit), |row| {
        Ok((row.get(0)?, Device { key: row.get(1)?, added: row.get(2)?, used: row.get(3)? }))
    })?
    .collect()
}

/// Lets a device of the account log in no more; was there one?
pub fn remove(tx: &Connection, account: AccountId, key: DeviceKey) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM devices WHERE key = ?1 AND account = ?2";
    Ok(tx.prepare_cached(sql)?.execute((key, account))? > 0)
}

/// Lets none of the account's devices log in any more.
pub fn remove_all(tx: &Connection, account: AccountId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM devices WHERE account = ?1")?.execute([account]).map(drop)
}

/// The account that a device logs in to, unless that is disabled.
pub fn account(conn: &Connection, key: DeviceKey) -> rusqlite::Result<Option<Account>> {
    let found = conn
        .prepare_cached(
            "SELECT a.id, a.name, a.role FROM devices d JOIN accounts a ON a.id = d.account
             WHERE d.key = ?1 AND a.removed IS NULL AND a.disabled IS NULL",
        )?
        .query_row([key], |row| {
            Ok(Account { id: row.get(0)?, name: row.get(1)?, role: row.get(2)?, disabled: false })
        })
        .optional()?;
    // What a damaged row says of an account may be the damage.
    match found {
        Some(account) if sums::is_account_sound(conn, account.id.0)? => Ok(Some(account)),
        _ => Ok(None),
    }
}

/// Notes that a device logged in.
pub fn used(tx: &Connection, key: DeviceKey, now: Millis) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE devices SET used = ?2 WHERE key = ?1")?.execute((key, now)).map(drop)
}
