//! Administration requests of `parlour user`, `parlour invite` and others.
//!
//! The command line calls [`run`] itself when no server runs, and sends the request over the [control
//! socket](control) when one does; the requests are the same. They carry hashes, never a password or a token.
//! Changes are inputs of the core, and lists are read from its state. The hub owns it while a server runs; [`run`] loads
//! a core of its own.

pub mod channels;
pub mod control;
mod exports;
mod failure;
mod lists;
mod programs;
pub mod running;
pub mod status;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

pub use exports::{ExportQuery, ExportReply};

use crate::core::effects::query::{AuditFilter, NamedAuditEntry};
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::group::GroupName;
use crate::core::record::{AccountId, InviteState, Record, Role};
use crate::core::request::admin::{Change, ChangeRequest, RequestError, RequestId, RequestOutcome};
use crate::core::request::export::ExportedItem;
use crate::core::request::json;
use crate::core::request::people::ErasedAccount;
use crate::core::request::people::groups::{GroupError, ListedGroup};
use crate::core::request::people::personal_data::MessagePage;
use crate::core::{Core, Effects, Input, InputKind, Output, Settings};
use crate::store::tables::accounts::messages;
use crate::store::tables::audit;
use crate::store::{Store, StoreError};
use crate::trust::{Address, Pin};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};
use channels::{ChannelQuery, ChannelReply};
use running::{RunningQuery, RunningReply};
use status::{FolderFacts, Status};

pub use failure::{Failure, FailureKind};
pub use programs::{Hook, HookDirection, HookState, Token, TokenState};

/// A request of the command line: the line that it sends over the control socket. Its changes enter the core as a
/// [`ChangeRequest`]; its questions change nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AdminRequest {
    /// A change of accounts or invites, which the core carries out.
    Change(Change),
    /// A question about the core's state, or to the running server.
    Query(AdminQuery),
}

/// A question about the core's state, or to the running server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum AdminQuery {
    /// List the accounts by name, [`PAGE_SIZE`] at a time, after the given name.
    UserList {
        /// Last name of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<Nick>,
    },
    /// List the names that removed accounts keep from others, [`PAGE_SIZE`] at a time, after the given name.
    RemovedNames {
        /// Last name of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<Nick>,
    },
    /// List the invites by id, [`PAGE_SIZE`] at a time, after the given id.
    InviteList {
        /// Last id of the previous page, 0 for the first page.
        after: i64,
    },
    /// List the hooks by name, [`PAGE_SIZE`] at a time, after the given name.
    HookList {
        /// Last name of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<Nick>,
    },
    /// List the access tokens by name, [`PAGE_SIZE`] at a time, after the given name.
    TokenList {
        /// Last name of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<Nick>,
    },
    /// List the groups by name, some at a time, after the given name.
    GroupList {
        /// Last name of the previous page; `None` for the first page.
        after: Option<GroupName>,
    },
    /// Return the group of a name.
    Group(GroupName),
    /// Return the server's addresses and its pin. Needs a running server.
    Server,
    /// Load the certificates again. Needs a running server.
    Certificates,
    /// Return the metrics. Needs a running server.
    Metrics,
    /// List the devices that have not logged in since the server shows the root with this pin, [`PAGE_SIZE`] at a time,
    /// after the given fingerprint; and count the open invites that were made before.
    #[serde(rename = "Absent")]
    LeftBehindByRotation {
        /// Pin of the present root.
        #[serde(with = "json::text")]
        pin: Pin,
        /// Last certificate fingerprint of the previous page.
        #[serde(with = "json::option")]
        after: Option<CertificateFingerprint>,
    },
    /// Return everything that the state has about an account.
    PersonalData {
        /// Name of the account.
        #[serde(with = "json::text")]
        name: Nick,
    },
    /// Return a page of the messages of an account, also of a removed one.
    AccountMessages {
        /// Id of the account.
        account: AccountId,
        /// The message after which the page begins.
        #[serde(with = "json::text")]
        after: MessageId,
    },
    /// List the latest entries of the audit that match.
    Audit(AuditFilter),
    /// List or describe channels.
    Channels(ChannelQuery),
    /// Ask the running server about itself. Needs one.
    Running(RunningQuery),
    /// Return a page of an export.
    Export(ExportQuery),
    /// Return which items of an import are there already.
    Known(Vec<ExportedItem>),
}

