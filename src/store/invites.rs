//! Invites: tokens that admit new accounts, a limited count of times, until they expire or are revoked; or that give an
//! account a new password, once.

use std::fmt::{self, Write as _};

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

use super::accounts::{self, AccountError, PasswordHash};
use super::audit::{self, Actor};
use super::{Store, StoreError, devices};
use crate::chat::record::{Account, AccountId, Role};
use crate::wire::{ChannelName, Millis, Nick};

/// Id of an invite, for listing and revoking. It is not secret and redeems nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InviteId(pub i64);

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256 of a token. The token itself is never stored.
pub type TokenHash = [u8; 32];

/// An invite to be made.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Hash of its token.
    pub token: TokenHash,
    /// Role of its accounts.
    pub role: Role,
    /// Channel that its accounts join.
    pub channel: Option<ChannelName>,
    /// Count of accounts that it can make.
    pub uses: u32,
    /// Time until which it can be redeemed.
    pub expires: Millis,
    /// Account whose password and devices it resets, instead of making accounts.
    pub resets: Option<AccountId>,
    /// Admin by whose rights it is made, if these are not its maker's own.
    pub power: Option<AccountId>,
}

/// An invite as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Id of the invite.
    pub id: InviteId,
    /// Role of its accounts.
    pub role: Role,
    /// Channel that its accounts join.
    pub channel: Option<ChannelName>,
    /// Count of accounts that it can make.
    pub uses: u32,
    /// Count of accounts that it has made.
    pub spent: u32,
    /// Time until which it can be redeemed.
    pub expires: Millis,
    /// Time of its revocation.
    pub revoked: Option<Millis>,
    /// Time at which it was made.
    pub created: Millis,
    /// Account that made it; `None` for the command line.
    pub created_by: Option<Nick>,
    /// Account whose password and devices it resets; `None` if it makes accounts.
    pub resets: Option<(AccountId, Nick)>,
}

/// Result of redeeming an invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// An account was made, and joins this channel.
    Made(Account, Option<ChannelName>),
    /// An account has a new password. Its devices are removed.
    Reset(Account),
}

/// State of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The invite can be redeemed.
    Open,
    /// Redeemed as often as it can be.
    Spent,
    /// Past its end.
    Expired,
    /// Revoked by an admin, or with its account.
    Revoked,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Spent => "spent",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}

/// Reason why an invite cannot be redeemed. The texts are for the person who tries.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RedeemError {
    /// No invite has this token.
    #[error("this invite is not known here")]
    Unknown,
    /// The invite has made as many accounts as it can.
    #[error("this invite was used already")]
    Spent,
    /// The invite has expired.
    #[error("this invite has expired")]
    Expired,
    /// An admin revoked it.
    #[error("this invite was revoked")]
    Revoked,
    /// The invite resets the password of one account, and another one was named.
    #[error("this invite is for the account {0} and for no other")]
    Other(Nick),
    /// The account that the invite resets is disabled.
    #[error("the account {0}, which this invite is for, is disabled")]
    Disabled(Nick),
    /// The account that the invite resets was removed.
    #[error("the account {0}, which this invite was for, was removed")]
    Gone(Nick),
    /// The invite is valid, but the account cannot be made.
    #[error(transparent)]
    Account(#[from] AccountError),
}

impl From<StoreError> for RedeemError {
    fn from(error: StoreError) -> Self {
        Self::Account(error.into())
    }
}

impl From<rusqlite::Error> for RedeemError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Account(error.into())
    }
}

impl Invite {
    /// Returns its state at the time `now`.
    pub fn state(&self, now: Millis) -> State {
        if self.revoked.is_some() {
            State::Revoked
        } else if self.spent >= self.uses {
            State::Spent
        } else if self.expires <= now {
            State::Expired
        } else {
            State::Open
        }
    }

    /// Checks that it can be redeemed at the time `now`.
    pub fn check(&self, now: Millis) -> Result<(), RedeemError> {
        match self.state(now) {
            State::Open => Ok(()),
            State::Spent => Err(RedeemError::Spent),
            State::Expired => Err(RedeemError::Expired),
            State::Revoked => Err(RedeemError::Revoked),
        }
    }
}

const COLUMNS: &str = "i.id, i.role, i.channel, i.uses, i.spent, i.expires, i.revoked, i.created,
    (SELECT name FROM accounts WHERE id = i.created_by), i.resets, (SELECT name FROM accounts WHERE id = i.resets)";

/// Makes an invite.
pub fn create(
    tx: &Connection,
    invite: &NewInvite,
    (now, actor): (Millis, Actor),
) -> rusqlite::Result<InviteId> {
    tx.prepare_cached(
        "INSERT INTO invites (token, role, channel, uses, expires, created, created_by, resets, power)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .insert((
        invite.token,
        invite.role,
        &invite.channel,
        invite.uses,
        invite.expires,
        now,
        actor.id(),
        invite.resets,
        invite.power,
    ))
    .map(InviteId)
}

/// Finds the invite of a token. One whose row is damaged is not found: its role could be the damage.
pub fn find(conn: &Connection, token: &TokenHash) -> Result<Invite, RedeemError> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM sound_invites i WHERE token = ?1"))?
        .query_row([token], read)
        .optional()?
        .ok_or(RedeemError::Unknown)
}

