//! Invites: tokens that make an account, a limited number of times, until they expire or are revoked.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

use super::accounts::{self, AccountError, PasswordHash};
use super::audit::{self, Actor};
use super::{Store, StoreError};
use crate::chat::record::{Account, Role};
use crate::wire::{ChannelName, Millis, Nick};

/// An invite's number: what people list and revoke it by. It is no secret and redeems nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InviteId(pub i64);

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256 of a token. The token itself is never kept.
pub type TokenHash = [u8; 32];

/// An invite to be made.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Hash of its token.
    pub token: TokenHash,
    /// What its accounts may do.
    pub role: Role,
    /// Where its accounts land.
    pub channel: Option<ChannelName>,
    /// How many accounts it makes.
    pub uses: u32,
    /// Until when.
    pub expires: Millis,
}

/// An invite as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Its number.
    pub id: InviteId,
    /// What its accounts may do.
    pub role: Role,
    /// Where its accounts land.
    pub channel: Option<ChannelName>,
    /// How many accounts it makes.
    pub uses: u32,
    /// How many it has made.
    pub spent: u32,
    /// Until when it can be redeemed.
    pub expires: Millis,
    /// Since when it was revoked.
    pub revoked: Option<Millis>,
    /// When it was made.
    pub created: Millis,
    /// By whom; `None` for the command line.
    pub created_by: Option<Nick>,
}

/// What has become of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It can be redeemed.
    Open,
    /// It made as many accounts as it may.
    Spent,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// Why an invite makes no account. The texts are for the one who tries.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RedeemError {
    /// No invite has this token.
    #[error("this invite is not known here")]
    Unknown,
    /// It made as many accounts as it may.
    #[error("this invite was used already")]
    Spent,
    /// Its time is over.
    #[error("this invite has expired")]
    Expired,
    /// An admin took it back.
    #[error("this invite was revoked")]
    Revoked,
    /// The invite holds, the account cannot be made.
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
    /// What has become of it by now.
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

    /// Whether it can be redeemed now, and if not, why.
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
    (SELECT name FROM accounts WHERE id = i.created_by)";

/// Makes an invite.
pub fn create(
    tx: &Connection,
    invite: &NewInvite,
    (now, actor): (Millis, Actor),
) -> rusqlite::Result<InviteId> {
    tx.prepare_cached(
        "INSERT INTO invites (token, role, channel, uses, expires, created, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .insert((invite.token, invite.role, &invite.channel, invite.uses, invite.expires, now, actor.id()))
    .map(InviteId)
}

/// The invite of a token.
pub fn find(conn: &Connection, token: &TokenHash) -> Result<Invite, RedeemError> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM invites i WHERE token = ?1"))?
        .query_row([token], read)
        .optional()?
        .ok_or(RedeemError::Unknown)
}

/// Up to `limit` invites, beginning after the number `after`.
pub fn list(conn: &Connection, after: InviteId, limit: u32) -> rusqlite::Result<Vec<Invite>> {
    conn.prepare_cached(&format!("SELECT {COLUMNS} FROM invites i WHERE id > ?1 ORDER BY id LIMIT ?2"))?
        .query_map((after.0, limit), read)?
        .collect()
}

/// How many invites of before `since` can still be redeemed.
pub fn open_of_before(conn: &Connection, since: Millis, now: Millis) -> rusqlite::Result<u32> {
    conn.prepare_cached(
        "SELECT count(*) FROM invites
         WHERE created < ?1 AND revoked IS NULL AND spent < uses AND expires > ?2",
    )?
    .query_row((since, now), |row| row.get(0))
}

/// Takes an invite back; the accounts it made stay. `None`: there is no such invite. Revoking twice changes nothing.
pub fn revoke(tx: &Connection, id: InviteId, now: Millis) -> rusqlite::Result<Option<Invite>> {
    tx.execute("UPDATE invites SET revoked = coalesce(revoked, ?2) WHERE id = ?1", (id.0, now))?;
    tx.prepare_cached(&format!("SELECT {COLUMNS} FROM invites i WHERE id = ?1"))?
        .query_row([id.0], read)
        .optional()
}

/// Makes the account that a token stands for and spends one use, both or neither. Returns the account and
/// the channel in which it lands.
pub fn redeem(
    tx: &Connection,
    token: &TokenHash,
    name: &Nick,
    password: &PasswordHash,
    now: Millis,
) -> Result<(Account, Option<ChannelName>), RedeemError> {
    let invite = find(tx, token)?;
    invite.check(now)?;
    let account = accounts::create(tx, name, password, invite.role, Some(invite.id.0), now)?;
    tx.prepare_cached("UPDATE invites SET spent = spent + 1 WHERE id = ?1")?.execute([invite.id.0])?;
    let actor = Actor::Account(account.id);
    audit::note(tx, (now, actor), "invite redeem", name.as_str(), &format!("invite {}", invite.id))?;
    Ok((account, invite.channel))
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
    })
}

impl Store {
    /// Whether a token could be redeemed now: asked before the costly hash of a password is made for it.
    pub async fn check_invite(&self, token: TokenHash, now: Millis) -> Result<(), RedeemError> {
        self.read(move |conn| find(conn, &token)?.check(now)).await
    }

    /// Redeems a token for an account, atomically: of two that try the last use at once, one wins.
    pub async fn redeem(
        &self,
        token: TokenHash,
        name: Nick,
        password: PasswordHash,
        now: Millis,
    ) -> Result<(Account, Option<ChannelName>), RedeemError> {
        self.write(move |tx| redeem(tx, &token, &name, &password, now)).await
    }
}
