//! Search in the history: the search terms, and the messages that were found.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::list::{List, ListEvent, ListSelection};
use super::message_row::{ROWS_EACH, draw_message};
use super::window::{draw_field, draw_footer, draw_frame, list_area, window_area};
use crate::client::input::query::{INCOMPLETE_SEARCH, SearchQuery};
use crate::client::keys::Action;
use crate::client::keys::key::MouseAction;
use crate::client::model::{Event, Model, Ticket};
use crate::client::screen::components::editing::edit_field;
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::truncate_to_width;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Request;
use crate::client::screen::workspace::lists::listed_message::ListedMessage;
use crate::wire::Cap;

/// Limit of the results; a search that finds more is too broad.
const MAX_RESULTS: usize = 100;

/// Search window: the search terms and the result.
#[derive(Debug, Default)]
pub struct SearchPanel {
    /// Index of the server that is searched.
    server: usize,
    /// Field for the search terms.
    query: TextField,
    /// Search terms that `found` belongs to.
    asked: String,
    ticket: Option<Ticket>,
    /// Matching messages, latest first; `None` until the result arrives.
    found: Option<Vec<ListedMessage>>,
    /// Reason of a failure.
    failed: Option<String>,
    /// Set if the result may lack messages.
    is_incomplete: bool,
    selection: ListSelection,
}

impl SearchPanel {
    /// Creates the window for the server of the conversation on the screen, and searches if there are search terms.
    pub fn open(terms: &str, context: &mut Context<'_, '_>) -> Self {
        let server = context.workspace.current.as_ref().map_or(0, |(server, _)| *server);
        let mut panel = Self { server, ..Self::default() };
        panel.query.set(terms);
        if !terms.is_empty() {
            panel.search(context.models);
        }
        panel
    }

    /// Returns whether an event is the result that this window waits for.
    pub fn takes(&self, server: usize, event: &Event) -> bool {
        let (Event::SearchResults(ticket, _)
        | Event::SearchIncomplete(ticket)
        | Event::QueryFailed { ticket, .. }) = event
        else {
            return false;
        };
        self.server == server && self.ticket == Some(*ticket)
    }

    /// Handles the result of the search; see [`Self::takes`].
    pub fn take_result(&mut self, event: Event) {
        if let Event::SearchIncomplete(_) = event {
            self.is_incomplete = true;
            return;
        }
        self.ticket = None;
        let hit = |message| ListedMessage::new(self.server, message);
        match event {
            Event::SearchResults(_, found) => self.found = Some(found.into_iter().rev().map(hit).collect()),
            Event::QueryFailed { reason, .. } => self.failed = Some(sanitize_line(&reason, 200)),
            other => debug_assert!(false, "no result of a search: {other:?}"),
        }
    }

    /// Searches if the terms have changed, else jumps to the selected message.
    fn submit(&mut self, context: &mut Context<'_, '_>) -> EventResult {
        if self.query.text().trim() != self.asked || self.found.is_none() {
            self.search(context.models);
            return EventResult::Consumed;
        }
        let Some(hit) = self.found.as_ref().and_then(|found| found.get(self.selection.index())).cloned()
        else {
            return EventResult::Consumed;
        };
        context.workspace.jump_to((self.server, hit.conversation.clone()), hit.jump_target());
        EventResult::Request(Request::CloseOverlay)
    }

    /// Sends the search.
    fn search(&mut self, models: &mut [&mut Model]) {
        let query = self.query.text().trim().to_owned();
        if query.is_empty() {
            return;
        }
        let Some(model) = models.get_mut(self.server) else { return };
        let SearchQuery { terms, conversation, from } = SearchQuery::parse(&query);
        self.asked = query;
        (self.found, self.failed, self.ticket, self.is_incomplete) = (None, None, None, false);
        self.selection = ListSelection::default();
        if !model.has_cap(Cap::Search) && model.is_online() {
            self.failed = Some("this server does not support search".to_owned());
            return;
        }
        match model.query_search(&terms, conversation.as_ref(), from.as_deref(), MAX_RESULTS) {
            Ok(ticket) => self.ticket = Some(ticket),
            Err(_) => self.failed = Some("no connection, so the server was not searched".to_owned()),
        }
    }

    /// Ends the search in flight, if it is on a server whose connection broke.
    pub fn end_queries(&mut self, server: usize) {
        if server == self.server && self.ticket.take().is_some() {
            self.failed = Some("the connection broke before the result came; search again".to_owned());
        }
    }

    fn list(&self, screen: Rect) -> List {
        let window = window(screen);
        let count = self.found.as_ref().map_or(0, Vec::len);
        List { window, area: list_area(window), count, rows_each: ROWS_EACH }
    }
}

