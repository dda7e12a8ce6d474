//! Devices: client certificates that log in to an account without its password.

use rusqlite::{Connection, Row};

use crate::core::record::AccountId;
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::store::checksums;
use crate::wire::Timestamp;

/// Lets a device log in to an account.
pub(in crate::store) fn add(
    tx: &Connection,
    account: AccountId,
    fingerprint: CertificateFingerprint,
    at: Timestamp,
) -> rusqlite::Result<()> {
    // A row that is there all the same is damaged.
    let sql = "INSERT INTO devices (key, account, added) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET account = ?2, added = ?3, used = NULL";
    tx.prepare_cached(sql)?.execute((fingerprint, account, at)).map(drop)
}

/// Removes a device.
pub(in crate::store) fn remove(tx: &Connection, fingerprint: CertificateFingerprint) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM devices WHERE key = ?1")?.execute([fingerprint]).map(drop)
}

/// Returns the devices of all accounts that were not removed, each account's in the order in which they were added.
pub(in crate::store) fn read_all(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Device)>> {
    let mut rows = conn.prepare(
        "SELECT d.account, d.key, d.added, d.used FROM sound_devices d JOIN accounts a ON a.id = d.account
         WHERE a.removed IS NULL ORDER BY d.added, d.key",
    )?;
    let read = |row: &Row<'_>| {
        Ok((row.get(0)?, Device { fingerprint: row.get(1)?, added_at: row.get(2)?, last_login: row.get(3)? }))
    };
    checksums::collect_readable("devices", rows.query_map([], read)?)
}

/// Removes all devices of the account.
pub fn remove_all(tx: &Connection, account: AccountId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM devices WHERE account = ?1")?.execute([account]).map(drop)
}

/// Sets the time of a device's last login.
pub(in crate::store) fn set_last_used(
    tx: &Connection,
    fingerprint: CertificateFingerprint,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE devices SET used = ?2 WHERE key = ?1")?.execute((fingerprint, now)).map(drop)
}
