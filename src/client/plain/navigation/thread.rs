//! A message with its answers (`/thread`), from the history: first the message that the thread begins with, then what
//! answers it, page by page.

use std::collections::HashSet;

use crate::client::model::{
    ChatMessage, Conversation, Event, HistoryPage, HistoryRange, MessageRef, Model, PAGE_SIZE, Ticket,
};

/// Limit of the pages that are queried before the user asks for more.
const MAX_PAGES: u8 = 5;

/// Limit of the answers that lead to the message that the thread begins with. A circle of them ends here.
const MAX_PARENTS: u8 = 20;

/// Limit of the messages of a thread.
const MAX_MESSAGES: usize = 500;

/// Query of a thread.
#[derive(Debug)]
pub(super) struct ThreadSearch {
    conversation: Conversation,
    /// Id of the message that the thread begins with, as far as is known.
    root: String,
    /// Messages that were found, in the order of the history.
    found: Vec<ChatMessage>,
    ids: HashSet<String>,
    /// Count of the messages that were shown.
    shown: usize,
    step: Step,
    /// Count of the pages since the user asked for more.
    pages: u8,
    parents: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The query for the root is in flight.
    Root(Ticket),
    /// A query for answers is in flight.
    Answers(Ticket),
    /// Answers may follow behind this point.
    More(MessageRef),
    Complete,
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

impl ThreadSearch {
    /// Begins the query of the thread of a message. `None` where the server has no history.
    pub fn start(conversation: Conversation, id: &str, model: &mut Model) -> Option<Self> {
        if !model.has_history() {
            return None;
        }
        let ticket = query_one(&conversation, id, model)?;
        let ids = HashSet::from([id.to_owned()]);
        let (root, step) = (id.to_owned(), Step::Root(ticket));
        Some(Self { conversation, root, found: Vec::new(), ids, shown: 0, step, pages: 0, parents: 0 })
    }

    /// Queries further answers. The error is a text for the user.
    pub fn load_more(&mut self, model: &mut Model) -> Result<(), String> {
        let point = match &self.step {
            Step::More(point) => point.clone(),
            Step::Complete => return Err("there are no more answers; /thread shows the thread".to_owned()),
            Step::Root(_) | Step::Answers(_) => return Err("the thread is on its way".to_owned()),
        };
        self.pages = 0;
        self.query_answers(point, model);
        if self.step == Step::Complete { Err("not connected".to_owned()) } else { Ok(()) }
    }

    /// Takes an event that is a result. Returns whether it was one, and what was found once there is something to show.
    pub fn take(&mut self, event: &Event, model: &mut Model) -> (bool, Option<ThreadPart>) {
        let awaits = |asked: Ticket| matches!(self.step, Step::Root(ticket) | Step::Answers(ticket) if ticket == asked);
        let mut error = None;
        match event {
            Event::History(page) if awaits(page.ticket) => self.take_page(page, model),
            Event::QueryFailed { ticket, reason, .. } if awaits(*ticket) => {
                match self.found.first().and_then(|first| first.msgid.clone()) {
                    // The message that it answers is gone, so the thread begins here.
                    Some(first) if matches!(self.step, Step::Root(_)) => {
                        self.query_answers(MessageRef::Id(first), model);
                    }
                    _ => {
                        error = Some(reason.clone());
                        self.step = Step::Complete;
                    }
                }
            }
            _ => return (false, None),
        }
        if matches!(self.step, Step::Root(_) | Step::Answers(_)) {
            return (true, None);
        }
        let messages = self.found[self.shown..].to_vec();
        self.shown = self.found.len();
        let (answers, may_have_more) = (self.shown.saturating_sub(1), matches!(self.step, Step::More(_)));
        (true, Some(ThreadPart { messages, answers, may_have_more, error }))
    }

    fn take_page(&mut self, page: &HistoryPage, model: &mut Model) {
        let messages = || {
            page.events.iter().filter_map(|event| match event {
                Event::Message(message) => Some(message),
                _ => None,
            })
        };
        if let Step::Root(_) = self.step {
            let root = messages().find(|message| message.msgid.as_ref() == Some(&self.root));
            let Some(root) = root.cloned() else { return self.step = Step::Complete };
            let parent = root.reply_to.clone();
            self.found = vec![root];
            let parent =
                parent.filter(|parent| self.parents < MAX_PARENTS && self.ids.insert(parent.clone()));
            let next =
                parent.and_then(|parent| Some((query_one(&self.conversation, &parent, model)?, parent)));
            if let Some((ticket, parent)) = next {
                self.parents += 1;
                (self.root, self.step) = (parent, Step::Root(ticket));
            } else {
                self.query_answers(MessageRef::Id(self.root.clone()), model);
            }
            return;
        }
        for message in messages() {
            let answers = message.reply_to.as_ref().is_some_and(|parent| self.ids.contains(parent));
            let Some(id) = message.msgid.clone().filter(|_| answers && self.found.len() < MAX_MESSAGES)
            else {
                continue;
            };
            self.ids.insert(id.clone());
            if !self.found.iter().any(|known| known.msgid.as_ref() == Some(&id)) {
                self.found.push(message.clone());
            }
        }
        self.pages += 1;
        match page.bounds.clone().filter(|_| !model.is_last_page(page, PAGE_SIZE)) {
            None => self.step = Step::Complete,
            Some(bounds) if self.pages >= MAX_PAGES => self.step = Step::More(bounds.last),
            Some(bounds) => self.query_answers(bounds.last, model),
        }
    }

    fn query_answers(&mut self, point: MessageRef, model: &mut Model) {
        let asked = model.query_history_once(&self.conversation, &HistoryRange::After(point), PAGE_SIZE);
        self.step = asked.map_or(Step::Complete, Step::Answers);
    }
}

fn query_one(conversation: &Conversation, id: &str, model: &mut Model) -> Option<Ticket> {
    model.query_message(conversation, id).ok()
}