json::texts! {
    Address, str::parse::<Address>;
    Pin, str::parse::<Pin>;
}

impl AdminQuery {
    /// Returns whether the reply is in the store alone, and not in the core's state.
    pub fn is_about_store(&self) -> bool {
        matches!(
            self,
            Self::Audit(_)
                | Self::AccountMessages { .. }
                | Self::Channels(ChannelQuery::History { .. })
                | Self::Export(_)
                | Self::Known(_)
        )
    }
}

impl From<Change> for AdminRequest {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl From<AdminQuery> for AdminRequest {
    fn from(query: AdminQuery) -> Self {
        Self::Query(query)
    }
}

/// Reply to an [`AdminRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdminReply {
    /// The request was carried out.
    Done,
    /// The users or items that could not be added: index in the request, and reason.
    Imported(Vec<(usize, Failure)>),
    /// A page of accounts.
    Users(Vec<User>),
    /// Id and pseudonym of the erased account.
    Erased(ErasedAccount),
    /// Id of the invite that was made.
    InviteCreated(i64),
    /// Ids of the invites that were made.
    InvitesCreated(Vec<i64>),
    /// A page of invites.
    Invites(Vec<Invite>),
    /// A page of hooks.
    Hooks(Vec<Hook>),
    /// A page of access tokens.
    Tokens(Vec<Token>),
    /// A page of names.
    Names(#[serde(with = "json::list")] Vec<Nick>),
    /// A page of groups.
    Groups(Vec<ListedGroup>),
    /// Addresses and pin by which clients find the server.
    Server {
        /// Addresses, the likeliest first.
        #[serde(with = "json::list")]
        addresses: Vec<Address>,
        /// The server's pin.
        #[serde(with = "json::text")]
        pin: Pin,
    },
    /// SHA-256 of the leaf that the running server shows now, in hexadecimal digits.
    Certificates(String),
    /// Metrics of the running server, in Prometheus' text format.
    Metrics(String),
    /// The clock was accepted and shows this time.
    Clock(#[serde(with = "json::text")] Timestamp),
    /// A page of devices, and the count of open invites.
    #[serde(rename = "Absent")]
    LeftBehindByRotation {
        /// Devices that have not logged in since.
        devices: Vec<LeftBehindDevice>,
        /// Count of invites from before that can still be redeemed.
        invites: u32,
    },
    /// Everything that the state has about an account.
    PersonalData(Value),
    /// A page of the messages of an account.
    AccountMessages(MessagePage),
    /// Entries of the audit, the newest first.
    Audit(Vec<NamedAuditEntry>),
    /// Channels, or what they have.
    Channels(ChannelReply),
    /// Facts about the running server.
    Running(RunningReply),
    /// A page of an export.
    Exported(ExportReply),
    /// For each item of the request, true if it exists.
    Known(Vec<bool>),
}

/// A device that has not logged in since the present root is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehindDevice {
    /// Account of the device.
    #[serde(with = "json::text")]
    pub account: Nick,
    /// Certificate fingerprint of the device.
    #[serde(with = "json::text")]
    pub key: CertificateFingerprint,
    /// Time of its last login, or of its addition to the account if it never logged in.
    #[serde(with = "json::text")]
    pub last: Timestamp,
}

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Role of the account.
    #[serde(with = "json::text")]
    pub role: Role,
    /// True if the account may not log in.
    pub disabled: bool,
    /// Time at which the account was made.
    #[serde(with = "json::text")]
    pub created: Timestamp,
    /// Most messages that are replayed to its clients; `None` for as many as the server is configured to.
    pub replay: Option<u8>,
    /// It is a program, to which nothing is replayed.
    pub bot: bool,
    /// Name that the account chose to be shown.
    pub display_name: Option<String>,
    /// Name by which an import listed its person.
    pub listed_name: Option<String>,
    /// Groups of the account.
    pub groups: Vec<GroupName>,
    /// Number of its files.
    pub files: usize,
    /// Sum of their sizes, in bytes.
    pub file_bytes: u64,
}

