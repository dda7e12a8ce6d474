//! List of messages: mentions and answers, pinned messages, or bookmarks.

mod texts;

use std::collections::VecDeque;

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::list::{List, ListEvent, ListSelection};
use super::message_row::{ROWS_EACH, draw_message};
use super::window::{draw_footer, draw_frame, inner_area, window_area};
use crate::client::keys::Action;
use crate::client::keys::key::{Code, Key, MouseAction};
use crate::client::model::marks::Mark;
use crate::client::model::mentions::MentionKind;
use crate::client::model::{Conversation, Event, HistoryRange, MessageRef, Ticket};
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{truncate_to_width, wrap_plain};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::buffer::loading::JumpTarget;
use crate::client::screen::workspace::lists::listed_message::ListedMessage;
use crate::client::screen::workspace::lists::mention_query::MentionQuery;
use crate::client::screen::workspace::lists::mentions::is_same;
use crate::client::screen::workspace::lists::offline::offline_servers;
use crate::client::screen::workspace::{BufferKey, Models, Request};

/// Limit of the listed messages.
const MAX_MESSAGES: usize = 300;

/// Limit of the queries in flight for texts of messages.
const MAX_IN_FLIGHT: usize = 4;

/// Content of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Mentions of the account and answers to it, on all servers.
    Mentions,
    /// Pinned messages of a channel.
    Pins(BufferKey),
    /// Bookmarks of all servers.
    Bookmarks,
}

/// Window with a list of messages.
#[derive(Debug)]
pub struct MessageList {
    listed: Listed,
    items: Vec<Item>,
    selection: ListSelection,
    /// Queries in flight, with their servers and purposes.
    queries: Vec<(usize, Ticket, Purpose)>,
    /// Query for mentions and answers that were not received.
    older: MentionQuery,
    /// Messages whose text is still to be queried.
    waiting: VecDeque<(BufferKey, String)>,
    /// Reason of the last failure.
    error: Option<String>,
    /// Servers that were not asked, because there was no connection.
    not_asked: Vec<usize>,
    /// Revision of the workspace's state that the items were made from.
    revision: u64,
}

/// Purpose of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    /// Marks of a conversation, which arrive as metadata.
    Marks,
    /// Text of a message.
    Text(Conversation, String),
}

/// Item of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    key: BufferKey,
    /// Id of the message; empty if the server gave none.
    msgid: String,
    content: Content,
    remark: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Loading,
    Loaded(ListedMessage),
    /// There was no connection to query the message.
    NotLoaded,
    /// The message is not in the history any more.
    Missing,
}

impl MessageList {
    /// Opens a list, and queries what is not loaded.
    pub fn open(listed: Listed, context: &mut Context<'_, '_>) -> Self {
        let mut list = Self {
            listed,
            items: Vec::new(),
            selection: ListSelection::default(),
            queries: Vec::new(),
            older: MentionQuery::default(),
            waiting: VecDeque::new(),
            error: None,
            not_asked: Vec::new(),
            revision: 0,
        };
        list.not_asked = offline_servers(context.models);
        if let Listed::Pins(key) = &list.listed {
            list.not_asked.retain(|server| *server == key.0);
        }
        match list.listed.clone() {
            Listed::Mentions => list.older = MentionQuery::start(context.workspace, context.models),
            Listed::Pins(key) => list.query_pins(&key, context),
            Listed::Bookmarks => context.models.iter_mut().for_each(|model| model.sync_marks()),
        }
        list.update_items(context);
        list
    }

    fn query_pins(&mut self, key: &BufferKey, context: &mut Context<'_, '_>) {
        let Some(model) = context.models.get_mut(key.0) else { return };
        if model.is_online() && !model.supports_marks(Mark::Pin) {
            self.error = Some("this server keeps no pinned messages".to_owned());
        } else {
            let query = model.query_marks(&key.1, Mark::Pin).ok();
            self.queries.extend(query.map(|ticket| (key.0, ticket, Purpose::Marks)));
        }
    }

    /// Makes the items anew if the workspace has news for them.
    pub fn follow(&mut self, context: &mut Context<'_, '_>) {
        let revision = self.revision_of(context);
        if self.revision != revision {
            // The reply to the query of the marks is what makes the difference.
            self.queries.retain(|(_, _, purpose)| *purpose != Purpose::Marks);
            self.update_items(context);
        }
    }

