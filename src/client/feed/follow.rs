//! Joining of history and live messages, without gaps and without duplicates.
//!
//! Messages that arrive during a history query are also in the history if they were sent before the query. Therefore
//! they are held back from one query to the next: after an empty result, the held messages are what follows.
//!
//! Several conversations are printed in the order of time. Each has a queue, and the oldest entry of all queues is
//! printed as long as nothing older can still come: as long as no conversation has both an empty queue and unread
//! history. Queues are bounded. A conversation is queried for more when its queue is empty, for its share of a page.
//! One that is up to date while others are not drops live messages once its queue is full, and reads them from the
//! history when it is its turn.

use std::collections::VecDeque;

use super::PAGE_SIZE;
use super::entry::{Entry, EntryKind};
use super::reader::QueryResult;
use crate::client::model::seen_ids::SeenIds;
use crate::client::model::{Conversation, HistoryRange, MessageRef, Ticket};
use crate::wire::{ChannelName, Nick, Timestamp};

/// Follows one or more conversations.
#[derive(Debug)]
pub struct Follow {
    conversations: Vec<FollowedConversation>,
    /// Set if following ends when the history has been read.
    history_only: bool,
    online: bool,
    /// Set if the server has a history.
    has_history: bool,
    seen: SeenIds,
    /// Live entries that no history contains, from conversations whose history is being read.
    unstored: VecDeque<Entry>,
}

#[derive(Debug)]
struct FollowedConversation {
    target: Conversation,
    state: State,
    /// The point of the newest entry that was queued or printed, or the starting point.
    cursor: Option<MessageRef>,
    /// Set once this account's JOIN was printed.
    join_printed: bool,
    /// Live entries since the pending query was sent.
    held_live: Vec<Entry>,
    /// Set if more entries arrived than `held_live` takes.
    overflowed: bool,
    /// Entries to print in their turn.
    queue: VecDeque<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Live entries are printed at once. A query for the newest entry is due, to know where a later gap begins.
    LatestUnknown,
    /// As `LatestUnknown`, with the query sent.
    QueryingLatest(Ticket),
    /// A history query is due, and its result will contain the live entries of now.
    GapUnread,
    /// As `GapUnread`, with the query sent.
    ReadingGap(Ticket),
    /// Live entries are printed at once.
    Live,
}

/// Limit of waiting entries of each conversation, in addition to the page that was read last.
const MAX_HELD: usize = PAGE_SIZE;

impl Follow {
    /// Follows these conversations from now on, or from a time stamp, inclusive. With `history_only` it ends after the
    /// history.
    pub fn new(
        targets: impl IntoIterator<Item = Conversation>,
        since: Option<Timestamp>,
        history_only: bool,
    ) -> Self {
        let mut conversations: Vec<FollowedConversation> = Vec::new();
        for target in targets {
            if conversations.iter().all(|conversation| conversation.target != target) {
                // A history query returns what comes strictly after its point.
                let cursor = since.map(|since| MessageRef::Time(Timestamp(since.0.saturating_sub(1))));
                let state = if cursor.is_some() { State::GapUnread } else { State::LatestUnknown };
                let (held, queue) = (Vec::new(), VecDeque::new());
                conversations.push(FollowedConversation {
                    target,
                    state,
                    cursor,
                    join_printed: false,
                    held_live: held,
                    overflowed: false,
                    queue,
                });
            }
        }
        Self {
            conversations,
            history_only,
            online: false,
            has_history: true,
            seen: SeenIds::default(),
            unstored: VecDeque::new(),
        }
    }

    /// Returns the conversations, without duplicates.
    pub fn targets(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.iter().map(|conversation| &conversation.target)
    }

    /// Records a completed login. `has_history` states whether the server has a history.
    pub fn connected(&mut self, has_history: bool) {
        self.online = true;
        self.has_history = has_history;
        if !has_history {
            for conversation in &mut self.conversations {
                conversation.state = State::Live;
            }
        }
    }

    /// Records the end of the connection.
    pub fn disconnected(&mut self) {
        self.online = false;
        for conversation in &mut self.conversations {
            conversation.held_live.clear();
            conversation.state =
                if conversation.cursor.is_some() { State::GapUnread } else { State::LatestUnknown };
        }
    }

