//! Metrics of the running server, printed by `parlour metrics` and, if that is configured, answered over HTTP on the
//! loopback interface.
//!
//! Counting is one atomic addition each and never waits. Sizes are measured when the metrics are read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rustls_pki_types::UnixTime;

use super::recent_commits::{LastMinute, RecentCommits};
use super::registration::{Label, counter, counter_family, gauge, gauge_family};
use super::sizes::SizeMetrics;
use crate::core::CoreCounts;
use crate::core::login::{RegistrationError, Verification, Verified};
use crate::store::{Store, StoreStatus};
use crate::trust::certs::Identity;
use crate::wire::Timestamp;

/// The metrics of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Connections that were accepted, and those that are open.
    pub(in crate::server) connections_accepted: Counter,
    pub(in crate::server) connections_open: Gauge,
    /// Connections whose TLS handshake failed.
    pub(in crate::server) handshakes_failed: Counter,
    refusals: Family<Label, Counter>,
    connections_before_login: Gauge,
    logins_ok: Counter,
    logins_refused: Counter,
    /// Logins put off because the server was too busy or the rate limit was reached.
    logins_deferred: Counter,
    messages_stored: Counter,
    messages_refused: Counter,
    commits: Counter,
    commits_failed: Counter,
    /// Clients that read too slowly, for the delivery of outputs.
    pub(in crate::server) slow_clients_closed: Counter,
    /// Times that an account had to wait because its budget was spent.
    pub(in crate::server) accounts_throttled: Counter,
    sessions_refused: Counter,
    log_lines_dropped: Counter,
    sessions: Gauge,
    accounts_online: Gauge,
    accounts: Gauge,
    channels: Gauge,
    certificate_expiry: Gauge,
    root_expiry: Gauge,
    certificate_renews: Gauge,
    store_writable: Gauge,
    wal_bytes: Gauge,
    backups: BackupMetrics,
    store_erasing: Gauge,
    store_status: Arc<StoreStatus>,
    recent_commits: RecentCommits,
    sizes: SizeMetrics,
}

/// Counts for `parlour status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Connections that are open, logged in or not.
    pub connections: i64,
    /// Messages that were stored since the start.
    pub messages_stored: u64,
    /// Messages that the store refused since the start.
    pub messages_refused: u64,
    /// The store takes messages.
    pub is_writable: bool,
    /// Bytes of the write-ahead log that are in use.
    pub log_bytes_used: u64,
    /// The last minute.
    pub last_minute: LastMinute,
}

/// Reason why a connection is closed before its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum RefusalReason {
    /// The subject has reached its limit of connections.
    SubjectLimit,
    /// The limit of all connections before their login is reached.
    TotalLimit,
    /// The connection made room for one of another subject.
    Evicted,
    /// The client sent or requested too much.
    BudgetExceeded,
    /// The login took too long.
    LoginTimeout,
    /// The login failed.
    LoginFailed,
    /// The server closed it.
    ServerClosed,
}

/// Counts of a commit.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct CommitCounts {
    /// Count of messages stored; `None` without a transaction.
    pub stored_messages: Option<usize>,
    /// Time from the hand-over of the transaction until it was on disk.
    pub took: Duration,
    /// Count of messages that the store refused.
    pub refused_messages: usize,
    /// True if the store failed.
    pub has_failed: bool,
    /// `Some(false)` if the store began to fail, `Some(true)` if it works again.
    pub writable: Option<bool>,
}

