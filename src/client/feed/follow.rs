//! The past joined to the present, without a gap and without anything twice.
//!
//! What is said while the past is read is in the past too, if it was said before the last question. So it is kept back
//! from one question to the next alone: after an answer that had nothing, what was kept back is what follows.
//!
//! Several places are told in the order of time. What is known of each waits in a queue, and the earliest of all is told
//! as long as nothing earlier can still come: as long as no place has an empty queue and a past that was not read. What
//! waits is bounded: a place is asked for more when its queue is empty, for its share of a page; and one that is up to
//! date while others are not lets what comes go by when its queue is long, and reads it as the past when it is its turn.

use std::collections::VecDeque;

use super::PAGE;
use super::entry::{Entry, Kind};
use super::reader::Part;
use crate::client::model::seen::Seen;
use crate::client::model::{Past, Point, Target, Ticket};
use crate::wire::{ChannelName, Millis, Nick};

/// Follows places.
#[derive(Debug)]
pub struct Follow {
    places: Vec<Place>,
    /// Ends when the past has been read.
    past_alone: bool,
    online: bool,
    /// The server has a history.
    remembers: bool,
    seen: Seen,
    /// What no history has, from places whose past is being read.
    passing: VecDeque<Entry>,
}

#[derive(Debug)]
struct Place {
    target: Target,
    state: State,
    /// What is in the queue or was told last, or where to begin.
    cursor: Option<Point>,
    /// One's own coming was told.
    entered: bool,
    /// What happened since the question that is out.
    held: Vec<Entry>,
    /// More happened than can be held.
    missed: bool,
    /// To be told when it is its turn.
    queue: VecDeque<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Everything is told as it comes; the server is to be asked what was said last, to know where a gap would begin.
    Fresh,
    /// The same, asked.
    Placing(Ticket),
    /// The past is to be asked for, and what comes now will be in it.
    Behind,
    /// The same, asked.
    Reading(Ticket),
    /// Everything is told as it comes.
    Live,
}

/// So much waits at most of each place, beyond the part of its past that was read last.
const HELD: usize = PAGE;

impl Follow {
    /// Follows these places from now on, or from a moment on.
    pub fn new(targets: impl IntoIterator<Item = Target>, since: Option<Millis>, past_alone: bool) -> Self {
        let mut places: Vec<Place> = Vec::new();
        for target in targets {
            if places.iter().all(|place| place.target != target) {
                // What is asked for is what came after a moment.
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

    /// The places, each once.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.places.iter().map(|place| &place.target)
    }

    /// There is a connection and the login is over. Does the server remember what was said?
    pub fn connected(&mut self, remembers: bool) {
        self.online = true;
        self.remembers = remembers;
        if !remembers {
            for place in &mut self.places {
                place.state = State::Live;
            }
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.online = false;
        for place in &mut self.places {
            place.held.clear();
            place.state = if place.cursor.is_some() { State::Behind } else { State::Fresh };
        }
    }

    /// Is there nothing left to come?
    pub fn is_done(&self) -> bool {
        self.past_alone
            && self.places.iter().all(|place| place.state == State::Live && place.queue.is_empty())
    }

    /// What to ask the server now: one thing at a time. [`asked`](Self::asked) takes its ticket.
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

    /// All places together hold about a page.
    fn share(&self) -> usize {
        (PAGE / self.places.len().max(1)).max(10)
    }

    /// What was wanted is asked.
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

    /// The server refused; of which place it will not tell the past. What waited for that is [`told`](Self::told) then.
    pub fn refused(&mut self, ticket: Ticket) -> Option<Target> {
        let place = self.places.iter_mut().find(|place| place.waits_for(ticket))?;
        place.state = State::Live;
        let held = std::mem::take(&mut place.held);
        place.take(&mut self.seen, held);
        Some(place.target.clone())
    }

    /// Something happens now; what there is to tell.
    pub fn now(&mut self, entry: Entry) -> Vec<Entry> {
        let Some(place) = self.places.iter_mut().find(|place| entry.is_at(&place.target)) else {
            return Vec::new();
        };
        if entry.mine && entry.kind == Kind::Join {
            // At each login the server says where one is. That is no event, but the first time it says that from now on
            // everything is told.
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
            // It is in the past that is still to be read.
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

    /// Somebody went offline who was in these channels.
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

    /// An answer about the past; what there is to tell.
    pub fn past(&mut self, part: Part) -> Vec<Entry> {
        let Some(ticket) = part.ticket else { return Vec::new() };
        let asker = self.places.iter_mut().find(|place| place.waits_for(ticket));
        let Some(place) = asker else { return Vec::new() };
        if place.state == State::Placing(ticket) {
            place.state = State::Live;
            if place.cursor.is_none() {
                let latest = part.entries.last().and_then(point);
                // Of a place where nothing was ever said, everything is new.
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
            // An answer with nothing to go on from would be asked for for ever.
            place.state = if place.cursor == before { State::Live } else { State::Behind };
        }
        self.told()
    }

    /// What is to be told now: the earliest of all places, until something earlier might still come.
    pub fn told(&mut self) -> Vec<Entry> {
        let mut told = Vec::new();
        while !self.places.iter().any(Place::owes) {
            let queues = self.places.iter_mut().map(|place| &mut place.queue).chain([&mut self.passing]);
            let time = |queue: &&mut VecDeque<Entry>| queue.front().map(|entry| entry.time);
            let earliest = queues.filter(|queue| !queue.is_empty()).min_by_key(time);
            let Some(entry) = earliest.and_then(VecDeque::pop_front) else { break };
            told.push(entry);
        }
        // What cannot wait any longer is told out of its turn.
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

    /// Can something still come that is earlier than what waits elsewhere?
    fn owes(&self) -> bool {
        matches!(self.state, State::Behind | State::Reading(_)) && self.queue.is_empty()
    }

    /// Is something to be asked about it?
    fn is_to_ask(&self) -> bool {
        self.state == State::Fresh || self.state == State::Behind && self.queue.is_empty()
    }

    /// Takes those of the entries that were not taken before; the cursor goes with them.
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

/// The point in the past where an entry stands: by its id, or by its time where the server keeps no ids.
fn point(entry: &Entry) -> Option<Point> {
    let time = || entry.history.then_some(Point::Time(entry.time));
    entry.msgid.clone().map(Point::Id).or_else(time)
}
