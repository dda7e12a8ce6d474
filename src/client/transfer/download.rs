//! Reading of a file, piece by piece. After a broken connection it goes on with the rest (`Range`).

use std::pin::Pin;

use axum::body::{Body, BodyDataStream};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE,
};
use axum::http::{HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use futures_core::Stream as _;
use hyper::body::Incoming;

use super::{Attempts, FileServer, Progress, TransferError, number_of, refusal, text_of};
use crate::client::http::HttpConnection;
use crate::client::text::clean::clean;
use crate::wire::file_name::disposition::name_in_disposition;
use crate::wire::file_name::safe_name;

/// A file that is being read. Dropping it ends the connection.
#[derive(Debug)]
pub struct Download {
    server: FileServer,
    path: String,
    /// Size of the whole, in bytes.
    pub size: u64,
    /// Its name, as the server says.
    pub name: Option<String>,
    /// Its media type, as the server says.
    pub media_type: String,
    etag: Option<HeaderValue>,
    /// Bytes that were returned.
    received: u64,
    progress: Progress,
    attempts: Attempts,
    current: Option<Current>,
}

/// A response that is being read, with its connection.
#[derive(Debug)]
struct Current {
    _connection: HttpConnection,
    pieces: BodyDataStream,
}

impl Download {
    /// Asks for a file by its path on the server.
    ///
    /// # Errors
    /// The server does not have it, or not for this account, or cannot be reached for too long.
    pub async fn open(
        mut server: FileServer,
        path: &str,
        progress: &Progress,
    ) -> Result<Self, TransferError> {
        let mut attempts = Attempts::new();
        let (connection, response) = loop {
            match request(&mut server, path, progress, None).await {
                Ok(opened) => break opened,
                Err(error) => attempts.wait_after(error, 0).await?,
            }
        };
        let size = number_of(&response, &CONTENT_LENGTH).filter(|_| response.status() == StatusCode::OK);
        let media_type = text_of(&response, &CONTENT_TYPE).unwrap_or("application/octet-stream");
        let name = text_of(&response, &CONTENT_DISPOSITION).and_then(name_in_disposition);
        Ok(Self {
            server,
            name: name.map(|name| safe_name(&name)),
            path: path.to_owned(),
            size: size.ok_or(TransferError::Answer)?,
            media_type: clean(media_type),
            etag: response.headers().get(ETAG).cloned(),
            received: 0,
            progress: progress.clone(),
            attempts,
            current: Some(Current::new(connection, response)),
        })
    }

    /// Returns the next piece, or `None` behind the last one.
    ///
    /// # Errors
    /// The server cannot be reached for too long, refuses the rest, or has another file in its place.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, TransferError> {
        while self.received < self.size {
            match self.try_next().await {
                Ok(piece) => {
                    let size = piece.len() as u64;
                    self.received += size;
                    if self.received > self.size {
                        return Err(TransferError::Answer);
                    }
                    self.progress.add(size);
                    return Ok(Some(piece));
                }
                Err(error) => {
                    self.current = None;
                    self.attempts.wait_after(error, self.received).await?;
                }
            }
        }
        self.current = None;
        Ok(None)
    }

    async fn try_next(&mut self) -> Result<Bytes, TransferError> {
        let current = match self.current.take() {
            Some(current) => current,
            None => self.ask_for_rest().await?,
        };
        let current = self.current.insert(current);
        match self.progress.watch(current.next()).await? {
            Some(Ok(piece)) => Ok(piece),
            Some(Err(_)) | None => Err(TransferError::Broken),
        }
    }

    async fn ask_for_rest(&mut self) -> Result<Current, TransferError> {
        let rest = Rest { from: self.received, etag: self.etag.as_ref() };
        let (connection, response) =
            request(&mut self.server, &self.path, &self.progress, Some(rest)).await?;
        let expected = format!("bytes {}-{}/{}", self.received, self.size - 1, self.size);
        let is_rest = response.status() == StatusCode::PARTIAL_CONTENT
            && text_of(&response, &CONTENT_RANGE) == Some(&*expected);
        if self.received > 0 && !is_rest {
            return Err(TransferError::Changed);
        }
        Ok(Current::new(connection, response))
    }
}

impl Current {
    fn new(connection: HttpConnection, response: Response<Incoming>) -> Self {
        Self { _connection: connection, pieces: Body::new(response.into_body()).into_data_stream() }
    }

    async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut self.pieces).poll_next(cx)).await
    }
}

/// The bytes that are missing yet.
#[derive(Clone, Copy)]
struct Rest<'a> {
    from: u64,
    etag: Option<&'a HeaderValue>,
}

/// Asks for a file, or for the rest of one, over a new connection.
async fn request(
    server: &mut FileServer,
    path: &str,
    progress: &Progress,
    rest: Option<Rest<'_>>,
) -> Result<(HttpConnection, Response<Incoming>), TransferError> {
    let mut request = server.request(Method::GET, path)?;
    if let Some(Rest { from: from @ 1.., etag }) = rest {
        let range = HeaderValue::try_from(format!("bytes={from}-")).map_err(|_| TransferError::Answer)?;
        request.headers_mut().insert(RANGE, range);
        if let Some(etag) = etag {
            request.headers_mut().insert(IF_RANGE, etag.clone());
        }
    }
    let mut connection = server.connect().await?;
    let response = progress.watch(connection.send(request)).await??;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    Ok((connection, response))
}
