//! `[log]` and `[metrics]`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::values;

/// `[log]`: what the server logs, and in which form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Log {
    /// Form of the log. Default: `text`.
    pub format: LogFormat,
    /// Level of all parts that `levels` does not name. Default: `info`.
    pub level: LogLevel,
    /// Levels of single parts. Default: none.
    pub levels: BTreeMap<LogPart, LogLevel>,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people, in local time, on standard error.
    #[default]
    Text,
    /// A JSON object a line, on standard error.
    Json,
    /// Entries with fields, for systemd's journal.
    Journald,
}

/// Least severe level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// No line at all.
    Off,
    /// Failures that end the server.
    Error,
    /// Faults that an admin should look at.
    Warn,
    /// Logins, reloads, and what the server does by itself.
    #[default]
    Info,
    /// Also who writes to whom.
    Debug,
    /// Details of single steps, for developers.
    Trace,
}

/// A part of the server with a level of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogPart {
    /// Connections, their TLS and their ends.
    Connections,
    /// Checks of passwords and devices.
    Logins,
    /// Messages of accounts, by sender and recipient and without their text; only at `debug`.
    Messages,
    /// The database and the search index.
    Store,
    /// Certificates and their renewal.
    Certificates,
    /// Requests of the command line.
    Administration,
    /// Files, hooks and the API.
    Http,
    /// Announcements on the local network.
    Announcements,
}

/// Target of the lines about messages. No module has this name.
pub const MESSAGES: &str = "parlour::server::messages";

impl LogPart {
    /// Returns the modules of the part.
    pub fn modules(self) -> &'static [&'static str] {
        match self {
            Self::Connections => &["parlour::server::net", "parlour::server::limits"],
            Self::Logins => &["parlour::server::auth"],
            Self::Messages => &[MESSAGES],
            Self::Store => &["parlour::store"],
            Self::Certificates => &["parlour::trust", "parlour::server::maintenance::certificates"],
            Self::Administration => &["parlour::server::admin"],
            Self::Http => &["parlour::server::http", "parlour::web"],
            Self::Announcements => &["parlour::server::lan", "mdns_sd"],
        }
    }
}

/// `[metrics]`: the metrics over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Metrics {
    /// Addresses of this machine alone at which Prometheus reads the metrics, such as `127.0.0.1:9697`: in the clear, so
    /// they are of the loopback interface. Default: none.
    #[serde(deserialize_with = "values::loopback_listen")]
    pub listen: Vec<SocketAddr>,
}
