//! Mentions of the user and answers to them (`/mentions`), in rounds: the first one has the latest, each further one
//! (`/mentions more`) goes back in time. The server's search finds mentions, and pages of the history the answers, because a
//! search knows no replies.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::client::model::{
    ChatMessage, Conversation, Event, HistoryRange, Model, PAGE_SIZE, Ticket, older_search_start,
};
use crate::client::text::words;
use crate::wire::{Cap, Nick, Timestamp};

/// Limit of the mentions that one search finds.
const MAX_SEARCHED: usize = 50;

/// Limit of the conversations whose history is looked through, the current one first.
const MAX_CONVERSATIONS: usize = 8;

/// Limit of the ids that are kept: of own messages, of those that were shown, and of unknown ones that were answered.
const MAX_IDS: usize = 20_000;

/// Search for mentions and answers.
#[derive(Debug)]
pub(super) struct MentionSearch {
    me: Nick,
    in_flight: Vec<(Ticket, Source)>,
    /// Queries of the next round.
    next: VecDeque<Source>,
    /// Messages of this round.
    found: Vec<ChatMessage>,
    /// Ids of messages that were found.
    known: HashSet<String>,
    /// Ids of own messages.
    own: HashSet<String>,
    /// Answers to messages that are not known yet, by these. Pages go back in time, so an answer comes before its question.
    answers: HashMap<String, Vec<ChatMessage>>,
    /// Reason of the last failure of this round.
    error: Option<String>,
}

/// Part of the messages that one query looks through.
#[derive(Clone, Debug)]
enum Source {
    /// Search for the nick, up to this time stamp.
    Search(Option<Timestamp>),
    /// Page of a conversation.
    Page(Conversation, HistoryRange),
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

impl MentionSearch {
    /// Begins the first round. The error is a text for the user.
    pub fn start(current: Option<&Conversation>, model: &mut Model) -> Result<Self, String> {
        let me = model.me().cloned().filter(|_| model.is_online()).ok_or("not connected")?;
        let mut next = VecDeque::new();
        if model.has_cap(Cap::Search) {
            next.push_back(Source::Search(None));
        }
        if model.has_history() {
            let channels = model.channels().map(|(name, _)| Conversation::Channel(name.clone()));
            let others = channels.filter(|channel| Some(channel) != current);
            let all = current.cloned().into_iter().chain(others).take(MAX_CONVERSATIONS);
            next.extend(all.map(|conversation| Source::Page(conversation, HistoryRange::Latest)));
        }
        if next.is_empty() {
            return Err("this server supports neither search nor history".to_owned());
        }
        let mut search = Self {
            me,
            in_flight: Vec::new(),
            next,
            found: Vec::new(),
            known: HashSet::new(),
            own: HashSet::new(),
            answers: HashMap::new(),
            error: None,
        };
        search.load_more(model)?;
        Ok(search)
    }

    /// Begins a further round. The error is a text for the user.
    pub fn load_more(&mut self, model: &mut Model) -> Result<(), String> {
        if !self.in_flight.is_empty() {
            return Err("the list is on its way".to_owned());
        }
        if self.next.is_empty() {
            return Err("there are no earlier ones; /mentions lists the latest".to_owned());
        }
        while let Some(source) = self.next.pop_front() {
            let sent = match &source {
                Source::Search(before) => model.query_search_before(self.me.as_str(), *before, MAX_SEARCHED),
                Source::Page(conversation, range) => model.query_history_once(conversation, range, PAGE_SIZE),
            };
            self.in_flight.push((sent.map_err(|offline| offline.to_string())?, source));
        }
        Ok(())
    }

    /// Takes an event that is a result. Returns whether it was one, and the round once it is complete.
    pub fn take(&mut self, event: &Event, model: &Model) -> (bool, Option<MentionRound>) {
        let ticket = match event {
            Event::SearchResults(ticket, _) | Event::QueryFailed { ticket, .. } => *ticket,
            Event::History(page) => page.ticket,
            _ => return (false, None),
        };
        let Some(at) = self.in_flight.iter().position(|(asked, _)| *asked == ticket) else {
            return (false, None);
        };
        let (_, source) = self.in_flight.remove(at);
        match (event, source) {
            (Event::SearchResults(_, results), Source::Search(_)) => {
                if let Some(before) = older_search_start(results, MAX_SEARCHED) {
                    self.next.push_back(Source::Search(Some(before)));
                }
                for message in results.iter().filter(|message| !message.mine) {
                    if words::mentions(&message.text, self.me.as_str()) {
                        self.add(message);
                    }
                }
            }
            (Event::History(page), Source::Page(conversation, _)) => {
                if let Some(bounds) = page.bounds.clone().filter(|_| !model.is_last_page(page, PAGE_SIZE)) {
                    self.next.push_back(Source::Page(conversation, HistoryRange::Before(bounds.first)));
                }
                for event in &page.events {
                    if let Event::Message(message) = event {
                        self.look_at(message);
                    }
                }
            }
            (Event::QueryFailed { reason, .. }, _) => self.error = Some(reason.clone()),
            (other, source) => debug_assert!(false, "no result for {source:?}: {other:?}"),
        }
        (true, self.in_flight.is_empty().then(|| self.finish()))
    }

    /// Looks at a message of the history.
    fn look_at(&mut self, message: &ChatMessage) {
        if message.mine {
            if let Some(id) = message.msgid.clone().filter(|_| self.own.len() < MAX_IDS) {
                for answer in self.answers.remove(&id).unwrap_or_default() {
                    self.add(&answer);
                }
                self.own.insert(id);
            }
            return;
        }
        let parent = message.reply_to.as_ref();
        if parent.is_some_and(|parent| self.own.contains(parent))
            || words::mentions(&message.text, self.me.as_str())
        {
            self.add(message);
        } else if let Some(parent) = parent.filter(|_| self.answers.len() < MAX_IDS) {
            self.answers.entry(parent.clone()).or_default().push(message.clone());
        }
    }

    fn add(&mut self, message: &ChatMessage) {
        let is_new = message
            .msgid
            .as_ref()
            .is_none_or(|id| self.known.len() < MAX_IDS && self.known.insert(id.clone()));
        if is_new {
            self.found.push(message.clone());
        }
    }

    fn finish(&mut self) -> MentionRound {
        let mut messages = std::mem::take(&mut self.found);
        messages.sort_by(|a, b| (a.time, &a.msgid).cmp(&(b.time, &b.msgid)));
        MentionRound { messages, may_have_more: !self.next.is_empty(), error: self.error.take() }
    }
}
