//! Thread: a message with its answers, and a field to answer it.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::list::{List, ListEvent, ListSelection};
use super::window::{draw_field, draw_footer, draw_frame, inner_area, window_area};
use crate::client::keys::Action;
use crate::client::keys::key::MouseAction;
use crate::client::keys::keymap::KeyMap;
use crate::client::model::Event;
use crate::client::screen::components::editing::{Edit, edit_field};
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{Row, Run, wrap};
use crate::client::screen::view::clock::to_zoned;
use crate::client::screen::view::draw_runs;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::lists::listed_message::ListedMessage;
use crate::client::screen::workspace::lists::thread_query::ThreadQuery;
use crate::client::screen::workspace::{BufferKey, Request};
use crate::client::text::count::counted;

/// Limit of the rows of one message.
const MAX_ROWS: usize = 12;

/// Window with a thread.
#[derive(Debug)]
pub struct Thread {
    key: BufferKey,
    /// Messages, the oldest first.
    messages: Vec<ListedMessage>,
    /// Query for what is not loaded.
    query: ThreadQuery,
    /// Field for an answer.
    field: TextField,
    selection: ListSelection,
    /// Number of the next entry of the buffer and of its messages that wait, by which news are noticed.
    seen: (std::ops::Range<i64>, usize),
}

impl Thread {
    /// Opens the thread that a message belongs to, and queries what is not loaded.
    pub fn open(key: BufferKey, msgid: &str, context: &mut Context<'_, '_>) -> Self {
        let root = context.workspace.thread_root(&key, msgid);
        let model = context.models.get_mut(key.0).map(|model| &mut **model);
        let query = ThreadQuery::start(key.clone(), root, context.workspace, model);
        let mut thread = Self {
            key,
            messages: Vec::new(),
            query,
            field: TextField::default(),
            selection: ListSelection::default(),
            seen: (0..0, 0),
        };
        thread.update_messages(context);
        thread.load_draft(context);
        let at = thread.messages.iter().position(|one| one.msgid.as_deref() == Some(msgid));
        thread.selection.select(at.unwrap_or(usize::MAX), thread.messages.len());
        thread
    }

    /// Follows the buffer of the conversation.
    pub fn follow(&mut self, context: &Context<'_, '_>) {
        if self.seen_now(context) != self.seen {
            self.update_messages(context);
        }
    }

    /// Puts the answer that was typed here before into the field, in front of what is there.
    fn load_draft(&mut self, context: &Context<'_, '_>) {
        if let Some(draft) = context.workspace.thread_draft(&self.key, self.query.root()) {
            let separator = if self.field.is_empty() { "" } else { " " };
            self.field.set(format!("{draft}{separator}{}", self.field.text()));
        }
    }

    /// Keeps the text of the field as the draft of the thread.
    fn keep_draft(&self, context: &mut Context<'_, '_>) {
        context.workspace.keep_thread_draft(&self.key, self.query.root(), self.field.text());
    }

    /// Returns the note about the answer that was not sent, if there is one, for when the window closes.
    pub fn closing_note(&self) -> Option<String> {
        (!self.field.text().trim().is_empty()).then(|| {
            "your answer is not sent; it is kept and will be there when you open the thread again".to_owned()
        })
    }

    fn seen_now(&self, context: &Context<'_, '_>) -> (std::ops::Range<i64>, usize) {
        let server = context.workspace.servers.get(self.key.0);
        let buffer = server.and_then(|server| server.buffers.get(&self.key.1));
        buffer.map_or((0..0, 0), |buffer| (buffer.numbers(), buffer.outgoing.len()))
    }

    /// Makes the messages anew. The last one stays selected, and otherwise the same.
    fn update_messages(&mut self, context: &Context<'_, '_>) {
        let was_last = self.is_at_end();
        let selected = self.messages.get(self.selection.index()).and_then(|one| one.msgid.clone());
        self.seen = self.seen_now(context);
        self.messages = self.query.messages(context.workspace);
        let same = self.messages.iter().position(|one| one.msgid == selected);
        self.selection.select(same.filter(|_| !was_last).unwrap_or(usize::MAX), self.messages.len());
    }

    fn is_at_end(&self) -> bool {
        self.selection.index() + 1 >= self.messages.len()
    }

