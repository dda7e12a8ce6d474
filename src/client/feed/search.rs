//! Search through the whole history, which keeps the newest results.

use std::collections::{HashSet, VecDeque};

use super::PAGE_SIZE;
use super::entry::Entry;
use super::reader::QueryResult;
use crate::wire::Timestamp;

/// A search in progress.
#[derive(Debug)]
pub struct HistorySearch {
    limit: usize,
    state: State,
    results: VecDeque<Entry>,
}

#[derive(Debug)]
enum State {
    /// A single query returns the newest results.
    SingleQuery,
    /// Queries page through the history from a time stamp, inclusive; results with this time stamp and these ids are
    /// known already.
    PagingFrom(Timestamp, HashSet<String>),
    Done,
}

impl HistorySearch {
    /// Begins a search for the newest `limit` results since a time stamp.
    pub fn new(since: Option<Timestamp>, limit: usize) -> Self {
        let state = match since {
            _ if limit == 0 => State::Done,
            None if limit <= PAGE_SIZE => State::SingleQuery,
            since => State::PagingFrom(since.unwrap_or_default(), HashSet::new()),
        };
        Self { limit, state, results: VecDeque::new() }
    }

    /// Returns the start and the page size of the next query, or `None` at the end.
    pub fn next_query(&self) -> Option<(Option<Timestamp>, usize)> {
        match &self.state {
            State::SingleQuery => Some((None, self.limit)),
            State::PagingFrom(after, _) => Some((Some(*after), PAGE_SIZE)),
            State::Done => None,
        }
    }

    /// Takes the result of the query. Returns the number of new entries and the time stamp of the last one, or `None`
    /// if there were none or a single query was enough.
    pub fn handle_result(&mut self, part: QueryResult) -> Option<(usize, Timestamp)> {
        let (after, mut known) = match std::mem::replace(&mut self.state, State::Done) {
            State::PagingFrom(after, known) => (after, known),
            State::SingleQuery => {
                self.keep_newest(part.entries);
                return None;
            }
            State::Done => {
                debug_assert!(false, "no query is due");
                return None;
            }
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
            self.state = State::PagingFrom(time, known);
        }
        self.keep_newest(new);
        Some((count, time))
    }

    /// Adds results. Servers may ignore the limit of a query, so that is held here.
    fn keep_newest(&mut self, entries: Vec<Entry>) {
        self.results.extend(entries);
        self.results.drain(..self.results.len().saturating_sub(self.limit));
    }

    /// Returns the results, oldest first.
    pub fn results(&self) -> impl Iterator<Item = &Entry> {
        self.results.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::entry::EntryKind;
    use super::*;
    use crate::client::model::Conversation;

    #[test]
    fn search_enforces_limit_that_server_ignores() {
        let result_page = |n: u64| Entry {
            kind: EntryKind::Message,
            time: Timestamp(n),
            target: Conversation::parse("#c").expect("a channel"),
            from: "bo".to_owned(),
            account: None,
            mine: false,
            msgid: Some(n.to_string()),
            text: n.to_string(),
            refers_to: None,
            object: None,
            tags: BTreeMap::new(),
            history: true,
        };
        for since in [None, Some(Timestamp(0))] {
            let mut find = HistorySearch::new(since, 3);
            let entries = (1..=10).map(result_page).collect();
            find.handle_result(QueryResult { ticket: None, entries, is_empty: false });
            let texts: Vec<&str> = find.results().map(|entry| entry.text.as_str()).collect();
            assert_eq!(texts, ["8", "9", "10"], "{since:?}");
        }
    }
}
