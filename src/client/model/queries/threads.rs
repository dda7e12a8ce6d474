//! Search for a thread, a message with its answers: first the message that it begins with, then what answers it, page by
//! page.

use std::collections::HashSet;

use super::{HistoryRange, PAGE_SIZE};
use crate::client::model::event::{ChatMessage, Conversation, Event, HistoryPage, MessageRef, Ticket};
use crate::client::model::{Model, NotConnected};

/// Limit of the messages of a thread that are kept.
pub const MAX_MESSAGES: usize = 500;

/// Limit of the pages that are queried before the user asks for more.
const MAX_PAGES: u8 = 5;

/// Limit of the answers that lead to the root of a thread. A circle of them ends here.
const MAX_PARENTS: u8 = 20;

/// Messages of the conversation that a chat has loaded. They have no gap.
pub trait LoadedMessages {
    /// Returns whether a message is loaded.
    fn contains(&self, id: &str) -> bool;

    /// Returns the point behind the loaded messages, or `None` if they reach the latest one.
    fn end(&self, model: &Model) -> Option<MessageRef>;

    /// Returns the ids of the loaded messages of a thread with this root and these messages.
    fn thread_ids(&self, root: &str, known: &HashSet<String>) -> Vec<String>;
}

/// Loaded messages of a chat that loads none.
#[derive(Clone, Copy, Debug)]
pub struct NothingLoaded;

impl LoadedMessages for NothingLoaded {
    fn contains(&self, _: &str) -> bool {
        false
    }

    fn end(&self, _: &Model) -> Option<MessageRef> {
        None
    }

    fn thread_ids(&self, _: &str, _: &HashSet<String>) -> Vec<String> {
        Vec::new()
    }
}

/// Search for a thread.
#[derive(Debug)]
pub struct ThreadSearch {
    conversation: Conversation,
    /// Id of the message that the thread begins with, as far as is known.
    root: String,
    /// Messages that were found: the root, what leads to it, then the answers in the order of the history.
    found: Vec<ChatMessage>,
    /// Ids of all known messages of the thread.
    ids: HashSet<String>,
    step: Step,
    /// Count of the pages of answers since the user asked for more.
    pages: u8,
    /// Count of the roots that were answers themselves.
    parents: u8,
}

/// Progress of a search.
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
    /// The search failed for this reason.
    Failed(String),
}

impl ThreadSearch {
    /// Creates a search that finds nothing beyond what is loaded.
    pub fn complete(conversation: Conversation, root: String) -> Self {
        let ids = HashSet::from([root.clone()]);
        Self { conversation, root, found: Vec::new(), ids, step: Step::Complete, pages: 0, parents: 0 }
    }

    /// Begins the search for the thread of a message. Nothing is sent where all of it is loaded.
    pub fn start(
        conversation: Conversation,
        root: String,
        loaded: &impl LoadedMessages,
        model: &mut Model,
    ) -> Self {
        let mut search = Self::complete(conversation, root);
        search.seek_root(loaded, model);
        search
    }

    /// Returns the id of the message that the thread begins with, as far as is known.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Returns the messages that were found, the root first. Further ones are added at the end.
    pub fn found(&self) -> &[ChatMessage] {
        &self.found
    }

    /// Returns the ids of all known messages of the thread.
    pub fn ids(&self) -> &HashSet<String> {
        &self.ids
    }

    /// Returns whether a query is in flight.
    pub fn is_loading(&self) -> bool {
        matches!(self.step, Step::Root(_) | Step::Answers(_))
    }

    /// Returns whether there may be more answers than those that are known.
    pub fn may_have_more(&self) -> bool {
        matches!(self.step, Step::More(_))
    }

