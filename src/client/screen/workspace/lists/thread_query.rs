//! Queries of the part of a thread that is not loaded: its root, and the answers behind it, page by page.

use std::collections::HashSet;

use super::listed_message::ListedMessage;
use crate::client::model::{Event, HistoryPage, HistoryRange, MessageRef, Model, PAGE_SIZE, Ticket};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::buffer::loading::Extent;
use crate::client::screen::workspace::{BufferKey, Workspace};
use crate::wire::Cap;

/// Limit of the pages that are queried before the user asks for more.
const MAX_PAGES: u8 = 5;

/// Limit of the answers that lead to the root of a thread. A circle of them ends here.
const MAX_PARENTS: u8 = 20;

/// Limit of the queried messages that are kept.
const MAX_MESSAGES: usize = 500;

/// Query of a thread.
#[derive(Debug)]
pub struct ThreadQuery {
    key: BufferKey,
    /// Id of the message that the thread begins with, as far as is known.
    pub root: String,
    /// Messages of the thread that were queried, in the order of the history.
    found: Vec<ListedMessage>,
    /// Ids of all known messages of the thread.
    ids: HashSet<String>,
    step: Step,
    /// Count of the pages of answers since the user asked for more.
    pages: u8,
    /// Count of the roots that were answers themselves.
    parents: u8,
}

/// Progress of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The query for the root is in flight.
    Root(Ticket),
    /// A query for answers is in flight.
    Answers(Ticket),
    /// Answers may follow behind this point.
    More(MessageRef),
    /// All answers are known, or the server has no history.
    Complete,
    /// The query failed for this reason.
    Failed(String),
}

impl ThreadQuery {
    /// Begins the query of a thread. Nothing is sent where all of it is loaded.
    pub fn start(key: BufferKey, root: String, workspace: &Workspace, model: Option<&mut Model>) -> Self {
        let ids = HashSet::from([root.clone()]);
        let (found, step) = (Vec::new(), Step::Complete);
        let mut query = Self { key, root, found, ids, step, pages: 0, parents: 0 };
        if let Some(model) = model {
            query.seek_root(workspace, model);
        }
        query
    }

    /// Returns the messages of the thread, loaded or queried, the oldest first.
    pub fn messages(&self, workspace: &Workspace) -> Vec<ListedMessage> {
        let mut messages = workspace.thread_messages(&self.key, &self.root, &self.ids);
        for message in &self.found {
            if !messages.iter().any(|known| known.msgid == message.msgid) {
                messages.push(message.clone());
            }
        }
        messages.sort_by(|a, b| (a.time, &a.msgid).cmp(&(b.time, &b.msgid)));
        messages
    }

    /// Returns whether a query is in flight.
    pub fn is_loading(&self) -> bool {
        matches!(self.step, Step::Root(_) | Step::Answers(_))
    }

    /// Returns whether there may be more answers than those that are known.
    pub fn may_have_more(&self) -> bool {
        matches!(self.step, Step::More(_))
    }

