//! Password checks and the redemption of invites, for connections before their login.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::info;
use zeroize::Zeroizing;

use super::login_rate_limit::{AttemptDecision, GuessedSecret, LoginRateLimit};
use super::lookups::{LookupError, Lookups};
use super::passwords::{Password, PasswordError, PasswordPool, Requester, Verdict};
use crate::core::InputKind;
use crate::core::login::{Proof, Registration, RegistrationError, Verification, Verified};
use crate::core::record::AccountId;
use crate::core::record::device::CertificateFingerprint;
use crate::core::request::admin::{
    AccountError, ChangeRequest, RedeemError, Redemption, RequestError, RequestOutcome,
};
use crate::core::request::sasl::Credentials;
use crate::server::limits::incidents::{IncidentKind, IncidentLog};
use crate::server::limits::subject::{Subject, SubjectResolver};
use crate::server::sessions::hub_handle::HubHandle;
use crate::trust::Token;
use crate::wire::Nick;

/// Data and services that logins are checked with.
pub(in crate::server) struct LoginChecker {
    password_pool: Arc<PasswordPool>,
    rate_limit: Mutex<LoginRateLimit>,
    lookups: Lookups,
    subject_resolver: SubjectResolver,
    incidents: Arc<IncidentLog>,
    hub: HubHandle,
}

/// Reason for which a password was not checked.
#[derive(Debug, thiserror::Error)]
enum NotChecked {
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Origin of a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct AttemptOrigin {
    pub peer: IpAddr,
    pub subject: Subject,
    /// Account of the session, if there is one.
    pub account: Option<AccountId>,
}

impl LoginChecker {
    pub fn new(password_pool: Arc<PasswordPool>, hub: HubHandle, incidents: Arc<IncidentLog>) -> Self {
        Self {
            password_pool,
            rate_limit: Mutex::default(),
            lookups: Lookups::new(hub.clone()),
            subject_resolver: SubjectResolver::default(),
            incidents,
            hub,
        }
    }

    /// Returns the origin of requests of a connection from this address.
    pub fn attempt_origin(&self, peer: IpAddr, account: Option<AccountId>) -> AttemptOrigin {
        AttemptOrigin { peer, subject: self.subject_resolver.resolve(peer), account }
    }

    /// Checks a password. A source that failed before waits for its turn first. An account that does not exist or is
    /// disabled takes as long as a wrong password and gets the same reply. Dropping the future gives up the turn.
    pub async fn check_password(&self, origin: AttemptOrigin, credentials: Credentials) -> Verification {
        let AttemptOrigin { peer, subject, .. } = origin;
        let guess = credentials.name.clone().map_or(GuessedSecret::InvalidName, GuessedSecret::Password);
        let decision = self.rate_limit.lock().decide(subject, &guess, Instant::now().into());
        match decision {
            AttemptDecision::Wait(turn) => tokio::time::sleep(turn).await,
            AttemptDecision::Refuse(turn) => {
                self.incidents.record(
                    subject,
                    IncidentKind::LoginFailed,
                    format_args!("login refused: too many failed before peer={peer} account={guess}"),
                );
                return Verification::Unavailable(format!(
                    "Too many failed logins from your address, try again in {} s",
                    turn.as_secs().max(1)
                ));
            }
        }
        match self.verify(origin, credentials.name, credentials.password).await {
            Ok(Some(verified)) => {
                self.rate_limit.lock().note_success(subject, &guess);
                Verification::Verified(verified)
            }
            Ok(None) => {
                self.incidents.record(
                    subject,
                    IncidentKind::LoginFailed,
                    format_args!("login failed peer={peer} account={guess}"),
                );
                self.rate_limit.lock().note_failure(subject, &guess, Instant::now().into());
                Verification::WrongCredentials
            }
            Err(NotChecked::Lookup(LookupError::HubStopped)) => {
                Verification::Unavailable("The server is shutting down".to_owned())
            }
            Err(why) => {
                self.incidents.record(
                    subject,
                    IncidentKind::LoginFailed,
                    format_args!("login not checked: {why} peer={peer} account={guess}"),
                );
                Verification::Unavailable(
                    "The server is too busy to check passwords, try again in a moment".to_owned(),
                )
            }
        }
    }