    /// Takes a page of the thread. Returns any other event.
    pub fn take_result(
        &mut self,
        server: usize,
        event: Event,
        context: &mut Context<'_, '_>,
    ) -> Option<Event> {
        let ticket = match &event {
            Event::QueryFailed { ticket, .. } => *ticket,
            Event::History(page) => page.ticket,
            _ => return Some(event),
        };
        if !self.query.awaits(server, ticket) {
            return Some(event);
        }
        let root = self.query.root().to_owned();
        if let Some(model) = context.models.get_mut(server) {
            self.query.take_result(event, context.workspace, model);
        }
        if root != self.query.root() {
            // The thread begins earlier than was known, and so its draft may have been kept there.
            context.workspace.keep_thread_draft(&self.key, &root, "");
            self.load_draft(context);
            self.keep_draft(context);
        }
        self.update_messages(context);
        None
    }

    /// Ends the query in flight, if it is of a server whose connection broke.
    pub fn end_queries(&mut self, server: usize) {
        if server == self.key.0 {
            self.query.end_query();
        }
    }

    /// Returns why there is no message to show.
    fn reason_for_none(&self) -> String {
        match self.query.error() {
            _ if self.query.is_loading() => "the thread is still loading …".to_owned(),
            Some(error) => format!("the thread did not arrive: {error}"),
            None => "the message is no longer in the history".to_owned(),
        }
    }

    /// Describes how complete the thread is.
    fn footer(&self, keys: &KeyMap) -> String {
        let answers = self.messages.len().saturating_sub(1);
        let mut text = counted(answers, "answer");
        if self.seen.1 > 0 {
            text.push_str(", sending …");
        }
        if self.query.is_loading() {
            text.push_str(", loading …");
        } else if self.query.may_have_more() {
            let more = keys.clauses(&[(Action::PageDown, "looks for more")]);
            text.push_str("; there may be more");
            text.extend((!more.is_empty()).then(|| format!(": {more}")));
        } else if let Some(error) = self.query.error() {
            text.extend(["; the rest did not arrive: ", error.as_str()]);
        }
        text
    }

    /// Sends the answer, or without one jumps to the selected message.
    fn submit(&mut self, context: &mut Context<'_, '_>) -> EventResult {
        let text = self.field.text().trim().to_owned();
        let (server, conversation) = self.key.clone();
        if text.is_empty() {
            let Some(message) = self.messages.get(self.selection.index()) else {
                return EventResult::Consumed;
            };
            context.workspace.jump_to(self.key.clone(), message.jump_target());
            return EventResult::Request(Request::CloseOverlay);
        }
        if self.messages.is_empty() {
            context.workspace.show_error(&format!("not sent: {}", self.reason_for_none()));
            return EventResult::Consumed;
        }
        if let Err(why) = context.workspace.check_length(server, &conversation, &text, context.models) {
            context.workspace.show_error(&why);
            return EventResult::Consumed;
        }
        self.field.take();
        self.keep_draft(context);
        context.workspace.send_message(server, &conversation, &text, Some(self.query.root()), context.models);
        EventResult::Consumed
    }

    fn window(screen: Rect) -> Rect {
        let columns = screen.width.saturating_sub(4).clamp(30, 100);
        window_area(screen, columns, screen.height.saturating_sub(2).max(6))
    }

    /// Returns the area of the messages, above the field.
    fn area(screen: Rect) -> Rect {
        let inner = inner_area(Self::window(screen));
        Rect { height: inner.height.saturating_sub(2), ..inner }
    }

    /// Breaks a message into rows: time and sender, then the text.
    fn rows(&self, index: usize, columns: usize, view: &View<'_, '_>) -> Vec<Row> {
        let (theme, zone) = (view.workspace.display.theme, &view.workspace.display.zone);
        let Some(message) = self.messages.get(index) else { return Vec::new() };
        let is_root = message.msgid.as_deref() == Some(self.query.root());
        let margin = if is_root { "" } else { "  " };
        let day = to_zoned(message.time, zone).date().strftime("%-d %b");
        let head = vec![
            Run::new(margin, Style::new()),
            Run::new(message.from.to_string(), theme.nick_style(message.from.as_str())),
            Run::new(format!("  {day} {}", view.workspace.format_time(message.time)), theme.style(Role::Dim)),
        ];
        let text = vec![Run::new(&message.text, theme.style(Role::Text))];
        let mut rows = vec![head];
        for mut row in wrap(text, columns.saturating_sub(margin.len() + 2)).into_iter().take(MAX_ROWS) {
            row.insert(0, Run::new(format!("{margin}  "), Style::new()));
            rows.push(row);
        }
        rows
    }

