//! Reads of the history for queries, each in one transaction.

use std::sync::Arc;

use rusqlite::Connection;

use crate::core::effects::history::{HistoryMessage, MessageFilter, Window};
use crate::core::effects::playback::HistoryReader;
use crate::core::effects::query::{HistoryQuery, MissedChannel, MissedDirect, TargetsQuery};
use crate::core::record::Conversation;
use crate::core::record::received::{MissedRange, MissedRanges};
use crate::store::history;
use crate::wire::{Cap, MessageId};

/// Conversations with the message ids of their latest messages.
type LatestMessages = Vec<(Arc<str>, MessageId)>;

/// Messages, each with the name of the conversation as the reader writes it.
type Page = Vec<(HistoryMessage, Arc<str>)>;

/// Reads the messages of all windows. The flag is true if none of these has more.
pub(super) fn read_windows(
    conn: &Connection,
    HistoryQuery { reader, conversation, target, windows, kinds, .. }: &HistoryQuery,
    max_bytes: usize,
) -> rusqlite::Result<(Page, bool)> {
    let read =
        |window: &Window| history::read_page(conn, *conversation, window, *kinds, max_bytes / windows.len());
    let mut parts = windows.iter().map(read).collect::<rusqlite::Result<Vec<_>>>()?;
    // Around a message near an end of the history, the other side gets the room that is left.
    if let ([older, newer], [before, after]) = (windows.as_slice(), parts.as_mut_slice()) {
        let [left_before, left_after] =
            [(older, &*before), (newer, &*after)].map(|(window, (part, ends))| {
                let count = part.iter().filter(|kept| kept.counts_towards_limit()).count();
                if *ends { window.limit.saturating_sub(count) } else { 0 }
            });
        if left_before > 0 && !after.1 {
            *after = read(&Window { limit: newer.limit + left_before, ..*newer })?;
        } else if left_after > 0 && !before.1 {
            *before = read(&Window { limit: older.limit + left_after, ..*older })?;
        }
    }
    let is_last = parts.iter().all(|(_, ends)| *ends);
    let page = parts.into_iter().flat_map(|(part, _)| part).map(|kept| with_target(kept, reader, target));
    Ok((page.collect(), is_last))
}

/// Adds the target to a message. In a direct conversation each side's messages go to the other.
pub(super) fn with_target(
    kept: HistoryMessage,
    reader: &HistoryReader,
    target: &Arc<str>,
) -> (HistoryMessage, Arc<str>) {
    let incoming =
        matches!(kept.message.conversation, Conversation::Direct(..)) && kept.message.from != reader.account;
    let target = if incoming { reader.nick.shared() } else { target.clone() };
    (kept, target)
}

/// Returns the channels and direct conversations whose latest message is in the window, in order. The flag is true if
/// these are all.
pub(super) fn read_targets(
    conn: &Connection,
    TargetsQuery { reader, channels, window }: &TargetsQuery,
) -> rusqlite::Result<(LatestMessages, bool)> {
    let mut found = Vec::new();
    for (id, name) in channels {
        if let Some(latest) = history::latest_message_id(conn, Conversation::Channel(*id))? {
            found.push((name.shared(), latest));
        }
    }
    let direct_conversations = history::direct_conversations(conn, reader.account, window.after)?;
    found.extend(direct_conversations.into_iter().map(|direct| (direct.peer.shared(), direct.latest)));
    found.retain(|(_, latest)| *latest > window.after && *latest < window.before);
    found.sort_unstable_by_key(|(_, latest)| *latest);
    let is_last = found.len() <= window.limit;
    if window.newest {
        found.drain(..found.len().saturating_sub(window.limit));
    }
    found.truncate(window.limit);
    Ok((found, is_last))
}

/// Returns the channels with messages since the start of the gap. Most channels are silent most of the time, so the
/// others can have their share of the bytes.
pub(super) fn channels_with_missed_messages(
    conn: &Connection,
    channels: Vec<MissedChannel>,
) -> rusqlite::Result<Vec<MissedChannel>> {
    let mut active_channels = Vec::new();
    for channel in channels {
        let Some(start) = channel.missed.first_bound() else { continue };
        let latest = history::latest_message_id(conn, Conversation::Channel(channel.id))?;
        active_channels.extend(latest.filter(|latest| *latest > start).map(|_| channel));
    }
    Ok(active_channels)
}

/// Messages only, because clients without a history capability understand nothing else from the past.
const REPLAYED_KINDS: MessageFilter = MessageFilter { events: false, redactions: false };

/// Reads the messages of a channel to be replayed.
pub(super) fn read_missed_channel(
    conn: &Connection,
    MissedChannel { id, name, missed }: &MissedChannel,
    bytes: usize,
) -> rusqlite::Result<Page> {
    let part = read_missed(conn, Conversation::Channel(*id), missed, bytes)?;
    let name = name.shared();
    Ok(part.into_iter().map(|kept| (kept, name.clone())).collect())
}

/// Reads the messages of direct conversations to be replayed, in the order of time.
pub(super) fn read_missed_direct(
    conn: &Connection,
    reader: &HistoryReader,
    MissedDirect { missed, read }: &MissedDirect,
    bytes: usize,
) -> rusqlite::Result<Page> {
    let Some(start) = missed.first_bound() else { return Ok(Vec::new()) };
    let mut direct_conversations = history::direct_conversations(conn, reader.account, start)?;
    direct_conversations.sort_unstable_by_key(|direct| std::cmp::Reverse(direct.latest));
    direct_conversations.truncate(missed.limit);
    let mut messages = Vec::new();
    let bytes_each = bytes / direct_conversations.len().max(1);
    for direct in direct_conversations {
        let missed = missed.after(read.get(&direct.conversation).copied().unwrap_or_default());
        let part = read_missed(conn, direct.conversation, &missed, bytes_each)?;
        let peer = direct.peer.shared();
        messages.extend(part.into_iter().map(|kept| with_target(kept, reader, &peer)));
    }
    // A client without echo-message attributes its own account's messages from other sessions to the other account.
    if !reader.caps.has(Cap::EchoMessage) {
        messages.retain(|(kept, _)| kept.message.from != reader.account);
    }
    messages.sort_unstable_by_key(|(kept, _)| kept.message.id);
    messages.drain(..messages.len().saturating_sub(missed.limit));
    Ok(messages)
}

/// Reads the latest missed messages of a conversation, the earliest first.
fn read_missed(
    conn: &Connection,
    conversation: Conversation,
    missed: &MissedRanges,
    bytes: usize,
) -> rusqlite::Result<Vec<HistoryMessage>> {
    let mut messages = Vec::new();
    for &MissedRange { after, before } in missed.gaps.iter().rev() {
        let limit = missed.limit.saturating_sub(messages.len());
        if limit == 0 {
            break;
        }
        let window = Window { after, before, newest: true, limit };
        let mut part = history::read(conn, conversation, &window, REPLAYED_KINDS, bytes)?;
        part.append(&mut messages);
        messages = part;
    }
    Ok(messages)
}
