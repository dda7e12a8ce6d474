//! Sending of a file, in one request or resumable ([tus](https://tus.io/protocols/resumable-upload)), as the server offers.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_core::Stream;
use hyper::body::Incoming;
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, Take};
use tokio_util::io::ReaderStream;

use super::{Attempts, FileServer, Progress, TransferError, number_of, refusal, text_of};
use crate::client::http::HttpConnection;
use crate::client::text::file_address::FileAddress;
use crate::web::tus::{
    self, TUS_RESUMABLE, TUS_VERSION, UPLOAD_LENGTH, UPLOAD_METADATA, UPLOAD_OFFSET, UPLOAD_PATH,
};
use crate::wire::file_name::{encode_name, safe_name};

/// Bytes that are read at one time.
const PIECE_BYTES: usize = 64 * 1024;

/// Limit of beginnings: a server that forgets an upload each time ends it.
const MAX_BEGINNINGS: u32 = 4;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// A file of this machine, to be uploaded.
#[derive(Debug)]
pub struct OutgoingFile {
    path: PathBuf,
    /// Its name for others.
    pub name: String,
    /// Its size when it was looked at, in bytes.
    pub size: u64,
    /// A copy that is removed with this.
    _copy: Option<TempPath>,
}

impl OutgoingFile {
    /// Looks at a file.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub async fn open(path: &Path) -> Result<Self, TransferError> {
        let failed = |source| TransferError::Read { path: path.to_owned(), source };
        let metadata = tokio::fs::metadata(path).await.map_err(failed)?;
        if !metadata.is_file() {
            return Err(TransferError::NotAFile(path.to_owned()));
        }
        // Whether it may be read is known before anything is sent.
        drop(File::open(path).await.map_err(failed)?);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { path: path.to_owned(), name: safe_name(&name), size: metadata.len(), _copy: None })
    }

    /// Copies what can be read once, such as standard input, into a temporary file, so that its size is known and it can
    /// be sent again.
    ///
    /// # Errors
    /// It cannot be read, or the copy cannot be written.
    pub async fn copy(mut source: impl AsyncRead + Unpin, name: &str) -> Result<Self, TransferError> {
        let write = |source| TransferError::Write { path: std::env::temp_dir(), source };
        let (file, path) = tempfile::NamedTempFile::new().map_err(write)?.into_parts();
        let mut file = File::from_std(file);
        let copied = tokio::io::copy(&mut source, &mut file).await;
        let read = |source| TransferError::Read { path: PathBuf::from("standard input"), source };
        let size = copied.map_err(read)?;
        file.flush().await.map_err(write)?;
        Ok(Self { path: path.to_path_buf(), name: safe_name(name), size, _copy: Some(path) })
    }

    async fn body_from(&self, offset: u64, progress: &Progress) -> Result<Body, TransferError> {
        let failed = |source| TransferError::Read { path: self.path.clone(), source };
        let mut file = File::open(&self.path).await.map_err(failed)?;
        if file.metadata().await.map_err(failed)?.len() != self.size {
            return Err(TransferError::Changed);
        }
        file.seek(SeekFrom::Start(offset)).await.map_err(failed)?;
        progress.set(offset);
        let left = self.size.saturating_sub(offset);
        let pieces = ReaderStream::with_capacity(file.take(left), PIECE_BYTES);
        Ok(Body::from_stream(Sending { pieces, left, progress: progress.clone() }))
    }
}

/// Sends a file. Returns its path on the server. Dropping the future cancels it.
///
/// # Errors
/// The server refuses it, or cannot be reached for too long, or the file cannot be read.
pub async fn upload(
    server: FileServer,
    file: &OutgoingFile,
    progress: &Progress,
) -> Result<String, TransferError> {
    let mut upload = Upload { server, file, progress, key: None, beginnings: 0, is_done: false };
    let mut attempts = Attempts::new();
    loop {
        match upload.attempt().await {
            Ok(address) => {
                upload.is_done = true;
                return Ok(address);
            }
            Err(error) => attempts.wait_after(error, progress.bytes()).await?,
        }
    }
}

/// An upload with what is known of it over its connections.
struct Upload<'a> {
    server: FileServer,
    file: &'a OutgoingFile,
    progress: &'a Progress,
    /// Path of the resumable upload that has begun.
    key: Option<String>,
    beginnings: u32,
    is_done: bool,
}

/// Tells the server that a cancelled upload is not needed any more, because it counts among those of the account for an hour.
impl Drop for Upload<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key.take().filter(|_| !self.is_done) else { return };
        let Ok(request) = Self::resumable(Method::DELETE, &key) else { return };
        let mut server = self.server.clone();
        // At the end of the program there is no time for it, and none is needed.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Ok(mut connection) = server.connect().await {
                    let _ = connection.send(request).await;
                }
            });
        }
    }
}