    fn revision_of(&self, context: &Context<'_, '_>) -> u64 {
        match &self.listed {
            Listed::Mentions => context.workspace.mentions.revision,
            _ => context.workspace.servers.iter().map(|server| server.marks.revision).sum(),
        }
    }

    fn update_items(&mut self, context: &mut Context<'_, '_>) {
        self.revision = self.revision_of(context);
        let selected =
            self.items.get(self.selection.index()).map(|item| (item.key.clone(), item.msgid.clone()));
        match &self.listed {
            Listed::Mentions => {
                let received = context.workspace.mentions.iter();
                let received = received.map(|(message, kind)| Item::mention(message.clone(), *kind));
                self.items.extend(received);
                self.sort_by_time();
            }
            Listed::Pins(key) => {
                let server = context.workspace.servers.get(key.0);
                let ids = server.map(|server| server.marks.of(Mark::Pin, &key.1)).unwrap_or_default();
                let marked = ids.iter().map(|id| (key.clone(), id.clone())).collect();
                self.set_marked(marked, context);
            }
            Listed::Bookmarks => {
                let mut marked: Vec<(BufferKey, String)> = Vec::new();
                for (server, state) in context.workspace.servers.iter().enumerate() {
                    for (conversation, ids) in state.marks.all(Mark::Bookmark) {
                        marked.extend(ids.iter().map(|id| ((server, conversation.clone()), id.clone())));
                    }
                }
                // Ids of Parlour are in the order of time.
                marked.sort_by(|(_, a), (_, b)| b.cmp(a));
                marked.truncate(MAX_MESSAGES);
                self.set_marked(marked, context);
            }
        }
        let is_selected = |item: &Item| Some((item.key.clone(), item.msgid.clone())) == selected;
        let at = self.items.iter().position(is_selected).unwrap_or(0);
        self.selection.select(at, self.items.len());
    }

    /// Takes the marked messages as the items. Texts that are known stay, loaded ones are taken from the buffers, and the
    /// others are queried.
    fn set_marked(&mut self, marked: Vec<(BufferKey, String)>, context: &mut Context<'_, '_>) {
        let known = std::mem::take(&mut self.items);
        self.waiting.clear();
        for (key, msgid) in marked {
            let same = known.iter().find(|item| item.key == key && item.msgid == msgid);
            let is_settled = |item: &&Item| !matches!(item.content, Content::Loading | Content::NotLoaded);
            if let Some(item) = same.filter(is_settled) {
                self.items.push(item.clone());
                continue;
            }
            let server = context.workspace.servers.get(key.0);
            let entry = server.and_then(|server| server.buffers.get(&key.1)?.find_entry(&msgid));
            let loaded = entry.and_then(|entry| ListedMessage::from_entry(&key, entry));
            let state = if let Some(message) = loaded {
                Content::Loaded(message)
            } else {
                self.waiting.push_back((key.clone(), msgid.clone()));
                Content::Loading
            };
            self.items.push(Item { key, msgid, content: state, remark: "" });
        }
        self.query_texts(context);
    }

    /// Queries the texts of further messages, as far as the limit of queries in flight allows.
    fn query_texts(&mut self, context: &mut Context<'_, '_>) {
        while self.queries.len() < MAX_IN_FLIGHT {
            let Some((key, msgid)) = self.waiting.pop_front() else { break };
            let purpose = Purpose::Text(key.1.clone(), msgid.clone());
            let is_asked = |(server, _, of): &(usize, Ticket, Purpose)| *server == key.0 && *of == purpose;
            if self.queries.iter().any(is_asked) {
                continue;
            }
            let Some(model) = context.models.get_mut(key.0) else { continue };
            let around = HistoryRange::Around(MessageRef::Id(msgid.clone()));
            match model.query_history(&key.1, &around, 1) {
                Ok(ticket) => self.queries.push((key.0, ticket, purpose)),
                Err(_) => self.set_content(&key, &msgid, Content::NotLoaded),
            }
        }
    }

