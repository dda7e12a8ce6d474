//! A place as one sees it: what was said there, up to where it is read, and where one looks.

use std::collections::{HashMap, VecDeque};

use super::editor::Editor;
use super::entry::{Entry, Message, Outgoing, What};
use crate::client::model::{Point, Target, Ticket};
use crate::wire::{Millis, Nick};

/// Where one looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scroll {
    /// At the latest.
    #[default]
    Bottom,
    /// The lowest row that is seen is one of this entry, with so many rows of it below the edge.
    At {
        /// The entry, by its number.
        number: i64,
        /// Rows.
        below: usize,
    },
}

/// Why a part of the past was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// The latest, of a place of which nothing is known.
    Latest,
    /// What came before the first that is known.
    Older,
    /// What came after the last that is known; so many parts of it have come already.
    Newer(u8),
    /// What is around a message that one wants to see.
    Around(Landing),
}

/// Where to look when it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// At this message.
    Id(String),
    /// At what was said first after this.
    After(Millis),
}

/// A channel, or the talk with a person.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Each says something of its own.
pub struct Buffer {
    /// Which.
    pub place: Target,
    /// What happened there, in order and without a gap.
    entries: VecDeque<Entry>,
    /// The number of the first. Numbers stay the same when others are added or dropped.
    first: i64,
    /// Where messages stand, by their ids.
    times: HashMap<Box<str>, Millis>,
    /// Reactions and redactions to messages that are not loaded yet.
    waiting: Vec<(Box<str>, Change)>,
    weight: usize,
    /// The time of the last that the server told.
    told_last: Option<Millis>,
    /// The last that is loaded is the latest that there is.
    pub live: bool,
    /// There is nothing before the first.
    pub whole: bool,
    /// The past of it was asked for at least once.
    pub known: bool,
    /// What came while the latest was not loaded: it is put behind when it is.
    late: VecDeque<Entry>,
    /// One has jumped to an earlier part of the past, and has not come back to the latest.
    pub detached: bool,
    /// Where one wants to look, which is not loaded.
    pub jump: Option<Landing>,
    /// Where one wanted to look, and it has just come.
    pub landed: Option<Landing>,
    /// Where the loaded past begins and ends for the server, whose first and last line may be none that is kept here;
    /// `None` for at the first and the last message.
    pub ends: (Option<Point>, Option<Point>),
    /// So many parts in turn brought nothing to see.
    pub fruitless: u8,
    /// So many parts of what was missed have come.
    pub parts: u8,
    /// A part of the past is on its way.
    pub asked: Option<(Ticket, Want)>,
    /// Asking for the past failed; it is tried again when one comes back.
    pub broken: bool,
    /// What was sent from here and is not confirmed.
    pub outbox: Vec<Outgoing>,
    /// Up to this it is read.
    pub marker: Option<Millis>,
    /// Up to this the server knows that it is read.
    pub told: Option<Millis>,
    /// The line above what is new stands after this.
    pub divider: Option<Millis>,
    /// Messages of others that are not read.
    pub unread: usize,
    /// Those of them that name oneself.
    pub mentions: usize,
    /// Where one looks.
    pub scroll: Scroll,
    /// Who types, and until when that is believed.
    pub typing: Vec<(Nick, Millis)>,
    /// It makes no noise.
    pub muted: bool,
    /// One is not in it any more.
    pub left: bool,
    /// Is the other one there? Of a talk; `None` where it is not known.
    pub online: Option<bool>,
    /// What one was writing.
    pub draft: Editor,
    /// The message that one is answering.
    pub reply: Option<String>,
    /// When the names of a channel were asked for on this connection.
    pub named: bool,
}

/// What happens to a message after it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// See [`Message::react`].
    React {
        /// With what.
        emoji: String,
        /// Who.
        from: Nick,
        /// Oneself.
        mine: bool,
        /// Taken back.
        off: bool,
    },
    /// It was taken back; by whom and why.
    Redact(Box<str>),
}

impl Buffer {
    /// Most entries, and about most bytes, of one place. What is further off is dropped and asked for again.
    pub const MOST: usize = 120_000;
    /// See [`Self::MOST`].
    pub const MOST_BYTES: usize = 64 * 1024 * 1024;
    /// So many are kept of a place that is not looked at.
    pub const ASIDE: usize = 5_000;
    /// See [`Self::ASIDE`].
    pub const ASIDE_BYTES: usize = 8 * 1024 * 1024;
    const MOST_WAITING: usize = 2_000;

    /// A place of which nothing is known.
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

