//! Export of a conversation's history in order, page by page. Only one page is in memory.

use super::PAGE;
use super::entry::Entry;
use super::reader::Part;
use crate::client::model::{Past, Point};
use crate::wire::Millis;

/// The selection to export.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Time stamp of the first message, inclusive.
    pub since: Option<Millis>,
    /// Time stamp of the last message, inclusive.
    pub until: Option<Millis>,
    /// Limit of entries; the newest ones are exported.
    pub last: Option<usize>,
    /// Selects messages only, without events.
    pub said: bool,
}

/// An export in progress.
#[derive(Debug)]
pub struct Export {
    wanted: Wanted,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Paging backwards to find the start of the newest entries: the next query, and the number of entries still to
    /// find.
    Back(Past, usize),
    /// Paging forwards from this point, with at most this number of entries still to export.
    On(Point, usize),
    Done,
}

impl Export {
    /// Begins an export of the selection.
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

    /// Returns the next query and its page size, or `None` at the end. Until [`past`](Self::past) takes a result, each
    /// call returns the same query, so a lost result is queried again.
    pub fn wants(&self) -> Option<(Past, usize)> {
        match &self.state {
            State::Back(past, _) => Some((past.clone(), PAGE)),
            State::On(point, _) => Some((Past::After(point.clone()), PAGE)),
            State::Done => None,
        }
    }

    /// Takes the result of the query. Returns the entries to export.
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

    /// Continues backwards over one page.
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

    /// Continues forwards over one page.
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
        // Querying from the same point again would never end.
        if !ended && left > 0 && next.as_ref().is_some_and(|next| next != from) {
            self.state = next.map_or(State::Done, |next| State::On(next, left));
        }
        entries
    }
}

fn beginning(wanted: Wanted) -> Point {
    Point::Time(Millis(wanted.since.map_or(0, |since| since.0.saturating_sub(1))))
}

/// Returns the entry's message id as a point, or its time stamp if the server gave no id.
fn point(entry: &Entry) -> Point {
    entry.msgid.clone().map_or(Point::Time(entry.time), Point::Id)
}
