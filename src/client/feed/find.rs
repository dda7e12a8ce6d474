//! Search through the whole history, which keeps the newest results.

use std::collections::{HashSet, VecDeque};

use super::PAGE;
use super::entry::Entry;
use super::reader::Part;
use crate::wire::Millis;

/// A search in progress.
#[derive(Debug)]
pub struct Find {
    last: usize,
    state: State,
    found: VecDeque<Entry>,
}

#[derive(Debug)]
enum State {
    /// A single query returns the newest results.
    Once,
    /// Queries page through the history from a time stamp, inclusive; results with this time stamp and these ids are
    /// known already.
    From(Millis, HashSet<String>),
    Done,
}

impl Find {
    /// Begins a search for the newest `last` results since a time stamp.
    pub fn new(since: Option<Millis>, last: usize) -> Self {
        let state = match since {
            _ if last == 0 => State::Done,
            None if last <= PAGE => State::Once,
            since => State::From(since.unwrap_or_default(), HashSet::new()),
        };
        Self { last, state, found: VecDeque::new() }
    }

    /// Returns the start and the page size of the next query, or `None` at the end.
    pub fn wants(&self) -> Option<(Option<Millis>, usize)> {
        match &self.state {
            State::Once => Some((None, self.last)),
            State::From(after, _) => Some((Some(*after), PAGE)),
            State::Done => None,
        }
    }

    /// Takes the result of the query. Returns the number of new entries and the time stamp of the last one, or `None`
    /// if there were none or a single query was enough.
    pub fn past(&mut self, part: Part) -> Option<(usize, Millis)> {
        let (after, mut known) = match std::mem::replace(&mut self.state, State::Done) {
            State::From(after, known) => (after, known),
            State::Once => {
                self.keep_newest(part.entries);
                return None;
            }
            State::Done => return None,
        };
        let is_new = |entry: &Entry| entry.msgid.as_ref().is_none_or(|id| !known.contains(id));
        let new: Vec<Entry> = part.entries.into_iter().filter(is_new).collect();
        let time = new.last()?.time;
        if time > after {
            known.clear();
        }
        known.extend(new.iter().filter(|entry| entry.time == time).filter_map(|entry| entry.msgid.clone()));
        let count = new.len();
        // Without ids, duplicates can't be recognized, so the search ends here.
        if new.iter().all(|entry| entry.msgid.is_some()) && time >= after {
            self.state = State::From(time, known);
        }
        self.keep_newest(new);
        Some((count, time))
    }

    /// Adds results. Servers may ignore the limit of a query, so that is held here.
    fn keep_newest(&mut self, entries: Vec<Entry>) {
        self.found.extend(entries);
        self.found.drain(..self.found.len().saturating_sub(self.last));
    }

    /// Returns the results, oldest first.
    pub fn found(&self) -> impl Iterator<Item = &Entry> {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::Heard;
    use crate::wire::Message;

    #[test]
    fn search_enforces_limit_that_server_ignores() {
        let said = |n: u64| {
            let line = format!("@msgid={n} :bo!b@h PRIVMSG #c :{n}");
            let line = Heard::new(&Message::parse(&line).expect("a line"), Millis(n));
            Entry::of(&line, None, true).expect("an entry")
        };
        for since in [None, Some(Millis(0))] {
            let mut find = Find::new(since, 3);
            let entries = (1..=10).map(said).collect();
            find.past(Part { ticket: None, entries, empty: false, cut: false });
            let texts: Vec<&str> = find.found().map(|entry| entry.text.as_str()).collect();
            assert_eq!(texts, ["8", "9", "10"], "{since:?}");
        }
    }
}