impl User {
    /// Returns the name of the person: as an import listed it, or as they chose it.
    pub fn shown_name(&self) -> Option<&str> {
        self.listed_name.as_deref().or(self.display_name.as_deref())
    }
}

/// An invite in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Id of the invite.
    pub id: i64,
    /// Role of the accounts that it makes.
    #[serde(with = "json::text")]
    pub role: Role,
    /// Channel that its accounts join.
    #[serde(with = "json::option")]
    pub channel: Option<ChannelName>,
    /// Count of accounts that it can make.
    pub uses: u32,
    /// Count of accounts that it has made.
    pub spent: u32,
    /// Time until which it can be redeemed.
    #[serde(with = "json::text")]
    pub expires: Timestamp,
    /// Usable, or the reason why not.
    pub state: InviteState,
    /// Account that made it; `None` for the command line.
    #[serde(with = "json::option")]
    pub created_by: Option<Nick>,
    /// Account whose password and devices it resets, instead of making accounts.
    #[serde(with = "json::option")]
    pub resets: Option<Nick>,
}

/// Maximum count of entries in a page of a list.
pub const PAGE_SIZE: usize = 500;

/// Carries out a request on a store that no server holds.
pub async fn run(store: &Store, request: AdminRequest, now: Timestamp) -> Result<AdminReply, Failure> {
    match request {
        AdminRequest::Change(change) => Ok(carry_out(store, ChangeRequest::Admin(change), now).await?.into()),
        AdminRequest::Query(query) if query.is_about_store() => answer_from_store(store, query).await,
        AdminRequest::Query(AdminQuery::Running(RunningQuery::Status)) => {
            let core = Core::new(Settings::default(), store.snapshot().await?);
            let status = Status::of(&core, FolderFacts::of(store.folder()), now, None);
            Ok(AdminReply::Running(RunningReply::Status(Box::new(status))))
        }
        AdminRequest::Query(query) => {
            let core = Core::new(Settings::default(), store.snapshot().await?);
            answer(&core, query, now)
        }
    }
}

/// Runs a query that [is about the store](AdminQuery::is_about_store), where a server runs too.
pub async fn answer_from_store(store: &Store, query: AdminQuery) -> Result<AdminReply, Failure> {
    match query {
        AdminQuery::Audit(filter) => {
            let entries = store.read(move |conn| Ok::<_, StoreError>(audit::matching(conn, &filter)?));
            Ok(AdminReply::Audit(entries.await?))
        }
        AdminQuery::AccountMessages { account, after } => {
            let page =
                store.read(move |conn| Ok::<_, StoreError>(messages::read_page(conn, account, after)?));
            Ok(AdminReply::AccountMessages(page.await?))
        }
        AdminQuery::Channels(ChannelQuery::History { channel, before }) => {
            channels::history_size(store, channel, before).await
        }
        AdminQuery::Export(query) => exports::page(store, query).await,
        AdminQuery::Known(items) => exports::known(store, items).await,
        _ => Err(Failure::invalid("the core answers this")),
    }
}