    /// Returns the reason of the last failure.
    pub fn error(&self) -> Option<&str> {
        match &self.step {
            Step::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Returns whether the query with this ticket is in flight.
    pub fn awaits(&self, server: usize, ticket: Ticket) -> bool {
        let is_own = matches!(self.step, Step::Root(asked) | Step::Answers(asked) if asked == ticket);
        server == self.key.0 && is_own
    }

    /// Queries further answers, if there may be some.
    pub fn load_more(&mut self, workspace: &Workspace, model: &mut Model) {
        if let Step::More(point) = &self.step {
            let point = point.clone();
            self.pages = 0;
            self.query_answers(point, workspace, model);
        }
    }

    /// Takes a page of the history.
    pub fn take_page(&mut self, page: HistoryPage, workspace: &Workspace, model: &mut Model) {
        let is_whole = model.is_last_page(&page, PAGE_SIZE);
        let last = page.bounds.map(|bounds| bounds.last);
        let seeks_root = matches!(self.step, Step::Root(_));
        let buffer = find_buffer(workspace, &self.key);
        let mut meets_loaded = false;
        let mut parent = None;
        for event in page.events {
            let Event::Message(message) = event else { continue };
            let Some(id) = message.msgid.clone() else { continue };
            meets_loaded |= buffer.is_some_and(|buffer| buffer.find_message(&id).is_some());
            if id == self.root {
                parent.clone_from(&message.reply_to);
            }
            let answers = message.reply_to.as_ref().is_some_and(|parent| self.ids.contains(parent));
            if id == self.root || answers {
                self.ids.insert(id.clone());
                let is_known = self.found.iter().any(|known| known.msgid.as_deref() == Some(&*id));
                if !is_known && self.found.len() < MAX_MESSAGES {
                    self.found.push(ListedMessage::new(self.key.0, message));
                }
            }
        }
        if seeks_root {
            match parent.filter(|parent| !self.ids.contains(parent) && self.parents < MAX_PARENTS) {
                Some(parent) => {
                    self.parents += 1;
                    self.ids.insert(parent.clone());
                    self.root = parent;
                    self.seek_root(workspace, model);
                }
                None => self.query_answers(MessageRef::Id(self.root.clone()), workspace, model),
            }
            return;
        }
        self.pages += 1;
        match last {
            // The loaded part has no gap, so what follows it is next.
            _ if meets_loaded => self.follow_loaded(workspace, model),
            None => self.step = Step::Complete,
            Some(_) if is_whole => self.step = Step::Complete,
            Some(last) if self.pages >= MAX_PAGES => self.step = Step::More(last),
            Some(last) => self.query_answers(last, workspace, model),
        }
    }

    /// Takes the failure of the query in flight.
    pub fn fail(&mut self, reason: &str) {
        self.step = Step::Failed(sanitize_line(reason, 200));
    }

    fn seek_root(&mut self, workspace: &Workspace, model: &mut Model) {
        if !model.has_cap(Cap::Chathistory) && model.is_online() {
            self.step = Step::Complete;
            return;
        }
        let buffer = find_buffer(workspace, &self.key);
        if buffer.is_some_and(|buffer| buffer.find_message(&self.root).is_some()) {
            return self.follow_loaded(workspace, model);
        }
        let around = HistoryRange::Around(MessageRef::Id(self.root.clone()));
        self.step = match model.query_history(&self.key.1, &around, 1) {
            Ok(ticket) => Step::Root(ticket),
            Err(offline) => Step::Failed(offline.to_string()),
        };
    }

    /// Queries what follows the loaded part, unless that reaches the latest message.
    fn follow_loaded(&mut self, workspace: &Workspace, model: &mut Model) {
        let buffer = find_buffer(workspace, &self.key)
            .filter(|buffer| matches!(buffer.loading.extent(), Extent::Behind { .. } | Extent::Past));
        let mut newest = buffer.into_iter().flat_map(Buffer::newest_first).map(|(_, entry)| entry);
        match newest.find(|entry| entry.message().is_some()) {
            Some(entry) => {
                let point = model.message_ref(entry.id.as_deref(), entry.time);
                self.query_answers(point, workspace, model);
            }
            None => self.step = Step::Complete,
        }
    }

    fn query_answers(&mut self, point: MessageRef, workspace: &Workspace, model: &mut Model) {
        // Answers to loaded answers belong to the thread as well.
        let loaded = workspace.thread_messages(&self.key, &self.root, &self.ids);
        self.ids.extend(loaded.into_iter().filter_map(|message| message.msgid));
        self.step = match model.query_history(&self.key.1, &HistoryRange::After(point), PAGE_SIZE) {
            Ok(ticket) => Step::Answers(ticket),
            Err(offline) => Step::Failed(offline.to_string()),
        };
    }
}

fn find_buffer<'a>(workspace: &'a Workspace, key: &BufferKey) -> Option<&'a Buffer> {
    workspace.servers.get(key.0).and_then(|server| server.buffers.get(&key.1))
}
