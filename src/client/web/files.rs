//! Requests of a page about files, passed on to their server: `/files/SERVER/upload`, `/files/SERVER/upload/KEY` and
//! `/files/SERVER/f/ID/NAME`.
//!
//! The page proves its account by a token of its session, which it fetched over its WebSocket. The device's certificate is
//! not presented for such requests, so whoever else reaches this port gets no further than at the server itself.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderName, ORIGIN,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, REFERER, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::routing::any;
use bytes::Bytes;
use futures_core::Stream;
use hyper::body::{Body as _, Incoming};
use percent_encoding::percent_decode_str;

use super::PageServers;
use crate::client::connect::connection::Endpoint;
use crate::client::http::idle::IdleConnections;
use crate::client::http::{HttpConnection, HttpError};
use crate::web::{FromElsewhere, TransferProgress, text_response};

/// Path of all requests that are passed on, before the name of the server.
const PREFIX: &str = "/files/";

/// Methods that are passed on.
const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Methods of requests that may be sent again when the connection broke
/// ([RFC 9110, section 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)).
const REPEATABLE: [Method; 4] = [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS];

/// Headers that concern one connection, and those with which a browser names the page and what it stores for it.
const DROPPED: [HeaderName; 15] = [
    HOST,
    ORIGIN,
    REFERER,
    COOKIE,
    SET_COOKIE,
    CONNECTION,
    EXPECT,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    // A browser would ask its user for a password.
    WWW_AUTHENTICATE,
    HeaderName::from_static("keep-alive"),
];

/// The relay of requests about files. Clones share its connections.
#[derive(Clone)]
pub(super) struct FileRelay {
    servers: Arc<dyn PageServers>,
    idle: Arc<IdleConnections>,
}

/// A request that is not passed on: the status and a sentence for people.
struct Refused(StatusCode, String);

/// Server and path of a request.
#[derive(Debug, PartialEq, Eq)]
struct Target<'a> {
    server: String,
    /// Path on the server, as it came.
    path: &'a str,
}

impl FileRelay {
    pub fn new(servers: Arc<dyn PageServers>) -> Self {
        Self { servers, idle: Arc::default() }
    }

    /// Returns its route.
    pub fn routes(self) -> Router {
        Router::new().route(&format!("{PREFIX}{{*rest}}"), any(answer)).with_state(self)
    }

    async fn pass_on(&self, mut request: Request) -> Result<Response<Body>, Refused> {
        check(&request)?;
        let path = request.uri().path().to_owned();
        let not_found = || Refused(StatusCode::NOT_FOUND, "There is nothing at this address.".to_owned());
        let Target { server, path } = Target::parse(&path).ok_or_else(not_found)?;
        let asks_for_proof = !path.starts_with("/upload/") && request.method() != Method::OPTIONS;
        if asks_for_proof && !has_token(request.headers()) {
            let text = "A request about files needs the token of the page's session.";
            return Err(Refused(StatusCode::UNAUTHORIZED, text.to_owned()));
        }
        *request.uri_mut() = path.parse::<Uri>().map_err(|_| not_found())?;
        let progress = request.extensions().get::<TransferProgress>().cloned().unwrap_or_default();
        request.extensions_mut().clear();
        drop_headers(request.headers_mut(), true);
        let has_body = request.headers().get(CONTENT_LENGTH).is_none_or(|length| length != "0")
            && !request.body().is_end_stream();
        let (head, body) = request.into_parts();
        let (response, carrier) = if !has_body && REPEATABLE.contains(&head.method) {
            let (response, connection) = self.send_over_waiting(&server, &head).await?;
            let pool = may_stay_open(&response).then(|| (self.idle.clone(), server));
            (response, Carrier { connection, pool })
        } else {
            // A connection whose body was refused in the middle is good for no other request.
            let mut connection = self.connect(&server).await?;
            let body = if has_body { noted(body, &progress) } else { Body::empty() };
            let request = Request::from_parts(head, body);
            let response = connection.send(request).await.map_err(|_| broken())?;
            (response, Carrier { connection, pool: None })
        };
        Ok(answer_with(response, &progress, carrier))
    }