    async fn verify(
        &self,
        origin: AttemptOrigin,
        name: Option<Nick>,
        password: Zeroizing<String>,
    ) -> Result<Option<Verified>, NotChecked> {
        let stored_credentials = match name {
            Some(name) => {
                let lookup = self.lookups.look_up(origin.subject, move |core| core.login_credentials(&name));
                lookup.await?
            }
            None => None,
        };
        let stored = stored_credentials.as_ref().and_then(|(_, password)| password.clone());
        let verdict = self.password_pool.verify(origin.requester(), stored.clone(), password).await?;
        let (Some((account, _)), Some(proven), Verdict::Right(renewed)) =
            (stored_credentials, stored, verdict)
        else {
            return Ok(None);
        };
        if let Some(new) = renewed {
            let (account, old) = (account.id, proven.clone());
            self.hub.apply_input(InputKind::PasswordRenewed { account, old, new }).await;
            info!(account = account.0, "password hash renewed");
        }
        Ok(Some(Verified { account: account.id, name: account.name, proof: Proof::Password(proven) }))
    }

    /// Finds the account that the certificate of a connection logs in to.
    pub async fn check_certificate(
        &self,
        origin: AttemptOrigin,
        fingerprint: Option<CertificateFingerprint>,
        name: Option<Nick>,
    ) -> Verification {
        let peer = origin.peer;
        let Some(key) = fingerprint else {
            return Verification::NoDevice("This connection shows no client certificate".to_owned());
        };
        match self.lookups.look_up(origin.subject, move |core| core.device_owner(key).cloned()).await {
            Ok(Some(account)) if name.as_ref().is_none_or(|name| *name == account.name) => {
                Verification::Verified(Verified {
                    account: account.id,
                    name: account.name,
                    proof: Proof::Device(key),
                })
            }
            Ok(_) => {
                self.incidents.record(
                    origin.subject,
                    IncidentKind::UnknownDevice,
                    format_args!("no account of this device peer={peer} key={key}"),
                );
                Verification::NoDevice("This certificate is no device of the account".to_owned())
            }
            Err(LookupError::Busy) => {
                Verification::NoDevice("The server is too busy, try again in a moment".to_owned())
            }
            Err(LookupError::HubStopped) => Verification::NoDevice("The server is shutting down".to_owned()),
        }
    }

    /// Decides about a guess at a secret that is looked up and not hashed. It does not wait.
    ///
    /// # Errors
    /// The time after which the next guess is allowed.
    pub fn admit_guess(&self, origin: AttemptOrigin, guess: &GuessedSecret) -> Result<(), Duration> {
        let now = Instant::now().into();
        match self.rate_limit.lock().decide_without_wait(origin.subject, guess, now) {
            AttemptDecision::Wait(_) => Ok(()),
            AttemptDecision::Refuse(wait) => Err(wait),
        }
    }

    /// Notes that such a guess was wrong.
    pub fn note_wrong_guess(&self, origin: AttemptOrigin, guess: &GuessedSecret) {
        self.report_wrong_token(origin, "a hook");
        self.rate_limit.lock().note_failure(origin.subject, guess, Instant::now().into());
    }

    /// Logs that a program used a wrong token, of a hook or for the API.
    pub fn report_wrong_token(&self, AttemptOrigin { peer, subject, .. }: AttemptOrigin, kind: &str) {
        let text = format_args!("wrong token of a program for={kind:?} peer={peer}");
        self.incidents.record(subject, IncidentKind::LoginFailed, text);
    }

