//! Going through the past of a place, page by page, in order: what is held is one page.

use super::PAGE;
use super::entry::Entry;
use super::reader::Part;
use crate::client::model::{Past, Point};
use crate::wire::Millis;

/// What is wanted of the past.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// From this moment on.
    pub since: Option<Millis>,
    /// Up to this moment, included.
    pub until: Option<Millis>,
    /// The latest so many of it.
    pub last: Option<usize>,
    /// Only what was said, and no events.
    pub said: bool,
}

/// Goes through the past.
#[derive(Debug)]
pub struct Export {
    wanted: Wanted,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Going back from the end to find where the last so many begin: from here on, so many are still to be found.
    Back(Past, usize),
    /// Going on from here, with so many still to come at most.
    On(Point, usize),
    Done,
}

impl Export {
    /// Begins.
    pub fn new(wanted: Wanted) -> Self {
        let end = match wanted.until {
            Some(until) => Past::Before(Point::Time(Millis(until.0.saturating_add(1)))),
            None => Past::Latest,
        };
        let state = match wanted.last {
            Some(0) => State::Done,
            Some(last) => State::Back(end, last),
            None => State::On(beginning(wanted), usize::MAX),
        };
        Self { wanted, state }
    }

    /// What to ask for next, and how much of it; `None` at the end. The same again when the answer was lost.
    pub fn wants(&self) -> Option<(Past, usize)> {
        match &self.state {
            State::Back(past, _) => Some((past.clone(), PAGE)),
            State::On(point, _) => Some((Past::After(point.clone()), PAGE)),
            State::Done => None,
        }
    }

    /// Takes the answer; what of it is wanted.
    pub fn past(&mut self, part: Part) -> Vec<Entry> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Back(_, last) => {
                self.state = self.back(&part, last);
                Vec::new()
            }
            State::On(point, left) => self.on(part, &point, left),
            State::Done => Vec::new(),
        }
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        entry.kind.is_said() || !self.wanted.said
    }

    /// One page further back.
    fn back(&self, part: &Part, mut last: usize) -> State {
        let most = self.wanted.last.unwrap_or(usize::MAX);
        for entry in part.entries.iter().rev() {
            if self.wanted.since.is_some_and(|since| entry.time < since) || last == 0 {
                return State::On(point(entry), most);
            }
            if self.is_wanted(entry) {
                last -= 1;
            }
        }
        match part.entries.first().map(point) {
            Some(oldest) if !part.empty => State::Back(Past::Before(oldest), last),
            _ => State::On(beginning(self.wanted), most),
        }
    }

    /// One page further on.
    fn on(&mut self, part: Part, from: &Point, mut left: usize) -> Vec<Entry> {
        if part.empty {
            return Vec::new();
        }
        let next = part.entries.last().map(point);
        let past_end = |entry: &Entry| self.wanted.until.is_some_and(|until| entry.time > until);
        let ended = part.entries.last().is_some_and(past_end);
        let mut entries: Vec<Entry> =
            part.entries.into_iter().filter(|entry| self.is_wanted(entry) && !past_end(entry)).collect();
        entries.truncate(left);
        left -= entries.len();
        // A page without anything to go on from would be asked for for ever.
        if !ended && left > 0 && next.as_ref().is_some_and(|next| next != from) {
            self.state = next.map_or(State::Done, |next| State::On(next, left));
        }
        entries
    }
}

fn beginning(wanted: Wanted) -> Point {
    Point::Time(Millis(wanted.since.map_or(0, |since| since.0.saturating_sub(1))))
}

/// By its id, or by its time where a server keeps no ids.
fn point(entry: &Entry) -> Point {
    entry.msgid.clone().map_or(Point::Time(entry.time), Point::Id)
}