    /// Returns whether everything was read and printed. Always `false` when live messages are followed.
    pub fn is_done(&self) -> bool {
        self.history_only
            && self
                .conversations
                .iter()
                .all(|conversation| conversation.state == State::Live && conversation.queue.is_empty())
    }

    /// Returns the next query, one at a time: conversation, part of the history, page size. Pass its ticket to
    /// [`query_sent`](Self::query_sent).
    pub fn next_query(&self) -> Option<(Conversation, HistoryRange, usize)> {
        let is_querying = |conversation: &FollowedConversation| {
            matches!(conversation.state, State::QueryingLatest(_) | State::ReadingGap(_))
        };
        if !self.online || !self.has_history || self.conversations.iter().any(is_querying) {
            return None;
        }
        let conversation = self.next_due()?;
        let query = |past, limit| Some((conversation.target.clone(), past, limit));
        match (conversation.state, &conversation.cursor) {
            (State::GapUnread, Some(cursor)) => query(HistoryRange::After(cursor.clone()), self.page_size()),
            _ => query(HistoryRange::Latest, 1),
        }
    }

    fn next_due(&self) -> Option<&FollowedConversation> {
        self.conversations.iter().find(|conversation| conversation.is_query_due())
    }

    /// Returns the page size of a query, such that all conversations together hold about a page.
    fn page_size(&self) -> usize {
        (PAGE_SIZE / self.conversations.len().max(1)).max(10)
    }

    /// Records that the query from [`next_query`](Self::next_query) was sent.
    pub fn query_sent(&mut self, ticket: Ticket) {
        let Some(conversation) =
            self.conversations.iter_mut().find(|conversation| conversation.is_query_due())
        else {
            debug_assert!(false, "no query is due");
            return;
        };
        conversation.held_live.clear();
        conversation.overflowed = false;
        conversation.state = match conversation.state {
            State::LatestUnknown => State::QueryingLatest(ticket),
            _ => State::ReadingGap(ticket),
        };
    }

    /// Records a refused query. Returns the conversation whose history is not available;
    /// [`take_ready`](Self::take_ready) then returns the entries that waited for it.
    pub fn query_refused(&mut self, ticket: Ticket) -> Option<Conversation> {
        let conversation =
            self.conversations.iter_mut().find(|conversation| conversation.awaits_ticket(ticket))?;
        conversation.state = State::Live;
        let held = std::mem::take(&mut conversation.held_live);
        conversation.enqueue(&mut self.seen, held);
        Some(conversation.target.clone())
    }

    /// Takes a live entry. Returns the entries to print.
    pub fn handle_live(&mut self, entry: Entry) -> Vec<Entry> {
        let Some(conversation) =
            self.conversations.iter_mut().find(|conversation| entry.is_in(&conversation.target))
        else {
            return Vec::new();
        };
        if entry.mine && entry.kind == EntryKind::Join {
            // At each login the server sends a JOIN for every channel that the account is in. Only the first one is
            // printed, as the point from which live entries follow.
            let known = std::mem::replace(&mut conversation.join_printed, true)
                || conversation.state == State::GapUnread;
            if entry.msgid.is_none() && known {
                return Vec::new();
            }
        }
        if entry.kind == EntryKind::Rename
            && let Some(name) = entry.object.as_deref().and_then(|name| ChannelName::parse_foreign(name).ok())
        {
            conversation.target = Conversation::Channel(name);
        }
        let in_history = entry.msgid.is_some() && self.has_history;
        match conversation.state {
            // The history to read contains the entry.
            State::GapUnread if in_history => {}
            State::ReadingGap(_) if in_history && conversation.held_live.len() < MAX_HELD => {
                conversation.held_live.push(entry);
            }
            State::ReadingGap(_) if in_history => conversation.overflowed = true,
            State::GapUnread | State::ReadingGap(_) => self.unstored.push_back(entry),
            State::Live
                if in_history && conversation.queue.len() >= MAX_HELD && conversation.cursor.is_some() =>
            {
                conversation.state = State::GapUnread;
            }
            State::Live | State::LatestUnknown | State::QueryingLatest(_) => {
                conversation.enqueue(&mut self.seen, [entry]);
            }
        }
        self.take_ready()
    }

