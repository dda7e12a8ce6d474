//! Files that people share, over HTTP: uploads, downloads, and who may do them (docs/files.md).
//!
//! | module | content |
//! | --- | --- |
//! | `folder` | the contents on disk, by their hashes |
//! | `upload` | receiving of a body within limits |
//! | `download` | sending of a file or a part of it |
//! | `access` | proofs of an account in a request, and the tokens of sessions |
//! | `names`, `media_type` | what a file is called, and what it is |

pub(in crate::server) mod access;
pub(in crate::server) mod download;
pub(in crate::server) mod folder;
pub(in crate::server) mod maintenance;
mod media_type;
mod names;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ALLOW, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION, WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::watch;
use tracing::{info, warn};

use self::access::{NoAccount, Purpose, SessionTokens, find_account};
use self::folder::FileFolder;
use self::names::{clean_name, in_address, name_in_disposition};
use self::upload::{Reservations, Upload, UploadError, UploadLimits, receive};
use crate::core::Settings;
use crate::core::record::AccountId;
use crate::core::record::file::{FileId, StoredFile};
use crate::core::request::admin::{ChangeRequest, RequestError};
use crate::core::request::files::{FILE_PATH, FileChange, FileError, NewFile};
use crate::server::auth::login_checker::LoginChecker;
use crate::server::sessions::hub_handle::{HubHandle, HubStopped};
use crate::trust::Token;
use crate::web::{FromElsewhere, Peer, TransferProgress, refuse_other_methods, text_response};

/// Path to which files are sent.
pub const UPLOAD_PATH: &str = "/upload";

/// Path of a link before its token.
pub(in crate::server) const LINK_PATH: &str = "/l/";

/// Service that answers requests for files. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct FileService {
    pub folder: FileFolder,
    pub tokens: SessionTokens,
    pub login_checker: Arc<LoginChecker>,
    pub hub: HubHandle,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub reservations: Reservations,
}

/// A request that is not carried out.
struct Refused {
    status: StatusCode,
    /// A sentence for people.
    text: String,
}

impl FileService {
    /// Makes the service over a folder.
    pub fn new(
        folder: FileFolder,
        login_checker: Arc<LoginChecker>,
        hub: HubHandle,
        settings: watch::Receiver<Arc<Settings>>,
    ) -> Self {
        let (tokens, reservations) = (SessionTokens::default(), Reservations::default());
        Self { folder, tokens, login_checker, hub, settings, reservations }
    }

    /// Returns its routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route(UPLOAD_PATH, any(answer_upload))
            .route(&format!("{FILE_PATH}{{id}}"), any(answer_file))
            .route(&format!("{FILE_PATH}{{id}}/{{name}}"), any(answer_named_file))
            .route(&format!("{LINK_PATH}{{token}}"), any(answer_link))
            .route(&format!("{LINK_PATH}{{token}}/{{name}}"), any(answer_named_link))
            .with_state(self)
    }

    async fn account(&self, request: &Parts, purpose: Purpose) -> Result<AccountId, Refused> {
        let Some(peer) = request.extensions.get::<Peer>().copied() else {
            return Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "The connection is not known."));
        };
        let services = (&*self.login_checker, &self.tokens, &self.hub);
        let found = find_account(&request.headers, peer, purpose, services).await;
        found.map_err(|why| match why {
            NoAccount::Missing => Refused::new(StatusCode::UNAUTHORIZED, "Files are for members: log in."),
            NoAccount::Wrong => Refused::new(
                StatusCode::UNAUTHORIZED,
                "The name, the password or the token is wrong, or no longer valid.",
            ),
            NoAccount::Unavailable(why) => Refused::new(StatusCode::TOO_MANY_REQUESTS, why + "."),
        })
    }

    async fn upload(&self, request: Request) -> Result<Response, Refused> {
        let (head, body) = request.into_parts();
        if head.extensions.get::<FromElsewhere>().is_some() {
            let text = "A page from another address may not send files here.";
            return Err(Refused::new(StatusCode::FORBIDDEN, text));
        }
        let account = self.account(&head, Purpose::Upload).await?;
        let quota_left = self.hub.inspect(move |core| core.file_quota_left(account)).await?;
        let quota_left = quota_left.map_err(RequestError::File)?;
        let limits = UploadLimits { max_bytes: self.settings.borrow().max_file_bytes, quota_left };
        let mut reservation = self.reservations.begin(account)?;
        let announced = content_length(&head.headers)?;
        let progress = head.extensions.get::<TransferProgress>().cloned().unwrap_or_default();
        let upload = Upload { body, announced, progress, limits };
        let (content, media_type) = receive(&self.folder, upload, &mut reservation).await?;
        let given = head
            .headers
            .get(CONTENT_DISPOSITION)
            .and_then(|header| std::str::from_utf8(header.as_bytes()).ok());
        let name = clean_name(&given.and_then(name_in_disposition).unwrap_or_default());
        let id = FileId(rand::random());
        let new = NewFile {
            id,
            owner: account,
            name: name.as_str().into(),
            media_type: media_type.into(),
            size: content.size,
            hash: content.hash,
        };
        self.hub.request(ChangeRequest::Files(FileChange::Add(new))).await?;
        drop((content, reservation));
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        Ok(created(&format!("https://{host}{FILE_PATH}{id}/{}", in_address(&name))))
    }

    async fn send(&self, file: Option<StoredFile>, request: &Parts) -> Result<Response, Refused> {
        let file = file.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "There is no such file."))?;
        download::send(&self.folder, &file, request).await.map_err(|error| {
            warn!(%error, file = %file.id, "cannot read a file");
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "The file cannot be read.")
        })
    }

    async fn send_file(&self, id: &str, request: &Parts) -> Result<Response, Refused> {
        let account = self.account(request, Purpose::Read).await?;
        let Ok(id) = id.parse::<FileId>() else { return self.send(None, request).await };
        let file = self.hub.inspect(move |core| core.readable_file(account, id).cloned()).await?;
        self.send(file, request).await
    }

    async fn send_linked(&self, token: &str, request: &Parts) -> Result<Response, Refused> {
        let Ok(token) = token.parse::<Token>() else { return self.send(None, request).await };
        let hash = token.hash();
        let file = self.hub.inspect(move |core| core.linked_file(&hash).cloned()).await?;
        self.send(file, request).await
    }
}

