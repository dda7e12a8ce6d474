//! Uploads that go on after a broken connection ([tus 1.0.0](https://tus.io/protocols/resumable-upload), with its
//! extensions creation and termination).
//!
//! A request creates an upload and learns its address, which nobody guesses and which is the only proof that the later
//! requests need. Requests append bytes where the ones before ended. The one with the last byte makes the file.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::refused::Refused;
use super::resumable::{Held, Progress, Resumable};
use super::service::{FileService, address, header_number};
use super::upload::{UploadBody, UploadError, UploadLimits, append, begin, blocking};
use crate::core::record::{AccountId, TokenHash};
use crate::trust::Token;
use crate::web::TransferProgress;
use crate::web::tus::{
    OFFSET_STREAM, TUS_EXTENSION, TUS_MAX_SIZE, TUS_RESUMABLE, TUS_VERSION, UPLOAD_LENGTH, UPLOAD_METADATA,
    UPLOAD_OFFSET, UPLOAD_PATH, VERSION,
};
use crate::wire::file_name::safe_name;

impl FileService {
    /// Creates an upload without content.
    pub(super) async fn create_resumable(&self, request: &Parts) -> Result<Response, Refused> {
        check_version(&request.headers)?;
        let length = header_number(&request.headers, &UPLOAD_LENGTH)?
            .ok_or_else(|| Refused::new(StatusCode::BAD_REQUEST, "Upload-Length is missing."))?;
        let name = name_in_metadata(&request.headers)?;
        let (account, limits) = self.check_upload(request).await?;
        self.resumable.remove_expired();
        let begun = self.begin_resumable(account, name, length, limits).await;
        let upload = self.log_refusal(account, request, begun).await?;
        let headers = description(&upload, request);
        let key = self.resumable.insert(account, upload);
        let mut response = answer(StatusCode::CREATED, headers);
        let location = address(request, &format!("{UPLOAD_PATH}/{key}"));
        insert(response.headers_mut(), LOCATION, location);
        Ok(response)
    }

    async fn begin_resumable(
        &self,
        account: AccountId,
        name: String,
        length: u64,
        limits: UploadLimits,
    ) -> Result<Resumable, Refused> {
        let mut reservation = self.reserve(account)?;
        let incoming = begin(&self.folder, limits.with_announced(length), &mut reservation).await?;
        let mut upload = Resumable { name, length, progress: Progress::Waiting(Some(incoming), reservation) };
        self.complete_if_whole(&mut upload).await?;
        Ok(upload)
    }

    /// Tells how much of an upload has come.
    pub(super) async fn describe_resumable(&self, key: &str, request: &Parts) -> Result<Response, Refused> {
        check_version(&request.headers)?;
        let held = self.resumable.hold(&parse_key(key)?).await.ok_or_else(no_upload)?;
        let mut headers = description(&held.upload, request);
        headers.insert(UPLOAD_LENGTH, held.upload.length.into());
        Ok(answer(StatusCode::OK, headers))
    }

