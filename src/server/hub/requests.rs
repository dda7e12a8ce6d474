//! Requests of sessions about their own accounts, and of admins about the server, carried out outside the core.

use std::net::IpAddr;
use std::sync::Arc;

use tracing::warn;
use zeroize::Zeroizing;

use crate::core::login::{Checked, Proof, Verified};
use crate::core::record::AccountId;
use crate::core::request::account::{Outcome, Request, Secret};
use crate::core::request::admin::{Purpose, Wish};
use crate::core::request::sasl::Credentials;
use crate::server::auth::logins::{Logins, Source};
use crate::server::auth::passwords::{Password, Passwords, Requester};
use crate::server::upkeep::reload::{ReloadError, Reloader};
use crate::trust::{Address, InviteLink, Token};

/// Carries out the requests.
pub(in crate::server) struct Manager {
    pub logins: Arc<Logins>,
    pub passwords: Arc<Passwords>,
    pub reloader: Arc<Reloader>,
    /// Addresses of the server, for invite links.
    pub addresses: Vec<Address>,
}

/// Origin of a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Asker {
    pub account: AccountId,
    pub peer: IpAddr,
}

fn refused(code: &'static str, why: impl Into<String>) -> Outcome {
    Outcome::Refused(code, why.into())
}

impl Manager {
    /// Carries out a request.
    pub async fn run(&self, asker: Asker, request: Request) -> Outcome {
        match request {
            Request::Oper(credentials) => match self.logins.check(self.source(asker), credentials).await {
                Checked::Right(Verified { account, proof: Proof::Password(proven), .. }) => {
                    Outcome::Oper(account, proven)
                }
                Checked::Right(_) => refused("WRONG_PASSWORD", "A device is not a password"),
                Checked::Wrong => refused("WRONG_PASSWORD", "The password is wrong"),
                Checked::Later(why) | Checked::Unproven(why) => refused("TEMPORARILY_UNAVAILABLE", why),
            },
            Request::Password(credentials, new) => self.password(asker, credentials, new).await,
            Request::InviteLink(wish) => self.invite_link(wish),
            Request::Rehash => match self.reloader.read().await {
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
            },
        }
    }

    /// Returns the origin for password checks, which take turns by account.
    fn source(&self, asker: Asker) -> Source {
        self.logins.source(asker.peer, Some(asker.account))
    }

    async fn password(&self, asker: Asker, old: Credentials, new: Secret) -> Outcome {
        let password = match Password::new(&new.0) {
            Ok(password) => password,
            Err(rule) => return refused("WEAK_PASSWORD", rule.to_string()),
        };
        let proven = match self.logins.check(self.source(asker), old).await {
            Checked::Right(Verified { account, proof: Proof::Password(proven), .. })
                if account == asker.account =>
            {
                proven
            }
            Checked::Later(why) | Checked::Unproven(why) => return refused("TEMPORARILY_UNAVAILABLE", why),
            Checked::Right(_) | Checked::Wrong => {
                return refused("WRONG_PASSWORD", "That is not your present password");
            }
        };
        match self.passwords.hash(Requester::Account(asker.account), password).await {
            Ok(new) => Outcome::Password { proven, new },
            Err(_) => refused("TEMPORARILY_UNAVAILABLE", "The server is too busy, try again in a moment"),
        }
    }

    /// Makes the token and the link of an invite, which the core makes when they arrive.
    fn invite_link(&self, wish: Wish) -> Outcome {
        let token = Token::random();
        let hash = token.hash();
        let account = match &wish.purpose {
            Purpose::Accounts { .. } => None,
            Purpose::Reset(name) => Some(name.to_string()),
        };
        let (addresses, pin) = (self.addresses.clone(), self.reloader.identity().pin());
        let link = InviteLink { addresses, pin, account, token };
        Outcome::InviteLink { wish, token: hash, link: Secret(Zeroizing::new(link.to_string())) }
    }
}
