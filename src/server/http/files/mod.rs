//! Files that people share, over HTTP: uploads, downloads, and who may do them (docs/files.md).
//!
//! | module | content |
//! | --- | --- |
//! | `service` | who a request is from, what an upload may have, how a content becomes a file |
//! | `folder` | the contents on disk, by their hashes |
//! | `upload` | receiving of bytes within limits |
//! | `resumable`, `tus` | uploads that go on after a broken connection |
//! | `download` | sending of a file or a part of it |
//! | `access` | proofs of an account in a request, and the tokens of sessions |
//! | `inspection` | what a file is by its content |
//! | `refused` | the responses to requests that are not carried out |
//! | `maintenance` | removal of what nobody shares, and of what a crash left |

pub(in crate::server) mod access;
mod download;
pub mod folder;
mod inspection;
pub(in crate::server) mod maintenance;
mod refused;
mod resumable;
pub(in crate::server) mod service;
mod tus;
mod upload;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, head, post};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::access::Purpose;
use self::refused::{Refused, UPLOAD_LIMIT, limit_value};
use self::service::{FileService, address, header_number};
use self::tus::describe_protocol;
use self::upload::{UploadBody, UploadLimits, append, begin, blocking};
use crate::core::record::AccountId;
use crate::core::record::file::{FileId, StoredFile};
use crate::core::request::admin::RequestError;
use crate::core::request::files::{FILE_PATH, FileError};
use crate::trust::Token;
use crate::web::tus::{TUS_RESUMABLE, UPLOAD_PATH};
use crate::web::{FromElsewhere, TransferProgress};
use crate::wire::file_name::disposition::name_in_disposition;
use crate::wire::file_name::safe_name;

/// Path of a link before its token.
pub(in crate::server) const LINK_PATH: &str = "/l/";

/// Returns the routes of the service.
pub(in crate::server) fn routes(service: FileService) -> Router {
    Router::new()
        .route(UPLOAD_PATH, post(answer_upload).options(answer_options))
        .route(
            &format!("{UPLOAD_PATH}/{{key}}"),
            head(answer_description).patch(answer_append).delete(answer_removal).options(answer_options),
        )
        .route(&format!("{FILE_PATH}{{id}}"), get(answer_file).delete(answer_file_removal))
        .route(
            &format!("{FILE_PATH}{{id}}/{{name}}"),
            get(answer_named_file).delete(answer_named_file_removal),
        )
        .route(&format!("{LINK_PATH}{{token}}"), get(answer_link))
        .route(&format!("{LINK_PATH}{{token}}/{{name}}"), get(answer_named_link))
        .with_state(service)
}

/// Takes a whole file in one request, or creates an upload of several.
async fn answer_upload(State(service): State<FileService>, request: Request) -> Result<Response, Refused> {
    let (head, body) = request.into_parts();
    if head.headers.contains_key(TUS_RESUMABLE) {
        return service.create_resumable(&head).await;
    }
    let (account, limits) = service.check_upload(&head).await?;
    let location = take_upload(&service, account, limits, &head, body).await;
    Ok(created(&service.log_refusal(account, &head, location).await?))
}

/// Takes a whole file. Returns its address.
async fn take_upload(
    service: &FileService,
    account: AccountId,
    limits: UploadLimits,
    head: &Parts,
    body: Body,
) -> Result<String, Refused> {
    let mut reservation = service.reserve(account)?;
    let limits = match header_number(&head.headers, &CONTENT_LENGTH)? {
        Some(length) => limits.with_announced(length),
        None => limits,
    };
    let mut incoming = Some(begin(&service.folder, limits, &mut reservation).await?);
    let progress = head.extensions.get::<TransferProgress>().cloned().unwrap_or_default();
    let body = UploadBody { body, progress, limits, interruption: CancellationToken::new() };
    append(&mut incoming, body, &mut reservation).await?;
    let folder = service.folder.clone();
    let content = blocking(move || match incoming {
        Some(incoming) => folder.finish(incoming),
        None => Err(std::io::ErrorKind::NotFound.into()),
    })
    .await?;
    let given =
        head.headers.get(CONTENT_DISPOSITION).and_then(|header| std::str::from_utf8(header.as_bytes()).ok());
    let name = safe_name(&given.and_then(name_in_disposition).unwrap_or_default());
    let added = service.add_file(account, &name, content).await?;
    Ok(address(head, &added.path))
}

async fn answer_options(State(service): State<FileService>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("OPTIONS, POST, HEAD, PATCH, DELETE"));
    headers.insert(HeaderName::from_static("accept-post"), HeaderValue::from_static("*/*"));
    headers.insert(UPLOAD_LIMIT, limit_value(service.max_file_bytes()));
    describe_protocol(service.max_file_bytes(), headers);
    response
}

async fn answer_description(
    State(service): State<FileService>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    service.describe_resumable(&key, &request.into_parts().0).await
}

async fn answer_append(
    State(service): State<FileService>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    service.append_resumable(&key, request).await
}

async fn answer_removal(
    State(service): State<FileService>,
    Path(key): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    service.remove_resumable(&key, &request.into_parts().0).await
}

async fn answer_file(
    State(service): State<FileService>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let (request, _) = request.into_parts();
    let account = service.account(&request, Purpose::Read).await?;
    let file = match id.parse::<FileId>() {
        Ok(id) => service.hub.inspect(move |core| core.readable_file(account, id).cloned()).await?,
        Err(_) => None,
    };
    send(&service, file, &request).await
}

async fn answer_named_file(
    service: State<FileService>,
    Path((id, _)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    answer_file(service, Path(id), request).await
}

/// Removes a file of the account that requests it, which no message shares and no link leads to.
async fn answer_file_removal(
    State(service): State<FileService>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let (request, _) = request.into_parts();
    if request.extensions.get::<FromElsewhere>().is_some() {
        let text = "A page from another address may not remove files here.";
        return Err(Refused::new(StatusCode::FORBIDDEN, text));
    }
    let account = service.account(&request, Purpose::Read).await?;
    let id = id.parse::<FileId>().map_err(|_| RequestError::File(FileError::Unknown))?;
    service.remove_file(account, id).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

async fn answer_named_file_removal(
    service: State<FileService>,
    Path((id, _)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    answer_file_removal(service, Path(id), request).await
}

async fn answer_link(
    State(service): State<FileService>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let file = match token.parse::<Token>() {
        Ok(token) => {
            let hash = token.hash();
            service.hub.inspect(move |core| core.linked_file(&hash).cloned()).await?
        }
        Err(_) => None,
    };
    send(&service, file, &request.into_parts().0).await
}

async fn answer_named_link(
    service: State<FileService>,
    Path((token, _)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    answer_link(service, Path(token), request).await
}

async fn send(service: &FileService, file: Option<StoredFile>, request: &Parts) -> Result<Response, Refused> {
    let file = file.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "There is no such file."))?;
    download::send(&service.folder, &file, request).await.map_err(|error| {
        warn!(%error, file = %file.id, "cannot read a file");
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "The file cannot be read.")
    })
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
