//! Reading by programs: channels, messages and people, with an access token (docs/api.md).
//!
//! A program reads what the account of its token may see, except for direct messages. All addresses, parameters and
//! responses are described in `OpenAPI`, and `scripts/api.sh` compares the description with what the server does.

mod access;
mod channels;
mod messages;
mod page;
mod people;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::get;
use axum::{Json, Router};
use tokio::sync::watch;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::buckets::Buckets;
use super::problem::{Details, Problem};
use crate::core::Settings;
use crate::core::record::TokenHash;
use crate::server::auth::login_checker::LoginChecker;
use crate::server::limits::subject::Subject;
use crate::server::limits::token_bucket::RateLimit;
use crate::server::reading::AccountReader;
use crate::server::sessions::hub_handle::HubHandle;
use crate::web::refuse_bodies;

/// Path of the API, with its version.
pub const API_PATH: &str = "/api/v1/";

/// Requests with a wrong token that an address may send in a second, and at once.
const WRONG_PER_SECOND: u32 = 20;
const WRONG_BURST: u32 = 100;

/// Service that answers the requests of programs. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct ApiService {
    pub login_checker: Arc<LoginChecker>,
    pub hub: HubHandle,
    pub store: AccountReader,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub buckets: Buckets<TokenHash>,
    /// Requests with a wrong token, by address.
    pub wrong_tokens: Buckets<Subject>,
}

/// The description of the API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Parlour",
        description = "Reading of channels, messages and people. docs/api.md describes it in words.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        people::read_server,
        people::read_token,
        people::list_people,
        people::read_person,
        channels::list_channels,
        channels::read_channel,
        channels::list_members,
        messages::list_messages,
        messages::read_message,
        messages::search
    ),
    components(schemas(Details)),
    modifiers(&Token, &Refusals),
    security(("token" = []))
)]
struct Description;

/// The security scheme of all requests.
struct Token;

impl Modify for Token {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let scheme = bearer.description(Some("An access token, of `parlour token create`.")).build();
        if let Some(components) = &mut description.components {
            components.add_security_scheme("token", SecurityScheme::Http(scheme));
        }
    }
}

/// The responses of all requests that are refused or fail.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let problem = |text: &str| {
            let content = Content::new(Some(Ref::from_schema_name("Problem")));
            ResponseBuilder::new().description(text).content("application/problem+json", content).build()
        };
        // It has no body, because nothing of the request is parsed.
        let long_head =
            ResponseBuilder::new().description("The address and the headers have more than 8 KiB");
        let refusals =
            [("4XX", problem("A refusal")), ("431", long_head.build()), ("5XX", problem("A failure"))];
        for operation in description.paths.paths.values_mut().filter_map(|path| path.get.as_mut()) {
            let responses = refusals.iter().map(|(status, response)| (*status, response.clone()));
            operation
                .responses
                .responses
                .extend(responses.map(|(status, it)| (status.to_owned(), it.into())));
        }
    }
}

/// Returns the routes of the API; `rate` is that of accounts.
pub(super) fn routes(
    login_checker: Arc<LoginChecker>,
    hub: HubHandle,
    store: AccountReader,
    settings: watch::Receiver<Arc<Settings>>,
    rate: Option<RateLimit>,
) -> Router {
    let wrong_tokens = Buckets::new(Some(RateLimit::new(WRONG_PER_SECOND, WRONG_BURST)));
    let service =
        ApiService { login_checker, hub, store, settings, buckets: Buckets::new(rate), wrong_tokens };
    let routes = Router::new()
        .route("/openapi.json", get(describe))
        .route("/server", get(people::read_server))
        .route("/token", get(people::read_token))
        .route("/people", get(people::list_people))
        .route("/people/{name}", get(people::read_person))
        .route("/channels", get(channels::list_channels))
        .route("/channels/{channel}", get(channels::read_channel))
        .route("/channels/{channel}/members", get(channels::list_members))
        .route("/channels/{channel}/messages", get(messages::list_messages))
        .route("/channels/{channel}/messages/{msgid}", get(messages::read_message))
        .route("/search", get(messages::search))
        .method_not_allowed_fallback(async |request: Request| only_get(&request))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "There is nothing at this address."))
        .layer(middleware::from_fn(refuse_bodies))
        .with_state(service);
    Router::new().nest(API_PATH.trim_end_matches('/'), routes)
}

async fn describe() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

fn only_get(request: &Request) -> Problem {
    let detail = format!("{} is not for this address: it can only be read, by GET.", request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