    /// Sends a request without a body over a connection that waits, or over a new one.
    async fn send_over_waiting(
        &self,
        server: &str,
        head: &Parts,
    ) -> Result<(Response<Incoming>, HttpConnection), Refused> {
        while let Some(mut connection) = self.idle.take(server) {
            // The server may have closed it meanwhile.
            if let Ok(response) = connection.send(Request::from_parts(head.clone(), Body::empty())).await {
                return Ok((response, connection));
            }
        }
        let mut connection = self.connect(server).await?;
        let response =
            connection.send(Request::from_parts(head.clone(), Body::empty())).await.map_err(|_| broken())?;
        Ok((response, connection))
    }

    async fn connect(&self, server: &str) -> Result<HttpConnection, Refused> {
        let found = self.servers.find(Some(server)).map_err(|error| Refused(StatusCode::NOT_FOUND, error))?;
        let mut endpoint = Endpoint { device: None, ..found.endpoint };
        endpoint.refresh_pins();
        HttpConnection::open(&endpoint).await.map_err(|error| match error {
            HttpError::Connect(error) => Refused(StatusCode::BAD_GATEWAY, self.servers.describe(&error)),
            HttpError::Broken => broken(),
        })
    }
}

/// Passes a response on, whose body is read over its connection.
fn answer_with(
    response: Response<Incoming>,
    progress: &TransferProgress,
    carrier: Carrier,
) -> Response<Body> {
    let mut response = response.map(|body| {
        if body.is_end_stream() {
            carrier.keep();
            return Body::empty();
        }
        let pieces = Body::new(body).into_data_stream();
        Body::from_stream(Noted { pieces, progress: progress.clone(), carrier: Some(carrier) })
    });
    drop_headers(response.headers_mut(), false);
    response
}

/// Returns whether the server does not close the connection behind this response.
fn may_stay_open(response: &Response<Incoming>) -> bool {
    response.headers().get(CONNECTION).is_none_or(|value| value != "close")
}

async fn answer(State(relay): State<FileRelay>, request: Request) -> Response<Body> {
    relay.pass_on(request).await.unwrap_or_else(|Refused(status, text)| {
        let mut response = text_response(status, &text);
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let allowed = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST");
            response.headers_mut().insert(ALLOW, allowed);
        }
        response
    })
}

/// Refuses requests that the page does not send.
fn check(request: &Request) -> Result<(), Refused> {
    let site = request.headers().get("sec-fetch-site");
    let is_own = request.extensions().get::<FromElsewhere>().is_none()
        && site.is_none_or(|site| site == "same-origin");
    if !is_own {
        let text = "A page from another address may not send or read files here.";
        return Err(Refused(StatusCode::FORBIDDEN, text.to_owned()));
    }
    if !METHODS.contains(request.method()) {
        let text = "Files are neither sent nor read by this method.";
        return Err(Refused(StatusCode::METHOD_NOT_ALLOWED, text.to_owned()));
    }
    Ok(())
}

fn broken() -> Refused {
    Refused(StatusCode::BAD_GATEWAY, "The connection to the server broke.".to_owned())
}

impl<'a> Target<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix(PREFIX)?;
        let (server, _) = rest.split_once('/')?;
        let path = rest.get(server.len()..)?;
        let server = percent_decode_str(server).decode_utf8().ok()?.into_owned();
        let mut parts = path.split('/').skip(1);
        let is_known = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("upload", None, None, None) => true,
            ("upload", Some(key), None, None) => is_name(key),
            ("f", Some(id), name, None) => is_name(id) && name.is_none_or(is_name),
            _ => false,
        };
        is_known.then_some(Self { server, path })
    }
}

