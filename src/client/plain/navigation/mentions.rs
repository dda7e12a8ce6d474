//! Mentions of the user and answers to them (`/mentions`), in rounds: the first one has the latest, each further one
//! (`/mentions more`) goes back in time.

use std::collections::HashSet;

use crate::client::model::mentions::{MAX_CONVERSATIONS, MentionSearch, Source};
use crate::client::model::{ChatMessage, Conversation, Event, HistoryRange, Model};
use crate::wire::Cap;

/// Limit of the ids of messages that were shown.
const MAX_IDS: usize = 20_000;

/// Server of the chat, which has no other.
const SERVER: usize = 0;

/// Search for mentions and answers, with the messages that it found.
#[derive(Debug)]
pub(super) struct MentionRounds {
    search: MentionSearch,
    /// Messages of this round.
    found: Vec<ChatMessage>,
    /// Ids of messages that were found.
    known: HashSet<String>,
}

/// Result of a round.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MentionRound {
    /// Messages, the oldest first.
    pub messages: Vec<ChatMessage>,
    /// Set if a further round may find more.
    pub may_have_more: bool,
    /// Reason of a failure.
    pub error: Option<String>,
}

impl MentionRounds {
    /// Begins the first round. The error is a text for the user.
    pub fn start(current: Option<&Conversation>, model: &mut Model) -> Result<Self, String> {
        if !model.is_online() || model.me().is_none() {
            return Err("not connected".to_owned());
        }
        let mut sources = Vec::new();
        if model.has_cap(Cap::Search) {
            sources.push((SERVER, Source::Search(None)));
        }
        if model.has_history() {
            // The current one first.
            let channels = model.channels().map(|(name, _)| Conversation::Channel(name.clone()));
            let others = channels.filter(|channel| Some(channel) != current);
            let all = current.cloned().into_iter().chain(others).take(MAX_CONVERSATIONS);
            let page = |conversation| (SERVER, Source::Page(conversation, HistoryRange::Latest));
            sources.extend(all.map(page));
        }
        if sources.is_empty() {
            return Err("this server supports neither search nor history".to_owned());
        }
        let search = MentionSearch::start(sources, &mut [model]);
        Ok(Self { search, found: Vec::new(), known: HashSet::new() })
    }

    /// Returns whether a round is on its way.
    pub fn is_loading(&self) -> bool {
        self.search.is_loading()
    }

    /// Begins a further round. The error is a text for the user.
    pub fn load_more(&mut self, model: &mut Model) -> Result<(), String> {
        if self.search.is_loading() {
            return Err("the list is on its way".to_owned());
        }
        if !self.search.may_have_more() {
            return Err("there are no earlier ones; /mentions lists the latest".to_owned());
        }
        self.search.load_more(&mut [model]);
        if self.search.is_loading() { Ok(()) } else { Err("not connected".to_owned()) }
    }

    /// Takes an event that is a result. Returns whether it was one, and the round once it is complete.
    pub fn take(&mut self, event: &Event, model: &mut Model) -> (bool, Option<MentionRound>) {
        let ticket = match event {
            Event::SearchResults(ticket, _) | Event::QueryFailed { ticket, .. } => *ticket,
            Event::History(page) => page.ticket,
            _ => return (false, None),
        };
        if !self.search.awaits(SERVER, ticket) {
            return (false, None);
        }
        // Own messages are known by the pages alone.
        for (message, _) in self.search.take_result(SERVER, event.clone(), |_| false, &mut [model]) {
            let is_new = |id: &String| self.known.len() < MAX_IDS && self.known.insert(id.clone());
            if message.msgid.as_ref().is_none_or(is_new) {
                self.found.push(message);
            }
        }
        (true, (!self.search.is_loading()).then(|| self.finish()))
    }

    fn finish(&mut self) -> MentionRound {
        let mut messages = std::mem::take(&mut self.found);
        messages.sort_by(|a, b| (a.time, &a.msgid).cmp(&(b.time, &b.msgid)));
        let may_have_more = self.search.may_have_more();
        MentionRound { messages, may_have_more, error: self.search.error.take() }
    }
}
