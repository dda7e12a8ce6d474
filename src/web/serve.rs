//! One HTTP connection, until its end or until it becomes a WebSocket.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::policy::{ConnectionPolicy, HostPolicy};
use super::site::Site;
use super::websocket::WebSocketStream;
use super::websocket::upgrade::{Accepted, Slot};

/// Time limit for the head of a request, and for the pause between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Time limit for all requests of a connection and their responses: more than a slow phone needs for the whole page. It
/// begins anew as long as a file is on its way.
const CONNECTION_TIMEOUT: Duration = Duration::from_mins(2);

/// Maximum count of requests of a connection. A browser needs a hundred for the page, over several connections. Together
/// with the limits of each request it bounds what a connection sends.
const MAX_REQUESTS: usize = 250;

/// Limits of a request's head. Browsers send less than two KiB, in some twenty headers.
const MAX_HEAD_BYTES: usize = 8 * 1024;
const MAX_HEADERS: usize = 64;

/// The client at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// IP address of the client.
    pub address: IpAddr,
    /// SHA-256 of the certificate that it has proven to have.
    pub certificate: Option<[u8; 32]>,
}

/// Progress of the files that a connection transfers, an extension of its requests.
#[derive(Clone, Debug, Default)]
pub struct TransferProgress(Arc<AtomicU64>);

impl TransferProgress {
    /// Notes that a piece has gone over the connection.
    pub fn note_piece(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the count of pieces so far.
    fn pieces(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Serves the requests of a connection. Returns the WebSocket that it has become, or `None` at its end. `peer` is for the
/// routes that ask who the client is, and `max_line_bytes` limits the lines on the WebSocket, in bytes.
///
/// # Errors
/// The connection broke, sent what is not HTTP, or took too long.
pub async fn serve<S>(
    stream: S,
    (site, policy): (&Site, &HostPolicy),
    peer: Option<Peer>,
    max_line_bytes: usize,
) -> io::Result<Option<WebSocketStream<S>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (slot, policy, count) = (Slot::default(), ConnectionPolicy::new(policy), AtomicUsize::new(0));
    let progress = TransferProgress::default();
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        let extensions = request.extensions_mut();
        extensions.insert(slot.clone());
        extensions.insert(progress.clone());
        if let Some(peer) = peer {
            extensions.insert(peer);
        }
        let is_last = count.fetch_add(1, Ordering::Relaxed) + 1 == MAX_REQUESTS;
        let answered = site.respond(&policy, request);
        async move {
            let mut response = answered.await;
            if is_last && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(2 * MAX_HEAD_BYTES)
        .max_header_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut transferred = 0;
    loop {
        match timeout(CONNECTION_TIMEOUT, &mut connection).await {
            Ok(result) => break result.map_err(io::Error::other)?,
            Err(_) if progress.pieces() > transferred => transferred = progress.pieces(),
            Err(_) => return Err(io::ErrorKind::TimedOut.into()),
        }
    }
    let Some(Accepted { on_upgrade, subprotocol }) = slot.take() else { return Ok(None) };
    let upgraded = on_upgrade.await.map_err(io::Error::other)?;
    let parts = upgraded.downcast::<TokioIo<S>>().map_err(|_| io::Error::other("another stream"))?;
    Ok(Some(WebSocketStream::new(parts.io.into_inner(), parts.read_buf, subprotocol, max_line_bytes)))
}