impl Component for SearchPanel {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        let count = self.found.as_ref().map_or(0, Vec::len);
        match self.selection.handle_key(key, count, context) {
            ListEvent::Chosen => return self.submit(context),
            ListEvent::Ignored => {
                edit_field(&mut self.query, key);
            }
            ListEvent::Consumed | ListEvent::Closed => {}
        }
        EventResult::Consumed
    }

    fn handle_paste(&mut self, text: &str, _context: &mut Context<'_, '_>) -> EventResult {
        self.query.insert_in_line(text);
        EventResult::Consumed
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        match self.selection.handle_mouse(mouse, at, &self.list(area)) {
            ListEvent::Closed => EventResult::Request(Request::CloseOverlay),
            ListEvent::Chosen => self.submit(context),
            ListEvent::Consumed | ListEvent::Ignored => EventResult::Consumed,
        }
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let window = window(area);
        let enter = [(Action::Enter, "searches, then opens the result")];
        let inner = draw_frame(window, &view.workspace.keys().title("Search", &enter), surface, theme);
        draw_field(inner, &self.query, surface, theme);
        if self.is_incomplete && self.found.is_some() {
            draw_footer(window, INCOMPLETE_SEARCH, surface, theme);
        }
        let list = list_area(window);
        let dim = theme.style(Role::Dim);
        let room = usize::from(list.width);
        let words = match (&self.failed, &self.found) {
            (Some(why), _) => Some((why.clone(), theme.style(Role::Error))),
            (None, Some(found)) if found.is_empty() && self.is_incomplete => {
                Some((format!("no results: {INCOMPLETE_SEARCH}"), dim))
            }
            (None, Some(found)) if found.is_empty() => Some(("no results".to_owned(), dim)),
            (None, None) if self.ticket.is_some() => Some(("searching …".to_owned(), dim)),
            (None, None) => Some(("search terms; filters: in:#channel from:name".to_owned(), dim)),
            (None, Some(_)) => None,
        };
        if let Some((words, style)) = words {
            surface.draw_text(list, 0, 0, &truncate_to_width(&words, room), style);
            return;
        }
        let found = self.found.as_deref().unwrap_or_default();
        let visible = self.selection.visible(&self.list(area));
        for (row, index) in visible.enumerate() {
            let Some(hit) = found.get(index) else { break };
            let y = u16::try_from(row).unwrap_or(0).saturating_mul(ROWS_EACH);
            let selected = index == self.selection.index();
            let style = if selected { theme.style(Role::Selected) } else { Style::new() };
            draw_message(hit, list, y, "", style, surface, view);
        }
    }
}

fn window(screen: Rect) -> Rect {
    let columns = screen.width.saturating_sub(4).clamp(30, 110);
    window_area(screen, columns, screen.height.saturating_sub(2).max(5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::{ChatMessage, Conversation, MessageKind};
    use crate::client::screen::tests::fixture::Fixture;
    use crate::client::screen::workspace::buffer::loading::JumpTarget;
    use crate::wire::{Nick, Timestamp};

    fn found(ticket: Ticket) -> Event {
        let message = ChatMessage {
            conversation: Conversation::parse("#lobby").expect("a channel"),
            from: Nick::parse("bob").expect("a nick"),
            mine: false,
            kind: MessageKind::Text,
            text: "the old fish".to_owned(),
            time: Timestamp(1_600_000_000_000),
            msgid: Some("z1".to_owned()),
            reply_to: None,
            files: Vec::new(),
            ticket: None,
        };
        Event::SearchResults(ticket, vec![message])
    }

    fn searched() -> (Fixture, SearchPanel, Ticket) {
        let mut fixture = Fixture::new();
        let mut panel = fixture.with(|context| SearchPanel::open("", context));
        fixture.type_text(&mut panel, "fish in:#lobby");
        fixture.keys(&mut panel, "Enter");
        assert!(fixture.output().contains("SEARCH"));
        let ticket = panel.ticket.expect("a search in flight");
        (fixture, panel, ticket)
    }

    #[test]
    fn enter_searches_and_then_jumps_to_the_result() {
        let (mut fixture, mut panel, ticket) = searched();
        assert!(fixture.render(&panel, 60, 12).iter().any(|row| row.contains("searching …")));
        assert!(panel.takes(0, &found(ticket)));
        panel.take_result(found(ticket));
        assert!(fixture.render(&panel, 60, 12).iter().any(|row| row.contains("bob the old fish")));
        assert_eq!(fixture.keys(&mut panel, "Enter"), EventResult::Request(Request::CloseOverlay));
        let buffer = fixture.workspace.current_buffer().expect("a buffer");
        assert_eq!(buffer.loading.jump(), Some(&JumpTarget::Id("z1".into())));
    }

    #[test]
    fn takes_only_the_result_that_it_waits_for() {
        let (_, mut panel, ticket) = searched();
        assert!(!panel.takes(1, &found(ticket)), "another server");
        assert!(!panel.takes(0, &found(Ticket(ticket.0 + 1))), "another query");
        panel.take_result(found(ticket));
        assert!(!panel.takes(0, &found(ticket)), "once");
    }

    #[test]
    fn failure_is_shown_and_changed_terms_search_again() {
        let (mut fixture, mut panel, ticket) = searched();
        let failure = Event::QueryFailed { ticket, reason: "index is being built".into(), temporary: true };
        assert!(panel.takes(0, &failure));
        panel.take_result(failure);
        assert!(fixture.render(&panel, 60, 12).iter().any(|row| row.contains("index is being built")));
        fixture.type_text(&mut panel, "x");
        assert_eq!(fixture.keys(&mut panel, "Enter"), EventResult::Consumed);
        assert!(fixture.output().contains("SEARCH"));
    }
}
