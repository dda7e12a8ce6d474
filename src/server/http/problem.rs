//! Refusals of requests from programs, as problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use crate::core::request::admin::RequestError;
use crate::core::request::hooks::HookError;
use crate::server::reading::ReadError;
use crate::server::sessions::hub_handle::HubStopped;

/// A request that is not carried out.
#[derive(Debug)]
pub(in crate::server) struct Problem {
    pub status: StatusCode,
    /// A sentence for people.
    pub detail: String,
    /// Time after which the request may be repeated.
    pub retry_after: Option<Duration>,
    /// Value of the header `WWW-Authenticate`, if the request lacks a proof.
    challenge: Option<&'static str>,
}

/// The body of a refusal.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(in crate::server) struct Details<'a> {
    /// Always `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    title: &'static str,
    status: u16,
    /// A sentence for people.
    detail: &'a str,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None, challenge: None }
    }

    /// Refuses a request that comes too early.
    pub fn too_many(detail: &str, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// Refuses a request that has no token ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
    pub fn no_token() -> Self {
        let detail = "A request has its token in the header `Authorization: Bearer TOKEN`, once.";
        let challenge = Some("Bearer realm=\"Parlour\"");
        Self { challenge, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// Refuses a request whose token is not valid.
    pub fn wrong_token(detail: String) -> Self {
        let challenge = Some("Bearer realm=\"Parlour\", error=\"invalid_token\"");
        Self { challenge, ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let status = self.status.as_u16();
        let details = Details { r#type: "about:blank", title, status, detail: &self.detail };
        let mut response = Response::new(Body::from(serde_json::to_string(&details).unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = self.retry_after {
            // Whole seconds, and never too early.
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs() + 1));
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let status = match &error {
            RequestError::Hook(HookError::WrongToken) => StatusCode::NOT_FOUND,
            RequestError::Hook(HookError::ChannelGone) => StatusCode::GONE,
            RequestError::Hook(HookError::OverQuota(_)) => StatusCode::TOO_MANY_REQUESTS,
            RequestError::Hook(HookError::KeyReused) => StatusCode::UNPROCESSABLE_ENTITY,
            RequestError::Hook(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, capitalized(&error.to_string()))
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let status = match &error {
            ReadError::QueueFull(_) => StatusCode::TOO_MANY_REQUESTS,
            ReadError::Store(error) => {
                warn!("cannot read for a program: {error}");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, capitalized(&error.to_string()))
    }
}

impl From<HubStopped> for Problem {
    fn from(stopped: HubStopped) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, capitalized(&stopped.to_string()))
    }
}

/// Returns the text of an error as a sentence.
pub(in crate::server) fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(rest).chain(['.']).collect()
}
