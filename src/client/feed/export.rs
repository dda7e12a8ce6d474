//! Export of a conversation's history in order, page by page. Only one page is in memory.

use super::PAGE_SIZE;
use super::entry::Entry;
use super::reader::QueryResult;
use crate::client::model::{HistoryRange, MessageRef};
use crate::wire::Timestamp;

/// The selection to export.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportSelection {
    /// Time stamp of the first message, inclusive.
    pub since: Option<Timestamp>,
    /// Time stamp of the last message, inclusive.
    pub until: Option<Timestamp>,
    /// Limit of entries; the newest ones are exported.
    pub last: Option<usize>,
    /// Selects messages only, without events.
    pub messages_only: bool,
}

/// An export in progress.
#[derive(Debug)]
pub struct Export {
    selection: ExportSelection,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Paging backwards to find the start of the newest entries: the next query, and the number of entries still to
    /// find.
    FindingStart(HistoryRange, usize),
    /// Paging forwards from this point, with at most this number of entries still to export.
    Exporting(MessageRef, usize),
    Done,
}

impl Export {
    /// Begins an export of the selection.
    pub fn new(selection: ExportSelection) -> Self {
        let end = match selection.until {
            Some(until) => HistoryRange::Before(MessageRef::Time(Timestamp(until.0.saturating_add(1)))),
            None => HistoryRange::Latest,
        };
        let state = match selection.last {
            Some(0) => State::Done,
            Some(last) => State::FindingStart(end, last),
            None => State::Exporting(start_ref(selection), usize::MAX),
        };
        Self { selection, state }
    }

    /// Returns the next query and its page size, or `None` at the end. Until
    /// [`handle_result`](Self::handle_result) takes a result, each call returns the same query, so a lost result is
    /// queried again.
    pub fn next_query(&self) -> Option<(HistoryRange, usize)> {
        match &self.state {
            State::FindingStart(past, _) => Some((past.clone(), PAGE_SIZE)),
            State::Exporting(point, _) => Some((HistoryRange::After(point.clone()), PAGE_SIZE)),
            State::Done => None,
        }
    }

    /// Takes the result of the query. Returns the entries to export.
    pub fn handle_result(&mut self, part: QueryResult) -> Vec<Entry> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::FindingStart(_, last) => {
                self.state = self.page_backward(&part, last);
                Vec::new()
            }
            State::Exporting(point, left) => self.page_forward(part, &point, left),
            State::Done => {
                debug_assert!(false, "no query is due");
                Vec::new()
            }
        }
    }

    fn is_selected(&self, entry: &Entry) -> bool {
        entry.kind.is_message() || !self.selection.messages_only
    }

    /// Continues backwards over one page.
    fn page_backward(&self, part: &QueryResult, mut last: usize) -> State {
        let most = self.selection.last.unwrap_or(usize::MAX);
        for entry in part.entries.iter().rev() {
            if self.selection.since.is_some_and(|since| entry.time < since) || last == 0 {
                return State::Exporting(entry_ref(entry), most);
            }
            if self.is_selected(entry) {
                last -= 1;
            }
        }
        match part.entries.first().map(entry_ref) {
            Some(oldest) if !part.is_empty => State::FindingStart(HistoryRange::Before(oldest), last),
            _ => State::Exporting(start_ref(self.selection), most),
        }
    }

    /// Continues forwards over one page.
    fn page_forward(&mut self, part: QueryResult, from: &MessageRef, mut left: usize) -> Vec<Entry> {
        if part.is_empty {
            return Vec::new();
        }
        let next = part.entries.last().map(entry_ref);
        let past_end = |entry: &Entry| self.selection.until.is_some_and(|until| entry.time > until);
        let ended = part.entries.last().is_some_and(past_end);
        let mut entries: Vec<Entry> =
            part.entries.into_iter().filter(|entry| self.is_selected(entry) && !past_end(entry)).collect();
        entries.truncate(left);
        left -= entries.len();
        // Querying from the same point again would never end.
        if !ended && left > 0 && next.as_ref().is_some_and(|next| next != from) {
            self.state = next.map_or(State::Done, |next| State::Exporting(next, left));
        }
        entries
    }
}

fn start_ref(wanted: ExportSelection) -> MessageRef {
    MessageRef::Time(Timestamp(wanted.since.map_or(0, |since| since.0.saturating_sub(1))))
}

/// Returns the entry's message id as a point, or its time stamp if the server gave no id.
fn entry_ref(entry: &Entry) -> MessageRef {
    entry.msgid.clone().map_or(MessageRef::Time(entry.time), MessageRef::Id)
}
