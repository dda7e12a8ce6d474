//! Pages of other origins that the operator allows ([CORS](https://fetch.spec.whatwg.org/#http-cors-protocol)).

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// Extension of a request that the page of another origin has made a browser send, with what that knows of a login.
/// Routes that change something refuse it.
#[derive(Clone, Copy, Debug)]
pub struct FromElsewhere;

/// Methods of the requests that such a page may make.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE");

/// Headers that its requests may have. None is a cookie: a request proves its account by a header.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Content-Disposition, Idempotency-Key, Range, Tus-Resumable, Upload-Length, \
     Upload-Metadata, Upload-Offset",
);

/// Headers of the responses that it may read.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept-Ranges, Allow, Content-Disposition, Content-Length, Content-Location, Content-Range, ETag, Location, \
     Retry-After, Tus-Resumable, Upload-Length, Upload-Offset",
);

/// Time for which a browser need not ask again.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Lets pages of allowed origins read the responses, and answers what browsers ask before they send a request of such a
/// page. Other origins get the same responses, which a browser does not show to their pages.
pub(super) async fn share_with_allowed_origins(request: Request, next: Next) -> Response {
    let is_elsewhere = request.extensions().get::<FromElsewhere>().is_some();
    let origin = request.headers().get(ORIGIN).filter(|_| !is_elsewhere).cloned();
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match origin {
        Some(_) if is_preflight => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE.as_secs().into());
            response
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
    response
}
