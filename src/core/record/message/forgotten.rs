//! Removal of old messages and audit entries (retention).

use serde::{Deserialize, Serialize};

use crate::core::record::Conversation;
use crate::wire::{MessageId, Timestamp};

/// Limits of what is kept of one channel, in place of those of the configuration. 0 is for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionLimits {
    /// Days for which messages are kept; `None` as the configuration says.
    pub keep_days: Option<u32>,
    /// Count of messages that are kept; `None` as the configuration says.
    pub keep_messages: Option<u32>,
}

impl RetentionLimits {
    /// The largest number of days: a century.
    pub const MAX_DAYS: u32 = 36_500;
    /// The largest count of messages.
    pub const MAX_MESSAGES: u32 = 1_000_000_000;
}

/// Removal of the oldest messages and events of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenHistory {
    /// The conversation whose old messages are removed.
    pub conversation: Conversation,
    /// The messages and events that stay.
    pub kept: KeptFrom,
    /// Maximum number of messages and events that are removed, the oldest first. It bounds the transaction.
    pub most: u32,
}

/// First message or event of each class that stays when the older ones are removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFrom {
    /// The first message that stays.
    pub messages: MessageId,
    /// First event, such as a JOIN.
    pub events: MessageId,
    /// First redaction event.
    pub redactions: MessageId,
    /// First message whose text was redacted.
    pub redacted: MessageId,
}

/// Removal of the oldest entries of the audit log. Entries about shown roots stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenAudit {
    /// Time before which entries are removed.
    pub before: Timestamp,
    /// Maximum number of entries that are removed, the oldest first. It bounds the transaction.
    pub most: u32,
}
