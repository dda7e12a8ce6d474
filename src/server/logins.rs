//! Password checks and the redemption of invites, for connections before their login.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::handle::{HubHandle, Stopped};
use super::limits::incidents::{Incident, Incidents};
use super::limits::subject::{Subject, Subjects};
use super::passwords::{Password, PasswordError, Passwords, Requester, Verdict};
use super::throttle::{Gate, Guess, Throttle};
use super::turns::{Crowded, FairQueue, Limits};
use crate::chat::account::DeviceKey;
use crate::chat::login::{Checked, Refused, Registration, Verified};
use crate::chat::record::{AccountChange, AccountId};
use crate::chat::sasl::Credentials;
use crate::store::accounts::{AccountError, PasswordHash};
use crate::store::invites::{self, RedeemError, Redeemed};
use crate::store::{Store, StoreError};
use crate::trust::Token;
use crate::wire::{Millis, Nick};

/// Time that a login waits for a write that concerns it. A slower write goes on and completes as soon as the store can.
const NOTES: Duration = Duration::from_millis(100);

/// Data and services that logins are checked with.
pub(super) struct Logins {
    store: Store,
    passwords: Arc<Passwords>,
    throttle: Mutex<Throttle>,
    /// Reads of the store for connections before their login: one at a time, so that they do not delay those of
    /// sessions.
    lookups: FairQueue<Subject>,
    subjects: Subjects,
    incidents: Arc<Incidents>,
    hub: HubHandle,
}

/// Origin of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub peer: IpAddr,
    pub subject: Subject,
    /// Account of the session, if there is one.
    pub account: Option<AccountId>,
}

/// Limits of lookups: one at a time, so that readers are left for sessions; and of the lookups of one subject that
/// wait.
const LOOKUPS: Limits = Limits { at_once: 1, each: 1, waiting: 4096 };

impl Logins {
    pub fn new(store: Store, passwords: Arc<Passwords>, hub: HubHandle, incidents: Arc<Incidents>) -> Self {
        Self {
            store,
            passwords,
            throttle: Mutex::default(),
            lookups: FairQueue::new(LOOKUPS),
            subjects: Subjects::default(),
            incidents,
            hub,
        }
    }

    /// Returns the origin of requests of a connection from this address.
    pub fn source(&self, peer: IpAddr, account: Option<AccountId>) -> Source {
        Source { peer, subject: self.subjects.of(peer), account }
    }

    /// Checks a password. A source that failed before waits for its turn first. An account that does not exist or is
    /// disabled takes as long as a wrong password and gets the same reply. Dropping the future gives up the turn.
    pub async fn check(&self, source: Source, credentials: Credentials) -> Checked {
        let Source { peer, subject, .. } = source;
        let name = credentials.name.clone().map_or(Guess::Nobody, Guess::Password);
        let gate = self.throttle.lock().attempt(subject, &name, Instant::now().into());
        match gate {
            Gate::Wait(turn) => tokio::time::sleep(turn).await,
            Gate::Refuse(turn) => {
                self.incidents.note(
                    subject,
                    Incident::Password,
                    format_args!("login refused: too many failed before peer={peer} account={name}"),
                );
                return Checked::Later(format!(
                    "Too many failed logins from your address, try again in {} s",
                    turn.as_secs().max(1)
                ));
            }
        }
        match self.verify(source, credentials.name, credentials.password).await {
            Ok(Some(verified)) => {
                self.throttle.lock().succeeded(subject, &name);
                Checked::Right(verified)
            }
            Ok(None) => {
                self.incidents.note(
                    subject,
                    Incident::Password,
                    format_args!("login failed peer={peer} account={name}"),
                );
                self.throttle.lock().failed(subject, &name, Instant::now().into());
                Checked::Wrong
            }
            Err(why) => {
                self.incidents.note(
                    subject,
                    Incident::Password,
                    format_args!("login not checked: {why} peer={peer} account={name}"),
                );
                Checked::Later("The server is too busy to check passwords, try again in a moment".to_owned())
            }
        }
    }