    /// Returns the rows on the screen with the indexes of their messages: the selected message stands as low as the
    /// messages above it allow.
    fn visible_rows(&self, area: Rect, view: &View<'_, '_>) -> Vec<(usize, Row)> {
        let (page, columns) = (usize::from(area.height), usize::from(area.width));
        let mut above: Vec<(usize, Row)> = Vec::new();
        let mut index = self.selection.index();
        loop {
            above.extend(self.rows(index, columns, view).into_iter().rev().map(|row| (index, row)));
            if above.len() >= page || index == 0 {
                break;
            }
            index -= 1;
        }
        above.truncate(page);
        above.reverse();
        let mut below = self.selection.index() + 1;
        while above.len() < page && below < self.messages.len() {
            above.extend(self.rows(below, columns, view).into_iter().map(|row| (below, row)));
            below += 1;
        }
        above.truncate(page);
        above
    }
}

impl Component for Thread {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        if let Some(Action::PageDown | Action::Down) = key.action
            && self.is_at_end()
            && let Some(model) = context.models.get_mut(self.key.0)
        {
            self.query.load_more(context.workspace, model);
        }
        match self.selection.handle_key(key, self.messages.len(), context) {
            ListEvent::Chosen => return self.submit(context),
            ListEvent::Ignored => {
                if edit_field(&mut self.field, key) == Edit::Changed {
                    self.keep_draft(context);
                }
            }
            ListEvent::Consumed | ListEvent::Closed => {}
        }
        EventResult::Consumed
    }

    fn handle_paste(&mut self, text: &str, context: &mut Context<'_, '_>) -> EventResult {
        self.field.insert_in_line(text);
        self.keep_draft(context);
        EventResult::Consumed
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        _context: &mut Context<'_, '_>,
    ) -> EventResult {
        // Messages have different heights, so a click chooses none.
        let list =
            List { window: Self::window(area), area: Rect::ZERO, count: self.messages.len(), rows_each: 1 };
        match self.selection.handle_mouse(mouse, at, &list) {
            ListEvent::Closed => EventResult::Request(Request::CloseOverlay),
            ListEvent::Consumed | ListEvent::Chosen | ListEvent::Ignored => EventResult::Consumed,
        }
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let window = Self::window(area);
        let conversation = sanitize_line(self.key.1.as_str(), 64);
        let enter = [(Action::Enter, "answers, or goes to the message")];
        let title = view.workspace.keys().title(&format!("Thread in {conversation}"), &enter);
        let inner = draw_frame(window, &title, surface, theme);
        let messages = Self::area(area);
        draw_footer(window, &self.footer(view.workspace.keys()), surface, theme);
        if self.messages.is_empty() {
            surface.draw_text(messages, 0, 0, &self.reason_for_none(), theme.style(Role::Dim));
        } else {
            for (y, (index, row)) in self.visible_rows(messages, view).into_iter().enumerate() {
                let selected = index == self.selection.index();
                let style = if selected { theme.style(Role::Selected) } else { Style::new() };
                let y = u16::try_from(y).unwrap_or(u16::MAX);
                draw_runs(surface.cells, &mut surface.links, messages, 0, y, &row, style);
                surface.cells.set_style(Rect::new(messages.x, messages.y + y, messages.width, 1), style);
            }
        }
        if inner.height > 1 {
            let rule = "─".repeat(usize::from(inner.width));
            surface.draw_text(inner, 0, inner.height - 2, &rule, theme.style(Role::Line));
        }
        let field = Rect { y: inner.y + inner.height.saturating_sub(1), height: 1, ..inner };
        draw_field(field, &self.field, surface, theme);
        if self.field.is_empty() {
            surface.draw_text(field, 2, 0, "answer", theme.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests;
