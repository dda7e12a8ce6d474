//! Buffer: the loaded history of one conversation, its read state, scroll position and draft.

use std::collections::{HashMap, VecDeque};

use super::entry::{Entry, Message, Outgoing, What};
use crate::client::model::{Point, Target, Ticket};
use crate::client::screen::text::composer::Editor;
use crate::wire::{Millis, Nick};

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
        below: usize,
    },
}

/// Purpose of a history query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// The latest messages of a conversation with nothing loaded.
    Latest,
    /// Messages before the first loaded one.
    Older,
    /// Messages after the last loaded one, with the count of pages of them that have come already.
    Newer(u8),
    /// Messages around the target of a jump.
    Around(Landing),
}

/// Target of a jump in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// Message with this id.
    Id(String),
    /// First message after this time stamp.
    After(Millis),
}

/// Screen state of a channel or a direct conversation.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Independent flags.
pub struct Buffer {
    /// Conversation that the buffer is of.
    pub place: Target,
    /// Loaded entries, in order and without a gap.
    entries: VecDeque<Entry>,
    /// Number of the first entry. An entry keeps its number when others are added or dropped.
    first: i64,
    /// Time stamps of the loaded messages by id, to find them by binary search.
    times: HashMap<Box<str>, Millis>,
    /// Reactions and redactions of messages that are not loaded yet.
    waiting: Vec<(Box<str>, Change)>,
    weight: usize,
    /// Time stamp of the latest loaded entry that the server sent.
    told_last: Option<Millis>,
    /// Set while the last loaded entry is the latest of the conversation.
    pub live: bool,
    /// Set when no history precedes the first loaded entry.
    pub whole: bool,
    /// Set once a history query was answered, or the server has no history.
    pub known: bool,
    /// Entries that arrived while `live` was unset, appended in [`Self::caught_up`].
    late: VecDeque<Entry>,
    /// Set from a jump to an earlier part of the history until the return to the latest.
    pub detached: bool,
    /// Target of a jump that is not loaded yet.
    pub jump: Option<Landing>,
    /// Target of a jump whose page has just been loaded.
    pub landed: Option<Landing>,
    /// Bounds of the loaded history as the server sees them, whose first and last line may be of a kind that is not
    /// kept here. `None` stands for the first or last loaded message.
    pub ends: (Option<Point>, Option<Point>),
    /// Count of consecutive pages without a new entry.
    pub fruitless: u8,
    /// Count of loaded pages of the messages that were missed.
    pub parts: u8,
    /// History query in flight.
    pub asked: Option<(Ticket, Want)>,
    /// Set when a history query failed for good; the next reconnect clears it, and so does the user with a jump.
    pub broken: bool,
    /// Count of history queries that failed in a row, and may work later.
    pub failures: u8,
    /// Time stamp of the next try after a failure.
    pub retry: Option<Millis>,
    /// Messages sent from here that the server has not confirmed.
    pub outbox: Vec<Outgoing>,
    /// Read marker, as known here.
    pub marker: Option<Millis>,
    /// Read marker, as known to the server.
    pub told: Option<Millis>,
    /// Time stamp after which the line "new" is drawn.
    pub divider: Option<Millis>,
    /// Count of unread messages of others.
    pub unread: usize,
    /// Count of the unread messages that mention the own nick.
    pub mentions: usize,
    /// Scroll position of the messages.
    pub scroll: Scroll,
    /// Nicks that are typing, each with the time stamp at which the notification expires.
    pub typing: Vec<(Nick, Millis)>,
    /// Suppresses the bell and notifications.
    pub muted: bool,
    /// Set for a channel that the account is not in any more.
    pub left: bool,
    /// Presence of the other account of a direct conversation; `None` where it is unknown.
    pub online: Option<bool>,
    /// Text in the composer.
    pub draft: Editor,
    /// Id of the message that the draft replies to.
    pub reply: Option<String>,
    /// Set once NAMES was sent for the channel on this connection.
    pub named: bool,
}

/// Change of a message after it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Reaction given or withdrawn; see [`Message::react`].
    React {
        /// Emoji of the reaction.
        emoji: String,
        /// Account that reacted.
        from: Nick,
        /// Set if the own account gave it.
        mine: bool,
        /// Set if it was withdrawn.
        off: bool,
    },
    /// Redaction, with the account and the reason.
    Redact(Box<str>),
}

impl Buffer {
    /// Limit of entries of one buffer. Entries beyond it are dropped, and queried again when needed.
    pub const MOST: usize = 120_000;
    /// Limit of the approximate weight of one buffer, in bytes; see [`Self::MOST`].
    pub const MOST_BYTES: usize = 64 * 1024 * 1024;
    /// Limit of entries of a buffer off the screen.
    pub const ASIDE: usize = 5_000;
    /// Limit of the approximate weight of a buffer off the screen, in bytes.
    pub const ASIDE_BYTES: usize = 8 * 1024 * 1024;
    const MOST_WAITING: usize = 2_000;