    async fn verify(
        &self,
        source: Source,
        name: Option<Nick>,
        password: Zeroizing<String>,
    ) -> Result<Option<Verified>, PasswordError> {
        let since = self.hub.password_changes();
        let known = match name {
            Some(name) => {
                let _turn = self.lookups.take(source.subject).await.map_err(|Crowded| PasswordError::Busy)?;
                self.store.credentials(name).await.map_err(|error| {
                    warn!(%error, "cannot read an account");
                    PasswordError::Resources
                })?
            }
            None => None,
        };
        let known = known.filter(|known| !known.account.disabled);
        let stored = known.as_ref().and_then(|known| known.password.clone());
        let verdict = self.passwords.verify(source.requester(), stored.clone(), password).await?;
        let (Some(known), Verdict::Right(renewed)) = (known, verdict) else { return Ok(None) };
        let account = known.account;
        if let (Some(new), Some(old)) = (renewed, stored) {
            // The login does not depend on it: a failed renewal is tried again at the next login.
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
    pub async fn prove(&self, source: Source, key: Option<DeviceKey>, name: Option<Nick>) -> Checked {
        let peer = source.peer;
        let Some(key) = key else {
            return Checked::Unproven("This connection shows no client certificate".to_owned());
        };
        let since = self.hub.password_changes();
        let found = {
            let Ok(_turn) = self.lookups.take(source.subject).await else {
                return Checked::Unproven("The server is too busy, try again in a moment".to_owned());
            };
            self.hub.look(move |chat| chat.owner(key).cloned()).await
        };
        match found {
            Ok(Some(account)) if name.as_ref().is_none_or(|name| *name == account.name) => {
                Checked::Right(Verified { account: account.id, name: account.name, since, device: Some(key) })
            }
            Ok(_) => {
                self.incidents.note(
                    source.subject,
                    Incident::Device,
                    format_args!("no account of this device peer={peer} key={key}"),
                );
                Checked::Unproven("This certificate is no device of the account".to_owned())
            }
            Err(Stopped) => Checked::Unproven("The server is shutting down".to_owned()),
        }
    }

    /// Redeems an invite: makes the account or sets its new password, and makes the core follow.
    pub async fn register(
        self: &Arc<Self>,
        source: Source,
        wanted: Registration,
    ) -> Result<Verified, Refused> {
        let Source { peer, subject, .. } = source;
        let refused = |code, text: String| Err(Refused { code, text });
        let Some(token) = wanted.token else {
            return refused(
                "TOKEN_NEEDED",
                "An account is made with an invite: give its token with PASS, or use `parlour join`"
                    .to_owned(),
            );
        };
        // Guessing tokens is limited like guessing passwords.
        let guess = Guess::Invite;
        let gate = self.throttle.lock().attempt_at_once(subject, &guess, Instant::now().into());
        if let Gate::Refuse(turn) = gate {
            let text = format!("Too many tries from your address, try again in {} s", turn.as_secs() + 1);
            return refused("TEMPORARILY_UNAVAILABLE", text);
        }
        let hash = match token.parse::<Token>() {
            Ok(token) => token.hash(),
            // No token has this hash: it is unknown, like any that was not handed out.
            Err(_) => [0; 32],
        };
        let checked = async {
            let turn = self.lookups.take(subject).await.map_err(|Crowded| Failure::Busy)?;
            self.store.check_invite(hash, wanted.name.clone(), self.hub.clock.now()).await?;
            drop(turn);
            let password = Password::new(&wanted.password).map_err(Failure::Weak)?;
            let phc = self.passwords.hash(source.requester(), password);
            phc.await.map_err(|_| Failure::Busy)
        };
        let failure = match checked.await {
            Ok(phc) => {
                // A task of its own completes even if the client goes away, because the core must follow the store.
                let (this, name) = (self.clone(), wanted.name.clone());
                let redeemed = tokio::spawn(async move { this.redeem(peer, hash, name, phc).await });
                match redeemed.await {
                    Ok(Ok(outcome)) => return outcome,
                    Ok(Err(failure)) => failure,
                    Err(_) => Failure::Busy,
                }
            }
            Err(failure) => failure,
        };
        let (code, text) = failure.tell();
        self.incidents.note(
            subject,
            Incident::Invite,
            format_args!("invite not redeemed peer={peer} account={} code={code}", wanted.name),
        );
        if code == "TOKEN_UNKNOWN" {
            self.throttle.lock().failed(subject, &guess, Instant::now().into());
        }
        refused(code, text)
    }

    async fn redeem(
        &self,
        peer: IpAddr,
        token: [u8; 32],
        name: Nick,
        phc: PasswordHash,
    ) -> Result<Result<Verified, Refused>, Failure> {
        let later = |text: &str| Ok(Err(Refused { code: "TEMPORARILY_UNAVAILABLE", text: text.to_owned() }));
        let changing = self.hub.changing.lock().await;
        let redeemed = self.store.redeem(token, name, phc.clone(), self.hub.clock.now()).await?;
        let change = match &redeemed {
            Redeemed::Made(account, lands_in) => AccountChange::Added(account.clone(), lands_in.clone()),
            Redeemed::Reset(account) => AccountChange::PasswordChanged(account.id),
        };
        let since = self.hub.password_changes();
        self.hub.account_changed(change).await;
        drop(changing);
        match redeemed {
            Redeemed::Made(account, _) => {
                info!(%peer, account = %account.name, "account made with an invite");
                Ok(Ok(Verified { account: account.id, name: account.name, since, device: None }))
            }
            Redeemed::Reset(account) => {
                info!(%peer, account = %account.name, "password and devices reset with an invite");
                if let Err(error) = close_ways_in(&self.store, account.id, self.hub.clock.now()).await {
                    warn!(%error, account = %account.name, "invites that were made meanwhile are not revoked");
                    return later("Log in with the new password");
                }
                // Read after the account's own change. If the password has changed again by now, this login is void.
                let since = self.hub.password_changes();
                match self.store.credentials(account.name.clone()).await {
                    Ok(Some(stands)) if stands.password.as_ref() == Some(&phc) => {
                        Ok(Ok(Verified { account: account.id, name: account.name, since, device: None }))
                    }
                    _ => later("The password was changed again meanwhile, log in with the latest"),
                }
            }
        }
    }
}

impl Source {
    /// Returns the key by which password checks take turns.
    pub fn requester(self) -> Requester {
        self.account.map_or(Requester::Stranger(self.subject), Requester::Account)
    }
}

/// Revokes the invites of an account with a new password. Runs after its older sessions have ended, because one of them
/// may have made an invite meanwhile.
pub async fn close_ways_in(store: &Store, account: AccountId, now: Millis) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            invites::revoke_all_of(tx, account, now)?;
            Ok(())
        })
        .await
}

/// Reason why an invite was not redeemed.
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
    /// Returns the code and the text of the FAIL ([account
    /// registration](https://ircv3.net/specs/extensions/account-registration), with Parlour's own codes for failures of
    /// invites).
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