    /// Returns the reason of the last failure, as received.
    pub fn error(&self) -> Option<&str> {
        match &self.step {
            Step::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Returns whether the query with this ticket is in flight.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        matches!(self.step, Step::Root(asked) | Step::Answers(asked) if asked == ticket)
    }

    /// Queries further answers, if there may be some.
    pub fn load_more(&mut self, loaded: &impl LoadedMessages, model: &mut Model) {
        if let Step::More(point) = &self.step {
            let point = point.clone();
            self.pages = 0;
            self.query_answers(point, loaded, model);
        }
    }

    /// Ends the query in flight, because the connection broke.
    pub fn end_query(&mut self) {
        if self.is_loading() {
            self.step = Step::Failed("the connection broke".to_owned());
        }
    }

    /// Takes the result of a query that [is awaited](Self::awaits).
    pub fn take_result(&mut self, event: Event, loaded: &impl LoadedMessages, model: &mut Model) {
        match event {
            Event::History(page) if matches!(self.step, Step::Root(_)) => self.take_root(page, loaded, model),
            Event::History(page) => self.take_answers(page, loaded, model),
            Event::QueryFailed { reason, .. } => {
                let first = self.found.first().and_then(|first| first.msgid.clone());
                match first.filter(|_| matches!(self.step, Step::Root(_))) {
                    // The message that it answers is gone, so the thread begins here.
                    Some(first) => {
                        self.root.clone_from(&first);
                        self.query_answers(MessageRef::Id(first), loaded, model);
                    }
                    None => self.step = Step::Failed(reason),
                }
            }
            other => debug_assert!(false, "no result of a thread: {other:?}"),
        }
    }

    /// Takes the page around the root, which may answer a message itself.
    fn take_root(&mut self, page: HistoryPage, loaded: &impl LoadedMessages, model: &mut Model) {
        let mut messages = page.events.into_iter().filter_map(as_message);
        let root = messages.find(|message| message.msgid.as_ref() == Some(&self.root));
        let parent = root.as_ref().and_then(|root| root.reply_to.clone());
        if let Some(root) = root {
            self.found.insert(0, root);
        }
        let parent = parent.filter(|parent| self.parents < MAX_PARENTS && self.ids.insert(parent.clone()));
        if let Some(parent) = parent {
            self.parents += 1;
            self.root = parent;
            self.seek_root(loaded, model);
        } else {
            self.query_answers(MessageRef::Id(self.root.clone()), loaded, model);
        }
    }

    fn take_answers(&mut self, page: HistoryPage, loaded: &impl LoadedMessages, model: &mut Model) {
        let is_whole = model.is_last_page(&page, PAGE_SIZE);
        let last = page.bounds.map(|bounds| bounds.last);
        let mut meets_loaded = false;
        for message in page.events.into_iter().filter_map(as_message) {
            let Some(id) = message.msgid.clone() else { continue };
            meets_loaded |= loaded.contains(&id);
            let answers = message.reply_to.as_ref().is_some_and(|parent| self.ids.contains(parent));
            if id == self.root || answers {
                let is_known = self.found.iter().any(|known| known.msgid.as_ref() == Some(&id));
                self.ids.insert(id);
                if !is_known && self.found.len() < MAX_MESSAGES {
                    self.found.push(message);
                }
            }
        }
        self.pages += 1;
        match last {
            // The loaded part has no gap, so what follows it is next.
            _ if meets_loaded => self.follow_loaded(loaded, model),
            None => self.step = Step::Complete,
            Some(_) if is_whole => self.step = Step::Complete,
            Some(last) if self.pages >= MAX_PAGES => self.step = Step::More(last),
            Some(last) => self.query_answers(last, loaded, model),
        }
    }

    fn seek_root(&mut self, loaded: &impl LoadedMessages, model: &mut Model) {
        if loaded.contains(&self.root) {
            return self.follow_loaded(loaded, model);
        }
        let asked = model.query_message(&self.conversation, &self.root);
        self.step = step(asked, Step::Root);
    }

    /// Queries what follows the loaded part, unless that reaches the latest message.
    fn follow_loaded(&mut self, loaded: &impl LoadedMessages, model: &mut Model) {
        match loaded.end(model) {
            Some(point) => self.query_answers(point, loaded, model),
            None => self.step = Step::Complete,
        }
    }

    fn query_answers(&mut self, point: MessageRef, loaded: &impl LoadedMessages, model: &mut Model) {
        // Answers to loaded answers belong to the thread as well.
        self.ids.extend(loaded.thread_ids(&self.root, &self.ids));
        let asked = model.query_history_once(&self.conversation, &HistoryRange::After(point), PAGE_SIZE);
        self.step = step(asked, Step::Answers);
    }
}

fn step(asked: Result<Ticket, NotConnected>, awaits: impl FnOnce(Ticket) -> Step) -> Step {
    match asked {
        Ok(ticket) => awaits(ticket),
        Err(offline) => Step::Failed(offline.to_string()),
    }
}

fn as_message(event: Event) -> Option<ChatMessage> {
    match event {
        Event::Message(message) => Some(message),
        _ => None,
    }
}