impl Metrics {
    /// Makes metrics for a server that started at `started`, over this store and a password pool with this count of hashes.
    /// All others are zero.
    pub fn new(started: Timestamp, store: &Store, password_hashes: &Counter) -> Self {
        let mut registry = Registry::with_prefix("parlour");
        register_process_info(&mut registry, started);
        let logins = counter_family(&mut registry, "logins", "Logins by result");
        let result = |result| logins.get_or_create_owned(&[("result", result)]);
        let commits = counter_family(&mut registry, "commits", "Transactions of the chat by result");
        let commit = |result| commits.get_or_create_owned(&[("result", result)]);
        let messages = counter_family(&mut registry, "messages", "Messages by result");
        let message = |result| messages.get_or_create_owned(&[("result", result)]);
        let hashes = "Password hashes that were computed, for logins and for new passwords";
        registry.register("password_hashes", hashes, password_hashes.clone());
        let refused = "Connections that were closed before their login, by reason";
        Self {
            refusals: counter_family(&mut registry, "connections_refused", refused),
            connections_before_login: gauge(
                &mut registry,
                "connections_before_login",
                "Connections that are open and not logged in",
            ),
            logins_ok: result("ok"),
            logins_refused: result("refused"),
            logins_deferred: result("deferred"),
            commits: commit("ok"),
            commits_failed: commit("failed"),
            messages_stored: message("kept"),
            messages_refused: message("refused"),
            connections_accepted: counter(&mut registry, "connections", "Connections that were accepted"),
            connections_open: gauge(
                &mut registry,
                "connections_open",
                "Connections that are open, logged in or not",
            ),
            handshakes_failed: counter(
                &mut registry,
                "handshakes_failed",
                "Connections whose TLS handshake failed",
            ),
            slow_clients_closed: counter(
                &mut registry,
                "slow_clients_closed",
                "Clients that were closed because they read more slowly than others write",
            ),
            accounts_throttled: counter(
                &mut registry,
                "accounts_throttled",
                "Times that an account had to wait because it had used up its rate limit",
            ),
            sessions_refused: counter(
                &mut registry,
                "sessions_refused",
                "Logins that were refused because the account had its maximum number of sessions",
            ),
            log_lines_dropped: counter(
                &mut registry,
                "log_lines_dropped",
                "Lines of the log that were dropped because the log could not be written, or not as fast",
            ),
            accounts_online: gauge(&mut registry, "accounts_online", "Accounts that are logged in"),
            sessions: gauge(&mut registry, "sessions", "Connections that are logged in"),
            accounts: gauge(
                &mut registry,
                "accounts",
                "Accounts, including the built-in one and disabled ones",
            ),
            channels: gauge(&mut registry, "channels", "Channels"),
            certificate_expiry: gauge(
                &mut registry,
                "certificate_expiry_timestamp_seconds",
                "End of the validity of the server's certificate, since the Unix epoch",
            ),
            root_expiry: gauge(
                &mut registry,
                "root_expiry_timestamp_seconds",
                "End of the validity of the root, since the Unix epoch",
            ),
            certificate_renews: gauge(
                &mut registry,
                "certificate_renews",
                "1 if the server renews its certificate by itself, 0 if the root's key is elsewhere",
            ),
            store_writable: store_writable(&mut registry),
            wal_bytes: gauge(
                &mut registry,
                "store_log_bytes",
                "Bytes of the database's write-ahead log that are in use; they grow while another program reads it",
            ),
            backups: BackupMetrics::new(&mut registry),
            store_erasing: gauge(
                &mut registry,
                "store_erasing",
                "1 while redacted or removed text is still to be erased from the log or the search index",
            ),
            store_status: store.status().clone(),
            recent_commits: RecentCommits::default(),
            sizes: SizeMetrics::new(&mut registry, store.folder()),
            registry,
        }
    }