    /// Ends the queries of a server whose connection broke.
    pub fn end_queries(&mut self, server: usize, models: Models<'_, '_>) {
        let before = self.queries.len();
        self.queries.retain(|(at, ..)| *at != server);
        self.waiting.retain(|(key, _)| key.0 != server);
        let of_server = self.items.iter_mut().filter(|item| item.key.0 == server);
        for item in of_server.filter(|item| item.content == Content::Loading) {
            item.content = Content::NotLoaded;
        }
        let any = self.older.end_queries(server, models) || self.queries.len() < before;
        if any && !self.not_asked.contains(&server) {
            self.not_asked.push(server);
        }
    }

    /// Takes the result of a query of this window. Returns any other event.
    pub fn take_result(
        &mut self,
        server: usize,
        event: Event,
        context: &mut Context<'_, '_>,
    ) -> Option<Event> {
        if let Event::SearchIncomplete(ticket) = event {
            self.older.note_incomplete(server, ticket);
            return None;
        }
        let ticket = match &event {
            Event::SearchResults(ticket, _) | Event::QueryFailed { ticket, .. } => *ticket,
            Event::History(page) => page.ticket,
            _ => return Some(event),
        };
        if self.older.awaits(server, ticket) {
            let found = self.older.take_result(server, event, context.workspace, context.models);
            self.add_mentions(found);
            return None;
        }
        let is_own = |(at, asked, _): &(usize, Ticket, Purpose)| *at == server && *asked == ticket;
        let Some(at) = self.queries.iter().position(is_own) else { return Some(event) };
        let (_, _, purpose) = self.queries.remove(at);
        match (event, purpose) {
            (Event::History(page), Purpose::Text(conversation, msgid)) => {
                let is_it = |event: Event| match event {
                    Event::Message(message) if message.msgid.as_deref() == Some(&msgid) => Some(message),
                    _ => None,
                };
                let found = match page.events.into_iter().find_map(is_it) {
                    Some(message) => Content::Loaded(ListedMessage::new(server, message)),
                    None => Content::Missing,
                };
                self.set_content(&(server, conversation), &msgid, found);
            }
            (Event::QueryFailed { reason, .. }, purpose) => {
                self.error = Some(sanitize_line(&reason, 200));
                if let Purpose::Text(conversation, msgid) = purpose {
                    self.set_content(&(server, conversation), &msgid, Content::Missing);
                }
            }
            (other, purpose) => debug_assert!(false, "no result for {purpose:?}: {other:?}"),
        }
        self.query_texts(context);
        None
    }

    /// Adds mentions and answers. The selected one stays selected.
    fn add_mentions(&mut self, found: impl IntoIterator<Item = (ListedMessage, MentionKind)>) {
        let key = |item: &Item| (item.key.clone(), item.msgid.clone());
        let selected = self.items.get(self.selection.index()).map(key);
        self.items.extend(found.into_iter().map(|(message, kind)| Item::mention(message, kind)));
        self.sort_by_time();
        let same = self.items.iter().position(|item| Some(key(item)) == selected);
        self.selection.select(same.unwrap_or(0), self.items.len());
    }

    fn set_content(&mut self, key: &BufferKey, msgid: &str, content: Content) {
        if let Some(item) = self.items.iter_mut().find(|item| item.key == *key && item.msgid == msgid) {
            item.content = content;
        }
    }

    /// Sorts loaded messages, the latest first, each once. Of two the one with the better reason stays.
    fn sort_by_time(&mut self) {
        let time = |item: &Item| match &item.content {
            Content::Loaded(message) => Some((message.time, message.msgid.clone())),
            _ => None,
        };
        self.items.sort_by_key(|item| (std::cmp::Reverse(time(item)), item.remark));
        self.items.dedup_by(|later, first| match (&later.content, &first.content) {
            (Content::Loaded(later), Content::Loaded(first)) => is_same(later, first),
            _ => false,
        });
        self.items.truncate(MAX_MESSAGES);
    }

    /// Jumps to the selected message.
    fn choose(&self, context: &mut Context<'_, '_>) -> EventResult {
        let Some(item) = self.items.get(self.selection.index()) else { return EventResult::Consumed };
        let target = match &item.content {
            Content::Loaded(message) => message.jump_target(),
            Content::Loading | Content::NotLoaded => JumpTarget::Id(item.msgid.clone()),
            Content::Missing => {
                context.workspace.show_error("this message is no longer in the history");
                return EventResult::Consumed;
            }
        };
        context.workspace.jump_to(item.key.clone(), target);
        EventResult::Request(Request::CloseOverlay)
    }

