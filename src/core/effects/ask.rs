//! Queries to the history, the search index and the password pool, and their results.
//!
//! Some results go straight to the session that sent the command, rendered by [`playback`](super::playback); others
//! come back to the core as an [`Answer`].

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
pub enum Ask {
    /// Messages of a conversation, in a batch `chathistory`.
    History {
        /// The session that reads.
        reader: HistoryReader,
        /// The conversation to read.
        place: Conversation,
        /// The target as the client wrote it, which is the parameter of the batch, and in its own spelling. Clients
        /// file the batch under the name that they requested it with.
        target: (Arc<str>, Arc<str>),
        /// The windows to read, in order.
        windows: Vec<Window>,
        /// The kinds of message to read.
        kinds: MessageFilter,
    },
    /// Conversations with recent messages, in a batch `draft/chathistory-targets`.
    Targets {
        /// The session that reads.
        reader: HistoryReader,
        /// The channels that its account may read, with their names.
        channels: Vec<(ChannelId, ChannelName)>,
        /// The time span and the limit.
        window: Window,
    },
    /// Replay of missed messages for a client without `chathistory`: as if they were sent now, but with their own
    /// times.
    Replay {
        /// The session that reads.
        reader: HistoryReader,
        /// The channels with their names, and the missed part of each.
        channels: Vec<(ChannelId, ChannelName, MissedRanges)>,
        /// The missed part of the direct conversations that have new messages.
        talks: Option<MissedTalks>,
    },
    /// Messages that match a search, in a batch `soju.im/search`.
    Search {
        /// The session that reads.
        reader: HistoryReader,
        /// The search conditions.
        search: Search,
        /// The latest message of now. The search index must have reached it.
        up_to: MessageId,
    },
    /// A change to an account or to the server. Its result is [`Answer::Managed`].
    Manage {
        /// The account that requests it.
        account: AccountId,
        /// The requested change.
        request: AccountRequest,
        /// The form of the reply.
        voice: ReplyForm,
    },
    /// No query: a block of rendered lines that is too long for the send queue and is sent in parts.
    Lines(Vec<u8>),
    /// The message that a REDACT names. Its result is [`Answer::Redact`].
    Redact(Redaction, Conversation),
}

/// The missed part of all direct conversations.
#[derive(Debug)]
pub struct MissedTalks {
    /// The missed part of each conversation, and of all together.
    pub missed: MissedRanges,
    /// The last message read in each conversation that has a read marker.
    pub read: HashMap<Conversation, MessageId>,
}

/// A parsed REDACT that waits for its message.
#[derive(Debug)]
pub struct Redaction {
    /// The target as the client wrote it.
    pub target: Box<str>,
    /// The message to remove.
    pub message: MessageId,
    /// Its msgid as the client wrote it, for errors.
    pub msgid: Box<str>,
    /// Reason, if the client gave one.
    pub reason: Option<Arc<str>>,
}

/// Result of an [`Ask`] that comes back to the core.
#[derive(Debug)]
pub enum Answer {
    /// The message to redact, if it exists.
    Redact(Redaction, Conversation, Option<RedactionTarget>),
    /// A change to an account or the server was made or refused.
    Managed(AccountId, ReplyForm, AccountRequestOutcome),
    /// The query of this command failed.
    Failed(&'static str, Failure),
}

/// Reason for an [`Answer::Failed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The store cannot be read.
    Unreadable,
    /// The query exceeded its time limit.
    TooLong,
    /// Too many requests of the account are waiting already.
    Crowded,
}

impl Ask {
    /// Returns whether the result is the reply to the command. Otherwise it comes after the reply.
    pub(in crate::core) fn is_answer(&self) -> bool {
        !matches!(self, Self::Replay { .. } | Self::Lines(_) | Self::Manage { voice: ReplyForm::Service, .. })
    }

    /// Sets the label that the rendered result carries.
    pub(in crate::core) fn set_label(&mut self, label: &str) {
        match self {
            Self::History { reader, .. } | Self::Targets { reader, .. } | Self::Search { reader, .. } => {
                reader.label = Some(label.into());
            }
            // The core labels the reply to these when their result arrives, or they have no label.
            Self::Redact(..) | Self::Manage { .. } | Self::Replay { .. } | Self::Lines(_) => {}
        }
    }

    /// Excludes this message and all later ones from the query.
    pub fn end_before(&mut self, message: MessageId) {
        let end = |window: &mut Window| window.before = window.before.min(message);
        match self {
            Self::History { windows, .. } => windows.iter_mut().for_each(end),
            Self::Targets { window, .. } => end(window),
            Self::Replay { channels, talks, .. } => {
                for (.., missed) in channels {
                    missed.end_before(message);
                }
                if let Some(talks) = talks {
                    talks.missed.end_before(message);
                }
            }
            Self::Search { search, up_to, .. } => {
                end(&mut search.window);
                // A search does not wait for messages that are not stored yet.
                *up_to = (*up_to).min(message);
                if *up_to == message {
                    *up_to = MessageId::default();
                }
            }
            Self::Manage { .. } | Self::Lines(_) | Self::Redact(..) => {}
        }
    }

    /// Returns the name of the command that caused the query.
    pub fn command(&self) -> &'static str {
        match self {
            Self::History { .. } | Self::Targets { .. } => "CHATHISTORY",
            Self::Replay { .. } => "JOIN",
            Self::Search { .. } => "SEARCH",
            Self::Manage { voice: ReplyForm::Command(name), .. } => name,
            Self::Manage { voice: ReplyForm::Service, .. } => "NICKSERV",
            Self::Redact(..) => "REDACT",
            Self::Lines(_) => "*",
        }
    }
}
