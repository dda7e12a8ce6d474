//! Checking passwords and redeeming invites, for connections that are not logged in yet.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout};
use tracing::{debug, info, warn};
use zeroize::Zeroizing;

use super::handle::{HubHandle, now};
use super::passwords::{Password, PasswordError, Passwords, Verdict};
use super::throttle::{Gate, Throttle};
use crate::chat::account::DeviceKey;
use crate::chat::login::{Checked, Refused, Registration, Verified};
use crate::chat::record::{AccountChange, AccountId};
use crate::chat::sasl::Credentials;
use crate::store::accounts::AccountError;
use crate::store::invites::{self, RedeemError, Redeemed};
use crate::store::{Store, StoreError, devices};
use crate::trust::Token;
use crate::wire::Nick;

/// A login waits so long for what is noted about it, which is written all the same, as soon as the store can.
const NOTES: Duration = Duration::from_millis(100);

/// What logins are checked against.
pub(super) struct Logins {
    store: Store,
    passwords: Arc<Passwords>,
    throttle: Mutex<Throttle>,
    hub: HubHandle,
}

impl Logins {
    pub fn new(store: Store, passwords: Arc<Passwords>, hub: HubHandle) -> Self {
        Self { store, passwords, throttle: Mutex::default(), hub }
    }

    /// Checks a password. Who failed before waits for its turn first; an account that is not there or is disabled
    /// takes as long as a wrong password and is told the same.
    pub async fn check(&self, peer: IpAddr, credentials: Credentials) -> Checked {
        // A text that cannot be a name is throttled like a name that nobody has.
        let nobody = Nick::parse("_").expect("a valid nick");
        let name = credentials.name.clone().unwrap_or(nobody);
        let gate = self.throttle.lock().attempt(peer, &name, Instant::now().into());
        match gate {
            Gate::Wait(turn) => tokio::time::sleep(turn).await,
            Gate::Refuse(turn) => {
                warn!(%peer, account = %name, "login refused: too many failed before");
                return Checked::Later(format!(
                    "Too many failed logins from your address, try again in {} s",
                    turn.as_secs().max(1)
                ));
            }
        }
        match self.verify(credentials.name, credentials.password).await {
            Ok(Some(verified)) => {
                self.throttle.lock().succeeded(peer, &name);
                Checked::Right(verified)
            }
            Ok(None) => {
                warn!(%peer, account = %name, "login failed");
                self.throttle.lock().failed(peer, &name, Instant::now().into());
                Checked::Wrong
            }
            Err(why) => {
                warn!(%peer, account = %name, %why, "login not checked");
                Checked::Later("The server is too busy to check passwords, try again in a moment".to_owned())
            }
        }
    }

    async fn verify(
        &self,
        name: Option<Nick>,
        password: Zeroizing<String>,
    ) -> Result<Option<Verified>, PasswordError> {
        let since = self.hub.password_changes();
        let known = match name {
            Some(name) => self.store.credentials(name).await.map_err(|error| {
                warn!(%error, "cannot read an account");
                PasswordError::Resources
            })?,
            None => None,
        };
        let known = known.filter(|known| !known.account.disabled);
        let stored = known.as_ref().and_then(|known| known.password.clone());
        let verdict = self.passwords.verify(stored.clone(), password).await?;
        let (Some(known), Verdict::Right(renewed)) = (known, verdict) else { return Ok(None) };
        let account = known.account;
        if let (Some(new), Some(old)) = (renewed, stored) {
            // The login does not depend on it: it is tried again at the next one.
            let id = account.id;
            let renewal = self.store.write(move |tx| {
                crate::store::accounts::renew_password(tx, id, &old, &new)
                    .map_err(crate::store::StoreError::from)
            });
            match timeout(NOTES, renewal).await {
                Ok(Ok(_)) => info!(account = %account.name, "password hash renewed"),
                Ok(Err(error)) => warn!(account = %account.name, %error, "password hash not renewed"),
                Err(_) => {
                    info!(account = %account.name, "password hash is renewed as soon as the store takes it");
                }
            }
        }
        Ok(Some(Verified { account: account.id, name: account.name, since, device: None }))
    }

    /// Finds the account that the certificate of a connection logs in to.
    pub async fn prove(&self, peer: IpAddr, key: Option<DeviceKey>, name: Option<Nick>) -> Checked {
        let Some(key) = key else {
            return Checked::Unproven("This connection shows no client certificate".to_owned());
        };
        let since = self.hub.password_changes();
        let found = self.store.read(move |conn| Ok::<_, StoreError>(devices::account(conn, key)?)).await;
        match found {
            Ok(Some(account)) if name.as_ref().is_none_or(|name| *name == account.name) => {
                // When it last logged in is for its owner to read: a login does not depend on it.
                let noted = self.store.write(move |tx| Ok::<_, StoreError>(devices::used(tx, key, now())?));
                if let Ok(Err(error)) = timeout(NOTES, noted).await {
                    debug!(%error, "cannot note that a device logged in");
                }
                Checked::Right(Verified { account: account.id, name: account.name, since, device: Some(key) })
            }
            Ok(_) => {
                warn!(%peer, %key, "no account of this device");
                Checked::Unproven("This certificate is no device of the account".to_owned())
            }
            Err(error) => {
                warn!(%peer, %error, "login not checked");
                Checked::Unproven("The server cannot read its accounts right now".to_owned())
            }
        }
    }

