//! Queries to the running server about itself, and their replies.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::status::{FolderFacts, Running, Status};
use super::{AdminReply, Failure, FailureKind, PAGE_SIZE};
use crate::core::SessionId;
use crate::core::record::device::CertificateFingerprint;
use crate::core::request::admin::RequestError;
use crate::core::request::json;
use crate::core::request::listing::ListedSession;
use crate::server::maintenance::reload::{Reloaded, Reloader};
use crate::server::sessions::hub_handle::HubHandle;
use crate::server::sessions::line_form::LineForm;
use crate::server::telemetry::metrics::Metrics;
use crate::wire::{Nick, Timestamp};

/// A query to the running server about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RunningQuery {
    /// List the sessions by id, [`PAGE_SIZE`] at a time, after the given id.
    Sessions {
        /// Last id of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<SessionId>,
    },
    /// Read the configuration and the certificates again.
    Reload,
    /// Describe the state of the server. It is answered without a running server, too.
    Status,
}

/// Reply to a [`RunningQuery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunningReply {
    /// A page of sessions.
    Sessions(Vec<Session>),
    /// Keys that have changed.
    Reloaded(Reloaded),
    /// The state of the server.
    Status(Box<Status>),
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Id of the session.
    #[serde(with = "json::text")]
    pub id: SessionId,
    /// Name of its account.
    #[serde(with = "json::text")]
    pub account: Nick,
    /// Address of its client.
    pub address: Option<IpAddr>,
    /// Time of its login.
    #[serde(with = "json::text")]
    pub since: Timestamp,
    /// Seconds since its client sent something last.
    pub idle_s: u32,
    /// Certificate fingerprint of the device that it logged in with; `None` for a password.
    #[serde(with = "json::option")]
    pub device: Option<CertificateFingerprint>,
    /// It speaks over a WebSocket.
    pub web: bool,
    /// It is a script's, which others do not see.
    pub invisible: bool,
    /// It has set an away message.
    pub away: bool,
}

/// Parts of a running server that the answers are read from.
#[derive(Clone)]
pub struct RunningAnswers {
    pub(in crate::server) hub: HubHandle,
    pub(in crate::server) reloader: Arc<Reloader>,
    pub(in crate::server) metrics: Arc<Metrics>,
    /// The data folder.
    pub(in crate::server) folder: PathBuf,
}

impl RunningAnswers {
    /// Runs a query.
    pub async fn answer(&self, query: RunningQuery) -> Result<AdminReply, Failure> {
        let reply = match query {
            RunningQuery::Sessions { after } => RunningReply::Sessions(self.sessions(after).await?),
            RunningQuery::Status => RunningReply::Status(Box::new(self.status().await?)),
            RunningQuery::Reload => match self.reloader.reload_all().await {
                Ok(reloaded) => RunningReply::Reloaded(reloaded),
                Err(error) => {
                    return Err(Failure { kind: FailureKind::Reload, text: error.to_string() });
                }
            },
        };
        Ok(AdminReply::Running(reply))
    }

    async fn status(&self) -> Result<Status, RequestError> {
        let (started, now) = (self.reloader.started, self.hub.clock.now());
        let certificate = self.reloader.certificates.certificate_dates();
        let (totals, folder) = (self.metrics.totals(), self.folder.clone());
        // Not in the hub, which never waits for a disk.
        let folder = tokio::task::spawn_blocking(move || FolderFacts::of(&folder)).await;
        let folder = folder.map_err(|_| RequestError::ShuttingDown)?;
        let looked = self.hub.inspect(move |core| {
            let running = Running::of(core, (started, now), totals, Some(certificate));
            Status::of(core, folder, now, Some(running))
        });
        looked.await.map_err(|_| RequestError::ShuttingDown)
    }

    async fn sessions(&self, after: Option<SessionId>) -> Result<Vec<Session>, RequestError> {
        let now = self.hub.ready.uptime_seconds();
        let listed = self.hub.inspect_sessions(move |core, sessions| {
            let session = |listed: ListedSession| {
                let ListedSession { id, account, opened, device, is_visible, is_away } = listed;
                let connected = sessions.get(id);
                Session {
                    id,
                    account,
                    address: connected.map(|session| session.peer),
                    since: opened,
                    idle_s: connected.map_or(0, |session| session.idle_seconds(now)),
                    device,
                    web: connected.is_some_and(|session| session.outbox.form() != LineForm::Lines),
                    invisible: !is_visible,
                    away: is_away,
                }
            };
            core.list_sessions(after, PAGE_SIZE).into_iter().map(session).collect()
        });
        listed.await.map_err(|_| RequestError::ShuttingDown)
    }
}