    /// Takes the mark of the selected message away.
    fn remove_mark(&self, context: &mut Context<'_, '_>) {
        let mark = match self.listed {
            Listed::Mentions => return,
            Listed::Pins(_) => Mark::Pin,
            Listed::Bookmarks => Mark::Bookmark,
        };
        let Some(item) = self.items.get(self.selection.index()) else { return };
        let (key, msgid) = (item.key.clone(), item.msgid.clone());
        if let Err(error) = context.workspace.change_mark_of(mark, false, key, msgid, context.models) {
            context.workspace.show_error(&error);
        }
    }

    fn apply(&self, event: ListEvent, context: &mut Context<'_, '_>) -> EventResult {
        match event {
            ListEvent::Chosen => self.choose(context),
            ListEvent::Closed => EventResult::Request(Request::CloseOverlay),
            ListEvent::Consumed | ListEvent::Ignored => EventResult::Consumed,
        }
    }

    fn list(&self, screen: Rect) -> List {
        let columns = screen.width.saturating_sub(4).clamp(30, 110);
        let window = window_area(screen, columns, screen.height.saturating_sub(2).max(5));
        List { window, area: inner_area(window), count: self.items.len(), rows_each: ROWS_EACH }
    }
}

impl Item {
    fn mention(message: ListedMessage, kind: MentionKind) -> Self {
        let remark = if kind == MentionKind::Answer { "answers you" } else { "mentions you" };
        Self::loaded(message, remark)
    }

    fn loaded(message: ListedMessage, remark: &'static str) -> Self {
        Self {
            key: (message.server, message.conversation.clone()),
            msgid: message.msgid.clone().unwrap_or_default(),
            content: Content::Loaded(message),
            remark,
        }
    }
}

impl Component for MessageList {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        let is_letter = matches!(key.key, Key { code: Code::Char('d'), ctrl: false, alt: false, .. });
        if is_letter || key.action == Some(Action::Delete) {
            self.remove_mark(context);
            return EventResult::Consumed;
        }
        let is_last = self.selection.index() + 1 >= self.items.len();
        if let (true, Some(Action::PageDown | Action::Down)) = (is_last, key.action) {
            self.older.load_more(context.models);
        }
        let event = self.selection.handle_key(key, self.items.len(), context);
        self.apply(event, context)
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        let event = self.selection.handle_mouse(mouse, at, &self.list(area));
        self.apply(event, context)
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let list = self.list(area);
        let keys = view.workspace.keys();
        draw_frame(list.window, &self.title(keys), surface, theme);
        surface.cursor = None;
        let room = usize::from(list.area.width);
        if self.items.is_empty() {
            let (text, role) = self.empty_text(view.workspace);
            for (row, line) in wrap_plain(&text, room, usize::from(list.area.height)).into_iter().enumerate()
            {
                surface.draw_text(list.area, 0, u16::try_from(row).unwrap_or(0), &line, theme.style(role));
            }
            return;
        }
        draw_footer(list.window, &self.footer(view.workspace), surface, theme);
        for (row, index) in self.selection.visible(&list).enumerate() {
            let Some(item) = self.items.get(index) else { break };
            let y = u16::try_from(row).unwrap_or(0).saturating_mul(ROWS_EACH);
            let selected = index == self.selection.index();
            let style = if selected { theme.style(Role::Selected) } else { Style::new() };
            let words = match &item.content {
                Content::Loaded(message) => {
                    draw_message(message, list.area, y, item.remark, style, surface, view);
                    continue;
                }
                Content::Loading => "loading …",
                Content::NotLoaded => "not loaded: no connection",
                Content::Missing => "no longer in the history",
            };
            let conversation = sanitize_line(item.key.1.as_str(), 64);
            let dim = theme.style(Role::Dim).patch(style);
            surface.draw_text(list.area, 0, y, &truncate_to_width(&conversation, room), dim);
            if y + 1 < list.area.height {
                surface.draw_text(list.area, 2, y + 1, words, dim);
            }
        }
    }
}

#[cfg(test)]
mod tests;
