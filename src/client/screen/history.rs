//! Choice of the next history query.
//!
//! The loaded history of a buffer never has a gap. The buffer on the screen comes first. Of the others at most one is
//! queried at a time for each server, so that messages that the user sends don't wait behind history.

use super::buffer::{Buffer, HistoryWant, JumpTarget, MessageChange, Scroll};
use super::entry::{Entry, EntryContent};
use super::events::{event_entry, format_redaction, message_entry};
use super::{App, Models};
use crate::client::model::{Conversation, Event, HistoryPage, HistoryRange, MessageRef, Model, Ticket};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::wire::{Cap, Timestamp};

/// Lines requested by one query.
const PAGE_SIZE: usize = 200;

/// Size of a result, in bytes, from which the server may have cut it.
const TRUNCATION_BYTES: usize = 256 * 1024;

/// Limit of the pages that are loaded of missed messages. With more, only the latest page is loaded, and the rest when
/// the user scrolls there.
const MAX_NEWER_PAGES: u8 = 5;

/// Distance of the scroll position from the end of the loaded history, in entries, below which more is queried.
const PREFETCH_ENTRIES: u8 = 150;

/// Limit of the retries of a history query that failed temporarily.
const MAX_RETRIES: u8 = 4;

/// Delay of the first retry, in milliseconds. Each further one waits twice as long, so the last comes after 30 seconds.
const FIRST_RETRY_DELAY: u64 = 2_000;

