//! The state of a server at a glance, with or without a running one.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::core::request::json;
use crate::core::settings::CertificateValidity;
use crate::server::telemetry::metrics::Totals;
pub use crate::server::telemetry::sizes::Storage;
use crate::store::last_backup;
use crate::wire::Timestamp;

/// The state of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the running server; without one, of this program.
    pub version: String,
    /// Facts that need a running server.
    pub running: Option<Running>,
    /// Accounts, also disabled ones; without the built-in one and those of hooks.
    pub accounts: usize,
    /// Count of channels.
    pub channels: usize,
    /// Files that people share.
    pub files: Files,
    /// Sizes of the data folder.
    pub storage: Storage,
    /// The last backup; `None` without one.
    pub last_backup: Option<LastBackup>,
}

/// Facts that need a running server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Time of its start.
    #[serde(with = "json::text")]
    pub started: Timestamp,
    /// Seconds since its start.
    pub uptime_s: u64,
    /// Accounts that others see online.
    pub accounts_online: usize,
    /// Count of sessions.
    pub sessions: usize,
    /// Connections, logged in or not.
    pub connections: i64,
    /// Messages that were stored since the start.
    pub messages_stored: u64,
    /// Messages that the store refused since the start.
    pub messages_refused: u64,
    /// The store takes messages.
    pub store_writable: bool,
    /// The last minute.
    pub last_minute: LastMinute,
    /// Validity of the certificate that clients are shown.
    pub certificate: Option<Certificate>,
}

/// Counts of the last minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMinute {
    /// Seconds that are counted: 60, or fewer after the start.
    pub seconds: u64,
    /// Messages that were stored.
    pub messages: u64,
    /// Count of transactions.
    pub commits: u64,
    /// Mean time until a transaction was on disk, in microseconds.
    pub commit_mean_us: u64,
    /// The longest of these times.
    pub commit_slowest_us: u64,
}

/// Validity of the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// End of its validity.
    #[serde(with = "json::text")]
    pub valid_until: Timestamp,
    /// The server renews it by itself.
    pub renews: bool,
}

/// The last backup, regular or by `parlour backup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// Time at which it was begun.
    #[serde(with = "json::text")]
    pub at: Timestamp,
    /// Seconds since then.
    pub age_s: u64,
    /// Path of the file.
    pub to: String,
    /// Size, in bytes.
    pub bytes: u64,
    /// False if password hashes, keys and tokens were left out.
    pub secrets: bool,
}

/// Facts about the data folder that are read from its files.
#[derive(Clone, Debug)]
pub(super) struct FolderFacts {
    storage: Storage,
    last_backup: Option<last_backup::LastBackup>,
}

impl FolderFacts {
    /// Reads them, which may block.
    pub fn of(folder: &Path) -> Self {
        Self { storage: Storage::of(folder), last_backup: last_backup::read(folder) }
    }
}

/// Files that people share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Count of files.
    pub count: usize,
    /// Bytes of the files, each content as often as it is shared under another name.
    pub bytes: u64,
}

impl Status {
    /// Returns the state of a server that may not run.
    pub(super) fn of(core: &Core, folder: FolderFacts, now: Timestamp, running: Option<Running>) -> Self {
        let counts = core.counts();
        let last_backup = folder.last_backup.map(|last| LastBackup {
            at: last.at(),
            age_s: now.since(last.at()).as_secs(),
            to: last.to,
            bytes: last.bytes,
            secrets: last.secrets,
        });
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running,
            accounts: core.count_accounts(),
            channels: counts.channels,
            files: Files { count: counts.files, bytes: counts.file_bytes },
            storage: folder.storage,
            last_backup,
        }
    }
}

impl Running {
    /// Returns the state of a running server.
    pub(super) fn of(
        core: &Core,
        (started, now): (Timestamp, Timestamp),
        totals: Totals,
        certificate: Option<CertificateValidity>,
    ) -> Self {
        let counts = core.counts();
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let Totals { last_minute: recent, .. } = totals;
        Self {
            started,
            uptime_s: now.since(started).as_secs(),
            accounts_online: counts.online_accounts,
            sessions: counts.sessions,
            connections: totals.connections,
            messages_stored: totals.messages_stored,
            messages_refused: totals.messages_refused,
            store_writable: totals.is_writable,
            last_minute: LastMinute {
                seconds: recent.seconds,
                messages: recent.messages,
                commits: recent.commits,
                commit_mean_us: micros(recent.mean),
                commit_slowest_us: micros(recent.slowest),
            },
            certificate: certificate
                .map(|it| Certificate { valid_until: it.not_after, renews: it.renews_automatically }),
        }
    }
}
