//! A query to the audit, and its result.

use serde::{Deserialize, Serialize};

use crate::core::record::Actor;
use crate::core::request::json;
use crate::wire::Timestamp;

/// A query for the latest entries of the audit.
#[derive(Debug)]
pub struct AuditQuery {
    /// Maximum number of entries.
    pub limit: u32,
}

/// Filter of the audit's entries for the command line, which lists the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Maximum number of entries, at most [`MAX_ENTRIES`](Self::MAX_ENTRIES).
    pub limit: u32,
    /// Only actions by this account, or with [`COMMAND_LINE`](Self::COMMAND_LINE) those of the command line.
    pub by: Option<String>,
    /// Only entries whose action, target or detail has this text, in any case.
    pub text: Option<String>,
    /// Only entries since this time.
    #[serde(with = "json::option")]
    pub since: Option<Timestamp>,
    /// Only entries until this time.
    #[serde(with = "json::option")]
    pub until: Option<Timestamp>,
}

/// An entry of the audit with the name of its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedAuditEntry {
    /// Time of the action.
    #[serde(with = "json::text")]
    pub at: Timestamp,
    /// Account that acted; `None` for the command line.
    pub by: Option<String>,
    /// Action, in the command's words, such as `user disable`.
    pub action: String,
    /// Target: an account's name, an invite's id.
    pub target: String,
    /// Further details, never a secret.
    pub detail: String,
}

impl AuditFilter {
    /// Limit of the entries in one list.
    pub const MAX_ENTRIES: u32 = 500;
    /// Author of what was done on the command line.
    pub const COMMAND_LINE: &str = "*";

    /// Returns whether an entry is one of those.
    pub fn matches(&self, entry: &NamedAuditEntry) -> bool {
        let is_by = |wanted: &String| match &entry.by {
            Some(name) => name.eq_ignore_ascii_case(wanted),
            None => wanted == Self::COMMAND_LINE,
        };
        let has = |text: &String| {
            let text = text.to_lowercase();
            [&entry.action, &entry.target, &entry.detail]
                .iter()
                .any(|part| part.to_lowercase().contains(&text))
        };
        self.by.as_ref().is_none_or(is_by)
            && self.text.as_ref().is_none_or(has)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at <= until)
    }
}

impl NamedAuditEntry {
    /// Returns action, target and details in one line.
    pub fn describe(&self) -> String {
        let about = [self.action.as_str(), self.target.as_str()].join(" ");
        let about = about.trim_end();
        if self.detail.is_empty() { about.to_owned() } else { format!("{about}: {}", self.detail) }
    }
}

/// An entry of the audit: an action of an admin or a moderator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Time of the action.
    pub at: Timestamp,
    /// Author of the action.
    pub actor: Actor,
    /// Action, in the command's words, such as `user disable`.
    pub action: String,
    /// Target: an account's name, an invite's id.
    pub target: String,
    /// Further details, never a secret.
    pub detail: String,
}
