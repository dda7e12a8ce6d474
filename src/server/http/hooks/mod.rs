//! Webhooks: posts of programs to channels.

mod post;
mod slack;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::body;
use super::buckets::Buckets;
use super::problem::Problem;
use crate::core::Settings;
use crate::core::record::{AccountId, SendId};
use crate::core::request::admin::{ChangeRequest, RequestOutcome};
use crate::core::request::hooks::{HookChange, HookPost};
use crate::server::auth::login_checker::LoginChecker;
use crate::server::auth::login_rate_limit::GuessedSecret;
use crate::server::limits::token_bucket::RateLimit;
use crate::server::sessions::hub_handle::HubHandle;
use crate::trust::AccessToken;
use crate::web::Peer;
use crate::wire::MessageId;
use post::Post;

/// Path of a hook before its token.
pub const HOOK_PATH: &str = "/hooks/";

/// Maximum size of a body: the longest message with each of its characters escaped, and what programs send besides.
const MAX_BODY_BYTES: usize = 128 * 1024;

/// Longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// Service that answers posts. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct HookService {
    login_checker: Arc<LoginChecker>,
    hub: HubHandle,
    settings: watch::Receiver<Arc<Settings>>,
    buckets: Buckets<AccountId>,
}

impl HookService {
    /// Makes the service; `rate` is that of accounts.
    pub fn new(
        login_checker: Arc<LoginChecker>,
        hub: HubHandle,
        settings: watch::Receiver<Arc<Settings>>,
        rate: Option<RateLimit>,
    ) -> Self {
        Self { login_checker, hub, settings, buckets: Buckets::new(rate) }
    }

    /// Returns its routes.
    pub fn routes(self) -> Router {
        Router::new().route(&format!("{HOOK_PATH}{{token}}"), any(answer)).with_state(self)
    }

    async fn post(&self, token: &str, head: &Parts, body: Body) -> Result<MessageId, Problem> {
        let (token, account, name) = self.find_hook(token, head).await?;
        self.buckets
            .take(account)
            .map_err(|wait| Problem::too_many("This hook posts too much; post less often.", wait))?;
        let send_id = idempotency_key(&head.headers)?;
        let post = Post::parse(&body::read(&head.headers, body, MAX_BODY_BYTES).await?)?;
        let line_bytes = self.settings.borrow().line_bytes;
        let text = post.message(&name, line_bytes)?;
        let post = HookPost { token: token.hash(), text, send_id };
        match self.hub.request(ChangeRequest::Hooks(HookChange::Post(post))).await? {
            RequestOutcome::Posted(id) => Ok(id),
            _ => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The message has no id.")),
        }
    }

    /// Finds the hook of a token. Guessing is limited like guessing passwords, which slows no right token from the same
    /// address.
    async fn find_hook(
        &self,
        token: &str,
        head: &Parts,
    ) -> Result<(AccessToken, AccountId, String), Problem> {
        let Some(peer) = head.extensions.get::<Peer>() else {
            return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The connection is not known."));
        };
        if let Ok(token) = token.parse::<AccessToken>() {
            let hash = token.hash();
            let found = self.hub.inspect(move |core| core.hook_of_token(&hash)).await?;
            if let Some((account, name)) = found {
                return Ok((token, account, name.to_string()));
            }
        }
        let origin = self.login_checker.attempt_origin(peer.address, None);
        self.login_checker.admit_guess(origin, &GuessedSecret::HookToken).map_err(|wait| {
            Problem::too_many("Too many wrong addresses were tried from your address.", wait)
        })?;
        self.login_checker.note_wrong_guess(origin, &GuessedSecret::HookToken);
        Err(Problem::new(StatusCode::NOT_FOUND, "There is no such hook."))
    }
}

async fn answer(State(service): State<HookService>, Path(token): Path<String>, request: Request) -> Response {
    if request.method() != Method::POST {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Messages are posted here by POST.");
        let mut response = problem.into_response();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let (head, body) = request.into_parts();
    match service.post(&token, &head, body).await {
        Ok(id) => {
            let mut response = Response::new(Body::from(format!("{{\"msgid\":\"{id}\"}}")));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// Returns the send id of an idempotency key: a hash of it, because keys may be longer than send ids.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<SendId>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let is_valid = (1..=MAX_KEY_BYTES).contains(&key.len()) && keys.next().is_none();
    if !is_valid {
        let detail = format!("An idempotency key has 1 to {MAX_KEY_BYTES} bytes, and a request has one.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(Some(SendId(URL_SAFE_NO_PAD.encode(Sha256::digest(key.as_bytes())).into())))
}