impl App {
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
                if buffer.query.is_none()
                    && let Some(want) = next_want(buffer, true, now)
                {
                    send_query(buffer, want, model);
                }
                if let Conversation::Channel(channel) = &buffer.conversation
                    && !buffer.names_queried
                    && model.is_in(channel)
                {
                    buffer.names_queried = true;
                    let channel = channel.clone();
                    let _ = model.query_names(&channel);
                    // WHO in a large channel costs more than the away states are worth.
                    if model
                        .channels()
                        .find(|(name, _)| **name == channel)
                        .is_some_and(|(_, c)| c.members.len() < 500)
                    {
                        model.query_who(channel.as_str());
                    }
                }
            }
            let busy = server
                .buffers
                .iter()
                .any(|(conversation, buffer)| Some(conversation) != current && buffer.query.is_some());
            if busy {
                continue;
            }
            let others = server.buffers.iter_mut().filter(|(conversation, _)| Some(*conversation) != current);
            let next = others
                .map(|(_, buffer)| buffer)
                .find_map(|buffer| Some((next_want(buffer, false, now)?, buffer)));
            if let Some((want, buffer)) = next {
                send_query(buffer, want, model);
            }
        }
    }

    /// Handles a page of history.
    pub(super) fn handle_page(&mut self, server: usize, page: HistoryPage, model: &mut Model) {
        let Some(buffer) = self.find_querying(server, page.ticket) else { return };
        let Some((_, want)) = buffer.query.take() else { return };
        (buffer.failures, buffer.retry_at) = (0, None);
        let whole = page.lines < model.page_size(PAGE_SIZE) && page.bytes < TRUNCATION_BYTES;
        let (mut entries, mut changes) = (Vec::new(), Vec::new());
        for event in page.events {
            match event {
                Event::Message(message) => entries.push(message_entry(&message, model.me())),
                Event::Reaction { msgid, from, mine, emoji, removed: off, .. } => {
                    let emoji = sanitize_line(&emoji, 32);
                    if !emoji.is_empty() {
                        changes.push((msgid, MessageChange::React { emoji, from, mine, removed: off }));
                    }
                }
                Event::Redacted { msgid, by, reason, .. } => {
                    changes.push((msgid, MessageChange::Redact(format_redaction(&by, &reason))));
                }
                other => entries.extend(event_entry(&other)),
            }
        }
        apply_page(
            buffer,
            want,
            entries,
            page.bounds.map(|bounds| (bounds.first, bounds.last)),
            (page.lines == 0, whole),
        );
        for (id, change) in changes {
            buffer.apply_change(&id, change);
        }
        buffer.recount_unread();
        let unread = buffer.unread;
        let (conversation, marker) = (buffer.conversation.clone(), buffer.read_marker);
        // The buffer is on the screen already, and has no line above the new messages yet.
        if self.current == Some((server, conversation))
            && let Some(buffer) = self.current_buffer_mut()
            && buffer.divider.is_none()
            && unread > 0
        {
            buffer.divider = Some(marker.unwrap_or_default());
        }
        if let Some(JumpTarget::Id(id)) =
            self.current_buffer_mut().and_then(|buffer| buffer.reached_target.take())
            && let Some((number, _)) = self.current_buffer().and_then(|buffer| buffer.find_message(&id))
        {
            self.selection = Some(super::Selection::Entry(number));
        }
    }

    /// Handles the failure of a history query. A `temporary` failure is followed by up to [`MAX_RETRIES`] further tries.
    pub(super) fn handle_query_failed(
        &mut self,
        server: usize,
        ticket: Ticket,
        reason: &str,
        temporary: bool,
    ) {
        let now = self.now;
        let Some(buffer) = self.find_querying(server, ticket) else {
            return self.handle_search_failed(ticket, reason);
        };
        let Some((_, want)) = buffer.query.take() else { return };
        if temporary && buffer.failures < MAX_RETRIES {
            buffer.retry_at = Some(Timestamp(now.0 + (FIRST_RETRY_DELAY << buffer.failures)));
            buffer.failures += 1;
            return;
        }
        let jump = matches!(want, HistoryWant::Around(_));
        if jump {
            // The target of the jump is out of reach. The rest of the history may not be.
            buffer.jump_target = None;
            (buffer.failures, buffer.retry_at) = (0, None);
        } else {
            buffer.history_failed = true;
            if !buffer.detached {
                // Messages that arrive from now on are shown in spite of the failure.
                buffer.mark_caught_up();
                buffer.history_queried = true;
            }
        }
        let conversation = buffer.conversation.clone();
        if self.current == Some((server, conversation.clone()))
            && (jump || !matches!(conversation, Conversation::Direct(_)))
        {
            self.show_error(&format!("cannot load the history of {conversation}: {reason}"));
        }
    }

    fn find_querying(&mut self, server: usize, ticket: Ticket) -> Option<&mut Buffer> {
        let buffers = self.servers.get_mut(server)?.buffers.values_mut();
        buffers.into_iter().find(|buffer| buffer.query.as_ref().is_some_and(|(asked, _)| *asked == ticket))
    }

    /// Handles the list of recent direct conversations.
    pub(super) fn handle_targets(
        &mut self,
        server: usize,
        ticket: Ticket,
        targets: Vec<(Conversation, Timestamp)>,
    ) {
        let Some(state) = self.servers.get_mut(server) else { return };
        if state.targets_query.take_if(|asked| *asked == ticket).is_none() {
            return;
        }
        for (conversation, _) in
            targets.into_iter().filter(|(place, _)| matches!(place, Conversation::Direct(_)))
        {
            self.open_buffer(server, &conversation);
        }
    }

    /// Switches to a conversation and scrolls to a message, which is queried if it is not loaded.
    pub(super) fn jump_to(&mut self, key: super::BufferKey, target: JumpTarget) {
        self.switch_to(key);
        let height = usize::from(self.size.1);
        let Some(buffer) = self.current_buffer_mut() else { return };
        let loaded = match &target {
            JumpTarget::Id(id) => buffer.find_message(id).map(|(number, _)| number),
            JumpTarget::After(time) => {
                let is_loaded =
                    buffer.oldest().is_some_and(|oldest| oldest.time <= *time) || buffer.has_oldest;
                is_loaded.then(|| buffer.first_after(*time))
            }
        };
        if let Some(number) = loaded {
            scroll_to_entry(buffer, number, height);
            if let JumpTarget::Id(_) = target {
                self.selection = Some(super::Selection::Entry(number));
            }
        } else {
            buffer.jump_target = Some(target);
            buffer.reset_failures();
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
fn next_want(buffer: &Buffer, on_screen: bool, now: Timestamp) -> Option<HistoryWant> {
    if buffer.history_failed
        || buffer.left && buffer.history_queried
        || buffer.retry_at.is_some_and(|retry| now < retry)
    {
        return None;
    }
    if let Some(landing) = &buffer.jump_target {
        return Some(HistoryWant::Around(landing.clone()));
    }
    if !buffer.history_queried || buffer.newest().is_none() && !buffer.has_latest {
        return Some(HistoryWant::Latest);
    }
    let numbers = buffer.numbers();
    let (near_end, near_start) = match buffer.scroll {
        Scroll::Bottom => (true, is_near_start(buffer, numbers.end)),
        Scroll::At { number, .. } => {
            (numbers.end - number < i64::from(PREFETCH_ENTRIES), is_near_start(buffer, number))
        }
    };
    if !buffer.has_latest && (!buffer.detached || near_end && on_screen) {
        return Some(HistoryWant::Newer(buffer.newer_pages));
    }
    (on_screen && near_start && !buffer.has_oldest).then_some(HistoryWant::Older)
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

fn send_query(buffer: &mut Buffer, want: HistoryWant, model: &mut Model) {
    if !model.has_cap(Cap::Chathistory) {
        // Without a history on the server, the buffer starts with the first message that arrives.
        (buffer.history_queried, buffer.has_oldest) = (true, true);
        buffer.jump_target = None;
        buffer.mark_caught_up();
        return;
    }
    let point = |entry: Option<&Entry>| entry.map(|entry| model.message_ref(entry.id.as_deref(), entry.time));
    let with_id = |mut entries: Box<dyn Iterator<Item = &Entry> + '_>| {
        // Other servers may send messages without an id.
        point(entries.find(|entry| entry.id.is_some() || entry.message().is_some()))
    };
    let range = match &want {
        HistoryWant::Latest => HistoryRange::Latest,
        HistoryWant::Older => {
            let oldest = with_id(Box::new(buffer.numbers().filter_map(|number| buffer.entry(number))));
            match buffer.server_bounds.0.clone().or(oldest).or_else(|| point(buffer.oldest())) {
                Some(point) => HistoryRange::Before(point),
                None => HistoryRange::Latest,
            }
        }
        // A note without an id was seen when it happened, so the query starts at the last message, or at its time
        // stamp.
        HistoryWant::Newer(_) => match buffer
            .server_bounds
            .1
            .clone()
            .or_else(|| with_id(Box::new(buffer.newest_first().map(|(_, entry)| entry))))
        {
            Some(point) => HistoryRange::After(point),
            None => HistoryRange::Latest,
        },
        HistoryWant::Around(JumpTarget::Id(id)) => HistoryRange::Around(MessageRef::Id(id.clone())),
        HistoryWant::Around(JumpTarget::After(time)) => HistoryRange::Around(MessageRef::Time(*time)),
    };
    // Several messages may share one millisecond. Duplicates are dropped on insertion.
    let range = match range {
        HistoryRange::Before(MessageRef::Time(time)) => {
            HistoryRange::Before(MessageRef::Time(Timestamp(time.0 + 1)))
        }
        HistoryRange::After(MessageRef::Time(time)) => {
            HistoryRange::After(MessageRef::Time(Timestamp(time.0.saturating_sub(1))))
        }
        past => past,
    };
    let first = !buffer.history_queried;
    if let Ok(ticket) = model.query_history(&buffer.conversation, &range, PAGE_SIZE) {
        buffer.query = Some((ticket, want));
        if first {
            if let Conversation::Direct(_) = buffer.conversation {
                model.query_read_marker(&buffer.conversation);
                model.monitor_nick(buffer.conversation.as_str());
            }
            model.query_metadata(&buffer.conversation, "soju.im/muted");
        }
    }
}

fn apply_page(
    buffer: &mut Buffer,
    want: HistoryWant,
    entries: Vec<Entry>,
    bounds: Option<(MessageRef, MessageRef)>,
    (empty, whole): (bool, bool),
) {
    let (first, last) = bounds.unzip();
    match want {
        HistoryWant::Latest => {
            buffer.history_queried = true;
            buffer.has_oldest |= empty || whole;
            buffer.insert_page(entries, false);
            buffer.server_bounds.0 = first;
            buffer.mark_caught_up();
        }
        HistoryWant::Older => {
            let new = buffer.insert_page(entries, true);
            let end = must_stop_paging(buffer, new, first.is_some() && first != buffer.server_bounds.0);
            buffer.has_oldest |= empty || end;
            buffer.server_bounds.0 = first;
        }
        HistoryWant::Newer(parts) => {
            let new = buffer.insert_page(entries, false);
            let end = must_stop_paging(buffer, new, last.is_some() && last != buffer.server_bounds.1);
            buffer.server_bounds.1 = last;
            if whole || end {
                buffer.mark_caught_up();
            } else if !buffer.detached && parts + 1 >= MAX_NEWER_PAGES {
                // Too much to load it all: the latest page comes next, and older pages as the user scrolls back.
                buffer.skip_to_latest();
            } else {
                buffer.newer_pages = parts + 1;
            }
        }
        HistoryWant::Around(landing) => {
            buffer.jump_target = None;
            if empty {
                return;
            }
            buffer.clear_loaded();
            buffer.detached = true;
            buffer.history_queried = true;
            buffer.insert_page(entries, false);
            buffer.server_bounds = (first, last);
            let number = match &landing {
                JumpTarget::Id(id) => buffer.find_message(id).map(|(number, _)| number),
                JumpTarget::After(time) => Some(buffer.first_after(*time)),
            };
            let last = buffer.numbers().end - 1;
            buffer.scroll =
                Scroll::At { number: number.map_or(last, |number| (number + 8).min(last)), rows_below: 0 };
            buffer.reached_target = Some(landing);
        }
    }
}

/// Returns whether paging in this direction must end. A page without a new entry, such as one of reactions alone, leads
/// to the next page. Paging ends when a page repeats the bound of the one before, or after `MAX_EMPTY_PAGES` such pages,
/// because a server could make them up forever.
fn must_stop_paging(buffer: &mut Buffer, new: bool, further: bool) -> bool {
    const MAX_EMPTY_PAGES: u8 = 100;
    buffer.empty_pages = if new { 0 } else { buffer.empty_pages.saturating_add(1) };
    !new && (!further || buffer.empty_pages >= MAX_EMPTY_PAGES)
}
