//! Joining of history and live messages, without gaps and without duplicates.
//!
//! Messages that arrive during a history query are also in the history if they were sent before the query. Therefore
//! they are held back from one query to the next: after an empty result, the held messages are what follows.
//!
//! Several conversations are printed in the order of time. Each has a queue, and the oldest entry of all queues is
//! printed as long as nothing older can still come: as long as no conversation has both an empty queue and unread
//! history. Queues are bounded. A conversation is queried for more when its queue is empty, for its share of a page.
//! One that is up to date while others are not drops live messages once its queue is full, and reads them from the
//! history when it is its turn.

use std::collections::VecDeque;

use super::PAGE;
use super::entry::{Entry, Kind};
use super::reader::Part;
use crate::client::model::seen::Seen;
use crate::client::model::{Past, Point, Target, Ticket};
use crate::wire::{ChannelName, Millis, Nick};

/// Follows one or more conversations.
#[derive(Debug)]
pub struct Follow {
    places: Vec<Place>,
    /// Set if following ends when the history has been read.
    past_alone: bool,
    online: bool,
    /// Set if the server has a history.
    remembers: bool,
    seen: Seen,
    /// Live entries that no history contains, from conversations whose history is being read.
    passing: VecDeque<Entry>,
}

#[derive(Debug)]
struct Place {
    target: Target,
    state: State,
    /// The point of the newest entry that was queued or printed, or the starting point.
    cursor: Option<Point>,
    /// Set once this account's JOIN was printed.
    entered: bool,
    /// Live entries since the pending query was sent.
    held: Vec<Entry>,
    /// Set if more entries arrived than `held` takes.
    missed: bool,
    /// Entries to print in their turn.
    queue: VecDeque<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Live entries are printed at once. A query for the newest entry is due, which tells where a later gap begins.
    Fresh,
    /// As `Fresh`, with the query sent.
    Placing(Ticket),
    /// A history query is due, and its result will contain the live entries of now.
    Behind,
    /// As `Behind`, with the query sent.
    Reading(Ticket),
    /// Live entries are printed at once.
    Live,
}

/// Limit of waiting entries of each conversation, in addition to the page that was read last.
const HELD: usize = PAGE;

impl Follow {
    /// Follows these conversations from now on, or from a time stamp, inclusive. With `past_alone` it ends after the
    /// history.
    pub fn new(targets: impl IntoIterator<Item = Target>, since: Option<Millis>, past_alone: bool) -> Self {
        let mut places: Vec<Place> = Vec::new();
        for target in targets {
            if places.iter().all(|place| place.target != target) {
                // A history query returns what comes strictly after its point.
                let cursor = since.map(|since| Point::Time(Millis(since.0.saturating_sub(1))));
                let state = if cursor.is_some() { State::Behind } else { State::Fresh };
                let (held, queue) = (Vec::new(), VecDeque::new());
                places.push(Place { target, state, cursor, entered: false, held, missed: false, queue });
            }
        }
        Self {
            places,
            past_alone,
            online: false,
            remembers: true,
            seen: Seen::default(),
            passing: VecDeque::new(),
        }
    }

