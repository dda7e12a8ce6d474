//! Accounts: who may log in, and under which name.
//!
//! A removed account leaves its row behind, without its password, roles and memberships. What it said keeps its
//! sender in the history, and nobody else can take the name and be held for the one who left: [`create`] says
//! [`AccountError::Removed`], and only [`restore`] gives the same account back.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row};
use tracing::warn;

use super::counters::erase_later;
use super::{Store, StoreError, devices, sums};
use crate::chat::record::{Account, AccountId, Preference, Role};
use crate::wire::{Millis, Nick};

/// Names that nobody can have, each with the reason that the asker is told.
pub const RESERVED: &[(&str, &str)] = &[
    ("echo", "it is the built-in account that answers what it is sent"),
    ("server", "it would be taken for the server"),
    ("system", "it would be taken for the server"),
    ("parlour", "it would be taken for the server"),
    // People type passwords to these, because the guides of other networks tell them to.
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
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// From a string that is known to be one.
    pub fn from_phc(phc: impl Into<String>) -> Self {
        Self(phc.into())
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What a login is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose.
    pub account: Account,
    /// `None`: no password logs in to it.
    pub password: Option<PasswordHash>,
}

/// An account in the administration's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Name, role, disabledness.
    pub account: Account,
    /// When it was made.
    pub created: Millis,
}

/// Why an account cannot be made or changed. The texts are for people.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AccountError {
    /// Somebody has that name, in this or another case.
    #[error("the name {0} is taken")]
    Taken(Nick),
    /// Somebody who was removed had that name.
    #[error("the name {0} belonged to an account that was removed, and names do not pass to others")]
    Removed(Nick),
    /// Nobody may have that name.
    #[error("the name {0} is reserved: {1}")]
    Reserved(Nick, &'static str),
    /// There is no such account.
    #[error("there is no account {0}")]
    Unknown(Nick),
    /// It may not log in, and so has no use for a new password.
    #[error("the account {0} is disabled")]
    Disabled(Nick),
    /// Only a removed account can be restored.
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

/// Why nobody can have that name, if so.
pub fn reserved(name: &Nick) -> Option<&'static str> {
    RESERVED
        .iter()
        .find(|(reserved, _)| name.as_str().eq_ignore_ascii_case(reserved))
        .map(|&(_, reason)| reason)
}

/// Makes an account; `invite` is the one it comes from.
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

/// Gives a removed account back to its name, with a new password and role.
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
    // What was set between the removal and when everybody knew of it is not the account's that comes back.
    forget_state(tx, id)?;
    devices::remove_all(tx, id)?;
    tx.execute(
        "UPDATE accounts SET name = ?2, password = ?3, role = ?4, disabled = NULL, removed = NULL WHERE id = ?1",
        (id, name, &password.0, role),
    )?;
    Ok(Account { id, name: name.clone(), role, disabled: false })
}

/// The account of that name, unless it was removed or is built in.
pub fn find(conn: &Connection, name: &Nick) -> Result<Account, AccountError> {
    Ok(credentials(conn, name)?.ok_or_else(|| AccountError::Unknown(name.clone()))?.account)
}

/// Is it an account that may log in, and an admin's?
pub fn is_admin(conn: &Connection, id: AccountId) -> rusqlite::Result<bool> {
    let sql = "SELECT role FROM accounts WHERE id = ?1 AND removed IS NULL AND disabled IS NULL";
    let role = conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(role == Some(Role::Admin))
}

/// The account of that name, for somebody who is to log in to it: not one that was removed, is built in or disabled, and
/// what is wrong with it is said.
pub fn find_usable(conn: &Connection, name: &Nick) -> Result<Account, AccountError> {
    match row_of(conn, name)? {
        Some((_, taken, true)) => Err(AccountError::Removed(taken)),
        _ => match find(conn, name)? {
            Account { disabled: true, name, .. } => Err(AccountError::Disabled(name)),
            account => Ok(account),
        },
    }
}

/// The account of that name with its password hash, unless it was removed or is built in.
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
    if !sums::is_account_sound(conn, found.account.id.0)? {
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

/// Replaces a hash by another, unless the password was changed meanwhile; was it replaced?
pub fn renew_password(
    tx: &Connection,
    id: AccountId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE accounts SET password = ?3 WHERE id = ?1 AND password = ?2";
    Ok(tx.execute(sql, (id, &old.0, &new.0))? > 0)
}

/// Sets what an account may do.
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

/// Keeps an account from logging in since the given time, or lets it again.
pub fn set_disabled(tx: &Connection, id: AccountId, since: Option<Millis>) -> rusqlite::Result<()> {
    tx.execute("UPDATE accounts SET disabled = ?2 WHERE id = ?1", (id, since))?;
    Ok(())
}

/// Removes an account: its password, devices, roles, memberships, markers and metadata are
/// forgotten, its name stays taken.
pub fn remove(tx: &Connection, id: AccountId, now: Millis) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE accounts SET password = NULL, role = 0, disabled = NULL, removed = ?2 WHERE id = ?1",
        (id, now),
    )?;
    devices::remove_all(tx, id)?;
    forget_state(tx, id)
}

/// Forgets what the chat keeps of an account beside the account itself and what was said.
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

/// Up to `limit` accounts in the order of their names, beginning after the name `after`.
pub fn list(conn: &Connection, after: Option<&Nick>, limit: u32) -> rusqlite::Result<Vec<Listed>> {
    let mut rows = conn.prepare_cached(
        "SELECT id, name, role, disabled IS NOT NULL, created FROM accounts
         WHERE name > ?1 AND removed IS NULL AND id > 0 ORDER BY name LIMIT ?2",
    )?;
    let listed = |row: &Row<'_>| Ok(Listed { account: account(row)?, created: row.get(4)? });
    sums::readable("accounts", rows.query_map((after.map_or("", Nick::as_str), limit), listed)?)
}

/// All accounts of people that were not removed. One whose row is not as it was written may not log in: what it may do
/// could be the damage.
pub(super) fn people(conn: &Connection) -> rusqlite::Result<Vec<Account>> {
    let mut rows = conn.prepare(
        "SELECT id, name, role, disabled IS NOT NULL FROM accounts WHERE removed IS NULL AND id > 0 ORDER BY id",
    )?;
    let mut people = sums::readable("accounts", rows.query_map([], account)?)?;
    for account in &mut people {
        if !sums::is_account_sound(conn, account.id.0)? {
            warn!(account = %account.name, "the account's row is damaged, so that it cannot log in; {REPAIR}");
            account.disabled = true;
            account.role = Role::Member;
        }
    }
    Ok(people)
}

/// What an admin does about a damaged account.
const REPAIR: &str = "look at it with `parlour user list`; `parlour user enable` lets it in again";

/// Whoever has or had that name: number, name as written, whether it was removed.
fn row_of(conn: &Connection, name: &Nick) -> rusqlite::Result<Option<(AccountId, Nick, bool)>> {
    conn.prepare_cached("SELECT id, name, removed IS NOT NULL FROM accounts WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { id: row.get(0)?, name: row.get(1)?, role: row.get(2)?, disabled: row.get(3)? })
}

impl Store {
    /// The account of that name with its password hash, unless it was removed or is built in.
    pub async fn credentials(&self, name: Nick) -> Result<Option<Credentials>, StoreError> {
        self.read(move |conn| Ok(credentials(conn, &name)?)).await
    }
}
