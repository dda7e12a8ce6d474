//! Files to and from a server: uploads and downloads that go on after a broken connection.
//!
//! | module | content |
//! | --- | --- |
//! | [`upload`] | sending of a file of this machine |
//! | [`download`] | reading of a file of the server, piece by piece |
//! | [`jobs`] | the transfers of a chat, in the background |
//! | [`target`] | the file on this machine that a download is written to |

pub mod download;
pub mod jobs;
pub mod target;
#[cfg(test)]
mod tests;
pub mod upload;

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use zeroize::Zeroizing;

use super::connect::backoff::Backoff;
use super::connect::connection::{ConnectError, Endpoint};
use super::connect::login::Credentials;
use super::http::{HttpConnection, HttpError};
use super::text::clean::clean;

/// Longest time in which no byte moves, after which the connection counts as broken. Servers wait for 30 seconds.
const STALL_TIMEOUT: Duration = Duration::from_secs(40);

/// Time without any progress after which a transfer is given up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Limit of a refusal's text, in bytes.
const MAX_TEXT_BYTES: usize = 2048;

/// A server with an account on it, for requests about files. They prove the account as the login does: by the device's
/// certificate or by the password.
#[derive(Clone, Debug)]
pub struct FileServer {
    endpoint: Endpoint,
}

/// Error of a transfer.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// There is no connection to the server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The server does not know the account, or not any more.
    #[error("the server refused the login: {0}")]
    Login(String),
    /// The server refuses the request.
    #[error("the server refused it: {text}")]
    Refused {
        /// Status of the response.
        status: StatusCode,
        /// The server's sentence about it.
        text: String,
    },
    /// The server's answer makes no sense.
    #[error("the server's answer cannot be understood")]
    Answer,
    /// The file on this machine cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file on this machine cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// There is a file of this name already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A path that leads to no file.
    #[error("{} is not a file", .0.display())]
    NotAFile(PathBuf),
    /// The file became another one during the transfer.
    #[error("the file was changed meanwhile")]
    Changed,
}

/// Bytes that have gone over the connection, of those of the whole file. Clones share it.
#[derive(Clone, Debug)]
pub struct Progress(Arc<watch::Sender<u64>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Progress {
    /// Returns the count of bytes so far.
    pub fn bytes(&self) -> u64 {
        *self.0.borrow()
    }

    fn set(&self, bytes: u64) {
        self.0.send_replace(bytes);
    }

    fn add(&self, bytes: u64) {
        self.0.send_modify(|count| *count += bytes);
    }

    /// Waits for work that moves bytes, as long as some move.
    async fn watch<T>(&self, work: impl Future<Output = T>) -> Result<T, TransferError> {
        let (mut counts, mut work) = (self.0.subscribe(), pin!(work));
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                moved = timeout(STALL_TIMEOUT, counts.changed()) => if moved.is_err() {
                    return Err(TransferError::Broken);
                }
            }
        }
    }
}

impl FileServer {
    /// Makes the value for a session's server and account.
    pub fn new(endpoint: &Endpoint) -> Self {
        let mut endpoint = endpoint.clone();
        if !matches!(endpoint.credentials, Credentials::Device) {
            endpoint.device = None;
        }
        Self { endpoint }
    }

    async fn connect(&mut self) -> Result<HttpConnection, TransferError> {
        let (connection, endpoint) = HttpConnection::open_or_search(self.endpoint.clone()).await?;
        self.endpoint = endpoint;
        Ok(connection)
    }

    /// Returns a request with the proof of the account, if it is not the certificate.
    fn request(&self, method: Method, path: &str) -> Result<Request<Body>, TransferError> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| TransferError::Answer)?;
        if let Credentials::Password(password) = &self.endpoint.credentials {
            let plain = Zeroizing::new(format!("{}:{}", self.endpoint.account, password.expose()));
            let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(plain.as_bytes())));
            if let Ok(mut value) = HeaderValue::from_str(&value) {
                value.set_sensitive(true);
                request.headers_mut().insert(AUTHORIZATION, value);
            }
        }
        Ok(request)
    }
}

impl From<HttpError> for TransferError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Connect(error) => Self::Connect(error),
            HttpError::Broken => Self::Broken,
        }
    }
}

impl TransferError {
    /// Returns whether the same attempt may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Connect(error) => !error.is_final(),
            Self::Broken => true,
            // A stalled request, a wrong offset, a request before it that the server still has, a server that restarts.
            Self::Refused { status, .. } => matches!(status.as_u16(), 408 | 409 | 423 | 502..=504),
            _ => false,
        }
    }
}

/// The pauses between attempts.
#[derive(Debug)]
struct Attempts {
    backoff: Backoff,
    bytes: u64,
    last_progress: Instant,
}

impl Attempts {
    fn new() -> Self {
        Self { backoff: Backoff::default(), bytes: 0, last_progress: Instant::now() }
    }

    /// Waits after a failed attempt, at which this many bytes had gone over the connection.
    ///
    /// # Errors
    /// The failure, if it is final, or if nothing has gone over the connection for too long.
    async fn wait_after(&mut self, error: TransferError, bytes: u64) -> Result<(), TransferError> {
        if bytes > self.bytes {
            *self = Self { bytes, ..Self::new() };
        }
        if !error.is_temporary() || self.last_progress.elapsed() >= PATIENCE {
            return Err(error);
        }
        sleep(self.backoff.next_delay(rand::random())).await;
        Ok(())
    }
}

/// Returns the error of a refusal, with its sentence.
async fn refusal(response: Response<Incoming>) -> TransferError {
    let status = response.status();
    let body = Body::new(response.into_body());
    let text = match timeout(STALL_TIMEOUT, axum::body::to_bytes(body, MAX_TEXT_BYTES)).await {
        Ok(Ok(text)) => clean(String::from_utf8_lossy(&text).trim()),
        // A text that is too long is none of ours.
        _ => String::new(),
    };
    let text = match text.trim_end_matches('.') {
        "" => status.canonical_reason().unwrap_or("no reason given").to_owned(),
        text => text.to_owned(),
    };
    match status {
        StatusCode::UNAUTHORIZED => TransferError::Login(text),
        status => TransferError::Refused { status, text },
    }
}

fn text_of<'a>(response: &'a Response<Incoming>, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

fn number_of(response: &Response<Incoming>, name: &HeaderName) -> Option<u64> {
    text_of(response, name)?.parse().ok()
}