/// Returns up to `limit` invites, beginning after the id `after`.
pub fn list(conn: &Connection, after: InviteId, limit: u32) -> rusqlite::Result<Vec<Invite>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM sound_invites i WHERE id > ?1 ORDER BY id LIMIT ?2"))?
        .query_map((after.0, limit), read)?
        .collect()
}

/// Counts the invites from before `since` that can still be redeemed.
pub fn open_of_before(conn: &Connection, since: Millis, now: Millis) -> rusqlite::Result<u32> {
    conn.prepare_cached(
        "SELECT count(*) FROM sound_invites
         WHERE created < ?1 AND revoked IS NULL AND spent < uses AND expires > ?2",
    )?
    .query_row((since, now), |row| row.get(0))
}

/// Revokes an invite; the accounts that it made stay. `None` if there is no such invite. Revoking twice changes
/// nothing.
pub fn revoke(tx: &Connection, id: InviteId, now: Millis) -> rusqlite::Result<Option<Invite>> {
    tx.execute("UPDATE invites SET revoked = coalesce(revoked, ?2) WHERE id = ?1", (id.0, now))?;
    tx.prepare_cached(&format!("SELECT {COLUMNS} FROM sound_invites i WHERE id = ?1"))?
        .query_row([id.0], read)
        .optional()
}

/// Revokes the open invites that an account made, or that others made by its rights. Returns their count.
pub fn revoke_all_by(tx: &Connection, account: AccountId, now: Millis) -> rusqlite::Result<usize> {
    tx.prepare_cached(
        "UPDATE invites SET revoked = ?2
         WHERE ?1 IN (created_by, power) AND revoked IS NULL AND spent < uses AND expires > ?2",
    )?
    .execute((account, now))
}

/// Revokes these and the ones that reset the account. Returns their count.
pub fn revoke_all_of(tx: &Connection, account: AccountId, now: Millis) -> rusqlite::Result<usize> {
    let by = revoke_all_by(tx, account, now)?;
    let of = tx
        .prepare_cached(
            "UPDATE invites SET revoked = ?2
             WHERE resets = ?1 AND revoked IS NULL AND spent < uses AND expires > ?2",
        )?
        .execute((account, now))?;
    Ok(by + of)
}

/// Makes the account that a token admits, or sets its new password, and spends one use, both or neither.
pub fn redeem(
    tx: &Connection,
    token: &TokenHash,
    name: &Nick,
    password: &PasswordHash,
    now: Millis,
) -> Result<Redeemed, RedeemError> {
    let invite = find(tx, token)?;
    invite.check(now)?;
    let (account, resets) = match whom(tx, &invite, name)? {
        Some(account) => {
            accounts::set_password(tx, account.id, password)?;
            // An owner who lost the password may also have lost a device, or not know of one.
            devices::remove_all(tx, account.id)?;
            (account, true)
        }
        None => (accounts::create(tx, name, password, invite.role, Some(invite.id.0), now)?, false),
    };
    tx.prepare_cached("UPDATE invites SET spent = spent + 1 WHERE id = ?1")?.execute([invite.id.0])?;
    let mut detail = format!("invite {}", invite.id);
    if resets {
        // An intruder may have made more links, and another reset would take the account from its owner.
        let revoked = revoke_all_of(tx, account.id, now)?;
        detail.push_str(", password and devices reset");
        if revoked > 0 {
            let _ = write!(detail, ", invites revoked: {revoked}");
        }
    }
    audit::note(tx, (now, Actor::Account(account.id)), "invite redeem", account.name.as_str(), &detail)?;
    Ok(if resets { Redeemed::Reset(account) } else { Redeemed::Made(account, invite.channel) })
}

/// Returns the account that an invite resets, if it is such an invite; `name` is the account that the requester claims.
fn whom(conn: &Connection, invite: &Invite, name: &Nick) -> Result<Option<Account>, RedeemError> {
    let Some((id, known)) = &invite.resets else { return Ok(None) };
    if known != name {
        return Err(RedeemError::Other(known.clone()));
    }
    match accounts::find(conn, known) {
        Ok(account) if account.id == *id && account.disabled => Err(RedeemError::Disabled(account.name)),
        Ok(account) if account.id == *id => Ok(Some(account)),
        Ok(_) | Err(AccountError::Unknown(_)) => Err(RedeemError::Gone(known.clone())),
        Err(error) => Err(error.into()),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        id: InviteId(row.get(0)?),
        role: row.get(1)?,
        channel: row.get(2)?,
        uses: row.get(3)?,
        spent: row.get(4)?,
        expires: row.get(5)?,
        revoked: row.get(6)?,
        created: row.get(7)?,
        created_by: row.get(8)?,
        resets: row.get::<_, Option<AccountId>>(9)?.zip(row.get(10)?),
    })
}

impl Store {
    /// Checks that a token can be redeemed now for an account of that name. Runs before the costly hash of the password
    /// is computed.
    pub async fn check_invite(&self, token: TokenHash, name: Nick, now: Millis) -> Result<(), RedeemError> {
        self.read(move |conn| {
            let invite = find(conn, &token)?;
            invite.check(now)?;
            whom(conn, &invite, &name).map(drop)
        })
        .await
    }

    /// Redeems a token, atomically: of two that try the last use at once, one succeeds.
    pub async fn redeem(
        &self,
        token: TokenHash,
        name: Nick,
        password: PasswordHash,
        now: Millis,
    ) -> Result<Redeemed, RedeemError> {
        self.write(move |tx| redeem(tx, &token, &name, &password, now)).await
    }
}
