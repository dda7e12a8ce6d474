//! Administration requests, to the server that runs on the data folder or else to the folder directly.

pub mod audit;
pub mod channel;
pub mod clock;
pub mod hook;
pub mod invite;
mod links;
pub mod metrics;
pub mod people;
pub(super) mod qr;
pub mod running;
pub mod token;

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};

use crate::cli::folders::has_file;
use crate::server::admin::control::{ControlClient, ControlError};
use crate::server::admin::{self, AdminQuery, AdminReply, AdminRequest, Failure, FailureKind, User};
use crate::server::now;
use crate::store::{Store, StoreError};
use crate::wire::Nick;

/// Time limit for another command that uses the folder, or for a server that is starting.
const SERVER_TIMEOUT: Duration = Duration::from_secs(10);

/// The administration of one data folder.
pub struct Admin {
    folder: PathBuf,
}

impl Admin {
    /// Opens the administration of a folder that must have a database.
    pub fn open(folder: PathBuf) -> anyhow::Result<Self> {
        if !has_file(&folder, "parlour.db")? {
            bail!(
                "there is no database in {}: run this where the server runs, or name its folder with --data",
                folder.display()
            );
        }
        Ok(Self { folder })
    }

    /// Opens the administration of a folder that is created if it is missing.
    pub fn open_or_create(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns whether the folder has a database.
    pub fn has_database(&self) -> bool {
        self.folder.join("parlour.db").exists()
    }

    /// Sends a request. Errors end with a remedy.
    pub fn request(&self, request: impl Into<AdminRequest>) -> anyhow::Result<AdminReply> {
        self.try_request(request)?.map_err(|failure| describe_failure(&failure))
    }

    /// Sends a request. The inner error is a refusal.
    ///
    /// The folder is opened anew for each request, so a server may start or stop between two of them.
    pub fn try_request(
        &self,
        request: impl Into<AdminRequest>,
    ) -> anyhow::Result<Result<AdminReply, Failure>> {
        let request = request.into();
        let deadline = Instant::now() + SERVER_TIMEOUT;
        loop {
            let in_use = match Store::open(&self.folder) {
                Ok(store) => return request_without_server(&store, request),
                Err(error @ StoreError::InUse { .. }) => error,
                Err(error) if is_disk_unwritable(&error) => {
                    return self.read_without_writing(&error, request);
                }
                Err(error @ StoreError::File { .. }) => {
                    bail!("{error}; check whom the folder belongs to, or name another with --data")
                }
                Err(error) => bail!("{error}; nothing was changed"),
            };
            match ControlClient::connect(&self.folder) {
                Ok(mut client) => match client.send_request(&request) {
                    Ok(reply) => return Ok(Ok(reply)),
                    Err(ControlError::Failed(failure)) => return Ok(Err(failure)),
                    Err(error @ ControlError::Io(_)) => {
                        bail!("{error}; look whether it was done, and try again")
                    }
                },
                // The server is starting, or another command uses the folder for a moment.
                Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(50)),
                Err(error) => bail!(
                    "{in_use}, which cannot be asked ({error}); if it is a server, run this as the user that it runs as"
                ),
            }
        }
    }

    /// Answers a query although nothing can be written to the disk, as `error` says.
    fn read_without_writing(
        &self,
        error: &StoreError,
        request: AdminRequest,
    ) -> anyhow::Result<Result<AdminReply, Failure>> {
        let folder = self.folder.display();
        if let AdminRequest::Query(_) = request
            && let Some(store) = Store::open_without_writing(&self.folder).ok().flatten()
        {
            return request_without_server(&store, request);
        }
        bail!(
            "nothing can be written to the disk of {folder}, so nothing was changed ({error}); make room there, or make it writable"
        )
    }

    /// Sends a request to the running server only. It never opens the folder, so a script that polls cannot block a
    /// starting server.
    pub fn request_running_server(&self, request: impl Into<AdminRequest>) -> anyhow::Result<AdminReply> {
        let mut client = match ControlClient::connect(&self.folder) {
            Ok(client) => client,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                bail!(
                    "no server runs on this data folder; start it with `parlour serve`, or name another with --data"
                )
            }
            Err(error) => bail!(
                "the server that runs on {} cannot be asked: {error}; run this as the user that it runs as",
                self.folder.display()
            ),
        };
        match client.send_request(&request.into()) {
            Ok(reply) => Ok(reply),
            Err(ControlError::Failed(failure)) => Err(describe_failure(&failure)),
            Err(error @ ControlError::Io(_)) => bail!("{error}; try again"),
        }
    }

    /// Returns all names that removed accounts keep from others, by querying page after page.
    pub fn list_removed_names(&self) -> anyhow::Result<HashSet<Nick>> {
        let mut names = HashSet::new();
        let mut after = None;
        loop {
            let AdminReply::Names(page) = self.request(AdminQuery::RemovedNames { after })? else {
                bail!("an unexpected answer")
            };
            let Some(last) = page.last() else { return Ok(names) };
            after = Some(last.clone());
            names.extend(page);
        }
    }

    /// Returns all accounts, by querying page after page.
    pub fn list_users(&self) -> anyhow::Result<Vec<User>> {
        let mut users: Vec<User> = Vec::new();
        loop {
            let after = users.last().map(|user| user.name.clone());
            let AdminReply::Users(page) = self.request(AdminQuery::UserList { after })? else {
                bail!("an unexpected answer")
            };
            if page.is_empty() {
                return Ok(users);
            }
            users.extend(page);
        }
    }
}

/// Returns whether the store cannot be opened because its disk is full or read-only.
fn is_disk_unwritable(error: &StoreError) -> bool {
    match error {
        StoreError::Full => true,
        StoreError::File { error, .. } => {
            matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull)
        }
        _ => false,
    }
}

fn request_without_server(
    store: &Store,
    request: AdminRequest,
) -> anyhow::Result<Result<AdminReply, Failure>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(admin::run(store, request, now())))
}

/// Describes a failure in one line that ends with the remedy.
fn describe_failure(failure: &Failure) -> anyhow::Error {
    let hint = match failure.kind {
        FailureKind::Taken | FailureKind::Reserved => "choose another name",
        FailureKind::Removed => {
            "choose another name, or give the same person the account back with `parlour user add --again`"
        }
        FailureKind::UnknownUser => "`parlour user list` prints the names",
        FailureKind::Disabled => "`parlour user enable NAME` lets it log in again",
        FailureKind::LastAdmin => "make another one first: `parlour user role NAME admin`",
        FailureKind::NotRemoved => "add it without --again, or change it with `parlour user`",
        FailureKind::UnknownHook => "`parlour hook list` prints the names",
        FailureKind::UnknownGroup => {
            "`parlour group list` prints the names, `parlour group create` makes one"
        }
        FailureKind::UnknownToken => "`parlour token list` prints the names",
        FailureKind::UnknownChannel => "`parlour channel list` prints the names",
        FailureKind::UnknownSession => "`parlour session list` prints the numbers",
        FailureKind::UnknownInvite => "`parlour invite list` prints the numbers",
        FailureKind::NotAdmin => "`parlour user role NAME admin` makes it one",
        // Its text says what is right.
        FailureKind::Invalid => return anyhow!("{failure}"),
        FailureKind::Reload => "nothing was changed; mend that and run it again",
        FailureKind::Certificates => "mend them and run it again",
        FailureKind::NoServer => "start it with `parlour serve`",
        FailureKind::Store => "nothing was changed; try again when that is over",
        FailureKind::Deferred => "look later whether it was done",
    };
    anyhow!("{failure}; {hint}")
}
