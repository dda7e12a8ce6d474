//! A query to the audit, and its result.

use crate::core::record::Actor;
use crate::wire::Timestamp;

/// A query for the latest entries of the audit.
#[derive(Debug)]
pub struct AuditQuery {
    /// Maximum number of entries.
    pub limit: u32,
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
