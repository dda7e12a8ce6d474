//! Choice of the next history query.
//!
//! The loaded history of a buffer never has a gap. The buffer on the screen comes first. Of the others at most one is
//! queried at a time for each server, so that messages that the user sends don't wait behind history.

use super::buffer::loading::{Bounds, Extent, Failure, JumpTarget, PageRequest, Progress};
use super::buffer::{Buffer, MessageChange, Scroll, Selection};
use super::entry::{Entry, EntryContent, ReactionChange};
use super::entry::{event_entry, format_redaction, message_entry};
use super::{BufferKey, Models, Workspace};
use crate::client::model::event::ResultBounds;
use crate::client::model::{
    Conversation, Event, HistoryPage, HistoryRange, MUTED_KEY, MessageRef, Model, PAGE_SIZE, Ticket,
};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::wire::{Cap, Timestamp};

/// Distance of the scroll position from the end of the loaded history, in entries, below which more is queried.
const PREFETCH_ENTRIES: u8 = 150;

impl Workspace {
    /// Sends the history queries that are due.
    pub fn send_due_queries(&mut self, models: Models<'_, '_>) {
        let current = self.current.clone();
        let now = self.now;
        for (at, server) in self.servers.iter_mut().enumerate() {
            let Some(model) = models.get_mut(at) else { continue };
            if !server.ready || !model.is_online() {
                continue;
            }
            let current =
                current.as_ref().filter(|(server, _)| *server == at).map(|(_, conversation)| conversation);
            if let Some(buffer) = current.and_then(|conversation| server.buffers.get_mut(conversation)) {
                if let Some(page) = next_want(buffer, true, now) {
                    send_query(buffer, page, model);
                }
                if let Conversation::Channel(channel) = &buffer.conversation
                    && !buffer.names_queried
                    && model.is_in(channel)
                {
                    buffer.names_queried = true;
                    let channel = channel.clone();
                    let _ = model.query_names(&channel);
                    // WHO in a large channel costs more than the away states are worth.
                    if model.channel(&channel).is_some_and(|channel| channel.members.len() < 500) {
                        model.query_who(channel.as_str());
                    }
                }
            }
            let busy = server.buffers.iter().any(|(conversation, buffer)| {
                Some(conversation) != current && buffer.loading.in_flight().is_some()
            });
            if busy {
                continue;
            }
            let others = server.buffers.iter_mut().filter(|(conversation, _)| Some(*conversation) != current);
            let next = others
                .map(|(_, buffer)| buffer)
                .find_map(|buffer| Some((next_want(buffer, false, now)?, buffer)));
            if let Some((page, buffer)) = next {
                send_query(buffer, page, model);
            }
        }
    }

