//! Metrics of the running server, printed by `parlour metrics`.
//!
//! Counting is one atomic addition each and never waits. The metrics leave the server over the control socket only,
//! because a port for them would be one more that speaks in the clear.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rustls_pki_types::UnixTime;

use super::commit::Committed;
use crate::core::Sizes;
use crate::core::login::{Checked, Refused, Verified};
use crate::store::Status;
use crate::trust::certs::Identity;
use crate::wire::Millis;

/// The metrics of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Connections that were accepted, and those that are open.
    pub(super) connections: Counter,
    pub(super) open: Gauge,
    /// Connections whose TLS handshake failed.
    pub(super) handshakes_failed: Counter,
    refusals: Family<Label, Counter>,
    strangers: Gauge,
    logins: Counter,
    logins_refused: Counter,
    /// Logins put off because the server was too busy or the rate limit was reached.
    logins_deferred: Counter,
    messages: Counter,
    messages_refused: Counter,
    commits: Counter,
    commits_failed: Counter,
    /// Clients that read too slowly, for the [`Deliverer`](super::hub::deliver::Deliverer).
    pub(super) too_slow: Counter,
    /// Times that an account had to wait because its budget was spent.
    pub(super) throttled: Counter,
    sessions_refused: Counter,
    log_lines_dropped: Counter,
    sessions: Gauge,
    online: Gauge,
    accounts: Gauge,
    channels: Gauge,
    certificate_expires: Gauge,
    root_expires: Gauge,
    renews: Gauge,
    writable: Gauge,
    log_bytes: Gauge,
    erasing: Gauge,
    store: Arc<Status>,
}

/// Reason why a connection is closed before its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The subject has reached its limit of connections.
    Address,
    /// The limit of all connections before their login is reached.
    Total,
    /// The connection made room for one of another subject.
    Evicted,
    /// The client sent or asked for too much.
    Budget,
    /// The login took too long.
    Time,
    /// The login failed.
    Login,
    /// The server closed it.
    Ended,
}

/// Name and value of a metric's only label.
type Label = [(&'static str, &'static str); 1];

impl Metrics {
    /// Makes metrics that are all zero, for a server that started at `started`, over a store with this status.
    pub fn new(started: Millis, store: Arc<Status>) -> Self {
        let mut registry = Registry::with_prefix("parlour");
        let version = gauges(&mut registry, "build_info", "1, with the version of the program");
        version.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        gauge(&mut registry, "start_time_seconds", "When the server started, since the Unix epoch")
            .set(i64::try_from(started.seconds()).unwrap_or(i64::MAX));
        let logins = counters(&mut registry, "logins", "Logins by what came of them");
        let result = |result| logins.get_or_create_owned(&[("result", result)]);
        let commits = counters(&mut registry, "commits", "Transactions of the chat by what came of them");
        let commit = |result| commits.get_or_create_owned(&[("result", result)]);
        let messages = counters(&mut registry, "messages", "What people said, by what came of it");
        let message = |result| messages.get_or_create_owned(&[("result", result)]);
        let refused = "Connections that were closed before their login, by the reason";
        Self {
            refusals: counters(&mut registry, "connections_refused", refused),
            strangers: gauge(
                &mut registry,
                "connections_before_login",
                "Connections that are open and not logged in",
            ),
            logins: result("ok"),
            logins_refused: result("refused"),
            logins_deferred: result("deferred"),
            commits: commit("ok"),
            commits_failed: commit("failed"),
            messages: message("kept"),
            messages_refused: message("refused"),
            connections: counter(&mut registry, "connections", "Connections that were accepted"),
            open: gauge(&mut registry, "connections_open", "Connections that are open, logged in or not"),
            handshakes_failed: counter(
                &mut registry,
                "handshakes_failed",
                "Connections that did not get through the TLS handshake",
            ),
            too_slow: counter(
                &mut registry,
                "slow_clients_closed",
                "Clients that were closed because they read more slowly than others write",
            ),
            throttled: counter(
                &mut registry,
                "accounts_throttled",
                "Times that an account had to wait, as it had sent or asked for more than it may",
            ),
            sessions_refused: counter(
                &mut registry,
                "sessions_refused",
                "Logins of accounts that had all the sessions they may have",
            ),
            log_lines_dropped: counter(
                &mut registry,
                "log_lines_dropped",
                "Lines of the log that could not be written, or came faster than that",
            ),
            online: gauge(&mut registry, "accounts_online", "Accounts that are logged in"),
            sessions: gauge(&mut registry, "sessions", "Connections that are logged in"),
            accounts: gauge(
                &mut registry,
                "accounts",
                "Accounts, the built-in one and those that may not log in among them",
            ),
            channels: gauge(&mut registry, "channels", "Channels"),
            certificate_expires: gauge(
                &mut registry,
                "certificate_expiry_timestamp_seconds",
                "Until when the server's certificate counts, since the Unix epoch",
            ),
            root_expires: gauge(
                &mut registry,
                "root_expiry_timestamp_seconds",
                "Until when the root counts, since the Unix epoch",
            ),
            renews: gauge(
                &mut registry,
                "certificate_renews",
                "1 if the server renews its certificate by itself, 0 if the root's key is elsewhere",
            ),
            writable: {
                let writable =
                    gauge(&mut registry, "store_writable", "1 if the store takes messages, 0 while it fails");
                writable.set(1);
                writable
            },
            log_bytes: gauge(
                &mut registry,
                "store_log_bytes",
                "Bytes of the database's write-ahead log that are in use; they grow while another program reads it",
            ),
            erasing: gauge(
                &mut registry,
                "store_erasing",
                "1 while redacted or removed text is still to be erased from the log or the search index",
            ),
            store,
            registry,
        }
    }

