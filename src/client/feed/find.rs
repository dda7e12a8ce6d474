//! A search through all of the past: what is found, the latest so many of it.

use std::collections::{HashSet, VecDeque};

use super::PAGE;
use super::entry::Entry;
use super::reader::Part;
use crate::wire::Millis;

/// Searches.
#[derive(Debug)]
pub struct Find {
    last: usize,
    state: State,
    found: VecDeque<Entry>,
}

#[derive(Debug)]
enum State {
    /// One answer has the latest of all.
    Once,
    /// The server answers from a moment on, which is included: these were found at that moment already.
    From(Millis, HashSet<String>),
    Done,
}

impl Find {
    /// Looks for the latest so many from a moment on.
    pub fn new(since: Option<Millis>, last: usize) -> Self {
        let state = match since {
            _ if last == 0 => State::Done,
            None if last <= PAGE => State::Once,
            since => State::From(since.unwrap_or_default(), HashSet::new()),
        };
        Self { last, state, found: VecDeque::new() }
    }

    /// What to ask for next: from when, and how many. `None` at the end.
    pub fn wants(&self) -> Option<(Option<Millis>, usize)> {
        match &self.state {
            State::Once => Some((None, self.last)),
            State::From(after, _) => Some((Some(*after), PAGE)),
            State::Done => None,
        }
    }

    /// Takes the answer. How many were new, and up to when it has come.
    pub fn past(&mut self, part: Part) -> Option<(usize, Millis)> {
        let (after, mut known) = match std::mem::replace(&mut self.state, State::Done) {
            State::From(after, known) => (after, known),
            State::Once => {
                self.found.extend(part.entries);
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
        // Without ids there is no telling what comes twice: then it ends here.
        if new.iter().all(|entry| entry.msgid.is_some()) && time >= after {
            self.state = State::From(time, known);
        }
        self.found.extend(new);
        self.found.drain(..self.found.len().saturating_sub(self.last));
        Some((count, time))
    }

    /// What was found, the earliest first.
    pub fn found(&self) -> impl Iterator<Item = &Entry> {
        self.found.iter()
    }
}
