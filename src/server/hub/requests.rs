//! Requests of sessions about their own accounts, and of admins about the server, carried out outside the core.

use std::net::IpAddr;
use std::sync::Arc;

use tracing::warn;
use zeroize::Zeroizing;

use crate::core::login::{Proof, Verification, Verified};
use crate::core::record::AccountId;
use crate::core::request::account::{AccountRequest, AccountRequestOutcome, Secret};
use crate::core::request::admin::{InviteSpec, Purpose};
use crate::core::request::sasl::Credentials;
use crate::server::auth::login_checker::{AttemptOrigin, LoginChecker};
use crate::server::auth::passwords::{Password, PasswordPool, Requester};
use crate::server::maintenance::reload::{ReloadError, Reloader};
use crate::trust::{Address, InviteLink, Token};

/// Carries out the requests.
pub(in crate::server) struct RequestRunner {
    pub login_checker: Arc<LoginChecker>,
    pub password_pool: Arc<PasswordPool>,
    pub reloader: Arc<Reloader>,
    /// Addresses of the server, for invite links.
    pub addresses: Vec<Address>,
}

/// Origin of a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct RequestOrigin {
    pub account: AccountId,
    pub peer: IpAddr,
}

fn refuse(code: &'static str, reason: impl Into<String>) -> AccountRequestOutcome {
    AccountRequestOutcome::Refused(code, reason.into())
}

impl RequestRunner {
    /// Carries out a request.
    pub async fn run(&self, origin: RequestOrigin, request: AccountRequest) -> AccountRequestOutcome {
        match request {
            AccountRequest::Oper(credentials) => {
                match self.login_checker.check_password(self.attempt_origin(origin), credentials).await {
                    Verification::Verified(Verified { account, proof: Proof::Password(proven), .. }) => {
                        AccountRequestOutcome::Oper(account, proven)
                    }
                    Verification::Verified(_) => refuse("WRONG_PASSWORD", "A device is not a password"),
                    Verification::WrongCredentials => refuse("WRONG_PASSWORD", "The password is wrong"),
                    Verification::Unavailable(why) | Verification::NoDevice(why) => {
                        refuse("TEMPORARILY_UNAVAILABLE", why)
                    }
                }
            }
            AccountRequest::Password(credentials, new) => {
                self.change_password(origin, credentials, new).await
            }
            AccountRequest::InviteLink(wish) => self.invite_link(wish),
            AccountRequest::Rehash => match self.reloader.read_all().await {
                Ok(settings) => {
                    self.reloader.audit_shown_root().await;
                    AccountRequestOutcome::Rehashed(Box::new(settings))
                }
                Err(why) => {
                    warn!(%why, "the configuration stays as it was");
                    let code = match why {
                        ReloadError::Config(_) => "INVALID_CONFIG",
                        ReloadError::Certificates(_) => "INVALID_CERTIFICATE",
                        ReloadError::TaskFailed => "TEMPORARILY_UNAVAILABLE",
                    };
                    refuse(code, why.to_string())
                }
            },
        }
    }

    /// Returns the origin for password checks, which take turns by account.
    fn attempt_origin(&self, origin: RequestOrigin) -> AttemptOrigin {
        self.login_checker.attempt_origin(origin.peer, Some(origin.account))
    }

    async fn change_password(
        &self,
        origin: RequestOrigin,
        old_credentials: Credentials,
        new_password: Secret,
    ) -> AccountRequestOutcome {
        let password = match Password::new(&new_password.0) {
            Ok(password) => password,
            Err(rule) => return refuse("WEAK_PASSWORD", rule.to_string()),
        };
        let proven =
            match self.login_checker.check_password(self.attempt_origin(origin), old_credentials).await {
                Verification::Verified(Verified { account, proof: Proof::Password(proven), .. })
                    if account == origin.account =>
                {
                    proven
                }
                Verification::Unavailable(why) | Verification::NoDevice(why) => {
                    return refuse("TEMPORARILY_UNAVAILABLE", why);
                }
                Verification::Verified(_) | Verification::WrongCredentials => {
                    return refuse("WRONG_PASSWORD", "That is not your present password");
                }
            };
        match self.password_pool.hash(Requester::Account(origin.account), password).await {
            Ok(new) => AccountRequestOutcome::Password { proven, new },
            Err(_) => refuse("TEMPORARILY_UNAVAILABLE", "The server is too busy, try again in a moment"),
        }
    }

    /// Makes the token and the link of an invite, which the core makes when they arrive.
    fn invite_link(&self, invite_request: InviteSpec) -> AccountRequestOutcome {
        let token = Token::random();
        let hash = token.hash();
        let account = match &invite_request.purpose {
            Purpose::Accounts { .. } => None,
            Purpose::Reset(name) => Some(name.to_string()),
        };
        let (addresses, pin) = (self.addresses.clone(), self.reloader.current_identity().pin());
        let link = InviteLink { addresses, pin, account, token };
        AccountRequestOutcome::InviteLink {
            spec: invite_request,
            token: hash,
            link: Secret(Zeroizing::new(link.to_string())),
        }
    }
}