/// Carries out a request of the core on a store that no server holds: loads the core, applies the request and commits its
/// records.
///
/// # Errors
/// The core's refusal, or a failure of the store; either way nothing was changed.
pub async fn carry_out(
    store: &Store,
    request: ChangeRequest,
    now: Timestamp,
) -> Result<RequestOutcome, Failure> {
    let mut core = Core::new(Settings::default(), store.snapshot().await?);
    let mut effects = Effects::default();
    let kind = InputKind::Request(RequestId(0), request);
    core.handle(Input { at: now, monotonic: Timestamp(0), kind }, &mut effects);
    if !effects.records.is_empty() {
        commit(store, effects.records).await?;
    }
    let result = effects.outputs.into_iter().find_map(|output| match output {
        Output::RequestDone(_, result) => Some(result),
        _ => None,
    });
    Ok(result.unwrap_or(Err(RequestError::ShuttingDown))?)
}

async fn commit(store: &Store, records: Vec<Record>) -> Result<(), StoreError> {
    let (done, result) = oneshot::channel();
    store.commit(records.into(), Box::new(move |result| drop(done.send(result))));
    result.await.map_err(|_| StoreError::Closed)?
}

/// Runs a query on the core's state. Some have a result only where a server runs, which does not send them
/// here.
///
/// # Errors
/// [`FailureKind::NoServer`] for a query to the running server.
pub fn answer(core: &Core, query: AdminQuery, now: Timestamp) -> Result<AdminReply, Failure> {
    match query {
        AdminQuery::UserList { after } => Ok(lists::users(core, after.as_ref())),
        AdminQuery::RemovedNames { after } => {
            Ok(AdminReply::Names(core.list_removed_names(after.as_ref(), PAGE_SIZE)))
        }
        AdminQuery::InviteList { after } => Ok(lists::invites(core, after, now)),
        AdminQuery::HookList { after } => Ok(lists::hooks(core, after.as_ref())),
        AdminQuery::TokenList { after } => Ok(lists::tokens(core, after.as_ref(), now)),
        AdminQuery::GroupList { after } => {
            Ok(AdminReply::Groups(core.list_groups(after.as_ref(), PAGE_SIZE)))
        }
        AdminQuery::Group(name) => match core.find_group(&name) {
            Some(group) => Ok(AdminReply::Groups(vec![group])),
            None => Err(RequestError::Group(GroupError::Unknown(name)).into()),
        },
        AdminQuery::LeftBehindByRotation { pin, after } => Ok(lists::left_behind(core, pin, after, now)),
        AdminQuery::Channels(query) => channels::answer(core, &query),
        AdminQuery::PersonalData { name } => core
            .personal_data(&name)
            .map(AdminReply::PersonalData)
            .map_err(|error| RequestError::from(error).into()),
        AdminQuery::Audit(_)
        | AdminQuery::AccountMessages { .. }
        | AdminQuery::Export(_)
        | AdminQuery::Known(_) => Err(Failure::invalid("this is read from the store")),
        AdminQuery::Server | AdminQuery::Certificates | AdminQuery::Metrics | AdminQuery::Running(_) => {
            let text = "no server runs on this data folder".to_owned();
            Err(Failure { kind: FailureKind::NoServer, text })
        }
    }
}

impl From<RequestOutcome> for AdminReply {
    fn from(done: RequestOutcome) -> Self {
        match done {
            RequestOutcome::Changed | RequestOutcome::Redeemed { .. } | RequestOutcome::Posted(_) => {
                Self::Done
            }
            RequestOutcome::Imported(failed) => {
                Self::Imported(failed.into_iter().map(|(index, error)| (index, error.into())).collect())
            }
            RequestOutcome::Erased(erased) => Self::Erased(erased),
            RequestOutcome::InviteCreated(id) => Self::InviteCreated(id.0),
            RequestOutcome::InvitesCreated(ids) => {
                Self::InvitesCreated(ids.into_iter().map(|id| id.0).collect())
            }
            RequestOutcome::ClockAccepted(now) => Self::Clock(now),
        }
    }
}

#[cfg(test)]
pub(in crate::server) mod tests;
