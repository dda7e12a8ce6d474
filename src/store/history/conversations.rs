//! Conversations as a whole: which there are, with their limits, and what the history has of them.

use rusqlite::{Connection, Row};

use crate::core::model::daily_usage::Usage;
use crate::core::record::{AccountId, ChannelId, Conversation, MessageKind, RetentionLimits};
use crate::store::tables::volumes::Class;
use crate::store::values::time;
use crate::wire::{ChannelName, MessageId, Timestamp};

/// A conversation that may have messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptConversation {
    /// Channel or direct conversation.
    pub conversation: Conversation,
    /// Name of a channel.
    pub channel: Option<ChannelName>,
    /// Limits of its own.
    pub limits: RetentionLimits,
}

/// Returns all conversations that may have messages: channels, and direct conversations.
pub fn conversations(conn: &Connection) -> rusqlite::Result<Vec<KeptConversation>> {
    let sql = "SELECT id, name, keep_days, keep_messages FROM channels
               UNION ALL SELECT DISTINCT place, NULL, NULL, NULL FROM talks";
    let read = |row: &Row<'_>| {
        let limits = RetentionLimits { keep_days: row.get(2)?, keep_messages: row.get(3)? };
        Ok(KeptConversation { conversation: row.get(0)?, channel: row.get(1)?, limits })
    };
    conn.prepare_cached(sql)?.query_map([], read)?.collect()
}

/// Returns what each account has sent since a time, for its quotas.
pub fn sent_since(conn: &Connection, since: Timestamp) -> rusqlite::Result<Vec<(AccountId, Usage)>> {
    let first = time::read_id_offsets(conn)?.first_at(since);
    let sql = "SELECT sender, count(*), sum(octet_length(text) + ifnull(octet_length(tags), 0))
               FROM messages WHERE id >= ?1 AND kind IN (?2, ?3) GROUP BY sender";
    let kinds = (first, MessageKind::Privmsg, MessageKind::Notice);
    conn.prepare(sql)?
        .query_map(kinds, |row| {
            let number = |column| row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0));
            Ok((row.get(0)?, Usage { messages: number(1)?, bytes: number(2)? }))
        })?
        .collect()
}

/// Counts of what the history has of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistorySize {
    /// Count of messages, and of events such as joins.
    pub entries: u64,
    /// Count of messages that were not redacted.
    pub messages: u64,
    /// Bytes of their texts and tags.
    pub bytes: u64,
    /// The latest of these messages.
    pub latest: Option<MessageId>,
}

/// Counts what the history has of a channel before a message id.
pub fn size(conn: &Connection, channel: ChannelId, before: MessageId) -> rusqlite::Result<HistorySize> {
    let conversation = Conversation::Channel(channel);
    let sql = "SELECT count(*), ifnull(sum(class = ?3), 0),
                 ifnull(sum((octet_length(text) + ifnull(octet_length(tags), 0)) * (class = ?3)), 0),
                 max(iif(class = ?3, id, NULL))
               FROM history WHERE place = ?1 AND id < ?2";
    let number = |row: &Row<'_>, column: usize| {
        row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0))
    };
    conn.prepare_cached(sql)?.query_row((conversation, before, Class::Message as i64), |row| {
        Ok(HistorySize {
            entries: number(row, 0)?,
            messages: number(row, 1)?,
            bytes: number(row, 2)?,
            latest: row.get(3)?,
        })
    })
}