    /// Counts a connection that was closed before its login.
    pub(super) fn refused(&self, refusal: Refusal) {
        let reason = match refusal {
            Refusal::Address => "address",
            Refusal::Total => "total",
            Refusal::Evicted => "evicted",
            Refusal::Budget => "budget",
            Refusal::Time => "time",
            Refusal::Login => "login",
            Refusal::Ended => "ended",
        };
        self.refusals.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts an attempt to log in.
    pub(super) fn login(&self, outcome: &Checked) {
        match outcome {
            Checked::Right(_) => self.logins.inc(),
            Checked::Wrong | Checked::Unproven(_) => self.logins_refused.inc(),
            Checked::Later(_) => self.logins_deferred.inc(),
        };
    }

    /// Counts an attempt to redeem an invite.
    pub(super) fn registration(&self, outcome: &Result<Verified, Refused>) {
        match outcome {
            Ok(_) => self.logins.inc(),
            Err(_) => self.logins_refused.inc(),
        };
    }

    /// Counts the result of a commit.
    pub(super) fn committed(&self, result: &Committed) {
        let count = |messages: usize| u64::try_from(messages).unwrap_or(u64::MAX);
        if let Some(said) = result.said {
            self.commits.inc();
            self.messages.inc_by(count(said));
        }
        if result.failure.is_some() {
            self.commits_failed.inc();
        }
        if let Some(writable) = result.writable {
            self.writable.set(writable.into());
        }
        self.messages_refused.inc_by(count(result.refused.iter().map(|r| r.messages.len()).sum()));
    }

    /// Sets the count of sessions refused since the start.
    pub(super) fn sessions_refused(&self, count: u64) {
        self.sessions_refused.inc_by(count.saturating_sub(self.sessions_refused.get()));
    }

    /// Sets the sizes of the core's state.
    pub(super) fn sizes(&self, sizes: Sizes) {
        let set = |gauge: &Gauge, size: usize| gauge.set(i64::try_from(size).unwrap_or(i64::MAX));
        set(&self.sessions, sizes.sessions);
        set(&self.accounts, sizes.accounts);
        set(&self.online, sizes.online);
        set(&self.channels, sizes.channels);
    }

    /// Returns all metrics in [Prometheus' text format](https://prometheus.io/docs/instrumenting/exposition_formats/),
    /// including those of the certificate that is shown now and of the log.
    pub fn text(&self, shown: &Identity, lines_dropped: u64) -> String {
        self.log_lines_dropped.inner().store(lines_dropped, Ordering::Relaxed);
        let seconds = |time: UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let certificates = shown.certificates();
        self.certificate_expires.set(seconds(certificates.server.until));
        self.root_expires.set(seconds(certificates.root.until));
        self.renews.set(shown.can_renew().into());
        self.log_bytes.set(i64::try_from(self.store.log_bytes()).unwrap_or(i64::MAX));
        self.erasing.set(self.store.is_erasing().into());
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Counts a connection as open until it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    open: Gauge,
    /// `None` after its login.
    stranger: Option<Gauge>,
}

impl Open {
    pub fn begin(metrics: &Metrics) -> Self {
        metrics.connections.inc();
        metrics.open.inc();
        metrics.strangers.inc();
        Self { open: metrics.open.clone(), stranger: Some(metrics.strangers.clone()) }
    }

    /// Counts the connection as logged in.
    pub fn logged_in(&mut self) {
        if let Some(stranger) = self.stranger.take() {
            stranger.dec();
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.logged_in();
        self.open.dec();
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn counters(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Counter> {
    let counters = Family::default();
    registry.register(name, help, counters.clone());
    counters
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn gauges(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Gauge> {
    let gauges = Family::default();
    registry.register(name, help, gauges.clone());
    gauges
}
