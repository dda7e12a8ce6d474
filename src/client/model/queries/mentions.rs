//! Search for mentions of the account and answers to it, in rounds: each one goes further back. The server's search finds
//! mentions, and pages of the history answers, because a search knows no replies.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{HistoryRange, PAGE_SIZE, older_search_start};
use crate::client::model::event::{ChatMessage, Conversation, Event, HistoryPage, Ticket};
use crate::client::model::{Model, NotConnected};
use crate::client::text::words::mentions;
use crate::wire::{Nick, Timestamp};

/// Limit of the conversations of a server whose history is looked through.
pub const MAX_CONVERSATIONS: usize = 8;

/// Limit of the mentions that one search finds.
const MAX_SEARCHED: usize = 100;

/// Limit of the queries in flight.
const MAX_IN_FLIGHT: usize = 4;

/// Limit of the own messages whose answers are recognised.
const MAX_OWN_IDS: usize = 20_000;

/// Limit of the replies to messages that are not known yet.
const MAX_REPLIES: usize = 2_000;

/// Reason for which a message is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MentionKind {
    /// It contains the account's nick.
    Mention,
    /// It replies to a message of the account.
    Answer,
}

/// Part of the messages of a server that one query looks through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Search for the nick, up to this time stamp.
    Search(Option<Timestamp>),
    /// Page of a conversation.
    Page(Conversation, HistoryRange),
}

/// Search for mentions and answers on one or several servers, which are known by their index among the models.
#[derive(Debug, Default)]
pub struct MentionSearch {
    in_flight: Vec<(usize, Ticket, Source)>,
    /// Queries of this round that wait for their turn.
    waiting: VecDeque<(usize, Source)>,
    /// Queries of the next round.
    next: Vec<(usize, Source)>,
    /// Ids of own messages, by their servers.
    own_ids: HashSet<(usize, String)>,
    /// Replies to messages that are not known yet, by these. Pages go back in time, so an answer comes before its question.
    replies: HashMap<(usize, String), Vec<ChatMessage>>,
    /// Count of these replies.
    reply_count: usize,
    /// The part that is missing, and the reason as received.
    pub error: Option<String>,
}

impl MentionSearch {
    /// Begins the first round.
    pub fn start(sources: impl IntoIterator<Item = (usize, Source)>, models: &mut [&mut Model]) -> Self {
        let mut search = Self { waiting: sources.into_iter().collect(), ..Self::default() };
        search.send(models);
        search
    }

