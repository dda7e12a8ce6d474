//! Queries for mentions of the account and answers to it that were not received: the search of the server finds mentions,
//! and pages of the history answers, because a search knows no replies.

use std::collections::{HashMap, HashSet, VecDeque};

use super::listed_message::ListedMessage;
use super::mentions::MentionKind;
use crate::client::model::{Event, HistoryRange, PAGE_SIZE, Ticket, older_search_start};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::{BufferKey, Models, Workspace};
use crate::client::text::words::mentions;
use crate::wire::{Cap, Timestamp};

/// Limit of the mentions that one search finds.
const MAX_SEARCHED: usize = 100;

/// Limit of the conversations of each server whose history is looked through, those that are used most first.
const MAX_CONVERSATIONS: usize = 8;

/// Limit of the queries in flight.
const MAX_IN_FLIGHT: usize = 4;

/// Limit of the own messages whose answers are recognised.
const MAX_OWN_IDS: usize = 20_000;

/// Limit of the replies to messages that are not known yet.
const MAX_REPLIES: usize = 2_000;

/// Query for mentions and answers, in rounds: each one goes further back.
#[derive(Debug, Default)]
pub struct MentionQuery {
    in_flight: Vec<(usize, Ticket, Source)>,
    /// Queries of this round that wait for their turn.
    waiting: VecDeque<(usize, Source)>,
    /// Queries of the next round.
    next: Vec<(usize, Source)>,
    /// Ids of own messages, by their servers.
    own_ids: HashSet<(usize, String)>,
    /// Replies to messages that are not known yet, by these. Pages go back in time, so an answer comes before its question.
    replies: HashMap<(usize, String), Vec<ListedMessage>>,
    /// Reason of the last failure.
    pub error: Option<String>,
}

/// Part of the messages of a server that one query looks through.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// Search for the nick, up to this time stamp.
    Search(Option<Timestamp>),
    /// Page of a conversation.
    Page(BufferKey, HistoryRange),
}

