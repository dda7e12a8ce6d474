//! The service of files: who a request is from, what an upload may have, and how a content becomes a file.

use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::sync::watch;

use super::access::{NoAccount, Purpose, SessionTokens, find_account};
use super::folder::{FileFolder, StoredContent};
use super::inspection::inspect;
use super::refused::Refused;
use super::resumable::{AddedFile, ResumableUploads};
use super::upload::{Reservation, Reservations, UploadLimits, blocking};
use crate::core::Settings;
use crate::core::record::AccountId;
use crate::core::record::file::FileId;
use crate::core::request::admin::{ChangeRequest, RequestError};
use crate::core::request::files::{FILE_PATH, FileChange, NewFile};
use crate::server::auth::login_checker::LoginChecker;
use crate::server::sessions::hub_handle::HubHandle;
use crate::trust::AccessToken;
use crate::web::{FromElsewhere, Peer};
use crate::wire::file_name::encode_name;

/// Service that answers requests for files. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct FileService {
    pub folder: FileFolder,
    pub tokens: SessionTokens,
    pub hub: HubHandle,
    pub resumable: ResumableUploads,
    pub login_checker: Arc<LoginChecker>,
    pub settings: watch::Receiver<Arc<Settings>>,
    reservations: Reservations,
}

impl FileService {
    /// Makes the service over a folder.
    pub fn new(
        folder: FileFolder,
        login_checker: Arc<LoginChecker>,
        hub: HubHandle,
        settings: watch::Receiver<Arc<Settings>>,
    ) -> Self {
        let (tokens, reservations, resumable) = Default::default();
        Self { folder, tokens, hub, resumable, login_checker, settings, reservations }
    }

    /// Returns the account that a request proves.
    pub(super) async fn account(&self, request: &Parts, purpose: Purpose) -> Result<AccountId, Refused> {
        let Some(peer) = request.extensions.get::<Peer>().copied() else {
            return Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "The connection is not known."));
        };
        let services = (&*self.login_checker, &self.tokens, &self.hub);
        let found = find_account(&request.headers, peer, purpose, services).await;
        let given = request.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let token = given
            .and_then(|given| given.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        found.map_err(|why| match why {
            NoAccount::Wrong if token.is_some() => {
                // Nobody is told here whether a program's token is valid.
                let is_of_program = token.is_some_and(|token| token.parse::<AccessToken>().is_ok());
                let text = if is_of_program {
                    "A token of `parlour token` or of a hook opens no files: log in, or use the file's link."
                } else {
                    "The token is wrong, or no longer valid."
                };
                Refused::new(StatusCode::UNAUTHORIZED, text).with_header(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"Parlour\", error=\"invalid_token\""),
                )
            }
            NoAccount::Missing => Refused::new(StatusCode::UNAUTHORIZED, "Files are for members: log in."),
            NoAccount::Wrong => Refused::new(StatusCode::UNAUTHORIZED, "The name or the password is wrong."),
            NoAccount::Unavailable(why) => Refused::new(StatusCode::TOO_MANY_REQUESTS, why + "."),
        })
    }

    /// Returns the account that may begin an upload with this request, and the limits of the upload.
    pub(super) async fn check_upload(&self, request: &Parts) -> Result<(AccountId, UploadLimits), Refused> {
        if request.extensions.get::<FromElsewhere>().is_some() {
            let text = "A page from another address may not send files here.";
            return Err(Refused::new(StatusCode::FORBIDDEN, text));
        }
        let account = self.account(request, Purpose::Upload).await?;
        let limits = self.upload_limits(account).await;
        Ok((account, self.log_refusal(account, request, limits).await?))
    }

    /// Returns the limits of an upload of an account.
    pub(super) async fn upload_limits(&self, account: AccountId) -> Result<UploadLimits, Refused> {
        let quota_left = self.hub.inspect(move |core| core.file_quota_left(account)).await?;
        let quota_left = quota_left.map_err(RequestError::File)?;
        Ok(UploadLimits { max_bytes: self.max_file_bytes(), quota_left, announced: None })
    }

    /// Logs why an upload of an account ends without a file, and returns that.
    pub(super) async fn log_refusal<T>(
        &self,
        account: AccountId,
        request: &Parts,
        result: Result<T, Refused>,
    ) -> Result<T, Refused> {
        let refused = match result {
            Ok(done) => return Ok(done),
            Err(refused) => refused,
        };
        let name = self.hub.inspect(move |core| core.account_name(account).cloned()).await;
        refused.log_upload(name.ok().flatten().as_ref(), request);
        Err(refused)
    }

    /// Returns the maximum size of a file, in bytes.
    pub(super) fn max_file_bytes(&self) -> u64 {
        self.settings.borrow().max_file_bytes
    }

    /// Reserves an upload of an account. Resumable ones that wait make room for it.
    pub(super) fn reserve(&self, account: AccountId) -> Result<Reservation, Refused> {
        if self.reservations.are_used_up(account) {
            self.resumable.remove_oldest_waiting(account);
        }
        Ok(self.reservations.begin(account)?)
    }

    /// Adds a file whose content is in the folder. Returns it once its record is on disk.
    pub(super) async fn add_file(
        &self,
        owner: AccountId,
        name: &str,
        content: StoredContent,
    ) -> Result<AddedFile, Refused> {
        let (folder, hash) = (self.folder.clone(), content.hash);
        let inspection = blocking(move || inspect(folder.open(&hash)?)).await?;
        let id = FileId(rand::random());
        let new = NewFile {
            id,
            owner,
            name: name.into(),
            media_type: inspection.media_type.into(),
            size: content.size,
            hash,
            dimensions: inspection.dimensions,
        };
        self.hub.request(ChangeRequest::Files(FileChange::Add(new))).await?;
        Ok(AddedFile { id, path: format!("{FILE_PATH}{id}/{}", encode_name(name)) })
    }

    /// Removes a file of an account that no message shares and no link leads to.
    pub(super) async fn remove_file(&self, by: AccountId, file: FileId) -> Result<(), Refused> {
        self.hub.request(ChangeRequest::Files(FileChange::Remove { by, file })).await?;
        Ok(())
    }

    /// Removes a file that was added, unless a message shares it by now or a link leads to it.
    pub(super) async fn discard(&self, file: &AddedFile) -> Result<(), Refused> {
        self.hub.request(ChangeRequest::Files(FileChange::Discard(file.id))).await?;
        Ok(())
    }
}

/// Returns a header that is a number, if there is one.
pub(super) fn header_number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Refused> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|value| value.parse().ok());
    let wrong = || Refused::new(StatusCode::BAD_REQUEST, format!("The header {name} is not a number."));
    number.map(Some).ok_or_else(wrong)
}

/// Returns the address of a path on the host that a request names.
pub(super) fn address(request: &Parts, path: &str) -> String {
    let host = request.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("https://{host}{path}")
}
