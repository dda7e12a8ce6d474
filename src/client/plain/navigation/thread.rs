//! A message with its answers (`/thread`), from the history.

use crate::client::model::threads::{NothingLoaded, ThreadSearch};
use crate::client::model::{ChatMessage, Conversation, Event, Model};

/// Search for a thread, with the messages that were shown.
#[derive(Debug)]
pub(super) struct ThreadRounds {
    search: ThreadSearch,
    /// Count of the messages that were shown.
    shown: usize,
}

/// Part of a thread that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ThreadPart {
    /// Messages that were not shown before, the oldest first.
    pub messages: Vec<ChatMessage>,
    /// Count of all answers so far.
    pub answers: usize,
    /// Set if there may be more.
    pub may_have_more: bool,
    /// Reason of a failure.
    pub error: Option<String>,
}

impl ThreadRounds {
    /// Begins the search for the thread of a message. `None` where the server has no history, or is not connected.
    pub fn start(conversation: Conversation, id: &str, model: &mut Model) -> Option<Self> {
        if !model.has_history() {
            return None;
        }
        let search = ThreadSearch::start(conversation, id.to_owned(), &NothingLoaded, model);
        search.is_loading().then_some(Self { search, shown: 0 })
    }

    /// Returns whether a query is in flight.
    pub fn is_loading(&self) -> bool {
        self.search.is_loading()
    }

    /// Queries further answers. The error is a text for the user.
    pub fn load_more(&mut self, model: &mut Model) -> Result<(), String> {
        if self.search.is_loading() {
            return Err("the thread is on its way".to_owned());
        }
        if !self.search.may_have_more() {
            return Err("there are no more answers; /thread shows the thread".to_owned());
        }
        self.search.load_more(&NothingLoaded, model);
        match self.search.error() {
            Some(error) => Err(error.to_owned()),
            None => Ok(()),
        }
    }

    /// Takes an event that is a result. Returns whether it was one, and what was found once there is something to show.
    pub fn take(&mut self, event: &Event, model: &mut Model) -> (bool, Option<ThreadPart>) {
        let ticket = match event {
            Event::QueryFailed { ticket, .. } => *ticket,
            Event::History(page) => page.ticket,
            _ => return (false, None),
        };
        if !self.search.awaits(ticket) {
            return (false, None);
        }
        self.search.take_result(event.clone(), &NothingLoaded, model);
        if self.search.is_loading() {
            return (true, None);
        }
        let mut messages = self.search.found().get(self.shown..).unwrap_or_default().to_vec();
        // What leads to the root was found before the other answers.
        messages.sort_by_key(|message| message.time);
        self.shown = self.search.found().len();
        let part = ThreadPart {
            messages,
            answers: self.shown.saturating_sub(1),
            may_have_more: self.search.may_have_more(),
            error: self.search.error().map(str::to_owned),
        };
        (true, Some(part))
    }
}