    /// Handles a page of history.
    pub fn handle_page(&mut self, server: usize, page: HistoryPage, model: &mut Model) {
        let filter = self.message_filter(server);
        let Some(buffer) = self.find_querying(server, page.ticket) else { return };
        let Some(requested) = buffer.loading.answered() else { return };
        let is_last = model.is_last_page(&page, PAGE_SIZE);
        let (mut entries, mut changes) = (Vec::new(), Vec::new());
        for event in page.events {
            match event {
                Event::Message(message) => {
                    let mut entry = message_entry(&message, model.me());
                    filter.judge(&mut entry);
                    entries.push(entry);
                }
                Event::Reaction { msgid, from, mine, emoji, removed, time, .. } => {
                    let emoji = sanitize_line(&emoji, 32);
                    if !emoji.is_empty() {
                        let change =
                            MessageChange::React(ReactionChange { emoji, from, mine, removed, time });
                        changes.push((msgid, change));
                    }
                }
                Event::Redacted { msgid, by, reason, .. } => {
                    changes.push((msgid, MessageChange::Redact(format_redaction(&by, &reason))));
                }
                other => entries.extend(event_entry(&other, model.me())),
            }
        }
        let key = (server, buffer.conversation.clone());
        let mentions: Vec<Entry> = entries
            .iter()
            .filter(|entry| entry.message().is_some_and(|one| one.mention || one.reply_to.is_some()))
            .cloned()
            .collect();
        let received = ReceivedPage { entries, bounds: page.bounds, is_empty: page.lines == 0, is_last };
        let reached = apply_page(buffer, requested, received);
        for (id, change) in changes {
            buffer.apply_change(&id, change);
        }
        buffer.recount_unread();
        let unread = buffer.unread;
        let (conversation, marker) = (buffer.conversation.clone(), buffer.read_marker);
        for entry in &mentions {
            self.note_mention(&key, entry);
        }
        // The buffer is on the screen already, and has no line above the new messages yet.
        if self.current != Some((server, conversation)) {
            return;
        }
        let Some(buffer) = self.current_buffer_mut() else { return };
        if buffer.divider.is_none() && unread > 0 {
            buffer.divider = Some(marker.unwrap_or_default());
        }
        if let Some(JumpTarget::Id(id)) = reached
            && let Some((number, _)) = buffer.find_message(&id)
        {
            buffer.selection = Some(Selection::Entry(number));
        }
    }

    /// Handles the failure of a history query. A `temporary` failure is followed by further tries.
    pub fn handle_query_failed(&mut self, server: usize, ticket: Ticket, reason: &str, temporary: bool) {
        if self.handle_listing_failed(server, ticket, reason)
            || self.handle_mark_failed(server, ticket, reason)
        {
            return;
        }
        let now = self.now;
        let Some(buffer) = self.find_querying(server, ticket) else { return };
        let failure = buffer.loading.failed(now, temporary);
        if failure == Failure::Temporary {
            return;
        }
        if failure == Failure::History && buffer.loading.extent() != Extent::Past {
            // Messages that arrive from now on are shown in spite of the failure.
            buffer.mark_caught_up();
        }
        let jump = failure == Failure::Jump;
        let conversation = buffer.conversation.clone();
        if self.current == Some((server, conversation.clone()))
            && (jump || !matches!(conversation, Conversation::Direct(_)))
        {
            self.show_error(&format!("cannot load the history of {conversation}: {reason}"));
        }
    }

    fn find_querying(&mut self, server: usize, ticket: Ticket) -> Option<&mut Buffer> {
        let buffers = self.servers.get_mut(server)?.buffers.values_mut();
        buffers.into_iter().find(|buffer| buffer.loading.awaits(ticket))
    }

    /// Handles the list of recent direct conversations.
    pub fn handle_targets(&mut self, server: usize, ticket: Ticket, targets: Vec<(Conversation, Timestamp)>) {
        let filter = self.message_filter(server);
        let Some(state) = self.servers.get_mut(server) else { return };
        if state.targets_query.take_if(|asked| *asked == ticket).is_none() {
            return;
        }
        for (conversation, _) in targets.into_iter().filter(
            |(conversation, _)| matches!(conversation, Conversation::Direct(nick) if !filter.ignores(nick)),
        ) {
            self.open_buffer(server, &conversation);
        }
    }

    /// Switches to a conversation and scrolls to a message, which is queried if it is not loaded.
    pub fn jump_to(&mut self, key: BufferKey, target: JumpTarget) {
        self.switch_to(key);
        let height = usize::from(self.display.size.height);
        let Some(buffer) = self.current_buffer_mut() else { return };
        buffer.cleared = None;
        let loaded = match &target {
            JumpTarget::Id(id) => buffer.find_message(id).map(|(number, _)| number),
            JumpTarget::After(time) => {
                let is_loaded = buffer.oldest().is_some_and(|oldest| oldest.time <= *time)
                    || buffer.loading.at_beginning();
                is_loaded.then(|| buffer.first_after(*time))
            }
        };
        if let Some(number) = loaded {
            scroll_to_entry(buffer, number, height);
            if let JumpTarget::Id(_) = target {
                buffer.selection = Some(Selection::Entry(number));
            }
        } else {
            buffer.loading.request_jump(target);
        }
    }
}

