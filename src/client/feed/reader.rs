//! Conversion of results to entries.

use super::entry::Entry;
use crate::client::model::Ticket;
use crate::client::model::event::BatchResult;

/// A result of a history or search query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryResult {
    /// The ticket of the query.
    pub ticket: Option<Ticket>,
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// Set if the result had no line at all, so the history ends here.
    pub is_empty: bool,
}

impl QueryResult {
    /// Converts a result.
    pub fn from_result(result: &BatchResult) -> Self {
        let entries = result.received.iter().filter_map(|received| Entry::from_received(received, true));
        Self { ticket: result.ticket, entries: entries.collect(), is_empty: result.lines == 0 }
    }
}
