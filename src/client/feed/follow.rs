//! The past joined to the present, without a gap and without anything twice.
//!
//! What is said while the past is read is in the past too, if it was said before the last question. So it is kept back
//! from one question to the next alone: after an answer that had nothing, what was kept back is what follows.

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
}

#[derive(Debug)]
struct Place {
    target: Target,
    state: State,
    /// What was told of it last, or where to begin.
    cursor: Option<Point>,
    /// One's own coming was told.
    entered: bool,
    /// What happened since the question that is out.
    held: Vec<Entry>,
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

impl Follow {
    /// Follows these places from now on, or from a moment on.
    pub fn new(targets: impl IntoIterator<Item = Target>, since: Option<Millis>, past_alone: bool) -> Self {
        let mut places: Vec<Place> = Vec::new();
        for target in targets {
            if places.iter().all(|place| place.target != target) {
                // What is asked for is what came after a moment.
                let cursor = since.map(|since| Point::Time(Millis(since.0.saturating_sub(1))));
                let state = if cursor.is_some() { State::Behind } else { State::Fresh };
                places.push(Place { target, state, cursor, entered: false, held: Vec::new() });
            }
        }
        Self { places, past_alone, online: false, remembers: true, seen: Seen::default() }
    }

    /// The places, each once.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.places.iter().map(|place| &place.target)
    }

    /// There is a connection and the login is over. Does the server remember what was said?
    pub fn connected(&mut self, remembers: bool) {
        self.online = true;
        self.remembers = remembers;
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
        self.past_alone && self.places.iter().all(|place| place.state == State::Live)
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
            (State::Behind, Some(cursor)) => ask(Past::After(cursor.clone()), PAGE),
            _ => ask(Past::Latest, 1),
        }
    }

    fn next(&self) -> Option<&Place> {
        self.places.iter().find(|place| matches!(place.state, State::Fresh | State::Behind))
    }

    /// What was wanted is asked.
    pub fn asked(&mut self, ticket: Ticket) {
        let next = self.places.iter_mut().find(|place| matches!(place.state, State::Fresh | State::Behind));
        if let Some(place) = next {
            place.held.clear();
            place.state = match place.state {
                State::Fresh => State::Placing(ticket),
                _ => State::Reading(ticket),
            };
        }
    }

    /// The server refused; of which place it will not tell the past.
    pub fn refused(&mut self, ticket: Ticket) -> Option<Target> {
        let place = self.asker(ticket)?;
        place.state = State::Live;
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
            && let Some(name) = entry.object.as_deref().and_then(|name| ChannelName::parse(name).ok())
        {
            place.target = Target::Channel(name);
        }
        let kept = entry.msgid.is_some() && self.remembers;
        match place.state {
            State::Behind if kept => Vec::new(),
            State::Reading(_) if kept => {
                place.held.push(entry);
                Vec::new()
            }
            _ => tell(place, &mut self.seen, [entry]),
        }
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
        self.targets().filter(there).map(entry).collect()
    }

    /// An answer about the past; what there is to tell.
    pub fn past(&mut self, part: Part) -> Vec<Entry> {
        let Some(ticket) = part.ticket else { return Vec::new() };
        let Some(at) = self.places.iter().position(|place| place.waits_for(ticket)) else {
            return Vec::new();
        };
        let Some(place) = self.places.get_mut(at) else { return Vec::new() };
        if place.state == State::Placing(ticket) {
            place.state = State::Live;
            if place.cursor.is_none() {
                let latest = part.entries.last().and_then(point);
                // Of a place where nothing was ever said, everything is new.
                place.cursor = Some(latest.unwrap_or(Point::Time(Millis(0))));
            }
            return Vec::new();
        }
        if part.empty {
            place.state = State::Live;
            let held = std::mem::take(&mut place.held);
            return tell(place, &mut self.seen, held);
        }
        let before = place.cursor.clone();
        let new = tell(place, &mut self.seen, part.entries);
        // An answer with nothing to go on from would be asked for for ever.
        place.state = if place.cursor == before { State::Live } else { State::Behind };
        new
    }

    fn asker(&mut self, ticket: Ticket) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.waits_for(ticket))
    }
}

impl Place {
    fn waits_for(&self, ticket: Ticket) -> bool {
        [State::Placing(ticket), State::Reading(ticket)].contains(&self.state)
    }
}

/// Those of the entries that were not told before; the cursor goes with them.
fn tell(place: &mut Place, seen: &mut Seen, entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut new = Vec::new();
    for entry in entries {
        if let Some(point) = point(&entry) {
            place.cursor = Some(point);
        }
        if entry.msgid.as_deref().is_none_or(|id| seen.first_time(id)) {
            new.push(entry);
        }
    }
    new
}

/// The point in the past where an entry stands: by its id, or by its time where the server keeps no ids.
fn point(entry: &Entry) -> Option<Point> {
    let time = || entry.history.then_some(Point::Time(entry.time));
    entry.msgid.clone().map(Point::Id).or_else(time)
}