impl Upload<'_> {
    /// Sends what the server does not have yet over a new connection.
    async fn attempt(&mut self) -> Result<String, TransferError> {
        let mut connection = self.server.connect().await?;
        let offset = match self.key.clone() {
            Some(key) => {
                let response = self.ask(&mut connection, Self::resumable(Method::HEAD, &key)?).await?;
                if is_gone(&response) {
                    self.key = None;
                    return Err(TransferError::Broken);
                }
                match place(&response) {
                    Some(address) => return Ok(address),
                    None if response.status().is_success() => {
                        number_of(&response, &UPLOAD_OFFSET).ok_or(TransferError::Answer)?
                    }
                    None => return Err(refusal(response).await),
                }
            }
            None if self.is_resumable(&mut connection).await? => {
                if let Some(address) = self.begin(&mut connection).await? {
                    return Ok(address);
                }
                0
            }
            None => return self.send_whole(&mut connection).await,
        };
        if offset > self.file.size {
            return Err(TransferError::Answer);
        }
        let key = self.key.clone().ok_or(TransferError::Answer)?;
        self.send_rest(&mut connection, &key, offset).await
    }

    fn resumable(method: Method, path: &str) -> Result<Request<Body>, TransferError> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| TransferError::Answer)?;
        request.headers_mut().insert(TUS_RESUMABLE, tus::VERSION);
        Ok(request)
    }

    async fn ask(
        &self,
        connection: &mut HttpConnection,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TransferError> {
        Ok(self.progress.watch(connection.send(request)).await??)
    }

    async fn is_resumable(&self, connection: &mut HttpConnection) -> Result<bool, TransferError> {
        let response = self.ask(connection, Self::resumable(Method::OPTIONS, UPLOAD_PATH)?).await?;
        Ok(response.headers().contains_key(TUS_VERSION))
    }

    /// Begins a resumable upload. Returns the address if that was all of it.
    async fn begin(&mut self, connection: &mut HttpConnection) -> Result<Option<String>, TransferError> {
        self.beginnings += 1;
        if self.beginnings > MAX_BEGINNINGS {
            let text = "it has forgotten the upload again and again".to_owned();
            return Err(TransferError::Refused { status: StatusCode::NOT_FOUND, text });
        }
        let mut request = self.server.request(Method::POST, UPLOAD_PATH)?;
        let headers = request.headers_mut();
        let name = format!("filename {}", STANDARD.encode(&self.file.name));
        headers.insert(TUS_RESUMABLE, tus::VERSION);
        headers.insert(UPLOAD_LENGTH, self.file.size.into());
        headers.insert(UPLOAD_METADATA, HeaderValue::try_from(name).map_err(|_| TransferError::Answer)?);
        headers.insert(CONTENT_LENGTH, 0.into());
        let response = self.ask(connection, request).await?;
        if response.status() != StatusCode::CREATED {
            return Err(refusal(response).await);
        }
        let location = text_of(&response, &LOCATION).ok_or(TransferError::Answer)?;
        let (_, key) = location.rsplit_once("/upload/").ok_or(TransferError::Answer)?;
        self.key = Some(format!("{UPLOAD_PATH}/{key}"));
        Ok(place(&response))
    }

    async fn send_rest(
        &mut self,
        connection: &mut HttpConnection,
        key: &str,
        offset: u64,
    ) -> Result<String, TransferError> {
        let mut request = Self::resumable(Method::PATCH, key)?;
        let headers = request.headers_mut();
        headers.insert(UPLOAD_OFFSET, offset.into());
        headers.insert(CONTENT_TYPE, tus::OFFSET_STREAM);
        headers.insert(CONTENT_LENGTH, (self.file.size - offset).into());
        *request.body_mut() = self.file.body_from(offset, self.progress).await?;
        let response = self.send(connection, request).await?;
        if is_gone(&response) {
            self.key = None;
            return Err(TransferError::Broken);
        }
        match place(&response) {
            Some(address) => Ok(address),
            // The next attempt asks for the offset.
            None if response.status().is_success() => Err(TransferError::Broken),
            None => Err(refusal(response).await),
        }
    }

    async fn send_whole(&self, connection: &mut HttpConnection) -> Result<String, TransferError> {
        let mut request = self.server.request(Method::POST, UPLOAD_PATH)?;
        let headers = request.headers_mut();
        let name = format!("attachment; filename*=UTF-8''{}", encode_name(&self.file.name));
        headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(name).map_err(|_| TransferError::Answer)?);
        headers.insert(CONTENT_TYPE, OCTETS);
        headers.insert(CONTENT_LENGTH, self.file.size.into());
        *request.body_mut() = self.file.body_from(0, self.progress).await?;
        let response = self.send(connection, request).await?;
        if response.status() != StatusCode::CREATED {
            return Err(refusal(response).await);
        }
        text_of(&response, &LOCATION).and_then(path_of).ok_or(TransferError::Answer)
    }

    /// Sends a request with the file in it. A file that has become shorter ends the connection.
    async fn send(
        &self,
        connection: &mut HttpConnection,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TransferError> {
        match self.ask(connection, request).await {
            Err(TransferError::Broken) => {
                let size = tokio::fs::metadata(&self.file.path).await.map(|metadata| metadata.len());
                let is_same = size.is_ok_and(|size| size == self.file.size);
                Err(if is_same { TransferError::Broken } else { TransferError::Changed })
            }
            answer => answer,
        }
    }
}

/// Returns whether the server does not know a resumable upload, or not any more.
fn is_gone(response: &Response<Incoming>) -> bool {
    matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE)
}

/// Returns the path of a file whose upload is complete.
fn place(response: &Response<Incoming>) -> Option<String> {
    let location = text_of(response, &CONTENT_LOCATION).filter(|_| response.status().is_success());
    location.and_then(path_of)
}

fn path_of(location: &str) -> Option<String> {
    FileAddress::parse(location).ok().filter(|file| file.id.is_some()).map(|file| file.path)
}

/// Pieces of a file, which are counted as they go. A file that ends early is an error, so that no server takes it for
/// whole.
struct Sending {
    pieces: ReaderStream<Take<File>>,
    left: u64,
    progress: Progress,
}

impl Stream for Sending {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(Pin::new(&mut self.pieces).poll_next(cx));
        match &piece {
            Some(Ok(piece)) => {
                let size = piece.len() as u64;
                self.left = self.left.saturating_sub(size);
                self.progress.add(size);
            }
            None if self.left > 0 => {
                self.left = 0;
                return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
            }
            _ => {}
        }
        Poll::Ready(piece)
    }
}
