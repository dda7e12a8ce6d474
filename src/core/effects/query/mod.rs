//! Queries to the history, the search index and the password pool, and their results.
//!
//! Some results go straight to the session that sent the command, rendered by [`playback`](super::playback); others
//! come back to the core as a [`QueryResult`].

mod account;
mod audit;
mod history;

pub use account::{
    FileSecretQuery, FileSecretResult, InviteLinkQuery, InviteLinkResult, NewPassword, OperQuery,
    PasswordQuery, PasswordResult, QueryRefusal, RehashQuery, RehashResult, Reread, VerifiedPassword,
};
pub use audit::{AuditEntry, AuditFilter, AuditQuery, NamedAuditEntry};
pub use history::{
    HistoryQuery, MissedChannel, MissedDirect, RedactionQuery, ReplayQuery, SearchQuery, TargetsQuery,
};

use super::history::{RedactionTarget, Window};
use crate::core::request::reply_form::ReplyForm;
use crate::wire::MessageId;

/// A query, with all that running it needs.
#[derive(Debug)]
pub enum Query {
    /// Messages of a conversation. The result goes to the session.
    History(HistoryQuery),
    /// Conversations with recent messages. The result goes to the session.
    Targets(TargetsQuery),
    /// Missed messages. The result goes to the session.
    Replay(ReplayQuery),
    /// Messages that match a search. The result goes to the session.
    Search(SearchQuery),
    /// The message that a REDACT names. The result is [`QueryResult::Redaction`].
    Redaction(RedactionQuery),
    /// The latest entries of the audit. The result is [`QueryResult::Audit`].
    Audit(AuditQuery),
    /// The password check of an OPER. The result is [`QueryResult::Oper`].
    Oper(OperQuery),
    /// The check of the present password and the hash of a new one. The result is [`QueryResult::Password`].
    Password(PasswordQuery),
    /// A token and the link for an invite. The result is [`QueryResult::InviteLink`].
    InviteLink(InviteLinkQuery),
    /// A token or a link for files. The result is [`QueryResult::FileSecret`].
    FileSecret(FileSecretQuery),
    /// The configuration file. The result is [`QueryResult::Rehash`].
    Rehash(RehashQuery),
}

/// Result of a [`Query`] that comes back to the core.
#[derive(Debug)]
pub enum QueryResult {
    /// The message to redact, if it exists.
    Redaction(RedactionQuery, Option<RedactionTarget>),
    /// The entries of the audit, the newest first.
    Audit(Vec<AuditEntry>),
    /// The account whose password was given to OPER.
    Oper(Result<VerifiedPassword, QueryRefusal>),
    /// The hash of a new password.
    Password(PasswordResult),
    /// The token and the link of a new invite.
    InviteLink(InviteLinkResult),
    /// The token or the link for files.
    FileSecret(FileSecretResult),
    /// The configuration that was read.
    Rehash(RehashResult),
    /// The query of this command failed.
    Failed(&'static str, QueryFailure),
}

/// Reason why a query has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryFailure {
    /// The store cannot be read.
    Unreadable,
    /// The query exceeded its time limit.
    TooLong,
    /// Too many requests of the account are waiting already.
    Crowded,
}

impl Query {
    /// Returns whether the result is the reply to the command. Otherwise it comes after the reply.
    pub(in crate::core) fn is_reply(&self) -> bool {
        !matches!(
            self,
            Self::Replay(_)
                | Self::Password(PasswordQuery { reply_form: ReplyForm::Service, .. })
                | Self::InviteLink(InviteLinkQuery { reply_form: ReplyForm::Service, .. })
        )
    }

    /// Excludes this message and all later ones from the query.
    pub fn end_before(&mut self, message: MessageId) {
        let end = |window: &mut Window| window.before = window.before.min(message);
        match self {
            Self::History(query) => query.windows.iter_mut().for_each(end),
            Self::Targets(query) => end(&mut query.window),
            Self::Replay(query) => {
                for channel in &mut query.channels {
                    channel.missed.end_before(message);
                }
                if let Some(direct) = &mut query.direct {
                    direct.missed.end_before(message);
                }
            }
            Self::Search(query) => end(&mut query.search.window),
            // These show no messages.
            Self::Redaction(_)
            | Self::Audit(_)
            | Self::Oper(_)
            | Self::Password(_)
            | Self::InviteLink(_)
            | Self::FileSecret(_)
            | Self::Rehash(_) => {}
        }
    }

    /// Returns the name of the command that caused the query.
    pub fn command(&self) -> &'static str {
        match self {
            Self::History(_) | Self::Targets(_) => "CHATHISTORY",
            Self::Replay(_) => "JOIN",
            Self::Search(_) => "SEARCH",
            Self::Redaction(_) => "REDACT",
            Self::Audit(_) => "AUDIT",
            Self::Oper(_) => "OPER",
            Self::FileSecret(_) => "FILES",
            Self::Rehash(_) => "REHASH",
            Self::Password(PasswordQuery { reply_form, .. })
            | Self::InviteLink(InviteLinkQuery { reply_form, .. }) => match reply_form {
                ReplyForm::Command(name) => name,
                ReplyForm::Service => "NICKSERV",
            },
        }
    }
}
