//! The hosts and origins that a request may name.
//!
//! A browser sends requests on behalf of any page that it shows. A page elsewhere can make it connect here, by a name
//! of its own that it lets resolve to this address (DNS rebinding), or by a form or a WebSocket to this address. In the
//! first case the request names a wrong host, in the second a wrong origin.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The hosts that requests may name in `Host`, and the origins that may open a WebSocket.
#[derive(Clone, Debug)]
pub enum HostPolicy {
    /// Exactly this host and port, over HTTP on the loopback interface. Each WebSocket names the origin of the page,
    /// as all browsers do.
    Loopback {
        /// Host and port, as `127.0.0.1:45123`.
        authority: String,
    },
    /// Any name of the loopback interface with this port, over HTTP, for programs on the same machine. No page may open a
    /// WebSocket.
    Machine {
        /// Port of the connection.
        port: u16,
    },
    /// The host that the TLS handshake was for, over HTTPS. A program other than a browser names no origin.
    Tls {
        /// Name that the client asked for in the handshake (SNI); `None` if it connected to an address.
        server_name: Option<String>,
        /// Further origins whose pages may open a WebSocket, such as `https://gamja.example`.
        origins: Arc<[String]>,
    },
}

/// The policy on one connection, all of whose requests name the same host.
#[derive(Debug)]
pub(super) struct ConnectionPolicy<'a> {
    hosts: &'a HostPolicy,
    own_host: OnceLock<OwnHost>,
}

/// The host that the first request has named.
#[derive(Debug)]
struct OwnHost {
    name: String,
    content_security_policy: HeaderValue,
}

/// Refusal of a request for its host or origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request names no host, several, or another one.
    Host,
    /// The WebSocket was opened by a page from elsewhere.
    Origin,
}

impl Refusal {
    /// Returns the text of the response.
    pub fn text(self) -> &'static str {
        match self {
            Self::Host => "The request does not name this host.",
            Self::Origin => "A page from another address may not connect here.",
        }
    }

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
        let is_own = match self {
            Self::Loopback { authority } => host == authority,
            Self::Machine { port } => is_loopback_host(host, *port),
            Self::Tls { server_name, .. } => is_host_of_handshake(host, server_name.as_deref()),
        };
        if is_own { Ok(host) } else { Err(Refusal::Host) }
    }

    /// Checks the origin of a request that opens a WebSocket.
    ///
    /// # Errors
    /// The refusal, for a page from elsewhere.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let origin = only_value(headers, &ORIGIN);
        let is_allowed = match self {
            Self::Loopback { authority } => {
                origin.is_some_and(|origin| origin.strip_prefix("http://") == Some(authority))
            }
            Self::Machine { .. } => false,
            Self::Tls { .. } if !headers.contains_key(ORIGIN) => true,
            Self::Tls { origins, .. } => origin.is_some_and(|origin| {
                let host = self.check_host(headers).ok();
                let is_same = origin
                    .strip_prefix("https://")
                    .zip(host)
                    .is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host));
                is_same || origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
            }),
        };
        if is_allowed { Ok(()) } else { Err(Refusal::Origin) }
    }

    /// Returns the scheme of the WebSocket.
    fn websocket_scheme(&self) -> &'static str {
        match self {
            Self::Loopback { .. } | Self::Machine { .. } => "ws",
            Self::Tls { .. } => "wss",
        }
    }
}

impl<'a> ConnectionPolicy<'a> {
    pub fn new(hosts: &'a HostPolicy) -> Self {
        Self { hosts, own_host: OnceLock::new() }
    }

    /// Checks the host that a request names, which is that of the connection's first request too, and its origin if it
    /// opens a WebSocket.
    pub fn check(&self, headers: &HeaderMap, opens_websocket: bool) -> Result<(), Refusal> {
        let name = self.hosts.check_host(headers)?;
        let own = self.own_host.get_or_init(|| OwnHost {
            name: name.to_owned(),
            content_security_policy: content_security_policy(self.hosts.websocket_scheme(), name),
        });
        if own.name != name {
            return Err(Refusal::Host);
        }
        if opens_websocket { self.hosts.check_origin(headers) } else { Ok(()) }
    }

