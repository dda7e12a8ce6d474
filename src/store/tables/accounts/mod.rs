//! Accounts in the database: names, password hashes, roles, preferences.
//!
//! A removed account keeps its row, without its password, roles and memberships. Its messages keep their sender in the
//! history, and no other account can take the name and be mistaken for it.

pub(super) mod groups;
pub mod messages;

use std::sync::Arc;

use rusqlite::{Connection, Row};
use tracing::warn;

use super::devices;
use super::programs::access_tokens;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{Account, AccountId, InviteId, Preferences, ReservedName, Role};
use crate::store::checksums;
use crate::store::values::counters::schedule_erasing;
use crate::wire::{Nick, Timestamp};

/// Makes an account, or restores a removed one.
pub(in crate::store) fn insert(
    tx: &Connection,
    account: &Account,
    password: &PasswordHash,
    invite: Option<InviteId>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO accounts (id, name, password, role, invite, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (id) DO UPDATE SET name = ?2, password = ?3, role = ?4, disabled = NULL, removed = NULL";
    let invite = invite.map(|id| id.0);
    tx.prepare_cached(sql)?
        .execute((account.id, &account.name, password.as_str(), account.role, invite, at))
        .map(drop)
}

/// Sets the role of an account, and disables or enables it.
pub(in crate::store) fn update(tx: &Connection, account: &Account, at: Timestamp) -> rusqlite::Result<()> {
    if !checksums::rows::is_row_sound(tx, checksums::rows::CheckedTable::Accounts, account.id.0)? {
        warn!(account = %account.name, "the account's row is damaged, and is written anew");
    }
    let sql =
        "UPDATE accounts SET role = ?2, disabled = CASE WHEN ?3 THEN ifnull(disabled, ?4) END WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((account.id, account.role, account.disabled, at)).map(drop)
}

/// Sets the password hash of an account.
pub(in crate::store) fn set_password(
    tx: &Connection,
    id: AccountId,
    password: &PasswordHash,
) -> rusqlite::Result<()> {
    let sql = "UPDATE accounts SET password = ?2 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((id, password.as_str())).map(drop)
}

/// Sets the preferences of an account.
pub(in crate::store) fn set_preferences(
    tx: &Connection,
    id: AccountId,
    Preferences { replay, bot }: Preferences,
) -> rusqlite::Result<()> {
    let sql = "UPDATE accounts SET replay = ?2, bot = ?3 WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((id, replay, bot.then_some(true))).map(drop)
}

/// Sets the name by which an import listed the person of an account.
pub(in crate::store) fn set_listed_name(tx: &Connection, id: AccountId, name: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE accounts SET listed_name = ?2 WHERE id = ?1")?.execute((id, name)).map(drop)
}

/// Removes an account: deletes its password, devices, access tokens, roles, memberships, markers and metadata. Its name stays taken.
pub(in crate::store) fn remove(tx: &Connection, id: AccountId, now: Timestamp) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE accounts SET password = NULL, role = 0, disabled = NULL, removed = ?2 WHERE id = ?1",
        (id, now),
    )?;
    devices::remove_all(tx, id)?;
    access_tokens::revoke_all(tx, id)?;

    remove_account_state(tx, id)
}

/// Gives a removed account that is erased the name that stands for it.
pub(in crate::store) fn erase(tx: &Connection, id: AccountId, pseudonym: &Nick) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE accounts SET name = ?2 WHERE id = ?1")?.execute((id, pseudonym))?;
    schedule_erasing(tx)
}

/// Deletes the state of an account, except for the account itself and its messages.
fn remove_account_state(tx: &Connection, id: AccountId) -> rusqlite::Result<()> {
    for table in [
        "members",
        "ranks",
        "invited",
        "markers",
        "early_markers",
        "account_metadata",
        "private_metadata",
        "seen",
        "group_members",
    ] {
        tx.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [id])?;
    }
    tx.execute("UPDATE accounts SET replay = NULL, bot = NULL, listed_name = NULL WHERE id = ?1", [id])?;
    schedule_erasing(tx)
}

/// Returns all accounts except for removed and built-in ones. An account with a damaged row counts as disabled and as
/// no admin, because its role could be the damage.
pub(in crate::store) fn read_accounts(conn: &Connection) -> rusqlite::Result<Vec<Account>> {
    let mut rows = conn.prepare(
        "SELECT id, name, role, disabled IS NOT NULL FROM accounts WHERE removed IS NULL AND id > 0 ORDER BY id",
    )?;
    let mut accounts = checksums::collect_readable("accounts", rows.query_map([], parse_account)?)?;
    for account in &mut accounts {
        if !checksums::rows::is_row_sound(conn, checksums::rows::CheckedTable::Accounts, account.id.0)? {
            warn!(account = %account.name, "the account's row is damaged, so that it cannot log in; {REPAIR_HINT}");
            account.disabled = true;
            account.role = Role::Member;
        }
    }
    Ok(accounts)
}

/// Remedy for a damaged account, for the log.
const REPAIR_HINT: &str = "look at it with `parlour user list`; `parlour user enable` lets it in again";

/// Returns the password hashes of the accounts that have one.
pub(in crate::store) fn read_passwords(
    conn: &Connection,
) -> rusqlite::Result<Vec<(AccountId, PasswordHash)>> {
    let sql = "SELECT id, password FROM accounts WHERE removed IS NULL AND id > 0 AND password IS NOT NULL";
    let mut rows = conn.prepare(sql)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, PasswordHash::from_phc(row.get::<_, String>(1)?)));
    checksums::collect_readable("passwords", rows.query_map([], read)?)
}

/// Returns the names by which an import listed the people of accounts.
pub(in crate::store) fn read_listed_names(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Arc<str>)>> {
    let mut rows = conn
        .prepare("SELECT id, listed_name FROM accounts WHERE removed IS NULL AND listed_name IS NOT NULL")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?.into()));
    checksums::collect_readable("names of people", rows.query_map([], read)?)
}

/// Returns the times at which the accounts were made, also the removed ones.
pub(in crate::store) fn created(conn: &Connection) -> rusqlite::Result<Vec<(AccountId, Timestamp)>> {
    let mut rows = conn.prepare("SELECT id, created FROM accounts WHERE id > 0")?;
    checksums::collect_readable("accounts", rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Returns the accounts that keep their names from others and are not among `accounts`: removed ones, and such whose
/// row cannot be read.
pub(in crate::store) fn read_reserved_names(
    conn: &Connection,
    accounts: &[Account],
) -> rusqlite::Result<Vec<ReservedName>> {
    let mut rows = conn.prepare("SELECT id, name, removed IS NOT NULL FROM accounts WHERE id > 0")?;
    let read = |row: &Row<'_>| Ok(ReservedName { id: row.get(0)?, name: row.get(1)?, removed: row.get(2)? });
    let mut all = checksums::collect_readable("accounts", rows.query_map([], read)?)?;
    all.retain(|reserved| accounts.binary_search_by_key(&reserved.id, |account| account.id).is_err());
    Ok(all)
}

fn parse_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { id: row.get(0)?, name: row.get(1)?, role: row.get(2)?, disabled: row.get(3)? })
}
