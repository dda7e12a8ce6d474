//! Proofs of an account in HTTP requests: its password (Basic), its device's certificate, or a token of its session.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::core::SessionId;
use crate::core::login::{Verification, Verified};
use crate::core::record::AccountId;
use crate::core::record::device::CertificateFingerprint;
use crate::core::request::sasl::Credentials;
use crate::server::auth::login_checker::LoginChecker;
use crate::server::sessions::hub_handle::HubHandle;
use crate::trust::Token;
use crate::web::Peer;
use crate::wire::Nick;

/// Time for which a token of a session is valid. A client fetches another one before.
pub(in crate::server) const TOKEN_LIFETIME: Duration = Duration::from_mins(10);

/// Limit of the tokens of one session that are valid at one time. A new one takes the place of the oldest.
const MAX_TOKENS: usize = 16;

/// Tokens of sessions. Only their hashes are kept. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct SessionTokens(Arc<Mutex<HashMap<[u8; 32], SessionToken>>>);

/// The holder of a token.
#[derive(Clone, Copy, Debug)]
struct SessionToken {
    session: SessionId,
    account: AccountId,
    expires: Instant,
    /// It was used for an upload, and counts for no other.
    is_spent: bool,
}

/// Use of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Purpose {
    /// Reading, and removing what one has uploaded, as often as one likes.
    Read,
    /// One upload, after which a token counts for no other.
    Upload,
}

/// Reason why a request has no account.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) enum NoAccount {
    /// It has no proof.
    Missing,
    /// Its proof is wrong, or no longer valid.
    Wrong,
    /// It cannot be checked now; the text is for the client.
    Unavailable(String),
}

impl SessionTokens {
    /// Makes a token for a session.
    pub fn issue(&self, session: SessionId, account: AccountId) -> Token {
        let (token, now) = (Token::random(), Instant::now());
        let mut tokens = self.0.lock();
        tokens.retain(|_, known| known.expires > now);
        let mut own: Vec<_> = tokens.iter().filter(|(_, known)| known.session == session).collect();
        if own.len() >= MAX_TOKENS {
            own.sort_unstable_by_key(|(_, known)| known.expires);
            let oldest: Vec<[u8; 32]> =
                own.iter().take(own.len() + 1 - MAX_TOKENS).map(|(hash, _)| **hash).collect();
            for hash in oldest {
                tokens.remove(&hash);
            }
        }
        let known = SessionToken { session, account, expires: now + TOKEN_LIFETIME, is_spent: false };
        tokens.insert(token.hash(), known);
        token
    }

    /// Returns the holder of a token that is valid for this purpose, and spends it if it is for an upload.
    fn redeem(&self, token: &Token, purpose: Purpose) -> Option<SessionToken> {
        let mut tokens = self.0.lock();
        let known = tokens.get_mut(&token.hash()).filter(|known| known.expires > Instant::now())?;
        if purpose == Purpose::Upload && std::mem::replace(&mut known.is_spent, true) {
            return None;
        }
        Some(*known)
    }
}

/// Returns the account that a request proves. Whether the account may still log in is for the core to say.
///
/// # Errors
/// There is no proof, a wrong one, or it cannot be checked now.
pub(in crate::server) async fn find_account(
    headers: &HeaderMap,
    peer: Peer,
    purpose: Purpose,
    (checker, tokens, hub): (&LoginChecker, &SessionTokens, &HubHandle),
) -> Result<AccountId, NoAccount> {
    let origin = checker.attempt_origin(peer.address, None);
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let verification = match (given.next(), given.next()) {
        (Some(_), Some(_)) => return Err(NoAccount::Wrong),
        (Some(header), None) => {
            let header = header.to_str().map_err(|_| NoAccount::Wrong)?;
            let (scheme, value) = header.split_once(' ').ok_or(NoAccount::Wrong)?;
            match scheme.to_ascii_lowercase().as_str() {
                "basic" => {
                    let credentials = basic_credentials(value).ok_or(NoAccount::Wrong)?;
                    checker.check_password(origin, credentials).await
                }
                "bearer" => {
                    let token = value.trim().parse::<Token>().map_err(|_| NoAccount::Wrong)?;
                    let known = tokens.redeem(&token, purpose).ok_or(NoAccount::Wrong)?;
                    let lives = hub.inspect(move |core| core.has_session(known.session)).await;
                    return match lives {
                        Ok(true) => Ok(known.account),
                        Ok(false) => Err(NoAccount::Wrong),
                        Err(stopped) => Err(NoAccount::Unavailable(stopped.to_string())),
                    };
                }
                _ => return Err(NoAccount::Wrong),
            }
        }
        (None, _) => match peer.certificate {
            Some(hash) => checker.check_certificate(origin, Some(CertificateFingerprint(hash)), None).await,
            None => return Err(NoAccount::Missing),
        },
    };
    match verification {
        Verification::Verified(Verified { account, .. }) => Ok(account),
        Verification::WrongCredentials | Verification::NoDevice(_) => Err(NoAccount::Wrong),
        Verification::Unavailable(why) => Err(NoAccount::Unavailable(why)),
    }
}

/// Reads what follows `Basic` ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
fn basic_credentials(value: &str) -> Option<Credentials> {
    let decoded = Zeroizing::new(STANDARD.decode(value.trim()).ok()?);
    let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Credentials { name: Nick::parse(name).ok(), password: Zeroizing::new(password.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId { slot: 1, generation: 0 };

    #[tokio::test(start_paused = true)]
    async fn a_token_reads_often_uploads_once_and_ends() {
        let tokens = SessionTokens::default();
        let token = tokens.issue(SESSION, AccountId(16));
        let account = |purpose| tokens.redeem(&token, purpose).map(|known| known.account);
        assert_eq!(account(Purpose::Read), Some(AccountId(16)));
        assert_eq!(account(Purpose::Upload), Some(AccountId(16)));
        assert_eq!(account(Purpose::Upload), None);
        assert_eq!(account(Purpose::Read), Some(AccountId(16)));
        assert!(tokens.redeem(&Token::random(), Purpose::Read).is_none());
        tokio::time::advance(TOKEN_LIFETIME).await;
        assert_eq!(account(Purpose::Read), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_token_of_a_session_makes_room() {
        let tokens = SessionTokens::default();
        let mut issued = Vec::new();
        for _ in 0..=MAX_TOKENS {
            issued.push(tokens.issue(SESSION, AccountId(16)));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let valid = issued.iter().map(|token| tokens.redeem(token, Purpose::Read).is_some());
        assert_eq!(valid.collect::<Vec<_>>(), [vec![false], vec![true; MAX_TOKENS]].concat());
    }

    #[test]
    fn basic_credentials_are_read() {
        let read = |text: &str| basic_credentials(&STANDARD.encode(text));
        let found = read("alice:a:b ü").expect("credentials");
        assert_eq!((found.name, &**found.password), (Nick::parse("alice").ok(), "a:b ü"));
        assert!(read("alice").is_none());
        assert!(basic_credentials("not base64!").is_none());
        assert!(basic_credentials(&STANDARD.encode(b"a:\xff")).is_none());
        assert!(read("not a name:x").expect("credentials").name.is_none());
    }
}
