//! The responses to requests that are not carried out.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tracing::{info, warn};

use super::upload::UploadError;
use crate::core::request::admin::RequestError;
use crate::core::request::files::FileError;
use crate::server::http::problem::capitalized;
use crate::server::sessions::hub_handle::HubStopped;
use crate::web::{Peer, text_response};
use crate::wire::Nick;

/// Limits of an upload, which clients show to their users
/// ([resumable uploads](https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/)).
pub(super) const UPLOAD_LIMIT: HeaderName = HeaderName::from_static("upload-limit");

/// Returns the value of [`UPLOAD_LIMIT`] for this maximum size of a file, in bytes.
pub(super) fn limit_value(max_bytes: u64) -> HeaderValue {
    let value = HeaderValue::try_from(format!("maxsize={max_bytes}"));
    value.unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A request that is not carried out.
#[derive(Debug)]
pub(super) struct Refused {
    pub status: StatusCode,
    /// A sentence for people.
    text: String,
    /// A header that says what would be carried out.
    header: Option<(HeaderName, HeaderValue)>,
    /// The client ended an upload, or its connection broke.
    is_broken_off: bool,
}

impl Refused {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), header: None, is_broken_off: false }
    }

    pub fn with_header(self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// Logs that an upload of an account ended without a file.
    pub fn log_upload(&self, account: Option<&Nick>, request: &Parts) {
        let account = account.map_or("-", Nick::as_str);
        let peer = request.extensions.get::<Peer>().map(|peer| peer.address.to_string()).unwrap_or_default();
        let reason = &*self.text;
        if self.is_broken_off {
            info!(account, peer, "an upload broke off");
        } else {
            info!(account, peer, reason, "an upload was refused");
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = text_response(self.status, &self.text);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"Parlour\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        // A refused token has a challenge of its own, at which a browser asks its user for nothing.
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<UploadError> for Refused {
    fn from(error: UploadError) -> Self {
        let status = match &error {
            UploadError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            UploadError::QuotaReached(_) | UploadError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            UploadError::TooMany => StatusCode::TOO_MANY_REQUESTS,
            UploadError::BrokenOff | UploadError::MoreThanAnnounced => StatusCode::BAD_REQUEST,
            UploadError::Stalled | UploadError::TooSlow => StatusCode::REQUEST_TIMEOUT,
            UploadError::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if matches!(error, UploadError::Io(_) | UploadError::DiskFull) {
            warn!(%error, "cannot store a file");
        }
        let refused = Self::new(status, capitalized(&error.to_string()));
        match error {
            UploadError::BrokenOff => Self { is_broken_off: true, ..refused },
            UploadError::TooLarge(most) => refused.with_header(UPLOAD_LIMIT, limit_value(most)),
            _ => refused,
        }
    }
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        let status = match error {
            RequestError::File(FileError::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::File(FileError::QuotaReached(_) | FileError::TooMany(_) | FileError::DiskIsLow) => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            RequestError::File(FileError::Unknown) => StatusCode::NOT_FOUND,
            RequestError::File(FileError::Shared) => StatusCode::CONFLICT,
            RequestError::File(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, capitalized(&error.to_string()))
    }
}

impl From<HubStopped> for Refused {
    fn from(stopped: HubStopped) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, capitalized(&stopped.to_string()))
    }
}