/// Returns whether a part of a path names something on its own, and not a folder.
fn is_name(part: &str) -> bool {
    !matches!(&*percent_decode_str(part).decode_utf8_lossy(), "" | "." | "..")
}

fn has_token(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scheme = value.and_then(|value| value.split_once(' ')).map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
}

/// Drops the headers that are not passed on, with those that `Connection` names.
fn drop_headers(headers: &mut HeaderMap, is_request: bool) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&DROPPED) {
        headers.remove(name);
    }
    let (browser, first) = ("sec-", headers.keys().cloned().collect::<Vec<_>>());
    for name in first.iter().filter(|name| is_request && name.as_str().starts_with(browser)) {
        headers.remove(name);
    }
}

fn noted(body: Body, progress: &TransferProgress) -> Body {
    Body::from_stream(Noted { pieces: body.into_data_stream(), progress: progress.clone(), carrier: None })
}

/// The connection that a response comes over.
struct Carrier {
    connection: HttpConnection,
    /// The connections that it joins behind the response, and the name of its server; `None` if it is closed then.
    pool: Option<(Arc<IdleConnections>, String)>,
}

impl Carrier {
    /// Keeps the connection at the end of the response.
    fn keep(self) {
        if let Some((idle, server)) = self.pool {
            idle.put(&server, self.connection);
        }
    }
}

/// Pieces of a body, each of which is noted as progress of the page's connection.
struct Noted {
    pieces: BodyDataStream,
    progress: TransferProgress,
    carrier: Option<Carrier>,
}

impl Stream for Noted {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(Pin::new(&mut self.pieces).poll_next(cx));
        if matches!(piece, Some(Ok(_))) {
            self.progress.note_piece();
        }
        // Behind the last piece of a known length nothing is asked for.
        if piece.is_none() || self.pieces.is_end_stream() {
            // With an error the connection has failed too.
            if let Some(carrier) = self.carrier.take().filter(|_| !matches!(piece, Some(Err(_)))) {
                carrier.keep();
            }
        }
        Poll::Ready(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_files_are_passed_on() {
        let parse = |path| Target::parse(path).map(|target| (target.server, target.path));
        for (path, server, rest) in [
            ("/files/chat.example/upload", "chat.example", "/upload"),
            ("/files/chat.example/upload/KEY", "chat.example", "/upload/KEY"),
            ("/files/my%20server%2F1/f/ID", "my server/1", "/f/ID"),
            ("/files/a/f/ID/a%20photo%2F.png", "a", "/f/ID/a%20photo%2F.png"),
        ] {
            assert_eq!(parse(path), Some((server.to_owned(), rest)), "{path}");
        }
        for path in [
            "/files/",
            "/files/a",
            "/files/a/",
            "/files/a/irc",
            "/files/a/upload/",
            "/files/a/upload/k/e",
            "/files/a/upload/..",
            "/files/a/upload/%2e%2E",
            "/files/a/f",
            "/files/a/f/",
            "/files/a/f/ID/",
            "/files/a/f/ID/../x",
            "/files/a/f/ID/x/y",
            "/files/a/l/TOKEN",
            "/files/a/hooks/TOKEN",
            "/files/%FF/upload",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    #[test]
    fn headers_of_a_connection_and_of_a_browser_are_dropped() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "127.0.0.1:1"),
            ("origin", "http://127.0.0.1:1"),
            ("cookie", "a=b"),
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("sec-fetch-mode", "cors"),
            ("transfer-encoding", "chunked"),
            ("authorization", "Bearer x"),
            ("upload-offset", "3"),
            ("range", "bytes=1-"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        drop_headers(&mut headers, true);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "range", "upload-offset"]);
    }

    #[test]
    fn only_a_token_is_a_proof() {
        let headers =
            |value: &'static str| HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
        assert!(has_token(&headers("Bearer abc")) && has_token(&headers("bearer abc")));
        assert!(!has_token(&headers("Basic abc")) && !has_token(&headers("Bearer")));
        assert!(!has_token(&HeaderMap::new()));
    }
}