    /// Redeems an invite: makes the account or gives it the new password, and tells the chat of it.
    pub async fn register(&self, peer: IpAddr, wanted: Registration) -> Result<Verified, Refused> {
        let refused = |code, text: String| Err(Refused { code, text });
        let Some(token) = wanted.token else {
            return refused(
                "TOKEN_NEEDED",
                "An account is made with an invite: give its token with PASS, or use `parlour join`"
                    .to_owned(),
            );
        };
        // Guessing tokens is slowed like guessing passwords.
        let guess = Nick::parse("_invite").expect("a valid nick");
        if let Gate::Wait(turn) = self.throttle.lock().attempt(peer, &guess, Instant::now().into()) {
            if turn > Duration::ZERO {
                return refused("TEMPORARILY_UNAVAILABLE", "Too many tries, wait a little".to_owned());
            }
        } else {
            return refused("TEMPORARILY_UNAVAILABLE", "Too many tries, wait a minute".to_owned());
        }
        let hash = match token.parse::<Token>() {
            Ok(token) => token.hash(),
            // No token hashes to nothing: it is unknown, like any that was not given out.
            Err(_) => [0; 32],
        };
        let outcome = async {
            self.store.check_invite(hash, wanted.name.clone(), now()).await?;
            let password = Password::new(&wanted.password).map_err(Failure::Weak)?;
            let phc = self.passwords.hash(password).await.map_err(|_| Failure::Busy)?;
            let redeemed = self.store.redeem(hash, wanted.name.clone(), phc.clone(), now()).await?;
            Ok::<_, Failure>((redeemed, phc))
        };
        match outcome.await {
            Ok((Redeemed::Made(account, lands_in), _)) => {
                info!(%peer, account = %account.name, "account made with an invite");
                let since = self.hub.password_changes();
                let verified =
                    Verified { account: account.id, name: account.name.clone(), since, device: None };
                self.hub.account_changed(AccountChange::Added(account, lands_in)).await;
                Ok(verified)
            }
            Ok((Redeemed::Reset(account), phc)) => {
                info!(%peer, account = %account.name, "password and devices reset with an invite");
                self.hub.account_changed(AccountChange::PasswordChanged(account.id)).await;
                if let Err(error) = close_ways_in(&self.store, account.id).await {
                    warn!(%error, account = %account.name, "devices and invites that were added meanwhile are not forgotten");
                    return refused("TEMPORARILY_UNAVAILABLE", "Log in with the new password".to_owned());
                }
                // Counted after the own change. If the password is another by now, that is not this one's login.
                let since = self.hub.password_changes();
                match self.store.credentials(account.name.clone()).await {
                    Ok(Some(stands)) if stands.password.as_ref() == Some(&phc) => {
                        Ok(Verified { account: account.id, name: account.name, since, device: None })
                    }
                    _ => refused(
                        "TEMPORARILY_UNAVAILABLE",
                        "The password was changed again meanwhile, log in with the latest".to_owned(),
                    ),
                }
            }
            Err(failure) => {
                let (code, text) = failure.tell();
                warn!(%peer, account = %wanted.name, %code, "invite not redeemed");
                if code == "TOKEN_UNKNOWN" {
                    self.throttle.lock().failed(peer, &guess, Instant::now().into());
                }
                refused(code, text)
            }
        }
    }
}

/// Forgets the devices of an account that has a new password and revokes its invites, once its sessions of before have
/// ended: one of them may have added another while that was on its way.
pub async fn close_ways_in(store: &Store, account: AccountId) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            devices::remove_all(tx, account)?;
            invites::revoke_all_of(tx, account, now())?;
            Ok(())
        })
        .await
}

/// Why an account was not made.
enum Failure {
    Redeem(RedeemError),
    Weak(super::passwords::PasswordRule),
    Busy,
}

impl From<RedeemError> for Failure {
    fn from(error: RedeemError) -> Self {
        Self::Redeem(error)
    }
}

impl Failure {
    /// The code of the FAIL and what it says to the user
    /// ([account registration](https://ircv3.net/specs/extensions/account-registration), and codes of our own for what
    /// can be wrong with an invite).
    fn tell(self) -> (&'static str, String) {
        let busy = || ("TEMPORARILY_UNAVAILABLE", "The server is too busy, try again in a moment".to_owned());
        match self {
            Self::Weak(rule) => ("WEAK_PASSWORD", rule.to_string()),
            Self::Busy => busy(),
            Self::Redeem(error) => {
                let code = match &error {
                    RedeemError::Unknown => "TOKEN_UNKNOWN",
                    RedeemError::Spent => "TOKEN_SPENT",
                    RedeemError::Expired => "TOKEN_EXPIRED",
                    RedeemError::Revoked => "TOKEN_REVOKED",
                    RedeemError::Other(_) => "TOKEN_OF_ANOTHER",
                    RedeemError::Disabled(_) | RedeemError::Gone(_) => "TOKEN_USELESS",
                    RedeemError::Account(AccountError::Taken(_) | AccountError::Removed(_)) => {
                        "ACCOUNT_EXISTS"
                    }
                    RedeemError::Account(AccountError::Reserved(..)) => "BAD_ACCOUNT_NAME",
                    RedeemError::Account(inner) => {
                        warn!(error = %inner, "cannot make an account");
                        return busy();
                    }
                };
                (code, error.to_string())
            }
        }
    }
}