/// Scrolls so that an entry stands near the middle of the screen.
fn scroll_to_entry(buffer: &mut Buffer, number: i64, height: usize) {
    let last = buffer.numbers().end - 1;
    let lowest = number + i64::try_from(height / 3).unwrap_or(0);
    buffer.scroll =
        if lowest >= last { Scroll::Bottom } else { Scroll::At { number: lowest, rows_below: 0 } };
}

/// Returns the next history query of a buffer. `seen` is set for the buffer on the screen.
fn next_want(buffer: &Buffer, on_screen: bool, now: Timestamp) -> Option<PageRequest> {
    let loading = &buffer.loading;
    if !loading.may_query(now) || buffer.left && !loading.is_unloaded() {
        return None;
    }
    if let Some(target) = loading.jump() {
        return Some(PageRequest::Around(target.clone()));
    }
    if buffer.newest().is_none() && !loading.has_latest() {
        return Some(PageRequest::Latest);
    }
    let numbers = buffer.numbers();
    let position = match buffer.scroll {
        Scroll::Bottom => numbers.end,
        Scroll::At { number, .. } => number,
    };
    let near_end = numbers.end - position < i64::from(PREFETCH_ENTRIES);
    match loading.extent() {
        Extent::Unloaded => Some(PageRequest::Latest),
        Extent::Behind { .. } => Some(PageRequest::Newer),
        Extent::Past if near_end && on_screen => Some(PageRequest::Newer),
        // The distance to the start comes last: it walks over entries, and this is asked after every line.
        Extent::Past | Extent::Latest => {
            (on_screen && !loading.at_beginning() && is_near_start(buffer, position))
                .then_some(PageRequest::Older)
        }
    }
}

/// Returns whether fewer than [`PREFETCH_ENTRIES`] entries that fill the screen precede an entry. Joins and leaves are folded and
/// don't count, but [`Buffer::MAX_BACKGROUND_ENTRIES`] entries of any kind are enough.
fn is_near_start(buffer: &Buffer, number: i64) -> bool {
    let start = buffer.numbers().start;
    let Ok(count) = usize::try_from(number - start) else { return true };
    if count >= Buffer::MAX_BACKGROUND_ENTRIES {
        return false;
    }
    let above = (start..number).rev().filter_map(|number| buffer.entry(number));
    let messages = above
        .filter(|entry| !matches!(entry.content, EntryContent::Membership(_)))
        .take(usize::from(PREFETCH_ENTRIES))
        .count();
    messages < usize::from(PREFETCH_ENTRIES)
}

