//! The account as which a program reads, by the token in its request
//! ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use super::ApiService;
use crate::core::record::AccountId;
use crate::core::request::access_tokens::{AccessTokenError, TokenHolder};
use crate::server::http::problem::{Problem, capitalized};
use crate::trust::AccessToken;
use crate::web::Peer;

/// A program that reads, with the service that answers it.
pub(super) struct Reader {
    pub service: ApiService,
    pub holder: TokenHolder,
}

impl Reader {
    /// Returns the account as which it reads.
    pub fn account(&self) -> AccountId {
        self.holder.token.account
    }
}

impl FromRequestParts<ApiService> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, service: &ApiService) -> Result<Self, Problem> {
        let holder = service.find_holder(head).await?;
        service
            .buckets
            .take(holder.token.hash)
            .map_err(|wait| Problem::too_many("This token is used too much; ask less often.", wait))?;
        Ok(Self { service: service.clone(), holder })
    }
}

impl ApiService {
    /// Finds the holder of a request's token. Nobody guesses one; what wrong ones cost is limited by address, which slows no
    /// right one from there.
    async fn find_holder(&self, head: &Parts) -> Result<TokenHolder, Problem> {
        let Some(peer) = head.extensions.get::<Peer>() else {
            return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The connection is not known."));
        };
        let token = token_of(&head.headers)?;
        let error = match token.parse::<AccessToken>() {
            Ok(token) => {
                let (hash, now) = (token.hash(), self.hub.clock.now());
                match self.hub.inspect(move |core| core.holder_of_token(&hash, now)).await? {
                    Ok(holder) => return Ok(holder),
                    Err(error) => error,
                }
            }
            Err(_) => AccessTokenError::Wrong,
        };
        if error == AccessTokenError::Wrong {
            let origin = self.login_checker.attempt_origin(peer.address, None);
            self.login_checker.report_wrong_token(origin, "the API");
            self.wrong_tokens
                .take(origin.subject)
                .map_err(|wait| Problem::too_many("Too many wrong tokens come from your address.", wait))?;
        }
        Err(Problem::wrong_token(capitalized(&error.to_string())))
    }
}

/// Returns the token in a request.
fn token_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let value = match (given.next(), given.next()) {
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) => None,
        (None, _) => return Err(Problem::no_token()),
    };
    value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(Problem::no_token)
}
