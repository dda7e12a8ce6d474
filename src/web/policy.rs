//! The hosts and origins that a request may name.
//!
//! A browser sends requests on behalf of any page that it shows. A page elsewhere can make it connect here, by a name
//! of its own that it lets resolve to this address (DNS rebinding), or by a form or a WebSocket to this address. In the
//! first case the request names a wrong host, in the second a wrong origin.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, StatusCode};

/// The hosts that requests may name in `Host`, and the origins that may open a WebSocket.
#[derive(Clone, Debug)]
pub enum HostPolicy {
    /// Exactly this host and port, over HTTP on the loopback interface. Each WebSocket names the origin of the page,
    /// as all browsers do.
    Loopback {
        /// Host and port, as `127.0.0.1:45123`.
        authority: String,
    },
}

/// Refusal of a request for its host or origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request names no host, several, or another one.
    #[error("This is not the host that the request names.")]
    Host,
    /// The WebSocket was opened by a page from elsewhere.
    #[error("A page from another address may not connect here.")]
    Origin,
}

impl Refusal {
    /// Returns the status of the response.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
        }
    }
}

impl HostPolicy {
    /// Checks the host that a request names, and returns it with its port as the page's own.
    ///
    /// # Errors
    /// The refusal, for another host, none or several.
    pub fn check_host<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
        let host = only_value(headers, &HOST).ok_or(Refusal::Host)?;
        match self {
            Self::Loopback { authority } if host == authority => Ok(host),
            Self::Loopback { .. } => Err(Refusal::Host),
        }
    }

    /// Checks the origin of a request that opens a WebSocket.
    ///
    /// # Errors
    /// The refusal, for a page from elsewhere.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let origin = only_value(headers, &ORIGIN).ok_or(Refusal::Origin)?;
        match self {
            Self::Loopback { authority } if origin.strip_prefix("http://") == Some(authority) => Ok(()),
            Self::Loopback { .. } => Err(Refusal::Origin),
        }
    }

    /// Returns the scheme of the WebSocket.
    pub fn websocket_scheme(&self) -> &'static str {
        match self {
            Self::Loopback { .. } => "ws",
        }
    }
}

/// Returns the value of a header that is there once, as printable ASCII.
fn only_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), value.parse().expect("a header's value"))).collect()
    }

    #[test]
    fn loopback_takes_its_own_host_and_origin_only() {
        let policy = HostPolicy::Loopback { authority: "127.0.0.1:4000".to_owned() };
        let host = |values: &[&str]| policy.check_host(&headers(&HOST, values)).is_ok();
        assert!(host(&["127.0.0.1:4000"]));
        for wrong in [
            "localhost:4000",
            "127.0.0.1",
            "127.0.0.1:4001",
            "evil.example:4000",
            "127.0.0.1:4000.",
            "",
            "[::1]:4000",
        ] {
            assert!(!host(&[wrong]), "{wrong}");
        }
        assert!(!host(&[]));
        assert!(!host(&["127.0.0.1:4000", "evil.example"]));
        let origin = |values: &[&str]| policy.check_origin(&headers(&ORIGIN, values)).is_ok();
        assert!(origin(&["http://127.0.0.1:4000"]));
        for wrong in [
            "https://127.0.0.1:4000",
            "http://127.0.0.1:4001",
            "http://localhost:4000",
            "http://evil.example",
            "null",
            "file://",
            "http://127.0.0.1:4000/",
        ] {
            assert!(!origin(&[wrong]), "{wrong}");
        }
        assert!(!origin(&[]));
    }
}