    /// Appends the body of a request to an upload.
    pub(super) async fn append_resumable(&self, key: &str, request: Request) -> Result<Response, Refused> {
        let (parts, body) = request.into_parts();
        check_version(&parts.headers)?;
        if parts.headers.get(CONTENT_TYPE).is_none_or(|media_type| media_type != OFFSET_STREAM) {
            let text = "The bytes of an upload have the type application/offset+octet-stream.";
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        let offset = header_number(&parts.headers, &UPLOAD_OFFSET)?
            .ok_or_else(|| Refused::new(StatusCode::BAD_REQUEST, "Upload-Offset is missing."))?;
        let announced = header_number(&parts.headers, &CONTENT_LENGTH)?.unwrap_or_default();
        let key = parse_key(key)?;
        let held = self.resumable.hold(&key).await.ok_or_else(no_upload)?;
        if held.upload.offset() != offset {
            return Err(Refused::new(StatusCode::CONFLICT, "The upload goes on at another byte.")
                .with_header(UPLOAD_OFFSET, held.upload.offset()));
        }
        if announced > held.upload.length - offset {
            return Err(UploadError::MoreThanAnnounced.into());
        }
        // In a task of its own: when the connection breaks, the request ends at once, and what came is to be kept.
        let service = self.clone();
        let received = tokio::spawn(async move { service.receive(key, held, parts, body).await });
        received.await.map_err(|_| UploadError::BrokenOff)?
    }

    async fn receive(
        &self,
        key: TokenHash,
        held: Held,
        parts: Parts,
        body: Body,
    ) -> Result<Response, Refused> {
        let Held { mut upload, interruption } = held;
        let (before, length) = (upload.offset(), upload.length);
        if let Progress::Waiting(incoming, reservation) = &mut upload.progress {
            let account = reservation.account();
            let limits = self.upload_limits(reservation.account()).await?.with_announced(length);
            let progress = parts.extensions.get::<TransferProgress>().cloned().unwrap_or_default();
            let body = UploadBody { body, progress, limits, interruption };
            let appended = append(incoming, body, reservation).await;
            if incoming.is_none() {
                self.resumable.remove(&key);
            }
            if upload.offset() > before {
                self.resumable.note_change(&key, false);
            }
            self.log_refusal(account, &parts, appended.map_err(Refused::from)).await?;
            let completed = self.complete_if_whole(&mut upload).await;
            let completed = self.log_refusal(account, &parts, completed).await;
            completed.inspect_err(|_| self.resumable.remove(&key))?;
            if matches!(upload.progress, Progress::Complete(_)) {
                self.resumable.note_change(&key, true);
            }
        }
        Ok(answer(StatusCode::NO_CONTENT, description(&upload, &parts)))
    }

    /// Makes the file of an upload whose last byte has come.
    async fn complete_if_whole(&self, upload: &mut Resumable) -> Result<(), Refused> {
        if upload.offset() < upload.length {
            return Ok(());
        }
        let Progress::Waiting(incoming, reservation) = &mut upload.progress else { return Ok(()) };
        let incoming = incoming.take().ok_or_else(no_upload)?;
        let folder = self.folder.clone();
        let content = blocking(move || folder.finish(incoming)).await?;
        let added = self.add_file(reservation.account(), &upload.name, content).await?;
        upload.progress = Progress::Complete(added);
        Ok(())
    }

    /// Removes an upload and what has come of it. A complete one is a file already, which stays if it is shared.
    pub(super) async fn remove_resumable(&self, key: &str, request: &Parts) -> Result<Response, Refused> {
        check_version(&request.headers)?;
        let key = parse_key(key)?;
        let held = self.resumable.hold(&key).await.ok_or_else(no_upload)?;
        if let Progress::Complete(added) = &held.upload.progress {
            self.discard(added).await?;
        }
        self.resumable.remove(&key);
        drop(held);
        Ok(answer(StatusCode::NO_CONTENT, HeaderMap::new()))
    }
}

/// Tells what the server can do, in the answer to a request for that.
pub(super) fn describe_protocol(max_file_bytes: u64, headers: &mut HeaderMap) {
    headers.insert(TUS_RESUMABLE, VERSION);
    headers.insert(TUS_VERSION, VERSION);
    headers.insert(TUS_EXTENSION, HeaderValue::from_static("creation,termination"));
    headers.insert(TUS_MAX_SIZE, max_file_bytes.into());
}

fn check_version(headers: &HeaderMap) -> Result<(), Refused> {
    if headers.get(TUS_RESUMABLE) == Some(&VERSION) {
        return Ok(());
    }
    let text = "Uploads go on by version 1.0.0 of the tus protocol.";
    Err(Refused::new(StatusCode::PRECONDITION_FAILED, text).with_header(TUS_VERSION, VERSION))
}

/// Returns the name in `Upload-Metadata`: pairs of a key and a value in base64, separated by commas.
fn name_in_metadata(headers: &HeaderMap) -> Result<String, Refused> {
    let wrong = || Refused::new(StatusCode::BAD_REQUEST, "The filename in Upload-Metadata cannot be read.");
    let Some(metadata) = headers.get(UPLOAD_METADATA) else { return Ok(safe_name("")) };
    let pairs = metadata.to_str().map_err(|_| wrong())?.split(',');
    let mut pairs = pairs.map(|pair| pair.trim().split_once(' ').unwrap_or((pair.trim(), "")));
    let Some((_, value)) = pairs.find(|(key, _)| *key == "filename") else { return Ok(safe_name("")) };
    let name = STANDARD.decode(value.trim()).map_err(|_| wrong())?;
    Ok(safe_name(std::str::from_utf8(&name).map_err(|_| wrong())?))
}

fn parse_key(key: &str) -> Result<TokenHash, Refused> {
    key.parse::<Token>().map(|key| key.hash()).map_err(|_| no_upload())
}

fn no_upload() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "There is no such upload any more. Begin it again.")
}

/// Returns the headers that tell how much has come, and the file's address when that is all.
fn description(upload: &Resumable, request: &Parts) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(UPLOAD_OFFSET, upload.offset().into());
    if let Progress::Complete(added) = &upload.progress {
        insert(&mut headers, CONTENT_LOCATION, address(request, &added.path));
    }
    headers
}

fn answer(status: StatusCode, headers: HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response.headers_mut().insert(TUS_RESUMABLE, VERSION);
    response
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