    /// Returns whether queries are in flight.
    pub fn is_loading(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Returns whether a further round may find more.
    pub fn may_have_more(&self) -> bool {
        !self.is_loading() && !self.next.is_empty()
    }

    /// Begins a further round, if one may find more.
    pub fn load_more(&mut self, models: &mut [&mut Model]) {
        if self.may_have_more() {
            self.waiting.extend(self.next.drain(..));
            self.send(models);
        }
    }

    /// Returns whether the query with this ticket is in flight.
    pub fn awaits(&self, server: usize, ticket: Ticket) -> bool {
        self.in_flight.iter().any(|(at, asked, _)| *at == server && *asked == ticket)
    }

    /// Takes the result of a query that [is awaited](Self::awaits). Returns the messages that it found, the same one perhaps
    /// several times. `is_own` tells of a loaded message by its id whether it is the account's.
    pub fn take_result(
        &mut self,
        server: usize,
        event: Event,
        is_own: impl Fn(&str) -> bool,
        models: &mut [&mut Model],
    ) -> Vec<(ChatMessage, MentionKind)> {
        let ticket = match &event {
            Event::SearchResults(ticket, _) | Event::QueryFailed { ticket, .. } => *ticket,
            Event::History(page) => page.ticket,
            _ => return Vec::new(),
        };
        let is_it = |(at, asked, _): &(usize, Ticket, Source)| *at == server && *asked == ticket;
        let Some(at) = self.in_flight.iter().position(is_it) else { return Vec::new() };
        let (_, _, source) = self.in_flight.remove(at);
        let Some(model) = models.get(server) else { return Vec::new() };
        let me = model.me().cloned();
        let mut found = Vec::new();
        match (event, source) {
            (Event::SearchResults(_, results), Source::Search(_)) => {
                if let Some(before) = older_search_start(&results, MAX_SEARCHED) {
                    self.next.push((server, Source::Search(Some(before))));
                }
                let results =
                    results.into_iter().filter(|message| !message.mine && names(message, me.as_ref()));
                found.extend(results.map(|message| (message, MentionKind::Mention)));
            }
            (Event::History(page), Source::Page(conversation, _)) => {
                let is_whole = model.is_last_page(&page, PAGE_SIZE);
                let HistoryPage { bounds, events, .. } = page;
                if let Some(bounds) = bounds.filter(|_| !is_whole) {
                    let older = Source::Page(conversation, HistoryRange::Before(bounds.first));
                    self.next.push((server, older));
                }
                for event in events {
                    if let Event::Message(message) = event {
                        self.look_at(server, message, me.as_ref(), &is_own, &mut found);
                    }
                }
            }
            (Event::QueryFailed { reason, .. }, _) => {
                self.error = Some(format!("some did not arrive: {reason}"));
            }
            (other, source) => debug_assert!(false, "no result for {source:?}: {other:?}"),
        }
        self.send(models);
        found
    }

    /// Ends the queries of a server whose connection broke. Returns whether there were any.
    pub fn end_queries(&mut self, server: usize, models: &mut [&mut Model]) -> bool {
        let count = |search: &Self| search.in_flight.len() + search.waiting.len();
        let before = count(self);
        self.in_flight.retain(|(at, ..)| *at != server);
        self.waiting.retain(|(at, _)| *at != server);
        let any = count(self) < before;
        self.send(models);
        any
    }

    /// Looks at a message of a page of the history.
    fn look_at(
        &mut self,
        server: usize,
        message: ChatMessage,
        me: Option<&Nick>,
        is_own: impl Fn(&str) -> bool,
        found: &mut Vec<(ChatMessage, MentionKind)>,
    ) {
        if message.mine {
            if let Some(id) = message.msgid.filter(|_| self.own_ids.len() < MAX_OWN_IDS) {
                let answers = self.replies.remove(&(server, id.clone())).unwrap_or_default();
                self.reply_count -= answers.len();
                found.extend(answers.into_iter().map(|answer| (answer, MentionKind::Answer)));
                self.own_ids.insert((server, id));
            }
            return;
        }
        let answers = message
            .reply_to
            .as_ref()
            .is_some_and(|parent| self.own_ids.contains(&(server, parent.clone())) || is_own(parent));
        if answers {
            found.push((message, MentionKind::Answer));
        } else if names(&message, me) {
            found.push((message, MentionKind::Mention));
        } else if let Some(parent) = message.reply_to.clone().filter(|_| self.reply_count < MAX_REPLIES) {
            self.reply_count += 1;
            self.replies.entry((server, parent)).or_default().push(message);
        }
    }

    /// Sends the queries that wait, as far as the limit allows.
    fn send(&mut self, models: &mut [&mut Model]) {
        while self.in_flight.len() < MAX_IN_FLIGHT {
            let Some((server, source)) = self.waiting.pop_front() else { break };
            let Some(model) = models.get_mut(server) else { continue };
            match source.send(model) {
                Ok(ticket) => self.in_flight.push((server, ticket, source)),
                Err(offline) => self.error = Some(format!("some did not arrive: {offline}")),
            }
        }
    }
}

impl Source {
    fn send(&self, model: &mut Model) -> Result<Ticket, NotConnected> {
        match self {
            Self::Search(before) => {
                let me = model.me().cloned().ok_or(NotConnected)?;
                model.query_search_before(me.as_str(), *before, MAX_SEARCHED)
            }
            Self::Page(conversation, range) => model.query_history_once(conversation, range, PAGE_SIZE),
        }
    }
}

fn names(message: &ChatMessage, me: Option<&Nick>) -> bool {
    me.is_some_and(|me| mentions(&message.text, me.as_str()))
}
