//! Requests of sessions about their own accounts, and of admins about the server, carried out outside the core.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{info, warn};

use super::invites;
use super::logins::{Logins, Source};
use super::passwords::{Password, Passwords, Requester};
use super::reload::{ReloadError, Reloader};
use crate::chat::account::{Outcome, Request, Secret};
use crate::chat::invites::{InviteOutcome, InviteRequest};
use crate::chat::login::Checked;
use crate::chat::record::AccountId;
use crate::chat::sasl::Credentials;
use crate::store::audit::{self, Actor};
use crate::store::{Store, StoreError, accounts};
use crate::trust::Address;
use crate::wire::Millis;

/// Carries out the requests.
pub(super) struct Manager {
    pub store: Store,
    pub logins: Arc<Logins>,
    pub passwords: Arc<Passwords>,
    /// Present value of [`Chat::password_changes`](crate::chat::Chat::password_changes).
    pub password_changes: Arc<AtomicU64>,
    pub reloader: Arc<Reloader>,
    /// Addresses of the server, for invite links.
    pub addresses: Vec<Address>,
}

/// Origin of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub account: AccountId,
    pub peer: IpAddr,
    /// Count of password changes at the time of the request.
    pub since: u64,
}

fn refused(code: &'static str, why: impl Into<String>) -> Outcome {
    Outcome::Refused(code, why.into())
}

impl Manager {
    /// Carries out a request.
    pub async fn run(&self, asker: Asker, request: Request) -> Result<Outcome, StoreError> {
        match request {
            Request::Oper(credentials) => {
                Ok(match self.logins.check(self.source(asker), credentials).await {
                    Checked::Right(verified) => Outcome::Oper(verified.account, verified.since),
                    Checked::Wrong => refused("WRONG_PASSWORD", "The password is wrong"),
                    Checked::Later(why) | Checked::Unproven(why) => refused("TEMPORARILY_UNAVAILABLE", why),
                })
            }
            Request::Password(credentials, new) => self.password(asker, credentials, new).await,
            Request::Invites(request, admin) => Ok(self.invites(asker, admin, request).await),
            Request::Rehash => Ok(match self.reloader.read().await {
                Ok(settings) => {
                    self.reloader.note_root().await;
                    Outcome::Rehashed(Box::new(settings))
                }
                Err(why) => {
                    warn!(%why, "the configuration stays as it was");
                    let code = match why {
                        ReloadError::Config(_) => "INVALID_CONFIG",
                        ReloadError::Certificates(_) => "INVALID_CERTIFICATE",
                        ReloadError::Ended => "TEMPORARILY_UNAVAILABLE",
                    };
                    refused(code, why.to_string())
                }
            }),
        }
    }

    /// Returns the origin for password checks, which take turns by account.
    fn source(&self, asker: Asker) -> Source {
        self.logins.source(asker.peer, Some(asker.account))
    }

    async fn password(&self, asker: Asker, old: Credentials, new: Secret) -> Result<Outcome, StoreError> {
        let password = match Password::new(&new.0) {
            Ok(password) => password,
            Err(rule) => return Ok(refused("WEAK_PASSWORD", rule.to_string())),
        };
        // The password that is checked is the one that is replaced, and not one that was set during the check.
        let stood = match &old.name {
            Some(name) => self.store.credentials(name.clone()).await?.and_then(|known| known.password),
            None => None,
        };
        match self.logins.check(self.source(asker), old).await {
            Checked::Right(verified) if verified.account == asker.account => {}
            Checked::Later(why) | Checked::Unproven(why) => {
                return Ok(refused("TEMPORARILY_UNAVAILABLE", why));
            }
            Checked::Right(_) | Checked::Wrong => {
                return Ok(refused("WRONG_PASSWORD", "That is not your present password"));
            }
        }
        let Ok(hash) = self.passwords.hash(Requester::Account(asker.account), password).await else {
            return Ok(refused("TEMPORARILY_UNAVAILABLE", "The server is too busy, try again in a moment"));
        };
        let (id, now) = (asker.account, self.now());
        let changed = self.store.write(move |tx| {
            let changed = match &stood {
                Some(stood) => accounts::renew_password(tx, id, stood, &hash)?,
                None => false,
            };
            if changed {
                audit::note(tx, (now, Actor::Account(id)), "account passwd", "", "")?;
            }
            Ok::<_, StoreError>(changed)
        });
        if !changed.await? {
            return Ok(refused("TEMPORARILY_UNAVAILABLE", "The password was changed meanwhile, try again"));
        }
        info!(account = id.0, "password changed by its owner");
        Ok(Outcome::PasswordChanged)
    }

    /// Carries out a request about invites. A link that is made during a password change, after the admin's invites
    /// were revoked, may be the work of the person whom that change is to keep out: so it is withdrawn and not shown.
    async fn invites(&self, asker: Asker, admin: AccountId, request: InviteRequest) -> Outcome {
        let reach = (&*self.addresses, self.reloader.identity().pin());
        let outcome = invites::run(&self.store, reach, (asker.account, admin), (request, self.now())).await;
        match outcome {
            Outcome::Invites(InviteOutcome::Made { number, .. })
                if self.password_changes.load(Ordering::Acquire) != asker.since =>
            {
                // Even if that fails, the link was not shown to anyone.
                let _ = invites::take_back(&self.store, asker.account, number, self.now()).await;
                refused("TEMPORARILY_UNAVAILABLE", "A password was changed on the server just now; try again")
            }
            outcome => outcome,
        }
    }

    fn now(&self) -> Millis {
        self.reloader.hub.clock.now()
    }
}