async fn answer_upload(State(service): State<FileService>, request: Request) -> Response {
    match *request.method() {
        Method::POST => match service.upload(request).await {
            Ok(response) => response,
            Err(refused) => refused.into_response(),
        },
        Method::OPTIONS => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static("OPTIONS, POST"));
            headers.insert(HeaderName::from_static("accept-post"), HeaderValue::from_static("*/*"));
            response
        }
        _ => {
            let mut response = text_response(StatusCode::METHOD_NOT_ALLOWED, "Files are sent here by POST.");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("OPTIONS, POST"));
            response
        }
    }
}

async fn answer_file(service: State<FileService>, Path(id): Path<String>, request: Request) -> Response {
    if let Some(refused) = refuse_other_methods(&request) {
        return refused;
    }
    let (head, _) = request.into_parts();
    service.send_file(&id, &head).await.unwrap_or_else(Refused::into_response)
}

async fn answer_named_file(
    service: State<FileService>,
    Path((id, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer_file(service, Path(id), request).await
}

async fn answer_link(service: State<FileService>, Path(token): Path<String>, request: Request) -> Response {
    if let Some(refused) = refuse_other_methods(&request) {
        return refused;
    }
    let (head, _) = request.into_parts();
    service.send_linked(&token, &head).await.unwrap_or_else(Refused::into_response)
}

async fn answer_named_link(
    service: State<FileService>,
    Path((token, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer_link(service, Path(token), request).await
}

/// Returns the announced length of a body.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Refused> {
    let Some(length) = headers.get(CONTENT_LENGTH) else { return Ok(None) };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    length.map(Some).ok_or_else(|| Refused::new(StatusCode::BAD_REQUEST, "The length is not a number."))
}

fn created(location: &str) -> Response {
    let mut response = Response::new(Body::from(format!("{location}\n")));
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    response
}

impl Refused {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = text_response(self.status, &self.text);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"Parlour\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<UploadError> for Refused {
    fn from(error: UploadError) -> Self {
        let status = match &error {
            UploadError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            UploadError::QuotaReached | UploadError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            UploadError::TooMany => StatusCode::TOO_MANY_REQUESTS,
            UploadError::BrokenOff => StatusCode::BAD_REQUEST,
            UploadError::Stalled | UploadError::TooSlow => StatusCode::REQUEST_TIMEOUT,
            UploadError::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        match &error {
            UploadError::Io(_) | UploadError::DiskFull => warn!(%error, "cannot store a file"),
            _ => info!(%error, "an upload was refused"),
        }
        Self::new(status, capitalized(&error.to_string()))
    }
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        let status = match error {
            RequestError::File(FileError::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::File(FileError::QuotaReached(_)) => StatusCode::INSUFFICIENT_STORAGE,
            RequestError::File(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, capitalized(&error.to_string()))
    }
}

impl From<HubStopped> for Refused {
    fn from(stopped: HubStopped) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, capitalized(&stopped.to_string()))
    }
}

/// Returns the text of an error as a sentence.
fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(rest).chain(['.']).collect()
}
