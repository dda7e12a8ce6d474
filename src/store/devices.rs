//! Devices: client certificates that log in to an account without its password.

use rusqlite::{Connection, OptionalExtension as _};

use super::{StoreError, sums};
use crate::chat::account::{Device, DeviceKey};
use crate::chat::record::{Account, AccountId};
use crate::wire::{Millis, Nick};

/// Maximum count of devices of one account, enough for all laptops, phones and bots of a person.
pub const MOST: usize = 32;

/// Reason why a device cannot be added. The texts are for people.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DeviceError {
    /// The device belongs to another account.
    #[error("this certificate logs in to another account")]
    Taken,
    /// The account has too many devices.
    #[error("an account has at most {MOST} devices; remove one first")]
    TooMany,
    /// A password was changed meanwhile, maybe this account's.
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

/// Adds a device to an account. No effect if the account has it already.
pub fn add(tx: &Connection, account: AccountId, key: DeviceKey, now: Millis) -> Result<(), DeviceError> {
    let owner: Option<AccountId> = tx
        .prepare_cached("SELECT account FROM sound_devices WHERE key = ?1")?
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
    // A row that is there all the same is damaged.
    let sql = "INSERT INTO devices (key, account, added) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET account = ?2, added = ?3, used = NULL";
    tx.prepare_cached(sql)?.execute((key, account, now))?;
    Ok(())
}

/// Returns the devices of an account, in the order in which they were added.
pub fn list(conn: &Connection, account: AccountId) -> rusqlite::Result<Vec<Device>> {
    conn.prepare_cached("SELECT key, added, used FROM sound_devices WHERE account = ?1 ORDER BY added, key")?
        .query_map([account], |row| Ok(Device { key: row.get(0)?, added: row.get(1)?, used: row.get(2)? }))?
        .collect()
}

/// Returns up to `limit` devices of enabled accounts that were last used or added before `since`, in the order of their
/// fingerprints from the one after `after` on.
pub fn absent(
    conn: &Connection,
    since: Millis,
    after: DeviceKey,
    limit: u32,
) -> rusqlite::Result<Vec<(Nick, Device)>> {
    conn.prepare_cached(
        "SELECT a.name, d.key, d.added, d.used FROM sound_devices d JOIN accounts a ON a.id = d.account
         WHERE d.key > ?1 AND d.added < ?2 AND ifnull(d.used, 0) < ?2 AND a.removed IS NULL AND a.disabled IS NULL
         ORDER BY d.key LIMIT ?3",
    )?
    .query_map((after, since, limit), |row| {
        Ok((row.get(0)?, Device { key: row.get(1)?, added: row.get(2)?, used: row.get(3)? }))
    })?
    .collect()
}

/// Removes a device of the account. Returns true if there was one.
pub fn remove(tx: &Connection, account: AccountId, key: DeviceKey) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM devices WHERE key = ?1 AND account = ?2";
    Ok(tx.prepare_cached(sql)?.execute((key, account))? > 0)
}

/// Removes all devices of the account.
pub fn remove_all(tx: &Connection, account: AccountId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM devices WHERE account = ?1")?.execute([account]).map(drop)
}

/// Finds the account that a device logs in to, unless that is disabled.
pub fn account(conn: &Connection, key: DeviceKey) -> rusqlite::Result<Option<Account>> {
    let found = conn
        .prepare_cached(
            "SELECT a.id, a.name, a.role FROM sound_devices d JOIN accounts a ON a.id = d.account
             WHERE d.key = ?1 AND a.removed IS NULL AND a.disabled IS NULL",
        )?
        .query_row([key], |row| {
            Ok(Account { id: row.get(0)?, name: row.get(1)?, role: row.get(2)?, disabled: false })
        })
        .optional()?;
    // The data of a damaged row may be wrong, so it admits no login.
    match found {
        Some(account) if sums::rows::is_account_sound(conn, account.id.0)? => Ok(Some(account)),
        _ => Ok(None),
    }
}

/// Sets the time of a device's last login.
pub fn used(tx: &Connection, key: DeviceKey, now: Millis) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE devices SET used = ?2 WHERE key = ?1")?.execute((key, now)).map(drop)
}