    /// The numbers of what is loaded.
    pub fn numbers(&self) -> std::ops::Range<i64> {
        self.first..self.first + i64::try_from(self.entries.len()).unwrap_or(0)
    }

    /// The entry of a number.
    pub fn entry(&self, number: i64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The message of an id, with its number.
    pub fn find(&self, id: &str) -> Option<(i64, &Message)> {
        let at = self.place_of(id)?;
        Some((self.first + i64::try_from(at).ok()?, self.entries.get(at)?.message()?))
    }

    /// The first entry.
    pub fn oldest(&self) -> Option<&Entry> {
        self.entries.front()
    }

    /// The last entry.
    pub fn newest(&self) -> Option<&Entry> {
        self.entries.back()
    }

    /// All, from the last to the first.
    pub fn backwards(&self) -> impl Iterator<Item = (i64, &Entry)> {
        self.numbers().rev().zip(self.entries.iter().rev())
    }

    /// The number of the first that came after a moment.
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

    /// Something happens now. `true` where it was not known.
    pub fn happened(&mut self, entry: Entry) -> bool {
        if self.live || !self.known {
            self.ends.1 = None;
            let new = self.put(entry, false);
            self.trim(true);
            return new;
        }
        // Behind a gap: it belongs behind what is on its way, and is there too unless it came later.
        // Of too many the first go: they are the ones that the answer which is on its way will have.
        if self.late.len() >= Self::ASIDE {
            self.late.pop_front();
        }
        self.late.push_back(entry);
        true
    }

    /// A part of the past has come. It is without a gap to what is loaded. `true` where something of it was new.
    pub fn load(&mut self, entries: Vec<Entry>, older: bool) -> bool {
        let mut new = false;
        for entry in entries {
            new |= self.put(entry, older);
        }
        self.trim(!older);
        new
    }

    /// The latest is loaded: what came meanwhile is put behind.
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

    /// There is more between what is loaded and the latest than anybody reads: the latest alone is wanted.
    pub fn skip_to_latest(&mut self) {
        self.forget();
        // An answer that is on its way would stand behind a gap.
        self.asked = None;
        self.known = false;
        self.parts = 0;
        self.scroll = Scroll::Bottom;
    }

    /// Forgets what is loaded, to start at another part of the past.
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

    /// The connection is gone: what comes next may come behind a gap.
    pub fn disconnected(&mut self) {
        // What came behind a gap will be asked for again.
        self.late.clear();
        self.live = false;
        self.asked = None;
        self.parts = 0;
        self.named = false;
        self.broken = false;
        self.typing.clear();
    }

    /// Shows each of a run of comings and goings, or folds them into a line.
    pub fn unfold(&mut self, run: std::ops::Range<i64>, open: bool) {
        let from = usize::try_from(run.start - self.first).unwrap_or(0);
        let count = usize::try_from(run.end - run.start).unwrap_or(0);
        self.entries.iter_mut().skip(from).take(count).for_each(|entry| entry.open = open);
    }

    /// Puts it where it belongs. `false` where it is there already. With `older` what stands behind it keeps its number,
    /// else what stands before it.
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
        // Who goes on with a run that one looks at is shown too.
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

    /// Something happens to a message. Returns whether it is loaded.
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

    /// Drops what is furthest from the latest, or from the oldest where one reads there.
    fn trim(&mut self, keep_newest: bool) {
        while self.entries.len() > Self::MOST || self.weight > Self::MOST_BYTES {
            self.drop_one(keep_newest);
        }
    }

    /// One does not look at it any more: a part is enough.
    pub fn aside(&mut self) {
        if self.scroll == Scroll::Bottom {
            while self.entries.len() > Self::ASIDE || self.weight > Self::ASIDE_BYTES {
                self.drop_one(true);
            }
        }
    }

    /// Bytes of what is loaded, about.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Drops the oldest until no more than this is loaded.
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

    /// Counts what is not read.
    pub fn count(&mut self) {
        let marker = self.marker.unwrap_or_default();
        let new =
            self.late.iter().rev().chain(self.entries.iter().rev()).take_while(|entry| entry.time > marker);
        let (mut unread, mut mentions) = (0, 0);
        for entry in new.filter(|entry| entry.counts()) {
            unread += 1;
            mentions += usize::from(entry.message().is_some_and(|message| message.mention));
        }
        (self.unread, self.mentions) = (unread, mentions);
    }

    /// The time of the last that the server told, where it is the latest. What we noted ourselves is on no other device.
    pub fn latest(&self) -> Option<Millis> {
        self.told_last.filter(|_| self.live)
    }
}

/// The server told it. What was said may have no id elsewhere; what we noted ourselves has none anywhere.
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