    /// Creates an empty buffer.
    pub fn new(place: Target) -> Self {
        Self {
            place,
            entries: VecDeque::new(),
            first: 0,
            times: HashMap::new(),
            waiting: Vec::new(),
            weight: 0,
            told_last: None,
            live: false,
            whole: false,
            known: false,
            late: VecDeque::new(),
            detached: false,
            jump: None,
            landed: None,
            ends: (None, None),
            fruitless: 0,
            parts: 0,
            asked: None,
            broken: false,
            failures: 0,
            retry: None,
            outbox: Vec::new(),
            marker: None,
            told: None,
            divider: None,
            unread: 0,
            mentions: 0,
            scroll: Scroll::Bottom,
            typing: Vec::new(),
            muted: false,
            left: false,
            online: None,
            draft: Editor::default(),
            reply: None,
            named: false,
        }
    }

    /// Returns the range of the numbers of the loaded entries.
    pub fn numbers(&self) -> std::ops::Range<i64> {
        self.first..self.first + i64::try_from(self.entries.len()).unwrap_or(0)
    }

    /// Returns the entry with a number.
    pub fn entry(&self, number: i64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Returns the message with an id, and its number.
    pub fn find(&self, id: &str) -> Option<(i64, &Message)> {
        let at = self.place_of(id)?;
        Some((self.first + i64::try_from(at).ok()?, self.entries.get(at)?.message()?))
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
    pub fn backwards(&self) -> impl Iterator<Item = (i64, &Entry)> {
        self.numbers().rev().zip(self.entries.iter().rev())
    }

    /// Returns the number of the first entry after a time stamp.
    pub fn after(&self, time: Millis) -> i64 {
        let at = self.entries.partition_point(|entry| entry.time <= time);
        self.first + i64::try_from(at).unwrap_or(0)
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        let time = *self.times.get(id)?;
        let from = self.entries.partition_point(|entry| entry.time < time);
        let same = self.entries.range(from..).take_while(|entry| entry.time == time);
        same.zip(from..).find(|(entry, _)| entry.id.as_deref() == Some(id)).map(|(_, at)| at)
    }

    /// Adds an entry that happened now. Returns `true` unless it was known already.
    pub fn happened(&mut self, entry: Entry) -> bool {
        if self.live || !self.known {
            self.ends.1 = None;
            let new = self.put(entry, false);
            self.trim(true);
            return new;
        }
        // Behind a gap: the entry follows the page in flight, which contains it too unless the entry is newer. Beyond
        // the limit the oldest ones go, because that page contains them.
        if self.late.len() >= Self::ASIDE {
            self.late.pop_front();
        }
        self.late.push_back(entry);
        true
    }

    /// Adds a page of history that adjoins the loaded entries. Returns `true` if any of it was new.
    pub fn load(&mut self, entries: Vec<Entry>, older: bool) -> bool {
        let mut new = false;
        for entry in entries {
            new |= self.put(entry, older);
        }
        self.trim(!older);
        new
    }

    /// Marks the latest entry as loaded, and appends the entries that arrived meanwhile.
    pub fn caught_up(&mut self) {
        self.live = true;
        self.detached = false;
        self.parts = 0;
        self.ends.1 = None;
        self.fruitless = 0;
        for entry in std::mem::take(&mut self.late) {
            self.put(entry, false);
        }
        self.trim(true);
    }

    /// Drops what is loaded, to load the latest page next. Used where the gap is larger than anybody would read.
    pub fn skip_to_latest(&mut self) {
        self.forget();
        // A page in flight would come to stand behind a gap.
        self.asked = None;
        self.known = false;
        self.parts = 0;
        self.try_again();
        self.scroll = Scroll::Bottom;
    }

    /// Drops the loaded entries, to start at another part of the history.
    pub fn forget(&mut self) {
        self.first += i64::try_from(self.entries.len()).unwrap_or(0);
        self.entries.clear();
        self.times.clear();
        self.weight = 0;
        self.told_last = None;
        self.live = false;
        self.whole = false;
        self.ends = (None, None);
        self.fruitless = 0;
    }

    /// Resets the state that belongs to a connection. What comes next may come behind a gap.
    pub fn disconnected(&mut self) {
        // Entries behind a gap are queried again.
        self.late.clear();
        self.live = false;
        self.asked = None;
        self.parts = 0;
        self.named = false;
        self.try_again();
        self.typing.clear();
    }

    /// Allows history queries again after failed ones.
    pub fn try_again(&mut self) {
        (self.broken, self.failures, self.retry) = (false, 0, None);
    }

    /// Shows each entry of a run of joins and leaves, or folds the run into one line.
    pub fn unfold(&mut self, run: std::ops::Range<i64>, open: bool) {
        let from = usize::try_from(run.start - self.first).unwrap_or(0);
        let count = usize::try_from(run.end - run.start).unwrap_or(0);
        self.entries.iter_mut().skip(from).take(count).for_each(|entry| entry.open = open);
    }

    /// Inserts an entry in order of time stamp and id. Returns `false` for a duplicate. With `older` the entries after
    /// it keep their numbers, else those before it.
    fn put(&mut self, mut entry: Entry, older: bool) -> bool {
        if let Some(id) = entry.id.as_deref()
            && self.times.contains_key(id)
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
                if entry.id.is_none() && same.clone().any(|other| other.what == entry.what) {
                    return false;
                }
                from + same.take_while(|other| key(other) <= new).count()
            }
        };
        if let (What::Said(message), Some(id)) = (&mut entry.what, &entry.id) {
            for (_, change) in self.waiting.extract_if(.., |(other, _)| *other == *id) {
                apply(message, change);
            }
        }
        if let Some(id) = &entry.id {
            self.times.insert(id.clone(), entry.time);
        }
        if told(&entry) {
            self.told_last = self.told_last.max(Some(entry.time));
        }
        self.weight += entry.weight();
        // An entry that continues an unfolded run is shown as well.
        entry.open = matches!(entry.what, What::Moved(_))
            && at
                .checked_sub(1)
                .and_then(|before| self.entries.get(before))
                .is_some_and(|before| before.open);
        let place = self.first + i64::try_from(at).unwrap_or(0);
        let before = at < self.entries.len() && (older || at == 0);
        if let Scroll::At { number, .. } = &mut self.scroll {
            match before {
                true if *number < place => *number -= 1,
                false if *number >= place => *number += 1,
                _ => {}
            }
        }
        self.first -= i64::from(before);
        self.entries.insert(at, entry);
        true
    }