    /// Returns whether a request names the origin of a page from elsewhere.
    pub fn is_from_elsewhere(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(ORIGIN) && self.hosts.check_origin(headers).is_err()
    }

    /// Returns the header by which a browser limits what the page may load and connect to: its own host alone, and
    /// nothing at all before a request has named that host.
    pub fn content_security_policy(&self) -> HeaderValue {
        match self.own_host.get() {
            Some(own) => own.content_security_policy.clone(),
            None => NO_CONTENT,
        }
    }
}

/// Policy of a response without content.
const NO_CONTENT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Returns the policy of the page. Browsers older than 2022 do not take `'self'` for the WebSocket too.
fn content_security_policy(websocket_scheme: &str, host: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src blob:; connect-src 'self' {websocket_scheme}://{host}; manifest-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    // A host that was checked has no character that a header cannot hold.
    HeaderValue::try_from(policy).unwrap_or(NO_CONTENT)
}

/// Returns whether `host` names the loopback interface and this port.
fn is_loopback_host(host: &str, port: u16) -> bool {
    let name = host.strip_suffix(&format!(":{port}"));
    name.is_some_and(|name| {
        let address: Option<IpAddr> = name.trim_start_matches('[').trim_end_matches(']').parse().ok();
        name == "localhost" || address.is_some_and(|address| address.is_loopback())
    })
}

/// Returns whether `host`, with or without a port, is the one that the client verified in the handshake. Browsers send
/// no name for an address.
fn is_host_of_handshake(host: &str, server_name: Option<&str>) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    match server_name {
        Some(expected) => name.eq_ignore_ascii_case(expected),
        None => name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok(),
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
    fn machine_takes_every_name_of_the_loopback_interface_and_no_origin() {
        let policy = HostPolicy::Machine { port: 9697 };
        for (host, is_own) in [
            ("127.0.0.1:9697", true),
            ("[::1]:9697", true),
            ("localhost:9697", true),
            ("localhost", false),
            ("127.0.0.1:9698", false),
            ("chat.example:9697", false),
            ("192.0.2.1:9697", false),
        ] {
            assert_eq!(policy.check_host(&headers(&HOST, &[host])).is_ok(), is_own, "{host}");
        }
        assert_eq!(policy.check_origin(&headers(&ORIGIN, &["http://localhost:9697"])), Err(Refusal::Origin));
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

    #[test]
    fn tls_takes_the_host_of_the_handshake_and_listed_origins() {
        let origins: Arc<[String]> = Arc::new(["https://gamja.example".to_owned()]);
        let policy = |name: Option<&str>| HostPolicy::Tls {
            server_name: name.map(ToOwned::to_owned),
            origins: origins.clone(),
        };
        for (name, host, expected) in [
            (Some("chat.example"), "chat.example", true),
            (Some("chat.example"), "Chat.Example:6697", true),
            (Some("chat.example"), "evil.example", false),
            (Some("chat.example"), "192.0.2.7", false),
            (Some("chat.example"), "x@chat.example", false),
            (Some("chat.example"), "chat.example.evil.example", false),
            (Some("chat.example"), "chat.example'; img-src *", false),
            (None, "192.0.2.7:6697", true),
            (None, "[2001:db8::7]:6697", true),
            (None, "chat.example", false),
            (None, "", false),
        ] {
            assert_eq!(
                policy(name).check_host(&headers(&HOST, &[host])).is_ok(),
                expected,
                "{name:?} {host}"
            );
        }
        let origin = |origin: &str| {
            let mut headers = headers(&HOST, &["chat.example:6697"]);
            headers.insert(ORIGIN, origin.parse().expect("a header's value"));
            policy(Some("chat.example")).check_origin(&headers).is_ok()
        };
        assert!(origin("https://chat.example:6697") && origin("https://gamja.example"));
        for wrong in ["https://chat.example", "http://chat.example:6697", "https://evil.example", "null", ""]
        {
            assert!(!origin(wrong), "{wrong}");
        }
        assert!(policy(None).check_origin(&HeaderMap::new()).is_ok(), "no browser");
    }
}
