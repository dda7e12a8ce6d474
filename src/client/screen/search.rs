//! Search in the history.

use super::buffer::JumpTarget;
use super::{App, Models, Overlay};
use crate::client::input::query::SearchQuery;
use crate::client::message_secrets::display_text;
use crate::client::model::{ChatMessage, Conversation, Ticket};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::wire::{Cap, Nick, Timestamp};

/// Limit of the results; a search that finds more is too broad.
const MAX_RESULTS: usize = 100;

/// Search window: the search terms and the result.
#[derive(Debug, Default)]
pub struct SearchWindow {
    /// Index of the server that is searched.
    pub server: usize,
    /// Field for the search terms.
    pub query: TextField,
    /// Search terms that `found` belongs to.
    pub searched_text: String,
    ticket: Option<Ticket>,
    /// Matching messages, latest first; `None` until the result arrives.
    pub results: Option<Vec<SearchResult>>,
    /// Reason of a failure.
    pub error: Option<String>,
    /// Index of the selected message.
    pub selected: usize,
}

/// Message that was found. Its text is safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchResult {
    /// Conversation that contains the message.
    pub conversation: Conversation,
    /// Nick of the sender.
    pub from: Nick,
    /// Text of the message, in one line.
    pub text: String,
    /// Time stamp of the server.
    pub time: Timestamp,
    /// Id of the message, if the server gave one.
    pub msgid: Option<String>,
}

impl SearchWindow {
    /// Returns whether a search is in flight.
    pub fn is_waiting(&self) -> bool {
        self.ticket.is_some()
    }

    /// Moves the selection up or down.
    pub fn move_selection(&mut self, by: isize) {
        let last = self.results.as_ref().map_or(0, |found| found.len().saturating_sub(1));
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }
}

impl App {
    /// Opens the search window, and searches if there are search terms.
    pub(super) fn open_search(&mut self, terms: &str, models: Models<'_, '_>) {
        let mut finder = SearchWindow {
            server: self.current.as_ref().map_or(0, |(server, _)| *server),
            ..SearchWindow::default()
        };
        finder.query.set(terms);
        self.overlay = Overlay::Find(finder);
        if !terms.is_empty() {
            self.send_search(models);
        }
    }

    /// Handles Enter in the search window: searches if the terms have changed, else jumps to the selected message.
    pub(super) fn submit_search(&mut self, models: Models<'_, '_>) {
        let Overlay::Find(finder) = &self.overlay else { return };
        if finder.query.text().trim() != finder.searched_text || finder.results.is_none() {
            return self.send_search(models);
        }
        let Some(hit) = finder.results.as_ref().and_then(|found| found.get(finder.selected)).cloned() else {
            return;
        };
        let key = (finder.server, hit.conversation);
        self.overlay = Overlay::None;
        let landing = match hit.msgid {
            Some(id) => JumpTarget::Id(id),
            None => JumpTarget::After(Timestamp(hit.time.0.saturating_sub(1))),
        };
        self.jump_to(key, landing);
    }

    fn send_search(&mut self, models: Models<'_, '_>) {
        let Overlay::Find(finder) = &mut self.overlay else { return };
        let query = finder.query.text().trim().to_owned();
        if query.is_empty() {
            return;
        }
        let Some(model) = models.get_mut(finder.server) else { return };
        let SearchQuery { terms, conversation, from } = SearchQuery::parse(&query);
        finder.searched_text = query;
        (finder.results, finder.error, finder.selected, finder.ticket) = (None, None, 0, None);
        if !model.has_cap(Cap::Search) && model.is_online() {
            finder.error = Some("this server does not support search".to_owned());
            return;
        }
        match model.query_search(&terms, conversation.as_ref(), from.as_deref(), MAX_RESULTS) {
            Ok(ticket) => finder.ticket = Some(ticket),
            Err(offline) => finder.error = Some(offline.to_string()),
        }
    }

    pub(super) fn handle_search_results(&mut self, server: usize, ticket: Ticket, found: Vec<ChatMessage>) {
        let Overlay::Find(finder) = &mut self.overlay else { return };
        if finder.server != server || finder.ticket.take_if(|asked| *asked == ticket).is_none() {
            return;
        }
        let to_result = |message: ChatMessage| SearchResult {
            text: sanitize_line(&display_text(&message), 1000),
            conversation: message.conversation,
            from: message.from,
            time: message.time,
            msgid: message.msgid,
        };
        finder.results = Some(found.into_iter().rev().map(to_result).collect());
    }

    pub(super) fn handle_search_failed(&mut self, ticket: Ticket, reason: &str) {
        if let Overlay::Find(finder) = &mut self.overlay
            && finder.ticket.take_if(|asked| *asked == ticket).is_some()
        {
            finder.error = Some(sanitize_line(reason, 200));
        }
    }
}