impl MentionQuery {
    /// Begins the first round.
    pub fn start(workspace: &Workspace, models: Models<'_, '_>) -> Self {
        let mut query = Self::default();
        for (server, model) in models.iter().enumerate().filter(|(_, model)| model.is_online()) {
            if model.has_cap(Cap::Search) {
                query.waiting.push_back((server, Source::Search(None)));
            }
            if !model.has_cap(Cap::Chathistory) {
                continue;
            }
            let mut buffers: Vec<(BufferKey, &Buffer)> = workspace
                .buffers()
                .filter(|((at, _), buffer)| *at == server && !is_all_loaded(buffer))
                .collect();
            buffers.sort_by(|(a, _), (b, _)| workspace.use_score(b).total_cmp(&workspace.use_score(a)));
            for (key, buffer) in buffers.into_iter().take(MAX_CONVERSATIONS) {
                let oldest = buffer.numbers().filter_map(|number| buffer.entry(number));
                let oldest = oldest.into_iter().find(|entry| entry.message().is_some());
                let range = match oldest.map(|entry| model.message_ref(entry.id.as_deref(), entry.time)) {
                    Some(point) => HistoryRange::Before(point),
                    None => HistoryRange::Latest,
                };
                query.waiting.push_back((server, Source::Page(key, range)));
            }
        }
        query.send(models);
        query
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
    pub fn load_more(&mut self, models: Models<'_, '_>) {
        if self.may_have_more() {
            self.waiting.extend(self.next.drain(..));
            self.send(models);
        }
    }

    /// Returns whether the query with this ticket is in flight.
    pub fn awaits(&self, server: usize, ticket: Ticket) -> bool {
        self.in_flight.iter().any(|(at, asked, _)| *at == server && *asked == ticket)
    }

    /// Takes the result of a query that [is awaited](Self::awaits). Returns the messages that it found.
    pub fn take_result(
        &mut self,
        server: usize,
        event: Event,
        workspace: &Workspace,
        models: Models<'_, '_>,
    ) -> Vec<(ListedMessage, MentionKind)> {
        let ticket = match &event {
            Event::SearchResults(ticket, _) | Event::QueryFailed { ticket, .. } => *ticket,
            Event::History(page) => page.ticket,
            _ => return Vec::new(),
        };
        let is_own = |(at, asked, _): &(usize, Ticket, Source)| *at == server && *asked == ticket;
        let Some(at) = self.in_flight.iter().position(is_own) else { return Vec::new() };
        let (_, _, source) = self.in_flight.remove(at);
        let Some(model) = models.get(server) else { return Vec::new() };
        let me = model.me().cloned();
        let names_me = |text: &str| me.as_ref().is_some_and(|me| mentions(text, me.as_str()));
        let mut found = Vec::new();
        match (event, source) {
            (Event::SearchResults(_, results), Source::Search(_)) => {
                if let Some(before) = older_search_start(&results, MAX_SEARCHED) {
                    self.next.push((server, Source::Search(Some(before))));
                }
                let results = results.into_iter().filter(|message| !message.mine && names_me(&message.text));
                found.extend(
                    results.map(|message| (ListedMessage::new(server, message), MentionKind::Mention)),
                );
            }
            (Event::History(page), Source::Page(key, _)) => {
                let is_whole = model.is_last_page(&page, PAGE_SIZE);
                if let Some(bounds) = page.bounds.filter(|_| !is_whole) {
                    self.next.push((server, Source::Page(key.clone(), HistoryRange::Before(bounds.first))));
                }
                let buffer = workspace.servers.get(server).and_then(|state| state.buffers.get(&key.1));
                for event in page.events {
                    let Event::Message(message) = event else { continue };
                    if message.mine {
                        if let Some(id) = message.msgid.filter(|_| self.own_ids.len() < MAX_OWN_IDS) {
                            let answers = self.replies.remove(&(server, id.clone())).unwrap_or_default();
                            found.extend(answers.into_iter().map(|answer| (answer, MentionKind::Answer)));
                            self.own_ids.insert((server, id));
                        }
                        continue;
                    }
                    let answers = message.reply_to.as_ref().is_some_and(|parent| {
                        self.own_ids.contains(&(server, parent.clone()))
                            || buffer
                                .and_then(|buffer| buffer.find_message(parent))
                                .is_some_and(|(_, original)| original.mine)
                    });
                    let kind = match () {
                        () if answers => MentionKind::Answer,
                        () if names_me(&message.text) => MentionKind::Mention,
                        () => {
                            if let Some(parent) =
                                message.reply_to.clone().filter(|_| self.replies.len() < MAX_REPLIES)
                            {
                                let replies = self.replies.entry((server, parent)).or_default();
                                replies.push(ListedMessage::new(server, message));
                            }
                            continue;
                        }
                    };
                    found.push((ListedMessage::new(server, message), kind));
                }
            }
            (Event::QueryFailed { reason, .. }, _) => self.error = Some(sanitize_line(&reason, 200)),
            (other, source) => debug_assert!(false, "no result for {source:?}: {other:?}"),
        }
        self.send(models);
        found
    }

    /// Sends the queries that wait, as far as the limit allows.
    fn send(&mut self, models: Models<'_, '_>) {
        while self.in_flight.len() < MAX_IN_FLIGHT {
            let Some((server, source)) = self.waiting.pop_front() else { break };
            let Some(model) = models.get_mut(server) else { continue };
            let sent = match &source {
                Source::Search(before) => {
                    let Some(me) = model.me().cloned() else { continue };
                    model.query_search_before(me.as_str(), *before, MAX_SEARCHED)
                }
                Source::Page(key, range) => model.query_history(&key.1, range, PAGE_SIZE),
            };
            match sent {
                Ok(ticket) => self.in_flight.push((server, ticket, source)),
                Err(offline) => self.error = Some(offline.to_string()),
            }
        }
    }
}

/// Returns whether all of a conversation is loaded.
fn is_all_loaded(buffer: &Buffer) -> bool {
    buffer.loading.at_beginning()
}
