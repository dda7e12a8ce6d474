//! Buffer: the loaded history of one conversation, its read state, scroll position and draft.

pub mod loading;

use std::collections::{HashMap, VecDeque};

use self::loading::Loading;
use super::entry::{Entry, EntryContent, Message, OutgoingMessage, ReactionChange};
use crate::client::model::{Conversation, Ticket};
use crate::client::screen::text::text_field::TextField;
use crate::client::settings::state::Draft;
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

/// Selected message or run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Entry of the buffer, by its number.
    Entry(i64),
    /// Message that the server has not confirmed yet.
    Outgoing(Ticket),
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
    /// Loaded part of the history, and the query in flight.
    pub loading: Loading,
    /// Entries that arrived while the latest were not loaded, appended in [`Self::mark_caught_up`].
    arrived_behind_gap: VecDeque<Entry>,
    /// Messages sent from here that the server has not confirmed.
    pub outgoing: Vec<OutgoingMessage>,
    /// Read marker, as known here.
    pub read_marker: Option<Timestamp>,
    /// Set if the server reported that the account has read nothing here.
    pub is_never_read: bool,
    /// Read marker, as known to the server.
    pub sent_marker: Option<Timestamp>,
    /// Selected message or run.
    pub selection: Option<Selection>,
    /// Time stamp after which the line "new" is drawn.
    pub divider: Option<Timestamp>,
    /// Count of unread messages of others.
    pub unread: usize,
    /// Count of the unread messages that mention the own nick.
    pub mentions: usize,
    /// Scroll position of the messages.
    pub scroll: Scroll,
    /// Time stamp up to which the user has cleared the screen, until they scroll up.
    pub cleared: Option<Timestamp>,
    /// Nicks that are typing, each with the time stamp at which the notification expires.
    pub typing: Vec<(Nick, Timestamp)>,
    /// Suppresses the bell and notifications.
    pub muted: bool,
    /// Set for a channel that the account is not in any more.
    pub left: bool,
    /// Presence of the other account of a direct conversation; `None` where it is unknown.
    pub peer: Option<PeerPresence>,
    /// Text in the composer.
    pub draft: TextField,
    /// Draft that comes back once the composer is empty.
    pub set_aside: Option<Draft>,
    /// Id of the message that the draft replies to.
    pub reply_to: Option<String>,
    /// Set once NAMES was sent for the channel on this connection.
    pub names_queried: bool,
}

/// Presence of the other account of a direct conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerPresence {
    /// It has a session.
    Online,
    /// It has none, and finds its messages later.
    Offline,
    /// No account has this name.
    Missing,
}

/// Change of a message after it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageChange {
    /// Reaction given or withdrawn; see [`Message::apply_reaction`].
    React(ReactionChange),
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
            loading: Loading::default(),
            arrived_behind_gap: VecDeque::new(),
            outgoing: Vec::new(),
            read_marker: None,
            is_never_read: false,
            sent_marker: None,
            selection: None,
            divider: None,
            unread: 0,
            mentions: 0,
            scroll: Scroll::Bottom,
            cleared: None,
            typing: Vec::new(),
            muted: false,
            left: false,
            peer: None,
            draft: TextField::default(),
            set_aside: None,
            reply_to: None,
            names_queried: false,
        }
    }

    /// Clears the screen: the messages so far are hidden until the user scrolls up.
    pub fn clear_screen(&mut self) {
        self.cleared = self.entries.back().map(|entry| entry.time);
    }

    /// Returns whether the user has cleared the screen of this entry. A selection or a scroll position shows all.
    pub fn is_cleared(&self, entry: &Entry) -> bool {
        self.scroll == Scroll::Bottom
            && self.selection.is_none()
            && self.cleared.is_some_and(|cleared| entry.time <= cleared)
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

    /// Returns the entry with a message id.
    pub fn find_entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(self.position_of(id)?)
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

    /// Takes note of the presence of the other account. Of a name without an account the server says that it is offline.
    pub fn set_peer_online(&mut self, online: bool) {
        self.peer = match (online, self.peer) {
            (true, _) => Some(PeerPresence::Online),
            (false, Some(PeerPresence::Missing)) => Some(PeerPresence::Missing),
            (false, _) => Some(PeerPresence::Offline),
        };
    }

    /// Adds an entry that happened now. Returns `true` unless it was known already.
    pub fn append_live(&mut self, entry: Entry) -> bool {
        if self.loading.has_latest() || self.loading.is_unloaded() {
            self.loading.bounds.newest = None;
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
        self.loading.caught_up();
        for entry in std::mem::take(&mut self.arrived_behind_gap) {
            self.insert_sorted(entry, false);
        }
        self.enforce_limits(true);
    }

    /// Starts with the messages that arrive, because the server has no history.
    pub fn start_without_history(&mut self) {
        self.loading.unsupported();
        self.mark_caught_up();
    }

    /// Drops what is loaded, to load the latest page next. Used where the gap is larger than anybody would read.
    pub fn skip_to_latest(&mut self) {
        self.clear_loaded();
        self.loading.restart();
        self.scroll = Scroll::Bottom;
    }

    /// Drops what is loaded, for a page around the target of a jump.
    pub fn replace_by_past(&mut self, entries: Vec<Entry>) {
        self.clear_loaded();
        self.loading.jumped();
        self.insert_page(entries, false);
    }

    /// Drops the loaded entries.
    fn clear_loaded(&mut self) {
        self.first_number += i64::try_from(self.entries.len()).unwrap_or(0);
        self.entries.clear();
        self.times_by_id.clear();
        self.memory_bytes = 0;
        self.last_server_time = None;
    }

    /// Drops the messages that arrived before a gap, before any page was loaded. What this client noted itself stays.
    pub fn drop_before_gap(&mut self) {
        if self.loading.take_before_gap() {
            let notes: Vec<Entry> =
                self.entries.iter().filter(|entry| !is_from_server(entry)).cloned().collect();
            self.clear_loaded();
            self.insert_page(notes, false);
        }
    }

    /// Resets the state that belongs to a connection. What comes next may come behind a gap.
    pub fn reset_connection(&mut self) {
        // Entries behind a gap are queried again.
        self.arrived_behind_gap.clear();
        self.loading.disconnected();
        self.names_queried = false;
        self.typing.clear();
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
            self.loading.dropped_oldest();
            self.entries.pop_front()
        } else {
            self.loading.dropped_newest();
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

    /// Hides the messages of these senders, and shows those of all others.
    pub fn hide_messages(&mut self, is_ignored: impl Fn(&Nick) -> bool) {
        for entry in self.entries.iter_mut().chain(&mut self.arrived_behind_gap) {
            entry.hidden = entry.message().is_some_and(|message| !message.mine && is_ignored(&message.from));
        }
        self.typing.retain(|(nick, _)| !is_ignored(nick));
        self.recount_unread();
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
        self.last_server_time.filter(|_| self.loading.has_latest())
    }
}

/// Returns whether the entry came from the server. Messages of other servers may have no id; notes that this client
/// makes never have one.
fn is_from_server(entry: &Entry) -> bool {
    entry.id.is_some() || entry.message().is_some()
}

fn apply_to(message: &mut Message, change: MessageChange) {
    match change {
        MessageChange::React(change) => message.apply_reaction(&change),
        MessageChange::Redact(reason) => {
            (message.text, message.markup) = ("".into(), Box::default());
            message.reactions.clear();
            message.redacted = Some(reason);
        }
    }
}
