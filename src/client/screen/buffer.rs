//! Buffer: the loaded history of one conversation, its read state, scroll position and draft.

use std::collections::{HashMap, VecDeque};

use super::entry::{Entry, EntryContent, Message, OutgoingMessage};
use crate::client::model::{Conversation, MessageRef, Ticket};
use crate::client::screen::text::text_field::TextField;
use crate::wire::{Nick, Timestamp};

/// Scroll position of a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scroll {
    /// Follows the latest entry.
    #[default]
    Bottom,
    /// The lowest visible row belongs to this entry, with `below` rows of it hidden below the edge.
    At {
        /// Number of the entry.
        number: i64,
        /// Rows of the entry below the edge.
        rows_below: usize,
    },
}

/// Purpose of a history query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryWant {
    /// The latest messages of a conversation with nothing loaded.
    Latest,
    /// Messages before the first loaded one.
    Older,
    /// Messages after the last loaded one, with the count of pages of them that have come already.
    Newer(u8),
    /// Messages around the target of a jump.
    Around(JumpTarget),
}

/// Target of a jump in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JumpTarget {
    /// Message with this id.
    Id(String),
    /// First message after this time stamp.
    After(Timestamp),
}

/// Screen state of a channel or a direct conversation.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Independent flags.
pub struct Buffer {
    /// Conversation that the buffer is of.
    pub conversation: Conversation,
    /// Loaded entries, in order and without a gap.
    entries: VecDeque<Entry>,
    /// Number of the first entry. An entry keeps its number when others are added or dropped.
    first_number: i64,
    /// Time stamps of the loaded messages by id, to find them by binary search.
    times_by_id: HashMap<Box<str>, Timestamp>,
    /// Reactions and redactions of messages that are not loaded yet.
    pending_changes: Vec<(Box<str>, MessageChange)>,
    memory_bytes: usize,
    /// Time stamp of the latest loaded entry that the server sent.
    last_server_time: Option<Timestamp>,
    /// Set while the last loaded entry is the latest of the conversation.
    pub has_latest: bool,
    /// Set when no history precedes the first loaded entry.
    pub has_oldest: bool,
    /// Set once a history query was answered, or the server has no history.
    pub history_queried: bool,
    /// Entries that arrived while `live` was unset, appended in [`Self::caught_up`].
    arrived_behind_gap: VecDeque<Entry>,
    /// Set from a jump to an earlier part of the history until the return to the latest.
    pub detached: bool,
    /// Target of a jump that is not loaded yet.
    pub jump_target: Option<JumpTarget>,
    /// Target of a jump whose page has just been loaded.
    pub reached_target: Option<JumpTarget>,
    /// Bounds of the loaded history as the server sees them, whose first and last line may be of a kind that is not
    /// kept here. `None` stands for the first or last loaded message.
    pub server_bounds: (Option<MessageRef>, Option<MessageRef>),
    /// Count of consecutive pages without a new entry.
    pub empty_pages: u8,
    /// Count of loaded pages of the messages that were missed.
    pub newer_pages: u8,
    /// History query in flight.
    pub query: Option<(Ticket, HistoryWant)>,
    /// Set when a history query failed for good; the next reconnect clears it, and so does the user with a jump.
    pub history_failed: bool,
    /// Count of history queries that failed in a row, and may work later.
    pub failures: u8,
    /// Time stamp of the next try after a failure.
    pub retry_at: Option<Timestamp>,
    /// Messages sent from here that the server has not confirmed.
    pub outgoing: Vec<OutgoingMessage>,
    /// Read marker, as known here.
    pub read_marker: Option<Timestamp>,
    /// Read marker, as known to the server.
    pub sent_marker: Option<Timestamp>,
    /// Time stamp after which the line "new" is drawn.
    pub divider: Option<Timestamp>,
    /// Count of unread messages of others.
    pub unread: usize,
    /// Count of the unread messages that mention the own nick.
    pub mentions: usize,
    /// Scroll position of the messages.
    pub scroll: Scroll,
    /// Nicks that are typing, each with the time stamp at which the notification expires.
    pub typing: Vec<(Nick, Timestamp)>,
    /// Suppresses the bell and notifications.
    pub muted: bool,
    /// Set for a channel that the account is not in any more.
    pub left: bool,
    /// Presence of the other account of a direct conversation; `None` where it is unknown.
    pub peer_online: Option<bool>,
    /// Text in the composer.
    pub draft: TextField,
    /// Id of the message that the draft replies to.
    pub reply_to: Option<String>,
    /// Set once NAMES was sent for the channel on this connection.
    pub names_queried: bool,
}

