//! Accounts in the database: names, password hashes, roles, preferences.
//!
//! A removed account keeps its row, without its password, roles and memberships. Its messages keep their sender in the
//! history, and no other account can take the name and be mistaken for it: [`create`] fails with
//! [`AccountError::Removed`], and only [`restore`] brings the same account back.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row};
use tracing::warn;

use super::counters::erase_later;
use super::{Store, StoreError, devices, sums};
use crate::chat::record::{Account, AccountId, Preference, Preferences, Role};
use crate::wire::{Millis, Nick};

/// Reserved names, each with the reason that the requester is told.
pub const RESERVED: &[(&str, &str)] = &[
    ("echo", "it is the built-in account that answers what it is sent"),
    ("server", "it would be taken for the server"),
    ("system", "it would be taken for the server"),
    ("parlour", "it would be taken for the server"),
    // Users type passwords to these, because the guides of other networks tell them to.
    ("NickServ", "it is a service"),
    ("ChanServ", "it is a service"),
    ("SaslServ", "it is a service"),
    ("MemoServ", "it is a service"),
    ("OperServ", "it is a service"),
    ("HostServ", "it is a service"),
    ("BotServ", "it is a service"),
    ("HistServ", "it is a service"),
];

/// An argon2id hash with its parameters and salt, as a PHC string. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a string that is known to be a PHC string.
    pub fn from_phc(phc: impl Into<String>) -> Self {
        Self(phc.into())
    }

    /// Returns the PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Data that a login is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Account of the name.
    pub account: Account,
    /// Password hash; without one no password logs in.
    pub password: Option<PasswordHash>,
}

/// An account in the administration's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Name, role and disabled flag.
    pub account: Account,
    /// Time at which the account was made.
    pub created: Millis,
    /// Replay and bot settings.
    pub preferences: Preferences,
}

/// Reason why an account cannot be made or changed. The texts are for people.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AccountError {
    /// An account has that name, in this or another case.
    #[error("the name {0} is taken")]
    Taken(Nick),
    /// A removed account had that name.
    #[error("the name {0} belonged to an account that was removed, and names do not pass to others")]
    Removed(Nick),
    /// The name is reserved.
    #[error("the name {0} is reserved: {1}")]
    Reserved(Nick, &'static str),
    /// No account has that name.
    #[error("there is no account {0}")]
    Unknown(Nick),
    /// The account is disabled, and so has no use for a new password.
    #[error("the account {0} is disabled")]
    Disabled(Nick),
    /// The account is not removed, so it cannot be restored.
    #[error("the account {0} was not removed")]
    NotRemoved(Nick),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for AccountError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Returns the reason why the name is reserved, if it is.
pub fn reserved(name: &Nick) -> Option<&'static str> {
    RESERVED
        .iter()
        .find(|(reserved, _)| name.as_str().eq_ignore_ascii_case(reserved))
        .map(|&(_, reason)| reason)
}

