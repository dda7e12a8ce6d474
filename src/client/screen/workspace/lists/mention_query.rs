//! Queries of the servers for mentions of the account and answers to it that were not received.

use super::listed_message::ListedMessage;
use crate::client::input::query::INCOMPLETE_SEARCH;
use crate::client::model::mentions::{MAX_CONVERSATIONS, MentionKind, MentionSearch, Source};
use crate::client::model::{Event, HistoryRange, Ticket};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::{BufferKey, Models, Workspace};
use crate::wire::Cap;

/// Query for mentions and answers, in rounds: each one goes further back.
#[derive(Debug, Default)]
pub struct MentionQuery(MentionSearch);

impl MentionQuery {
    /// Begins the first round: what is loaded has been looked at, so it begins before that. The conversations that are used
    /// most come first.
    pub fn start(workspace: &Workspace, models: Models<'_, '_>) -> Self {
        let mut sources = Vec::new();
        for (server, model) in models.iter().enumerate().filter(|(_, model)| model.is_online()) {
            if model.has_cap(Cap::Search) {
                sources.push((server, Source::Search(None)));
            }
            if !model.has_cap(Cap::Chathistory) {
                continue;
            }
            let mut buffers: Vec<(BufferKey, &Buffer)> = workspace
                .buffers()
                .filter(|((at, _), buffer)| *at == server && !is_all_loaded(buffer))
                .collect();
            buffers.sort_by(|(a, _), (b, _)| workspace.use_score(b).total_cmp(&workspace.use_score(a)));
            for ((_, conversation), buffer) in buffers.into_iter().take(MAX_CONVERSATIONS) {
                let oldest = buffer.numbers().filter_map(|number| buffer.entry(number));
                let oldest = oldest.into_iter().find(|entry| entry.message().is_some());
                let range = match oldest.map(|entry| model.message_ref(entry.id.as_deref(), entry.time)) {
                    Some(point) => HistoryRange::Before(point),
                    None => HistoryRange::Latest,
                };
                sources.push((server, Source::Page(conversation, range)));
            }
        }
        Self(MentionSearch::start(sources, models))
    }

    /// Returns whether queries are in flight.
    pub fn is_loading(&self) -> bool {
        self.0.is_loading()
    }

    /// Returns whether a further round may find more.
    pub fn may_have_more(&self) -> bool {
        self.0.may_have_more()
    }

    /// Begins a further round, if one may find more.
    pub fn load_more(&mut self, models: Models<'_, '_>) {
        self.0.load_more(models);
    }

    /// Returns whether the query with this ticket is in flight.
    pub fn awaits(&self, server: usize, ticket: Ticket) -> bool {
        self.0.awaits(server, ticket)
    }

    /// Ends the queries of a server whose connection broke. Returns whether there were any.
    pub fn end_queries(&mut self, server: usize, models: Models<'_, '_>) -> bool {
        self.0.end_queries(server, models)
    }

    /// Returns the reason of the last failure.
    pub fn error(&self) -> Option<String> {
        self.0.error.as_ref().map(|reason| sanitize_line(reason, 200))
    }

    /// Takes note that the result of a search, which follows, may lack messages.
    pub fn note_incomplete(&mut self, server: usize, ticket: Ticket) {
        if self.awaits(server, ticket) {
            self.0.error = Some(INCOMPLETE_SEARCH.to_owned());
        }
    }

    /// Takes the result of a query that [is awaited](Self::awaits). Returns the messages that it found.
    pub fn take_result(
        &mut self,
        server: usize,
        event: Event,
        workspace: &Workspace,
        models: Models<'_, '_>,
    ) -> Vec<(ListedMessage, MentionKind)> {
        let page = match &event {
            Event::History(page) => page.events.iter().find_map(|event| match event {
                Event::Message(message) => Some(message.conversation.clone()),
                _ => None,
            }),
            _ => None,
        };
        let buffers = workspace.servers.get(server).map(|state| &state.buffers);
        let buffer = page.and_then(|conversation| buffers?.get(&conversation));
        let is_own = |id: &str| {
            buffer.and_then(|buffer| buffer.find_message(id)).is_some_and(|(_, message)| message.mine)
        };
        let found = self.0.take_result(server, event, is_own, models);
        found.into_iter().map(|(message, kind)| (ListedMessage::new(server, message), kind)).collect()
    }
}

/// Returns whether all of a conversation is loaded.
fn is_all_loaded(buffer: &Buffer) -> bool {
    buffer.loading.at_beginning()
}