/// Change of a message after it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageChange {
    /// Reaction given or withdrawn; see [`Message::apply_reaction`].
    React {
        /// Emoji of the reaction.
        emoji: String,
        /// Account that reacted.
        from: Nick,
        /// Set if the own account gave it.
        mine: bool,
        /// Set if it was withdrawn.
        removed: bool,
    },
    /// Redaction, with the account and the reason.
    Redact(Box<str>),
}

impl Buffer {
    /// Limit of entries of one buffer. Entries beyond it are dropped, and queried again when needed.
    pub const MAX_ENTRIES: usize = 120_000;
    /// Limit of the approximate weight of one buffer, in bytes; see [`Self::MAX_ENTRIES`].
    pub const MAX_BYTES: usize = 64 * 1024 * 1024;
    /// Limit of entries of a buffer off the screen.
    pub const MAX_BACKGROUND_ENTRIES: usize = 5_000;
    /// Limit of the approximate weight of a buffer off the screen, in bytes.
    pub const MAX_BACKGROUND_BYTES: usize = 8 * 1024 * 1024;
    const MAX_PENDING_CHANGES: usize = 2_000;

    /// Creates an empty buffer.
    pub fn new(conversation: Conversation) -> Self {
        Self {
            conversation,
            entries: VecDeque::new(),
            first_number: 0,
            times_by_id: HashMap::new(),
            pending_changes: Vec::new(),
            memory_bytes: 0,
            last_server_time: None,
            has_latest: false,
            has_oldest: false,
            history_queried: false,
            arrived_behind_gap: VecDeque::new(),
            detached: false,
            jump_target: None,
            reached_target: None,
            server_bounds: (None, None),
            empty_pages: 0,
            newer_pages: 0,
            query: None,
            history_failed: false,
            failures: 0,
            retry_at: None,
            outgoing: Vec::new(),
            read_marker: None,
            sent_marker: None,
            divider: None,
            unread: 0,
            mentions: 0,
            scroll: Scroll::Bottom,
            typing: Vec::new(),
            muted: false,
            left: false,
            peer_online: None,
            draft: TextField::default(),
            reply_to: None,
            names_queried: false,
        }
    }

    /// Returns the range of the numbers of the loaded entries.
    pub fn numbers(&self) -> std::ops::Range<i64> {
        self.first_number..self.first_number + i64::try_from(self.entries.len()).unwrap_or(0)
    }

