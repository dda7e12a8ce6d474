//! Queries to the history and the search index.

use std::collections::HashMap;
use std::sync::Arc;

use crate::core::effects::history::{MessageFilter, Search, Window};
use crate::core::effects::playback::HistoryReader;
use crate::core::record::received::MissedRanges;
use crate::core::record::{ChannelId, Conversation};
use crate::wire::{ChannelName, MessageId};

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
