//! Requests of the server itself: what it notes and removes on its own.

use std::sync::Arc;

use crate::core::record::{ForgottenAudit, ForgottenHistory};
use crate::wire::Timestamp;

/// A request of the server itself.
#[derive(Clone, Debug)]
pub enum Maintenance {
    /// Note the server's settled time.
    NoteTime(Timestamp),
    /// Note that clients are shown the root with this pin.
    ShowRoot(Arc<str>),
    /// Remove old messages and events of a conversation.
    ForgetHistory(ForgottenHistory),
    /// Remove old entries of the audit log.
    ForgetAudit(ForgottenAudit),
    /// Note in the audit log that the configuration was read again by `parlour reload` or a signal, with a short text about
    /// its changes.
    NoteReload(Arc<str>),
    /// Note in the audit log that an admin accepted a database that lacks confirmed changes.
    AcceptLoss,
}
