//! Runs the queries of account and server commands: password checks and hashes, invite links, the configuration.

use std::sync::Arc;

use tracing::warn;
use zeroize::Zeroizing;

use crate::core::effects::query::{
    FileSecretQuery, FileSecretResult, InviteLinkQuery, InviteLinkResult, NewPassword, OperQuery,
    PasswordQuery, PasswordResult, QueryRefusal, RehashQuery, RehashResult, Reread, VerifiedPassword,
};
use crate::core::login::{Proof, Verification, Verified};
use crate::core::record::secret::Secret;
use crate::core::request::admin::Purpose;
use crate::core::request::sasl::Credentials;
use crate::server::auth::login_checker::LoginChecker;
use crate::server::auth::passwords::{Password, PasswordPool, Requester};
use crate::server::http::files::LINK_PATH;
use crate::server::http::files::access::{SessionTokens, TOKEN_LIFETIME};
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::server::maintenance::reload::{ReloadError, Reloader};
use crate::server::sessions::session::Session;
use crate::trust::{InviteLink, Token};

/// Runner of the queries.
pub(in crate::server) struct AccountQueryRunner {
    pub login_checker: Arc<LoginChecker>,
    pub password_pool: Arc<PasswordPool>,
    pub reloader: Arc<Reloader>,
    pub file_tokens: SessionTokens,
    /// URL of the server without a path, for links of files.
    pub http_url: Option<String>,
    /// Addresses of the server, for invite links.
    pub addresses: AdvertisedAddresses,
}

/// Code of a FAIL for a query that may succeed later.
const TEMPORARILY_UNAVAILABLE: &str = "TEMPORARILY_UNAVAILABLE";

impl AccountQueryRunner {
    /// Checks the name and the password that were given to OPER.
    pub async fn verify_oper(
        &self,
        session: &Session,
        query: OperQuery,
    ) -> Result<VerifiedPassword, QueryRefusal> {
        self.check_password(session, query.credentials)
            .await?
            .ok_or_else(|| QueryRefusal::new(QueryRefusal::WRONG_PASSWORD, "The password is wrong"))
    }

    /// Checks the present password and hashes the new one.
    pub async fn hash_password(&self, session: &Session, query: PasswordQuery) -> PasswordResult {
        let PasswordQuery { account, present, new, reply_form } = query;
        let hash = async {
            let password =
                Password::new(&new.0).map_err(|rule| QueryRefusal::new("WEAK_PASSWORD", rule.to_string()))?;
            let verified = self.check_password(session, present).await?;
            let proven = verified.filter(|verified| verified.account == account).ok_or_else(|| {
                QueryRefusal::new(QueryRefusal::WRONG_PASSWORD, "That is not your present password")
            })?;
            let new = self.password_pool.hash(Requester::Account(account), password).await.map_err(|_| {
                QueryRefusal::new(TEMPORARILY_UNAVAILABLE, "The server is too busy, try again in a moment")
            })?;
            Ok(NewPassword { proven: proven.proven, new })
        };
        PasswordResult { account, reply_form, outcome: hash.await }
    }

    /// Checks a password. Returns `None` if it is wrong.
    async fn check_password(
        &self,
        session: &Session,
        credentials: Credentials,
    ) -> Result<Option<VerifiedPassword>, QueryRefusal> {
        // Password checks take turns by account.
        let origin = self.login_checker.attempt_origin(session.peer, Some(session.account));
        match self.login_checker.check_password(origin, credentials).await {
            Verification::Verified(Verified { account, proof: Proof::Password(proven), .. }) => {
                Ok(Some(VerifiedPassword { account, proven }))
            }
            Verification::Verified(_) | Verification::WrongCredentials => Ok(None),
            Verification::Unavailable(why) | Verification::NoDevice(why) => {
                Err(QueryRefusal::new(TEMPORARILY_UNAVAILABLE, why))
            }
        }
    }

    /// Makes the token and the link of an invite, which the core makes when they arrive.
    pub async fn make_link(&self, query: InviteLinkQuery) -> InviteLinkResult {
        let InviteLinkQuery { spec, reply_form } = query;
        let token = Token::random();
        let hash = token.hash();
        let account = match &spec.purpose {
            Purpose::Accounts { .. } => None,
            Purpose::Reset(name) => Some(name.to_string()),
        };
        let (addresses, pin) = (self.addresses.current().await, self.reloader.current_identity().pin());
        let link = InviteLink { addresses, pin, account, token };
        InviteLinkResult { spec, reply_form, token: hash, link: Secret(Zeroizing::new(link.to_string())) }
    }

    /// Makes a token of a session, or the link of a file, which the core makes when it arrives.
    pub fn make_file_secret(&self, query: &FileSecretQuery) -> FileSecretResult {
        match *query {
            FileSecretQuery::Token { session, account } => {
                let token = self.file_tokens.issue(session, account);
                let token = Secret(Zeroizing::new(token.to_string()));
                FileSecretResult::Token { token, seconds: TOKEN_LIFETIME.as_secs() }
            }
            FileSecretQuery::Link(file) => {
                let token = Token::random();
                let url = self.http_url.as_deref().unwrap_or_default();
                let url = Secret(Zeroizing::new(format!("{url}{LINK_PATH}{token}")));
                FileSecretResult::Link { file, hash: token.hash(), url }
            }
        }
    }

    /// Reads the configuration file again.
    pub async fn rehash(&self, query: RehashQuery) -> RehashResult {
        let outcome = match self.reloader.read_all().await {
            Ok((settings, reloaded)) => {
                self.reloader.audit_shown_root().await;
                Ok(Box::new(Reread { settings, changes: reloaded.describe_shortly() }))
            }
            Err(why) => {
                warn!(%why, "the configuration stays as it was");
                let code = match why {
                    ReloadError::Config(_) => "INVALID_CONFIG",
                    ReloadError::Certificates(_) | ReloadError::WebCertificate(_) => "INVALID_CERTIFICATE",
                    ReloadError::TaskFailed => TEMPORARILY_UNAVAILABLE,
                };
                Err(QueryRefusal::new(code, why.to_string()))
            }
        };
        RehashResult { account: query.account, outcome }
    }
}