    /// Counts a connection that was closed before its login.
    pub(in crate::server) fn count_refusal(&self, reason: RefusalReason) {
        let reason = match reason {
            RefusalReason::SubjectLimit => "address",
            RefusalReason::TotalLimit => "total",
            RefusalReason::Evicted => "evicted",
            RefusalReason::BudgetExceeded => "budget",
            RefusalReason::LoginTimeout => "time",
            RefusalReason::LoginFailed => "login",
            RefusalReason::ServerClosed => "ended",
        };
        self.refusals.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts an attempt to log in.
    pub(in crate::server) fn count_login(&self, outcome: &Verification) {
        match outcome {
            Verification::Verified(_) => self.logins_ok.inc(),
            Verification::WrongCredentials | Verification::NoDevice(_) => self.logins_refused.inc(),
            Verification::Unavailable(_) => self.logins_deferred.inc(),
        };
    }

    /// Counts an attempt to redeem an invite.
    pub(in crate::server) fn count_registration(&self, outcome: &Result<Verified, RegistrationError>) {
        match outcome {
            Ok(_) => self.logins_ok.inc(),
            Err(_) => self.logins_refused.inc(),
        };
    }

    /// Counts the result of a commit.
    pub(in crate::server) fn count_commit(&self, counts: CommitCounts) {
        let count = |messages: usize| u64::try_from(messages).unwrap_or(u64::MAX);
        if let Some(stored) = counts.stored_messages {
            self.commits.inc();
            self.messages_stored.inc_by(count(stored));
            self.recent_commits.note(count(stored), counts.took);
        }
        if counts.has_failed {
            self.commits_failed.inc();
        }
        if let Some(writable) = counts.writable {
            self.store_writable.set(writable.into());
        }
        self.messages_refused.inc_by(count(counts.refused_messages));
    }

    /// Returns the counts for `parlour status`.
    pub fn totals(&self) -> Totals {
        Totals {
            connections: self.connections_open.get(),
            messages_stored: self.messages_stored.get(),
            messages_refused: self.messages_refused.get(),
            is_writable: self.store_writable.get() == 1,
            log_bytes_used: self.store_status.log_bytes(),
            last_minute: self.recent_commits.last_minute(),
        }
    }

    /// Counts a regular backup.
    pub(in crate::server) fn count_backup(&self, is_done: bool) {
        if is_done {
            self.backups.ok.inc()
        } else {
            self.backups.failed.inc()
        };
    }

    /// Sets the time of the last backup.
    pub fn set_last_backup(&self, at: Timestamp) {
        self.backups.last.set(i64::try_from(at.as_seconds()).unwrap_or(i64::MAX));
    }

    /// Sets the count of sessions refused since the start.
    pub(in crate::server) fn set_sessions_refused(&self, count: u64) {
        self.sessions_refused.inc_by(count.saturating_sub(self.sessions_refused.get()));
    }

    /// Sets the sizes of the core's state.
    pub(in crate::server) fn set_sizes(&self, sizes: CoreCounts) {
        let set = |gauge: &Gauge, size: usize| gauge.set(i64::try_from(size).unwrap_or(i64::MAX));
        set(&self.sessions, sizes.sessions);
        set(&self.accounts, sizes.accounts);
        set(&self.accounts_online, sizes.online_accounts);
        set(&self.channels, sizes.channels);
        self.sizes.set_files(sizes.files, sizes.file_bytes);
    }

    /// Returns all metrics in [Prometheus' text format](https://prometheus.io/docs/instrumenting/exposition_formats/),
    /// including those of the certificate that is shown now and of the log. Reads the sizes of files, so it may block.
    pub fn to_prometheus_text(&self, identity: &Identity, lines_dropped: u64) -> String {
        self.log_lines_dropped.inner().store(lines_dropped, Ordering::Relaxed);
        let seconds = |time: UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let certificates = identity.certificates();
        self.certificate_expiry.set(seconds(certificates.leaf_validity.until));
        self.root_expiry.set(seconds(certificates.root_validity.until));
        self.certificate_renews.set(identity.can_renew().into());
        self.wal_bytes.set(i64::try_from(self.store_status.log_bytes()).unwrap_or(i64::MAX));
        self.store_erasing.set(self.store_status.is_erasing().into());
        self.sizes.measure();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Metrics of backups.
#[derive(Debug)]
struct BackupMetrics {
    ok: Counter,
    failed: Counter,
    last: Gauge,
}

impl BackupMetrics {
    fn new(registry: &mut Registry) -> Self {
        let regular = counter_family(registry, "backups", "Regular backups by result");
        let result = |result| regular.get_or_create_owned(&[("result", result)]);
        Self {
            ok: result("ok"),
            failed: result("failed"),
            last: gauge(
                registry,
                "last_backup_timestamp_seconds",
                "Time of the last backup, regular or by `parlour backup`, since the Unix epoch; 0 if there is none",
            ),
        }
    }
}

/// Makes the gauge of a store that works.
fn store_writable(registry: &mut Registry) -> Gauge {
    let writable = gauge(registry, "store_writable", "1 if the store takes messages, 0 while it fails");
    writable.set(1);
    writable
}

/// Registers the version of the program and the time of the start.
fn register_process_info(registry: &mut Registry, started: Timestamp) {
    let version = gauge_family(registry, "build_info", "1, with the version of the program");
    version.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
    gauge(registry, "start_time_seconds", "Time of the server's start, since the Unix epoch")
        .set(i64::try_from(started.as_seconds()).unwrap_or(i64::MAX));
}

/// Counts a connection as open until it is dropped.
#[derive(Debug)]
pub(in crate::server) struct OpenConnection {
    open: Gauge,
    /// `None` after its login.
    before_login: Option<Gauge>,
}

impl OpenConnection {
    pub fn new(metrics: &Metrics) -> Self {
        metrics.connections_accepted.inc();
        metrics.connections_open.inc();
        metrics.connections_before_login.inc();
        Self {
            open: metrics.connections_open.clone(),
            before_login: Some(metrics.connections_before_login.clone()),
        }
    }

    /// Counts the connection as logged in.
    pub fn note_login(&mut self) {
        if let Some(gauge) = self.before_login.take() {
            gauge.dec();
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.note_login();
        self.open.dec();
    }
}