    /// Redeems an invite: makes the account or sets its new password, and makes the core follow.
    pub async fn register(
        &self,
        origin: AttemptOrigin,
        registration: Registration,
    ) -> Result<Verified, RegistrationError> {
        let AttemptOrigin { peer, subject, .. } = origin;
        let refused = |code, text: String| Err(RegistrationError { code, text });
        let Some(token_text) = registration.token else {
            return refused(
                "TOKEN_NEEDED",
                "An account is made with an invite: give its token with PASS, or use `parlour join`"
                    .to_owned(),
            );
        };
        // Guessing tokens is limited like guessing passwords.
        let guess = GuessedSecret::InviteToken;
        let decision = self.rate_limit.lock().decide_without_wait(subject, &guess, Instant::now().into());
        if let AttemptDecision::Refuse(turn) = decision {
            let text = format!("Too many tries from your address, try again in {} s", turn.as_secs() + 1);
            return refused("TEMPORARILY_UNAVAILABLE", text);
        }
        let hash = match token_text.parse::<Token>() {
            Ok(token) => token.hash(),
            // No token has this hash: it is unknown, like any that was not handed out.
            Err(_) => [0; 32],
        };
        let hashed_password = async {
            let (name, now) = (registration.name.clone(), self.hub.clock.now());
            let lookup = self.lookups.look_up(subject, move |core| core.check_invite(&hash, &name, now));
            lookup.await.map_err(|_| RedeemFailure::Busy)?.map_err(RequestError::from)?;
            let password = Password::new(&registration.password).map_err(RedeemFailure::WeakPassword)?;
            let hashing = self.password_pool.hash(origin.requester(), password);
            hashing.await.map_err(|_| RedeemFailure::Busy)
        };
        let redemption_result = async {
            let password = hashed_password.await?;
            let redemption =
                Redemption { token: hash, name: registration.name.clone(), password: password.clone() };
            let done = self.hub.request(ChangeRequest::Redeem(redemption)).await?;
            Ok((done, password))
        };
        let failure = match redemption_result.await {
            Ok((RequestOutcome::Redeemed { account, is_new }, password)) => {
                if is_new {
                    info!(%peer, account = %account.name, "account made with an invite");
                } else {
                    info!(%peer, account = %account.name, "password and devices reset with an invite");
                }
                let proof = Proof::Password(password);
                return Ok(Verified { account: account.id, name: account.name, proof });
            }
            Ok(_) => RedeemFailure::Busy,
            Err(failure) => failure,
        };
        let (code, text) = failure.fail_code_and_text();
        self.incidents.record(
            subject,
            IncidentKind::InviteRefused,
            format_args!("invite not redeemed peer={peer} account={} code={code}", registration.name),
        );
        if code == "TOKEN_UNKNOWN" {
            self.rate_limit.lock().note_failure(subject, &guess, Instant::now().into());
        }
        refused(code, text)
    }
}

impl AttemptOrigin {
    /// Returns the key by which password checks take turns.
    pub fn requester(self) -> Requester {
        self.account.map_or(Requester::Subject(self.subject), Requester::Account)
    }
}

/// Reason why an invite was not redeemed.
enum RedeemFailure {
    Request(RequestError),
    WeakPassword(super::passwords::PasswordRule),
    Busy,
}

impl From<RequestError> for RedeemFailure {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl RedeemFailure {
    /// Returns the code and the text of the FAIL ([account
    /// registration](https://ircv3.net/specs/extensions/account-registration), with Parlour's own codes for failures of
    /// invites).
    fn fail_code_and_text(self) -> (&'static str, String) {
        let busy = || ("TEMPORARILY_UNAVAILABLE", "The server is too busy, try again in a moment".to_owned());
        match self {
            Self::WeakPassword(rule) => ("WEAK_PASSWORD", rule.to_string()),
            Self::Busy => busy(),
            Self::Request(RequestError::Redeem(error)) => {
                let code = match &error {
                    RedeemError::Unknown => "TOKEN_UNKNOWN",
                    RedeemError::UsedUp => "TOKEN_SPENT",
                    RedeemError::Expired => "TOKEN_EXPIRED",
                    RedeemError::Revoked => "TOKEN_REVOKED",
                    RedeemError::WrongAccount(_) => "TOKEN_OF_ANOTHER",
                    RedeemError::Disabled(_) | RedeemError::AccountRemoved(_) => "TOKEN_USELESS",
                    RedeemError::Account(AccountError::Reserved(..)) => "BAD_ACCOUNT_NAME",
                    RedeemError::Account(_) => "ACCOUNT_EXISTS",
                };
                (code, error.to_string())
            }
            Self::Request(error) => ("TEMPORARILY_UNAVAILABLE", error.to_string()),
        }
    }
}
