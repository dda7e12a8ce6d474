//! Queries of the part of a thread that is not loaded.

use std::collections::HashSet;

use super::listed_message::ListedMessage;
use crate::client::model::threads::{LoadedMessages, ThreadSearch};
use crate::client::model::{Event, MessageRef, Model, Ticket};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::buffer::loading::Extent;
use crate::client::screen::workspace::{BufferKey, Workspace};
use crate::wire::Cap;

/// Query of a thread.
#[derive(Debug)]
pub struct ThreadQuery {
    key: BufferKey,
    search: ThreadSearch,
}

/// Loaded part of a conversation.
struct LoadedPart<'a> {
    workspace: &'a Workspace,
    key: &'a BufferKey,
}

impl ThreadQuery {
    /// Begins the query of a thread. Nothing is sent where all of it is loaded.
    pub fn start(key: BufferKey, root: String, workspace: &Workspace, model: Option<&mut Model>) -> Self {
        let conversation = key.1.clone();
        let loaded = LoadedPart { workspace, key: &key };
        let search = match model.filter(|model| model.has_cap(Cap::Chathistory) || !model.is_online()) {
            Some(model) => ThreadSearch::start(conversation, root, &loaded, model),
            None => ThreadSearch::complete(conversation, root),
        };
        Self { key, search }
    }

    /// Returns the id of the message that the thread begins with, as far as is known.
    pub fn root(&self) -> &str {
        self.search.root()
    }

    /// Returns the messages of the thread, loaded or queried, the oldest first.
    pub fn messages(&self, workspace: &Workspace) -> Vec<ListedMessage> {
        let mut messages = workspace.thread_messages(&self.key, self.root(), self.search.ids());
        for message in self.search.found() {
            if !messages.iter().any(|known| known.msgid == message.msgid) {
                messages.push(ListedMessage::new(self.key.0, message.clone()));
            }
        }
        messages.sort_by(|a, b| (a.time, &a.msgid).cmp(&(b.time, &b.msgid)));
        messages
    }

    /// Returns whether a query is in flight.
    pub fn is_loading(&self) -> bool {
        self.search.is_loading()
    }

    /// Returns whether there may be more answers than those that are known.
    pub fn may_have_more(&self) -> bool {
        self.search.may_have_more()
    }

    /// Returns the reason of the last failure.
    pub fn error(&self) -> Option<String> {
        self.search.error().map(|reason| sanitize_line(reason, 200))
    }

    /// Returns whether the query with this ticket is in flight.
    pub fn awaits(&self, server: usize, ticket: Ticket) -> bool {
        server == self.key.0 && self.search.awaits(ticket)
    }

    /// Queries further answers, if there may be some.
    pub fn load_more(&mut self, workspace: &Workspace, model: &mut Model) {
        self.search.load_more(&LoadedPart { workspace, key: &self.key }, model);
    }

    /// Ends the query in flight, because the connection broke.
    pub fn end_query(&mut self) {
        self.search.end_query();
    }

    /// Takes the result of a query that [is awaited](Self::awaits).
    pub fn take_result(&mut self, event: Event, workspace: &Workspace, model: &mut Model) {
        self.search.take_result(event, &LoadedPart { workspace, key: &self.key }, model);
    }
}

impl LoadedPart<'_> {
    fn buffer(&self) -> Option<&Buffer> {
        self.workspace.servers.get(self.key.0).and_then(|server| server.buffers.get(&self.key.1))
    }
}

impl LoadedMessages for LoadedPart<'_> {
    fn contains(&self, id: &str) -> bool {
        self.buffer().is_some_and(|buffer| buffer.find_message(id).is_some())
    }

    fn end(&self, model: &Model) -> Option<MessageRef> {
        let ends_early =
            |buffer: &&Buffer| matches!(buffer.loading.extent(), Extent::Behind { .. } | Extent::Past);
        let buffer = self.buffer().filter(ends_early)?;
        let mut newest = buffer.newest_first().map(|(_, entry)| entry);
        let entry = newest.find(|entry| entry.message().is_some())?;
        Some(model.message_ref(entry.id.as_deref(), entry.time))
    }

    fn thread_ids(&self, root: &str, known: &HashSet<String>) -> Vec<String> {
        let loaded = self.workspace.thread_messages(self.key, root, known);
        loaded.into_iter().filter_map(|message| message.msgid).collect()
    }
}