    /// Applies a change to a message, or keeps it until the message is loaded. Returns whether it is loaded.
    pub fn change(&mut self, id: &str, change: Change) -> bool {
        let at = self.place_of(id);
        if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
            let before = entry.weight();
            if let What::Said(message) = &mut entry.what {
                apply(message, change);
                self.weight = (self.weight + entry.weight()).saturating_sub(before);
                return true;
            }
        }
        if self.waiting.len() >= Self::MOST_WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push((id.into(), change));
        false
    }

    /// Enforces the limits, by dropping the oldest entries or, without `keep_newest`, the newest.
    fn trim(&mut self, keep_newest: bool) {
        while self.entries.len() > Self::MOST || self.weight > Self::MOST_BYTES {
            self.drop_one(keep_newest);
        }
    }

    /// Reduces a buffer off the screen to the limit [`Self::ASIDE`], unless it is scrolled up.
    pub fn aside(&mut self) {
        if self.scroll == Scroll::Bottom {
            while self.entries.len() > Self::ASIDE || self.weight > Self::ASIDE_BYTES {
                self.drop_one(true);
            }
        }
    }

    /// Returns the approximate memory of the loaded entries, in bytes.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Drops the oldest entries until at most `bytes` are loaded.
    pub fn thin_to(&mut self, bytes: usize) {
        while self.weight > bytes && !self.entries.is_empty() {
            self.drop_one(true);
        }
    }

    fn drop_one(&mut self, oldest: bool) {
        let dropped = if oldest {
            self.first += 1;
            self.whole = false;
            self.ends.0 = None;
            self.entries.pop_front()
        } else {
            self.live = false;
            self.ends.1 = None;
            self.entries.pop_back()
        };
        if let Some(entry) = dropped {
            self.weight = self.weight.saturating_sub(entry.weight());
            if let Some(id) = &entry.id {
                self.times.remove(id);
            }
            if !oldest && told(&entry) {
                let told = self.entries.iter().rev().find(|entry| told(entry));
                self.told_last = told.map(|entry| entry.time);
            }
        }
    }

    /// Returns whether an unread message counts as a mention: one that names the own nick, or a direct message.
    pub fn calls(&self, entry: &Entry) -> bool {
        let mention = entry.message().is_some_and(|message| message.mention);
        mention || matches!(self.place, Target::Person(_))
    }

    /// Counts the unread messages and mentions anew.
    pub fn count(&mut self) {
        let marker = self.marker.unwrap_or_default();
        let new =
            self.late.iter().rev().chain(self.entries.iter().rev()).take_while(|entry| entry.time > marker);
        let (mut unread, mut mentions) = (0, 0);
        for entry in new.filter(|entry| entry.counts()) {
            unread += 1;
            mentions += usize::from(self.calls(entry));
        }
        (self.unread, self.mentions) = (unread, mentions);
    }

    /// Returns the time stamp of the latest entry that the server sent, if the latest is loaded. Entries that only this
    /// client made are on no other device, and are no read marker.
    pub fn latest(&self) -> Option<Millis> {
        self.told_last.filter(|_| self.live)
    }
}

/// Returns whether the entry came from the server. Messages of other servers may have no id; notes that this client
/// makes never have one.
fn told(entry: &Entry) -> bool {
    entry.id.is_some() || entry.message().is_some()
}

fn apply(message: &mut Message, change: Change) {
    match change {
        Change::React { emoji, from, mine, off } => message.react(&emoji, &from, mine, off),
        Change::Redact(why) => {
            message.text = "".into();
            message.reactions.clear();
            message.redacted = Some(why);
        }
    }
}
