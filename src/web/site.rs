//! The answers to requests: the files of the page, `mode.json` and the WebSocket.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::any;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde::Serialize;

use super::assets::{self, Asset};
use super::cors::{FromElsewhere, share_with_allowed_origins};
use super::phone::{self, FindPhoneRoot};
use super::policy::{ConnectionPolicy, Refusal};
use super::responses::{refuse_other_methods, text_response};
use super::websocket::upgrade;

/// Path of the WebSocket.
const WEBSOCKET: &str = "/irc";

/// Kind of program that serves the page, as `mode.json` tells it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Mode {
    /// The binary on the person's own machine, which connects to the servers that it knows.
    Local,
    /// A server itself.
    Server {
        /// Name of the network.
        name: String,
    },
}

/// The page for browsers, as a part of a site.
pub struct Page {
    /// Kind of program that serves it.
    pub mode: Mode,
    /// Finds the web root for phones, if the server may have one.
    pub find_phone_root: Option<FindPhoneRoot>,
}

/// Content by address, for the requests of all connections.
#[derive(Clone, Debug)]
pub struct Site {
    router: Router,
}

impl Site {
    /// Makes a site of the page, if there is one, and of further routes.
    pub fn new(page: Option<Page>, further: Router) -> Self {
        let without_bodies = match page {
            None => Router::new().fallback(async || nothing_there()),
            Some(Page { mode, find_phone_root }) => {
                let mode = serde_json::to_string(&mode).unwrap_or_default();
                Router::new()
                    .merge(find_phone_root.map(phone::routes).unwrap_or_default())
                    .route(
                        "/mode.json",
                        any(move |request: Request| async move { mode_response(&request, mode.clone()) }),
                    )
                    .route(WEBSOCKET, any(upgrade::respond))
                    .fallback(|request: Request| async move { asset_response(&request) })
            }
        };
        let further = further.layer(middleware::from_fn(share_with_allowed_origins));
        Self { router: without_bodies.layer(middleware::from_fn(refuse_bodies)).merge(further) }
    }

    /// Answers a request on a connection with this policy. The response to a WebSocket's opening leaves what is needed to
    /// go on in the request's `upgrade::Slot`.
    pub(super) async fn respond(&self, policy: &ConnectionPolicy<'_>, request: Request) -> Response {
        let mut request = request;
        if policy.is_from_elsewhere(request.headers()) {
            request.extensions_mut().insert(FromElsewhere);
        }
        let mut response = match check(policy, &request) {
            Ok(()) => {
                let answered = TowerToHyperService::new(self.router.clone()).call(request).await;
                answered.unwrap_or_else(|never: Infallible| match never {})
            }
            Err((status, text)) => closing_response(status, text),
        };
        add_security_headers(policy, &mut response);
        response
    }
}

/// Refuses requests that no page of ours sends, before anything looks at them.
fn check(policy: &ConnectionPolicy<'_>, request: &Request) -> Result<(), (StatusCode, &'static str)> {
    // Only a proxy is sent a whole URL. It would contradict the header `Host`.
    if request.uri().authority().is_some() {
        return Err((StatusCode::BAD_REQUEST, "This is not a proxy."));
    }
    let headers = request.headers();
    let refuse = |refusal: Refusal| (refusal.status(), refusal.text());
    policy.check(headers, request.uri().path() == WEBSOCKET).map_err(refuse)
}

/// Refuses requests with a body, for routes that take none.
pub async fn refuse_bodies(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if headers.contains_key(TRANSFER_ENCODING) || lengths.any(|length| length != "0") {
        return closing_response(StatusCode::PAYLOAD_TOO_LARGE, "Requests here have no body.");
    }
    next.run(request).await
}

/// Returns the last response of a connection: whatever else is on it is not read as a further request.
fn closing_response(status: StatusCode, text: &'static str) -> Response {
    let mut response = text_response(status, text);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn add_security_headers(policy: &ConnectionPolicy<'_>, response: &mut Response) {
    let headers = response.headers_mut();
    // A file has a stricter one.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert_with(|| policy.content_security_policy());
    for (name, value) in [
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn mode_response(request: &Request, mode: String) -> Response {
    if let Some(refused) = refuse_other_methods(request) {
        return refused;
    }
    let mut response = Response::new(Body::from(mode));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn nothing_there() -> Response {
    text_response(StatusCode::NOT_FOUND, "There is nothing at this address.")
}

fn asset_response(request: &Request) -> Response {
    if let Some(refused) = refuse_other_methods(request) {
        return refused;
    }
    let path = request.uri().path();
    let Some(Asset { content, content_type, etag }) = assets::find(path) else {
        return nothing_there();
    };
    let is_current =
        request.headers().get_all(IF_NONE_MATCH).iter().any(|tags| tags.as_bytes() == etag.as_bytes());
    let mut response = if is_current {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(*content))
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let is_index = matches!(path, "/" | assets::INDEX);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(if is_index { "no-store" } else { "no-cache" }));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    response
}