/// Makes an account; `invite` is the invite that admits it, if any.
pub fn create(
    tx: &Connection,
    name: &Nick,
    password: &PasswordHash,
    role: Role,
    invite: Option<i64>,
    now: Millis,
) -> Result<Account, AccountError> {
    if let Some(reason) = reserved(name) {
        return Err(AccountError::Reserved(name.clone(), reason));
    }
    if let Some((_, taken, removed)) = row_of(tx, name)? {
        return Err(if removed { AccountError::Removed(taken) } else { AccountError::Taken(taken) });
    }
    let id = tx
        .prepare_cached(
            "INSERT INTO accounts (name, password, role, invite, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .insert((name, &password.0, role, invite, now))?;
    Ok(Account { id: AccountId(id), name: name.clone(), role, disabled: false })
}

/// Restores a removed account, with a new password and role.
pub fn restore(
    tx: &Connection,
    name: &Nick,
    password: &PasswordHash,
    role: Role,
) -> Result<Account, AccountError> {
    let Some((id, _, removed)) = row_of(tx, name)? else { return Err(AccountError::Unknown(name.clone())) };
    if !removed {
        return Err(AccountError::NotRemoved(name.clone()));
    }
    // State that was written between the removal and the time when all knew of it does not belong to the restored
    // account.
    forget_state(tx, id)?;
    devices::remove_all(tx, id)?;
    tx.execute(
        "UPDATE accounts SET name = ?2, password = ?3, role = ?4, disabled = NULL, removed = NULL WHERE id = ?1",
        (id, name, &password.0, role),
    )?;
    Ok(Account { id, name: name.clone(), role, disabled: false })
}

/// Finds an account by name, except for removed and built-in ones.
pub fn find(conn: &Connection, name: &Nick) -> Result<Account, AccountError> {
    Ok(credentials(conn, name)?.ok_or_else(|| AccountError::Unknown(name.clone()))?.account)
}

/// Returns true for an admin's account that may log in.
pub fn is_admin(conn: &Connection, id: AccountId) -> rusqlite::Result<bool> {
    let sql = "SELECT role FROM accounts WHERE id = ?1 AND removed IS NULL AND disabled IS NULL";
    let role = conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(role == Some(Role::Admin))
}

/// Finds an account by name that may log in. The error tells a removed or disabled account from an unknown name; a
/// built-in account counts as unknown.
pub fn find_usable(conn: &Connection, name: &Nick) -> Result<Account, AccountError> {
    match row_of(conn, name)? {
        Some((_, taken, true)) => Err(AccountError::Removed(taken)),
        _ => match find(conn, name)? {
            Account { disabled: true, name, .. } => Err(AccountError::Disabled(name)),
            account => Ok(account),
        },
    }
}

/// Finds an account with its password hash by name, except for removed and built-in ones.
pub fn credentials(conn: &Connection, name: &Nick) -> rusqlite::Result<Option<Credentials>> {
    let found = conn
        .prepare_cached(
            "SELECT id, name, role, disabled IS NOT NULL, password FROM accounts
             WHERE name = ?1 AND removed IS NULL AND id > 0",
        )?
        .query_row([name], |row| {
            let password = row.get::<_, Option<String>>(4)?.map(PasswordHash);
            Ok(Credentials { account: account(row)?, password })
        })
        .optional()?;
    let Some(mut found) = found else { return Ok(None) };
    if !sums::rows::is_account_sound(conn, found.account.id.0)? {
        warn!(account = %found.account.name, "the account's row is damaged, so that it cannot log in; {REPAIR}");
        found.account.disabled = true;
    }
    Ok(Some(found))
}

/// Sets the password hash of an account.
pub fn set_password(tx: &Connection, id: AccountId, password: &PasswordHash) -> rusqlite::Result<()> {
    tx.execute("UPDATE accounts SET password = ?2 WHERE id = ?1", (id, &password.0))?;
    Ok(())
}

/// Replaces a password hash, unless the password was changed meanwhile. Returns true if it was replaced.
pub fn renew_password(
    tx: &Connection,
    id: AccountId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE accounts SET password = ?3 WHERE id = ?1 AND password = ?2";
    Ok(tx.execute(sql, (id, &old.0, &new.0))? > 0)
}

/// Sets the role of an account.
pub fn set_role(tx: &Connection, id: AccountId, role: Role) -> rusqlite::Result<()> {
    tx.execute("UPDATE accounts SET role = ?2 WHERE id = ?1", (id, role))?;
    Ok(())
}

/// Sets a preference of an account.
pub fn set_preference(tx: &Connection, id: AccountId, preference: Preference) -> rusqlite::Result<()> {
    match preference {
        Preference::Replay(replay) => {
            tx.execute("UPDATE accounts SET replay = ?2 WHERE id = ?1", (id, replay))
        }
        Preference::Bot(bot) => {
            tx.execute("UPDATE accounts SET bot = ?2 WHERE id = ?1", (id, bot.then_some(true)))
        }
    }
    .map(drop)
}

/// Disables an account from the given time on, or enables it again.
pub fn set_disabled(tx: &Connection, id: AccountId, since: Option<Millis>) -> rusqlite::Result<()> {
    tx.execute("UPDATE accounts SET disabled = ?2 WHERE id = ?1", (id, since))?;
    Ok(())
}

/// Removes an account: deletes its password, devices, roles, memberships, markers and metadata. Its name stays taken.
pub fn remove(tx: &Connection, id: AccountId, now: Millis) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE accounts SET password = NULL, role = 0, disabled = NULL, removed = ?2 WHERE id = ?1",
        (id, now),
    )?;
    devices::remove_all(tx, id)?;
    // Exceptions that name the account would let it in should it be restored. Bans stay.
    tx.execute(
        "DELETE FROM lists WHERE list IN ('e', 'I') AND mask IN (
            SELECT prefix.column1 || name FROM accounts, (VALUES ('a:'), ('m:a:')) prefix WHERE id = ?1)",
        [id],
    )?;
    forget_state(tx, id)
}