    /// Returns the entry with a number.
    pub fn entry(&self, number: i64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(self.first_number)?).ok()?)
    }

    /// Returns the message with an id, and its number.
    pub fn find_message(&self, id: &str) -> Option<(i64, &Message)> {
        let at = self.position_of(id)?;
        Some((self.first_number + i64::try_from(at).ok()?, self.entries.get(at)?.message()?))
    }

    /// Returns the first loaded entry.
    pub fn oldest(&self) -> Option<&Entry> {
        self.entries.front()
    }

    /// Returns the last loaded entry.
    pub fn newest(&self) -> Option<&Entry> {
        self.entries.back()
    }

    /// Iterates over the loaded entries from last to first, with their numbers.
    pub fn newest_first(&self) -> impl Iterator<Item = (i64, &Entry)> {
        self.numbers().rev().zip(self.entries.iter().rev())
    }

    /// Returns the number of the first entry after a time stamp.
    pub fn first_after(&self, time: Timestamp) -> i64 {
        let at = self.entries.partition_point(|entry| entry.time <= time);
        self.first_number + i64::try_from(at).unwrap_or(0)
    }

    fn position_of(&self, id: &str) -> Option<usize> {
        let time = *self.times_by_id.get(id)?;
        let from = self.entries.partition_point(|entry| entry.time < time);
        let same = self.entries.range(from..).take_while(|entry| entry.time == time);
        same.zip(from..).find(|(entry, _)| entry.id.as_deref() == Some(id)).map(|(_, at)| at)
    }

    /// Adds an entry that happened now. Returns `true` unless it was known already.
    pub fn append_live(&mut self, entry: Entry) -> bool {
        if self.has_latest || !self.history_queried {
            self.server_bounds.1 = None;
            let new = self.insert_sorted(entry, false);
            self.enforce_limits(true);
            return new;
        }
        // Behind a gap: the entry follows the page in flight, which contains it too unless the entry is newer. Beyond
        // the limit the oldest ones go, because that page contains them.
        if self.arrived_behind_gap.len() >= Self::MAX_BACKGROUND_ENTRIES {
            self.arrived_behind_gap.pop_front();
        }
        self.arrived_behind_gap.push_back(entry);
        true
    }

    /// Adds a page of history that adjoins the loaded entries. Returns `true` if any of it was new.
    pub fn insert_page(&mut self, entries: Vec<Entry>, older: bool) -> bool {
        let mut new = false;
        for entry in entries {
            new |= self.insert_sorted(entry, older);
        }
        self.enforce_limits(!older);
        new
    }

    /// Marks the latest entry as loaded, and appends the entries that arrived meanwhile.
    pub fn mark_caught_up(&mut self) {
        self.has_latest = true;
        self.detached = false;
        self.newer_pages = 0;
        self.server_bounds.1 = None;
        self.empty_pages = 0;
        for entry in std::mem::take(&mut self.arrived_behind_gap) {
            self.insert_sorted(entry, false);
        }
        self.enforce_limits(true);
    }

    /// Drops what is loaded, to load the latest page next. Used where the gap is larger than anybody would read.
    pub fn skip_to_latest(&mut self) {
        self.clear_loaded();
        // A page in flight would come to stand behind a gap.
        self.query = None;
        self.history_queried = false;
        self.newer_pages = 0;
        self.reset_failures();
        self.scroll = Scroll::Bottom;
    }

    /// Drops the loaded entries, to start at another part of the history.
    pub fn clear_loaded(&mut self) {
        self.first_number += i64::try_from(self.entries.len()).unwrap_or(0);
        self.entries.clear();
        self.times_by_id.clear();
        self.memory_bytes = 0;
        self.last_server_time = None;
        self.has_latest = false;
        self.has_oldest = false;
        self.server_bounds = (None, None);
        self.empty_pages = 0;
    }

    /// Resets the state that belongs to a connection. What comes next may come behind a gap.
    pub fn reset_connection(&mut self) {
        // Entries behind a gap are queried again.
        self.arrived_behind_gap.clear();
        self.has_latest = false;
        self.query = None;
        self.newer_pages = 0;
        self.names_queried = false;
        self.reset_failures();
        self.typing.clear();
    }

    /// Allows history queries again after failed ones.
    pub fn reset_failures(&mut self) {
        (self.history_failed, self.failures, self.retry_at) = (false, 0, None);
    }

    /// Shows each entry of a run of joins and leaves, or folds the run into one line.
    pub fn set_unfolded(&mut self, run: std::ops::Range<i64>, unfolded: bool) {
        let from = usize::try_from(run.start - self.first_number).unwrap_or(0);
        let count = usize::try_from(run.end - run.start).unwrap_or(0);
        self.entries.iter_mut().skip(from).take(count).for_each(|entry| entry.unfolded = unfolded);
    }

    /// Inserts an entry in order of time stamp and id. Returns `false` for a duplicate. With `older` the entries after
    /// it keep their numbers, else those before it.
    fn insert_sorted(&mut self, mut entry: Entry, older: bool) -> bool {
        if let Some(id) = entry.id.as_deref()
            && self.times_by_id.contains_key(id)
        {
            return false;
        }
        let key = |entry: &Entry| (entry.time, entry.id.clone());
        let at = match self.entries.back() {
            Some(last) if last.time < entry.time => self.entries.len(),
            None => 0,
            Some(_) => {
                let from = self.entries.partition_point(|other| other.time < entry.time);
                let new = key(&entry);
                let same = self.entries.range(from..).take_while(|other| other.time == entry.time);
                if entry.id.is_none() && same.clone().any(|other| other.content == entry.content) {
                    return false;
                }
                from + same.take_while(|other| key(other) <= new).count()
            }
        };
        if let (EntryContent::Message(message), Some(id)) = (&mut entry.content, &entry.id) {
            for (_, change) in self.pending_changes.extract_if(.., |(other, _)| *other == *id) {
                apply_to(message, change);
            }
        }
        if let Some(id) = &entry.id {
            self.times_by_id.insert(id.clone(), entry.time);
        }
        if is_from_server(&entry) {
            self.last_server_time = self.last_server_time.max(Some(entry.time));
        }
        self.memory_bytes += entry.memory_bytes();
        // An entry that continues an unfolded run is shown as well.
        entry.unfolded = matches!(entry.content, EntryContent::Membership(_))
            && at
                .checked_sub(1)
                .and_then(|before| self.entries.get(before))
                .is_some_and(|before| before.unfolded);
        let entry_number = self.first_number + i64::try_from(at).unwrap_or(0);
        let shifts_earlier = at < self.entries.len() && (older || at == 0);
        if let Scroll::At { number, .. } = &mut self.scroll {
            match shifts_earlier {
                true if *number < entry_number => *number -= 1,
                false if *number >= entry_number => *number += 1,
                _ => {}
            }
        }
        self.first_number -= i64::from(shifts_earlier);
        self.entries.insert(at, entry);
        true
    }

    /// Applies a change to a message, or keeps it until the message is loaded. Returns whether it is loaded.
    pub fn apply_change(&mut self, id: &str, change: MessageChange) -> bool {
        let at = self.position_of(id);
        if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
            let previous = entry.memory_bytes();
            if let EntryContent::Message(message) = &mut entry.content {
                apply_to(message, change);
                self.memory_bytes = (self.memory_bytes + entry.memory_bytes()).saturating_sub(previous);
                return true;
            }
        }
        if self.pending_changes.len() >= Self::MAX_PENDING_CHANGES {
            self.pending_changes.remove(0);
        }
        self.pending_changes.push((id.into(), change));
        false
    }

    /// Enforces the limits, by dropping the oldest entries or, without `keep_newest`, the newest.
    fn enforce_limits(&mut self, keep_newest: bool) {
        while self.entries.len() > Self::MAX_ENTRIES || self.memory_bytes > Self::MAX_BYTES {
            self.drop_entry(keep_newest);
        }
    }

    /// Reduces a buffer off the screen to the limit [`Self::MAX_BACKGROUND_ENTRIES`], unless it is scrolled up.
    pub fn trim_background(&mut self) {
        if self.scroll == Scroll::Bottom {
            while self.entries.len() > Self::MAX_BACKGROUND_ENTRIES
                || self.memory_bytes > Self::MAX_BACKGROUND_BYTES
            {
                self.drop_entry(true);
            }
        }
    }

    /// Returns the approximate memory of the loaded entries, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Drops the oldest entries until at most `bytes` are loaded.
    pub fn trim_to(&mut self, bytes: usize) {
        while self.memory_bytes > bytes && !self.entries.is_empty() {
            self.drop_entry(true);
        }
    }

    fn drop_entry(&mut self, oldest: bool) {
        let dropped = if oldest {
            self.first_number += 1;
            self.has_oldest = false;
            self.server_bounds.0 = None;
            self.entries.pop_front()
        } else {
            self.has_latest = false;
            self.server_bounds.1 = None;
            self.entries.pop_back()
        };
        if let Some(entry) = dropped {
            self.memory_bytes = self.memory_bytes.saturating_sub(entry.memory_bytes());
            if let Some(id) = &entry.id {
                self.times_by_id.remove(id);
            }
            if !oldest && is_from_server(&entry) {
                let newest = self.entries.iter().rev().find(|entry| is_from_server(entry));
                self.last_server_time = newest.map(|entry| entry.time);
            }
        }
    }

    /// Returns whether an unread message counts as a mention: one that names the own nick, or a direct message.
    pub fn is_mention(&self, entry: &Entry) -> bool {
        let mention = entry.message().is_some_and(|message| message.mention);
        mention || matches!(self.conversation, Conversation::Direct(_))
    }

    /// Counts the unread messages and mentions anew.
    pub fn recount_unread(&mut self) {
        let marker = self.read_marker.unwrap_or_default();
        let new = self
            .arrived_behind_gap
            .iter()
            .rev()
            .chain(self.entries.iter().rev())
            .take_while(|entry| entry.time > marker);
        let (mut unread, mut mentions) = (0, 0);
        for entry in new.filter(|entry| entry.counts_as_unread()) {
            unread += 1;
            mentions += usize::from(self.is_mention(entry));
        }
        (self.unread, self.mentions) = (unread, mentions);
    }

    /// Returns the time stamp of the latest entry that the server sent, if the latest is loaded. Entries that only this
    /// client made are on no other device, and are no read marker.
    pub fn latest_server_time(&self) -> Option<Timestamp> {
        self.last_server_time.filter(|_| self.has_latest)
    }
}

/// Returns whether the entry came from the server. Messages of other servers may have no id; notes that this client
/// makes never have one.
fn is_from_server(entry: &Entry) -> bool {
    entry.id.is_some() || entry.message().is_some()
}

fn apply_to(message: &mut Message, change: MessageChange) {
    match change {
        MessageChange::React { emoji, from, mine, removed: off } => {
            message.apply_reaction(&emoji, &from, mine, off);
        }
        MessageChange::Redact(reason) => {
            message.text = "".into();
            message.reactions.clear();
            message.redacted = Some(reason);
        }
    }
}
