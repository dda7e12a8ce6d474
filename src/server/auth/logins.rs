//! Password checks and the redemption of invites, for connections before their login.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::info;
use zeroize::Zeroizing;

use super::passwords::{Password, PasswordError, Passwords, Requester, Verdict};
use super::throttle::{Gate, Guess, Throttle};
use crate::core::InputKind;
use crate::core::login::{Checked, Proof, Refused, Registration, Verified};
use crate::core::record::AccountId;
use crate::core::request::account::DeviceKey;
use crate::core::request::admin::{AccountError, Done, RedeemError, Redemption, Request, RequestError};
use crate::core::request::sasl::Credentials;
use crate::server::handle::{HubHandle, Stopped};
use crate::server::limits::incidents::{Incident, Incidents};
use crate::server::limits::subject::{Subject, Subjects};
use crate::server::turns::{Crowded, FairQueue, Limits};
use crate::trust::Token;
use crate::wire::Nick;

/// Data and services that logins are checked with.
pub(in crate::server) struct Logins {
    passwords: Arc<Passwords>,
    throttle: Mutex<Throttle>,
    /// Lookups in the core's state for connections before their login: one at a time, so that they do not crowd out other
    /// orders to the hub.
    lookups: FairQueue<Subject>,
    subjects: Subjects,
    incidents: Arc<Incidents>,
    hub: HubHandle,
}

/// Origin of a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Source {
    pub peer: IpAddr,
    pub subject: Subject,
    /// Account of the session, if there is one.
    pub account: Option<AccountId>,
}

/// Limits of lookups: one at a time, and of the lookups of one subject that wait.
const LOOKUPS: Limits = Limits { at_once: 1, each: 1, waiting: 4096 };

impl Logins {
    pub fn new(passwords: Arc<Passwords>, hub: HubHandle, incidents: Arc<Incidents>) -> Self {
        Self {
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
        let known = match name {
            Some(name) => {
                let _turn = self.lookups.take(source.subject).await.map_err(|Crowded| PasswordError::Busy)?;
                let look = self.hub.look(move |chat| chat.credentials(&name));
                look.await.map_err(|Stopped| PasswordError::Busy)?
            }
            None => None,
        };
        let stored = known.as_ref().and_then(|(_, password)| password.clone());
        let verdict = self.passwords.verify(source.requester(), stored.clone(), password).await?;
        let (Some((account, _)), Some(proven), Verdict::Right(renewed)) = (known, stored, verdict) else {
            return Ok(None);
        };
        if let Some(new) = renewed {
            let (account, old) = (account.id, proven.clone());
            self.hub.apply(InputKind::PasswordRenewed { account, old, new }).await;
            info!(account = account.0, "password hash renewed");
        }
        Ok(Some(Verified { account: account.id, name: account.name, proof: Proof::Password(proven) }))
    }

    /// Finds the account that the certificate of a connection logs in to.
    pub async fn prove(&self, source: Source, key: Option<DeviceKey>, name: Option<Nick>) -> Checked {
        let peer = source.peer;
        let Some(key) = key else {
            return Checked::Unproven("This connection shows no client certificate".to_owned());
        };
        let found = {
            let Ok(_turn) = self.lookups.take(source.subject).await else {
                return Checked::Unproven("The server is too busy, try again in a moment".to_owned());
            };
            self.hub.look(move |chat| chat.owner(key).cloned()).await
        };
        match found {
            Ok(Some(account)) if name.as_ref().is_none_or(|name| *name == account.name) => {
                Checked::Right(Verified {
                    account: account.id,
                    name: account.name,
                    proof: Proof::Device(key),
                })
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
    pub async fn register(&self, source: Source, wanted: Registration) -> Result<Verified, Refused> {
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
            let (name, now) = (wanted.name.clone(), self.hub.clock.now());
            let look = self.hub.look(move |chat| chat.check_invite(&hash, &name, now));
            look.await.map_err(|Stopped| Failure::Busy)?.map_err(RequestError::from)?;
            drop(turn);
            let password = Password::new(&wanted.password).map_err(Failure::Weak)?;
            let phc = self.passwords.hash(source.requester(), password);
            phc.await.map_err(|_| Failure::Busy)
        };
        let redeemed = async {
            let password = checked.await?;
            let redemption =
                Redemption { token: hash, name: wanted.name.clone(), password: password.clone() };
            let done = self.hub.request(Request::Redeem(redemption)).await?;
            Ok((done, password))
        };
        let failure = match redeemed.await {
            Ok((Done::Redeemed { account, is_new }, password)) => {
                if is_new {
                    info!(%peer, account = %account.name, "account made with an invite");
                } else {
                    info!(%peer, account = %account.name, "password and devices reset with an invite");
                }
                let proof = Proof::Password(password);
                return Ok(Verified { account: account.id, name: account.name, proof });
            }
            Ok(_) => Failure::Busy,
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
}

impl Source {
    /// Returns the key by which password checks take turns.
    pub fn requester(self) -> Requester {
        self.account.map_or(Requester::Stranger(self.subject), Requester::Account)
    }
}

/// Reason why an invite was not redeemed.
enum Failure {
    Request(RequestError),
    Weak(super::passwords::PasswordRule),
    Busy,
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
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
            Self::Request(RequestError::Redeem(error)) => {
                let code = match &error {
                    RedeemError::Unknown => "TOKEN_UNKNOWN",
                    RedeemError::Spent => "TOKEN_SPENT",
                    RedeemError::Expired => "TOKEN_EXPIRED",
                    RedeemError::Revoked => "TOKEN_REVOKED",
                    RedeemError::Other(_) => "TOKEN_OF_ANOTHER",
                    RedeemError::Disabled(_) | RedeemError::Gone(_) => "TOKEN_USELESS",
                    RedeemError::Account(AccountError::Reserved(..)) => "BAD_ACCOUNT_NAME",
                    RedeemError::Account(_) => "ACCOUNT_EXISTS",
                };
                (code, error.to_string())
            }
            Self::Request(error) => ("TEMPORARILY_UNAVAILABLE", error.to_string()),
        }
    }
}