/// Deletes the state of an account, except for the account itself and its messages.
pub(super) fn forget_state(tx: &Connection, id: AccountId) -> rusqlite::Result<()> {
    for table in [
        "members",
        "ranks",
        "invited",
        "markers",
        "early_markers",
        "account_metadata",
        "private_metadata",
        "seen",
    ] {
        tx.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [id])?;
    }
    tx.execute("UPDATE accounts SET replay = NULL, bot = NULL WHERE id = ?1", [id])?;
    erase_later(tx)
}

/// Returns up to `limit` accounts in the order of their names, beginning after the name `after`.
pub fn list(conn: &Connection, after: Option<&Nick>, limit: u32) -> rusqlite::Result<Vec<Listed>> {
    let mut rows = conn.prepare_cached(
        "SELECT id, name, role, disabled IS NOT NULL, created, replay, bot IS NOT NULL FROM accounts
         WHERE name > ?1 AND removed IS NULL AND id > 0 ORDER BY name LIMIT ?2",
    )?;
    let listed = |row: &Row<'_>| {
        let preferences = Preferences { replay: row.get(5)?, bot: row.get(6)? };
        Ok(Listed { account: account(row)?, created: row.get(4)?, preferences })
    };
    sums::readable("accounts", rows.query_map((after.map_or("", Nick::as_str), limit), listed)?)
}

/// Returns all accounts except for removed and built-in ones. An account with a damaged row counts as disabled and as
/// no admin, because its role could be the damage.
pub(super) fn people(conn: &Connection) -> rusqlite::Result<Vec<Account>> {
    let mut rows = conn.prepare(
        "SELECT id, name, role, disabled IS NOT NULL FROM accounts WHERE removed IS NULL AND id > 0 ORDER BY id",
    )?;
    let mut people = sums::readable("accounts", rows.query_map([], account)?)?;
    for account in &mut people {
        if !sums::rows::is_account_sound(conn, account.id.0)? {
            warn!(account = %account.name, "the account's row is damaged, so that it cannot log in; {REPAIR}");
            account.disabled = true;
            account.role = Role::Member;
        }
    }
    Ok(people)
}

/// Remedy for a damaged account, for the log.
const REPAIR: &str = "look at it with `parlour user list`; `parlour user enable` lets it in again";

/// Finds the account that has or had that name: id, name as written, and whether it was removed.
fn row_of(conn: &Connection, name: &Nick) -> rusqlite::Result<Option<(AccountId, Nick, bool)>> {
    conn.prepare_cached("SELECT id, name, removed IS NOT NULL FROM accounts WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { id: row.get(0)?, name: row.get(1)?, role: row.get(2)?, disabled: row.get(3)? })
}

impl Store {
    /// Finds an account with its password hash by name, except for removed and built-in ones.
    pub async fn credentials(&self, name: Nick) -> Result<Option<Credentials>, StoreError> {
        self.read(move |conn| Ok(credentials(conn, &name)?)).await
    }
}