    /// Takes a QUIT of an account in these channels. Returns the entries to print.
    pub fn handle_quit(
        &mut self,
        quitter: &Nick,
        channels: &[ChannelName],
        reason: &str,
        time: Timestamp,
    ) -> Vec<Entry> {
        let is_affected = |target: &&Conversation| match target {
            Conversation::Channel(name) => channels.contains(name),
            Conversation::Direct(nick) => nick == quitter,
        };
        let entry = |target: &Conversation| Entry {
            kind: EntryKind::Quit,
            time,
            target: target.clone(),
            from: quitter.to_string(),
            account: Some(quitter.to_string()),
            mine: false,
            msgid: None,
            text: reason.to_owned(),
            refers_to: None,
            object: None,
            tags: std::collections::BTreeMap::new(),
            history: false,
        };
        let entries: Vec<Entry> = self.targets().filter(is_affected).map(entry).collect();
        entries.into_iter().flat_map(|entry| self.handle_live(entry)).collect()
    }

    /// Takes the result of a history query. Returns the entries to print.
    pub fn handle_result(&mut self, part: QueryResult) -> Vec<Entry> {
        let Some(ticket) = part.ticket else { return Vec::new() };
        let querying = self.conversations.iter_mut().find(|conversation| conversation.awaits_ticket(ticket));
        let Some(conversation) = querying else { return Vec::new() };
        if conversation.state == State::QueryingLatest(ticket) {
            conversation.state = State::Live;
            if conversation.cursor.is_none() {
                let latest = part.entries.last().and_then(entry_ref);
                // Without any history, everything is new.
                conversation.cursor = Some(latest.unwrap_or(MessageRef::Time(Timestamp(0))));
            }
        } else if part.is_empty && conversation.overflowed {
            conversation.state = State::GapUnread;
        } else if part.is_empty {
            conversation.state = State::Live;
            let held = std::mem::take(&mut conversation.held_live);
            conversation.enqueue(&mut self.seen, held);
        } else {
            let previous = conversation.cursor.clone();
            conversation.enqueue(&mut self.seen, part.entries);
            // Querying from the same point again would never end.
            conversation.state = if conversation.cursor == previous { State::Live } else { State::GapUnread };
        }
        self.take_ready()
    }

    /// Returns the entries to print now: the oldest of all conversations, until something older can still come.
    pub fn take_ready(&mut self) -> Vec<Entry> {
        let mut ready = Vec::new();
        while !self.conversations.iter().any(FollowedConversation::may_add_older) {
            let queues = self
                .conversations
                .iter_mut()
                .map(|conversation| &mut conversation.queue)
                .chain([&mut self.unstored]);
            let time = |queue: &&mut VecDeque<Entry>| queue.front().map(|entry| entry.time);
            let earliest = queues.filter(|queue| !queue.is_empty()).min_by_key(time);
            let Some(entry) = earliest.and_then(VecDeque::pop_front) else { break };
            ready.push(entry);
        }
        // Entries over the limit are printed out of order.
        while self.unstored.len() > MAX_HELD {
            ready.extend(self.unstored.pop_front());
        }
        ready
    }
}

impl FollowedConversation {
    fn awaits_ticket(&self, ticket: Ticket) -> bool {
        [State::QueryingLatest(ticket), State::ReadingGap(ticket)].contains(&self.state)
    }

    /// Returns whether entries can still come that are older than those of other conversations.
    fn may_add_older(&self) -> bool {
        matches!(self.state, State::GapUnread | State::ReadingGap(_)) && self.queue.is_empty()
    }

    /// Returns whether a query is due.
    fn is_query_due(&self) -> bool {
        self.state == State::LatestUnknown || self.state == State::GapUnread && self.queue.is_empty()
    }

    /// Queues the entries that were not taken before, and moves the cursor to the last one.
    fn enqueue(&mut self, seen: &mut SeenIds, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            if let Some(point) = entry_ref(&entry) {
                self.cursor = Some(point);
            }
            if entry.msgid.as_deref().is_none_or(|id| seen.insert(id)) {
                self.queue.push_back(entry);
            }
        }
    }
}

/// Returns the entry's point of the history: its message id, or its time stamp if the server gave no id.
fn entry_ref(entry: &Entry) -> Option<MessageRef> {
    let time = || entry.history.then_some(MessageRef::Time(entry.time));
    entry.msgid.clone().map(MessageRef::Id).or_else(time)
}
