//! HTTP/1.1 to a server, over a connection with the same pin and the same addresses as that for IRC.
//!
//! | module | content |
//! | --- | --- |
//! | [`idle`] | connections that wait for their next request |

pub(in crate::client) mod idle;

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio_util::task::AbortOnDropHandle;

use super::connect::connection::{ConnectError, Endpoint, ServerStream, open_stream};
use super::connect::search::open_stream_or_search;
use crate::trust::tls::ClientProtocol;

/// Limit of a response's head, in bytes, and of its headers.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// A connection for one request after the other. Dropping it closes it.
#[derive(Debug)]
pub(in crate::client) struct HttpConnection {
    sender: SendRequest<Body>,
    /// Host and port that the server goes by on this connection.
    host: HeaderValue,
    _driver: AbortOnDropHandle<()>,
}

/// Error of a request.
#[derive(Debug, thiserror::Error)]
pub(in crate::client) enum HttpError {
    /// There is no connection to the server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke, or what came over it is not HTTP.
    #[error("the connection broke")]
    Broken,
}

impl HttpConnection {
    /// Connects to a server, which has proven its pin when this returns. The endpoint's device presents its certificate.
    pub async fn open(endpoint: &Endpoint) -> Result<Self, HttpError> {
        Self::over(open_stream(endpoint, ClientProtocol::Http).await?).await
    }

    /// Connects as [`open`](Self::open) does. If no address responds, it searches for the server on the local network.
    /// Returns the endpoint with the present addresses and pins too.
    pub async fn open_or_search(endpoint: Endpoint) -> Result<(Self, Endpoint), HttpError> {
        let (opened, endpoint) = open_stream_or_search(endpoint, ClientProtocol::Http).await?;
        Ok((Self::over(opened).await?, endpoint))
    }

    async fn over(opened: ServerStream) -> Result<Self, HttpError> {
        let ServerStream { stream, address, .. } = opened;
        let host = HeaderValue::try_from(address.to_string()).map_err(|_| HttpError::Broken)?;
        let connecting = Builder::new()
            .max_buf_size(4 * MAX_HEAD_BYTES)
            .max_header_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream));
        let (sender, driver) = connecting.await.map_err(|_| HttpError::Broken)?;
        // An error of the connection is one of its request too.
        let driver = tokio::spawn(async move { drop(driver.await) });
        Ok(Self { sender, host, _driver: AbortOnDropHandle::new(driver) })
    }

    /// Sends a request and returns the response once its head has come.
    pub async fn send(&mut self, mut request: Request<Body>) -> Result<Response<Incoming>, HttpError> {
        self.sender.ready().await.map_err(|_| HttpError::Broken)?;
        request.headers_mut().insert(HOST, self.host.clone());
        self.sender.send_request(request).await.map_err(|_| HttpError::Broken)
    }
}