fn send_query(buffer: &mut Buffer, page: PageRequest, model: &mut Model) {
    if !model.has_cap(Cap::Chathistory) {
        buffer.start_without_history();
        return;
    }
    let point = |entry: Option<&Entry>| entry.map(|entry| model.message_ref(entry.id.as_deref(), entry.time));
    let with_id = |mut entries: Box<dyn Iterator<Item = &Entry> + '_>| {
        // Other servers may send messages without an id.
        point(entries.find(|entry| entry.id.is_some() || entry.message().is_some()))
    };
    let range = match &page {
        PageRequest::Latest => HistoryRange::Latest,
        PageRequest::Older => {
            let oldest = with_id(Box::new(buffer.numbers().filter_map(|number| buffer.entry(number))));
            match buffer.loading.bounds.oldest.clone().or(oldest).or_else(|| point(buffer.oldest())) {
                Some(point) => HistoryRange::Before(point),
                None => HistoryRange::Latest,
            }
        }
        // A note without an id was seen when it happened, so the query starts at the last message, or at its time
        // stamp.
        PageRequest::Newer => match buffer
            .loading
            .bounds
            .newest
            .clone()
            .or_else(|| with_id(Box::new(buffer.newest_first().map(|(_, entry)| entry))))
        {
            Some(point) => HistoryRange::After(point),
            None => HistoryRange::Latest,
        },
        PageRequest::Around(JumpTarget::Id(id)) => HistoryRange::Around(MessageRef::Id(id.clone())),
        PageRequest::Around(JumpTarget::After(time)) => HistoryRange::Around(MessageRef::Time(*time)),
    };
    // Several messages may share one millisecond. Duplicates are dropped on insertion.
    let range = match range {
        HistoryRange::Before(MessageRef::Time(time)) => {
            HistoryRange::Before(MessageRef::Time(Timestamp(time.0 + 1)))
        }
        HistoryRange::After(MessageRef::Time(time)) => {
            HistoryRange::After(MessageRef::Time(Timestamp(time.0.saturating_sub(1))))
        }
        range => range,
    };
    if page == PageRequest::Latest {
        buffer.drop_before_gap();
    }
    let first = buffer.loading.is_unloaded();
    if let Ok(ticket) = model.query_history(&buffer.conversation, &range, PAGE_SIZE) {
        buffer.loading.sent(ticket, page);
        if first {
            if let Conversation::Direct(_) = buffer.conversation {
                model.query_read_marker(&buffer.conversation);
                model.monitor_nick(buffer.conversation.as_str());
            }
            model.query_metadata(&buffer.conversation, MUTED_KEY);
        }
    }
}

/// A page of history, with its events as entries.
struct ReceivedPage {
    /// Entries, oldest first.
    entries: Vec<Entry>,
    /// Points from which the next query continues.
    bounds: Option<ResultBounds>,
    /// Set if the page has no line at all.
    is_empty: bool,
    /// Set if the server has no further line in this direction.
    is_last: bool,
}

/// Adds a page of history. Returns the target of the jump that it completes.
fn apply_page(buffer: &mut Buffer, page: PageRequest, received: ReceivedPage) -> Option<JumpTarget> {
    let ReceivedPage { entries, bounds, is_empty, is_last } = received;
    let (first, last) = bounds.map(|bounds| (bounds.first, bounds.last)).unzip();
    match page {
        PageRequest::Latest => {
            if is_empty || is_last {
                buffer.loading.reached_beginning();
            }
            buffer.insert_page(entries, false);
            buffer.loading.bounds.oldest = first;
            buffer.mark_caught_up();
        }
        PageRequest::Older => {
            let new = buffer.insert_page(entries, true);
            let further = first.is_some() && first != buffer.loading.bounds.oldest;
            if buffer.loading.must_stop(new, further) || is_empty {
                buffer.loading.reached_beginning();
            }
            buffer.loading.bounds.oldest = first;
        }
        PageRequest::Newer => {
            let new = buffer.insert_page(entries, false);
            let further = last.is_some() && last != buffer.loading.bounds.newest;
            let end = buffer.loading.must_stop(new, further);
            buffer.loading.bounds.newest = last;
            if is_last || end {
                buffer.mark_caught_up();
            } else if buffer.loading.advanced() == Progress::TooFar {
                // The latest page comes next, and older pages as the user scrolls back.
                buffer.skip_to_latest();
            }
        }
        PageRequest::Around(target) if !is_empty => {
            buffer.replace_by_past(entries);
            buffer.loading.bounds = Bounds { oldest: first, newest: last };
            let number = match &target {
                JumpTarget::Id(id) => buffer.find_message(id).map(|(number, _)| number),
                JumpTarget::After(time) => Some(buffer.first_after(*time)),
            };
            let last = buffer.numbers().end - 1;
            buffer.scroll =
                Scroll::At { number: number.map_or(last, |number| (number + 8).min(last)), rows_below: 0 };
            return Some(target);
        }
        PageRequest::Around(_) => {}
    }
    None
}