    /// Returns the conversations, without duplicates.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.places.iter().map(|place| &place.target)
    }

    /// Records a completed login. `remembers` states whether the server has a history.
    pub fn connected(&mut self, remembers: bool) {
        self.online = true;
        self.remembers = remembers;
        if !remembers {
            for place in &mut self.places {
                place.state = State::Live;
            }
        }
    }

    /// Records the end of the connection.
    pub fn disconnected(&mut self) {
        self.online = false;
        for place in &mut self.places {
            place.held.clear();
            place.state = if place.cursor.is_some() { State::Behind } else { State::Fresh };
        }
    }

    /// Returns whether everything was read and printed. Always `false` when live messages are followed.
    pub fn is_done(&self) -> bool {
        self.past_alone
            && self.places.iter().all(|place| place.state == State::Live && place.queue.is_empty())
    }

    /// Returns the next query, one at a time: conversation, part of the history, page size. Pass its ticket to
    /// [`asked`](Self::asked).
    pub fn wants(&self) -> Option<(Target, Past, usize)> {
        let out = |place: &Place| matches!(place.state, State::Placing(_) | State::Reading(_));
        if !self.online || !self.remembers || self.places.iter().any(out) {
            return None;
        }
        let place = self.next()?;
        let ask = |past, limit| Some((place.target.clone(), past, limit));
        match (place.state, &place.cursor) {
            (State::Behind, Some(cursor)) => ask(Past::After(cursor.clone()), self.share()),
            _ => ask(Past::Latest, 1),
        }
    }

    fn next(&self) -> Option<&Place> {
        self.places.iter().find(|place| place.is_to_ask())
    }

    /// Returns the page size of a query, such that all conversations together hold about a page.
    fn share(&self) -> usize {
        (PAGE / self.places.len().max(1)).max(10)
    }

    /// Records that the query from [`wants`](Self::wants) was sent.
    pub fn asked(&mut self, ticket: Ticket) {
        if let Some(place) = self.places.iter_mut().find(|place| place.is_to_ask()) {
            place.held.clear();
            place.missed = false;
            place.state = match place.state {
                State::Fresh => State::Placing(ticket),
                _ => State::Reading(ticket),
            };
        }
    }

    /// Records a refused query. Returns the conversation whose history is not available; [`told`](Self::told) then
    /// returns the entries that waited for it.
    pub fn refused(&mut self, ticket: Ticket) -> Option<Target> {
        let place = self.places.iter_mut().find(|place| place.waits_for(ticket))?;
        place.state = State::Live;
        let held = std::mem::take(&mut place.held);
        place.take(&mut self.seen, held);
        Some(place.target.clone())
    }

    /// Takes a live entry. Returns the entries to print.
    pub fn now(&mut self, entry: Entry) -> Vec<Entry> {
        let Some(place) = self.places.iter_mut().find(|place| entry.is_at(&place.target)) else {
            return Vec::new();
        };
        if entry.mine && entry.kind == Kind::Join {
            // At each login the server sends a JOIN for every channel that the account is in. Only the first one is
            // printed, as the point from which live entries follow.
            let known = std::mem::replace(&mut place.entered, true) || place.state == State::Behind;
            if entry.msgid.is_none() && known {
                return Vec::new();
            }
        }
        if entry.kind == Kind::Rename
            && let Some(name) = entry.object.as_deref().and_then(|name| ChannelName::heard(name).ok())
        {
            place.target = Target::Channel(name);
        }
        let kept = entry.msgid.is_some() && self.remembers;
        match place.state {
            // The history to read contains the entry.
            State::Behind if kept => {}
            State::Reading(_) if kept && place.held.len() < HELD => place.held.push(entry),
            State::Reading(_) if kept => place.missed = true,
            State::Behind | State::Reading(_) => self.passing.push_back(entry),
            State::Live if kept && place.queue.len() >= HELD && place.cursor.is_some() => {
                place.state = State::Behind;
            }
            State::Live | State::Fresh | State::Placing(_) => place.take(&mut self.seen, [entry]),
        }
        self.told()
    }

    /// Takes a QUIT of an account in these channels. Returns the entries to print.
    pub fn quit(&mut self, who: &Nick, channels: &[ChannelName], reason: &str, time: Millis) -> Vec<Entry> {
        let there = |target: &&Target| match target {
            Target::Channel(name) => channels.contains(name),
            Target::Person(nick) => nick == who,
        };
        let entry = |target: &Target| Entry {
            kind: Kind::Quit,
            time,
            target: target.clone(),
            from: who.to_string(),
            account: Some(who.to_string()),
            mine: false,
            msgid: None,
            text: reason.to_owned(),
            refers_to: None,
            object: None,
            tags: std::collections::BTreeMap::new(),
            history: false,
        };
        let entries: Vec<Entry> = self.targets().filter(there).map(entry).collect();
        entries.into_iter().flat_map(|entry| self.now(entry)).collect()
    }

    /// Takes the result of a history query. Returns the entries to print.
    pub fn past(&mut self, part: Part) -> Vec<Entry> {
        let Some(ticket) = part.ticket else { return Vec::new() };
        let asker = self.places.iter_mut().find(|place| place.waits_for(ticket));
        let Some(place) = asker else { return Vec::new() };
        if place.state == State::Placing(ticket) {
            place.state = State::Live;
            if place.cursor.is_none() {
                let latest = part.entries.last().and_then(point);
                // Without any history, everything is new.
                place.cursor = Some(latest.unwrap_or(Point::Time(Millis(0))));
            }
        } else if part.empty && place.missed {
            place.state = State::Behind;
        } else if part.empty {
            place.state = State::Live;
            let held = std::mem::take(&mut place.held);
            place.take(&mut self.seen, held);
        } else {
            let before = place.cursor.clone();
            place.take(&mut self.seen, part.entries);
            // Querying from the same point again would never end.
            place.state = if place.cursor == before { State::Live } else { State::Behind };
        }
        self.told()
    }

    /// Returns the entries to print now: the oldest of all conversations, until something older can still come.
    pub fn told(&mut self) -> Vec<Entry> {
        let mut told = Vec::new();
        while !self.places.iter().any(Place::owes) {
            let queues = self.places.iter_mut().map(|place| &mut place.queue).chain([&mut self.passing]);
            let time = |queue: &&mut VecDeque<Entry>| queue.front().map(|entry| entry.time);
            let earliest = queues.filter(|queue| !queue.is_empty()).min_by_key(time);
            let Some(entry) = earliest.and_then(VecDeque::pop_front) else { break };
            told.push(entry);
        }
        // Entries over the limit are printed out of order.
        while self.passing.len() > HELD {
            told.extend(self.passing.pop_front());
        }
        told
    }
}

impl Place {
    fn waits_for(&self, ticket: Ticket) -> bool {
        [State::Placing(ticket), State::Reading(ticket)].contains(&self.state)
    }

    /// Returns whether entries can still come that are older than those of other conversations.
    fn owes(&self) -> bool {
        matches!(self.state, State::Behind | State::Reading(_)) && self.queue.is_empty()
    }

    /// Returns whether a query is due.
    fn is_to_ask(&self) -> bool {
        self.state == State::Fresh || self.state == State::Behind && self.queue.is_empty()
    }

    /// Queues the entries that were not taken before, and moves the cursor to the last one.
    fn take(&mut self, seen: &mut Seen, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            if let Some(point) = point(&entry) {
                self.cursor = Some(point);
            }
            if entry.msgid.as_deref().is_none_or(|id| seen.first_time(id)) {
                self.queue.push_back(entry);
            }
        }
    }
}

/// Returns the entry's point of the history: its message id, or its time stamp if the server gave no id.
fn point(entry: &Entry) -> Option<Point> {
    let time = || entry.history.then_some(Point::Time(entry.time));
    entry.msgid.clone().map(Point::Id).or_else(time)
}
