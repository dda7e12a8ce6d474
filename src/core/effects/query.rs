//! Queries to the history, the search index and the password pool, and their results.
//!
//! Some results go straight to the session that sent the command, rendered by [`playback`](super::playback); others
//! come back to the core as a [`QueryResult`].

use std::collections::HashMap;
use std::sync::Arc;

use super::history::{MessageFilter, RedactionTarget, Search, Window};
use super::playback::HistoryReader;
use crate::core::record::received::MissedRanges;
use crate::core::record::{AccountId, ChannelId, Conversation};
use crate::core::request::account::{AccountRequest, AccountRequestOutcome, ReplyForm};
use crate::wire::{ChannelName, MessageId};

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
    /// The part of a change that is not the core's. The result is [`QueryResult::Account`].
    Account(AccountQuery),
}

/// A query for messages of a conversation, whose result is a batch `chathistory`.
#[derive(Debug)]
pub struct HistoryQuery {
    /// The session that reads.
    pub reader: HistoryReader,
    /// The conversation to read.
    pub conversation: Conversation,
    /// The target as the client wrote it, which is the parameter of the batch. Clients file the batch under the name
    /// that they requested it with.
    pub requested: Arc<str>,
    /// The target in its own spelling.
    pub target: Arc<str>,
    /// The windows to read, in order.
    pub windows: Vec<Window>,
    /// The kinds of message to read.
    pub kinds: MessageFilter,
}

/// A query for conversations with recent messages, whose result is a batch `draft/chathistory-targets`.
#[derive(Debug)]
pub struct TargetsQuery {
    /// The session that reads.
    pub reader: HistoryReader,
    /// The channels that its account may read, with their names.
    pub channels: Vec<(ChannelId, ChannelName)>,
    /// The time span and the limit.
    pub window: Window,
}

/// A query for missed messages, for a client without `chathistory`. They come as if they were sent now, but with their
/// own times.
#[derive(Debug)]
pub struct ReplayQuery {
    /// The session that reads.
    pub reader: HistoryReader,
    /// The channels with their missed parts.
    pub channels: Vec<MissedChannel>,
    /// The missed part of the direct conversations that have new messages.
    pub direct: Option<MissedDirect>,
}

/// The missed part of a channel.
#[derive(Debug)]
pub struct MissedChannel {
    /// Id of the channel.
    pub id: ChannelId,
    /// Name of the channel, for the rendered lines.
    pub name: ChannelName,
    /// The missed part.
    pub missed: MissedRanges,
}

/// The missed part of all direct conversations.
#[derive(Debug)]
pub struct MissedDirect {
    /// The missed part of each conversation, and of all together.
    pub missed: MissedRanges,
    /// The last message read in each conversation that has a read marker.
    pub read: HashMap<Conversation, MessageId>,
}

/// A search, whose result is a batch `soju.im/search`.
#[derive(Debug)]
pub struct SearchQuery {
    /// The session that reads.
    pub reader: HistoryReader,
    /// The search conditions.
    pub search: Search,
    /// The latest message of now. The search index must have reached it.
    pub up_to: MessageId,
}

/// A parsed REDACT that waits for its message.
#[derive(Debug)]
pub struct RedactionQuery {
    /// The target as the client wrote it.
    pub target: Box<str>,
    /// The conversation of that target.
    pub conversation: Conversation,
    /// The message to remove.
    pub message: MessageId,
    /// Its msgid as the client wrote it, for errors.
    pub msgid: Box<str>,
    /// Reason, if the client gave one.
    pub reason: Option<Arc<str>>,
}

/// The part of a change to an account or to the server that takes a password check or a file.
#[derive(Debug)]
pub struct AccountQuery {
    /// The account that requests the change.
    pub account: AccountId,
    /// The requested change.
    pub request: AccountRequest,
    /// The form of the reply.
    pub reply_form: ReplyForm,
}

/// Result of an [`AccountQuery`].
#[derive(Debug)]
pub struct AccountResult {
    /// The account that requested the change.
    pub account: AccountId,
    /// The form of the reply.
    pub reply_form: ReplyForm,
    /// The result, with which the core makes the change.
    pub outcome: AccountRequestOutcome,
}

/// Result of a [`Query`] that comes back to the core.
#[derive(Debug)]
pub enum QueryResult {
    /// The message to redact, if it exists.
    Redaction(RedactionQuery, Option<RedactionTarget>),
    /// The result of a query for an account.
    Account(AccountResult),
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
        !matches!(self, Self::Replay(_) | Self::Account(AccountQuery { reply_form: ReplyForm::Service, .. }))
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
            Self::Search(query) => {
                end(&mut query.search.window);
                // A search does not wait for messages that are not stored yet.
                query.up_to = query.up_to.min(message);
                if query.up_to == message {
                    query.up_to = MessageId::default();
                }
            }
            // These show no messages.
            Self::Account(_) | Self::Redaction(_) => {}
        }
    }

    /// Returns the name of the command that caused the query.
    pub fn command(&self) -> &'static str {
        match self {
            Self::History(_) | Self::Targets(_) => "CHATHISTORY",
            Self::Replay(_) => "JOIN",
            Self::Search(_) => "SEARCH",
            Self::Redaction(_) => "REDACT",
            Self::Account(AccountQuery { reply_form: ReplyForm::Command(name), .. }) => name,
            Self::Account(AccountQuery { reply_form: ReplyForm::Service, .. }) => "NICKSERV",
        }
    }
}
