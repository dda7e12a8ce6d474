//! List of the settings with their values. Enter puts the command that changes one into the composer.

use ratatui::layout::{Position, Rect};

use super::list::{List, ListEvent, ListSelection};
use super::window::{draw_field, draw_frame, inner_area, list_area, window_area};
use crate::client::keys::Action;
use crate::client::keys::key::MouseAction;
use crate::client::screen::components::editing::{Edit, edit_field};
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{pad_to_width, truncate_to_width, width, wrap_plain};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::{Request, Workspace};
use crate::client::settings::Settings;
use crate::client::settings::catalog::SettingValue;

/// Setting as the list shows it.
#[derive(Debug)]
struct Row {
    name: String,
    value: String,
    changed: bool,
    about: String,
}

/// Width of the window, in cells.
const COLUMNS: u16 = 76;

/// Limit of the rows for the text about the selected setting.
const MAX_ABOUT_ROWS: usize = 3;

/// Window with the settings.
#[derive(Debug, Default)]
pub struct SettingsList {
    /// Field that narrows the list.
    query: TextField,
    rows: Vec<Row>,
    /// Indexes of the rows that match the field.
    matches: Vec<usize>,
    selection: ListSelection,
}

impl SettingsList {
    /// Lists the settings.
    pub fn open(workspace: &Workspace) -> Self {
        let settings = workspace.settings();
        let row = |SettingValue { name, value }| Row {
            changed: !settings.is_default(&name),
            about: Settings::about(&name).into_owned(),
            value: sanitize_line(&value, 200),
            name,
        };
        let mut list = Self { rows: settings.all().map(row).collect(), ..Self::default() };
        list.update_matches();
        list
    }

    fn update_matches(&mut self) {
        let query = self.query.text().to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        let matches = |row: &Row| {
            let text = format!("{} {} {}", row.name, row.value, row.about).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let found = self.rows.iter().enumerate().filter(|(_, row)| matches(row));
        self.matches = found.map(|(index, _)| index).collect();
        self.selection = ListSelection::default();
    }

    fn selected_row(&self) -> Option<&Row> {
        self.rows.get(*self.matches.get(self.selection.index())?)
    }

    /// Puts the command that changes the selected setting into the composer.
    fn choose(&self, context: &mut Context<'_, '_>) -> EventResult {
        if let Some(row) = self.selected_row() {
            context.workspace.begin_command(format!("/set {} {}", row.name, row.value));
        }
        EventResult::Request(Request::CloseOverlay)
    }

    fn window(&self, screen: Rect) -> Rect {
        let about = self.about_rows(inner_area(window_area(screen, COLUMNS, screen.height)));
        let rows = u16::try_from(self.matches.len()).unwrap_or(u16::MAX).max(1).saturating_add(4 + about);
        window_area(screen, COLUMNS, rows.min(screen.height.saturating_sub(2)).max(7))
    }

    /// Returns the count of rows for the text about the selected setting: the longest of them has room.
    fn about_rows(&self, inner: Rect) -> u16 {
        let needed = |row: &Row| wrap_plain(&row.about, usize::from(inner.width), MAX_ABOUT_ROWS).len();
        u16::try_from(self.rows.iter().map(needed).max().unwrap_or(1)).unwrap_or(1)
    }

    /// Returns the list of the window, above the text about the selected setting.
    fn list(&self, window: Rect) -> List {
        let below = list_area(window);
        let about = self.about_rows(inner_area(window));
        let area = Rect { height: below.height.saturating_sub(about), ..below };
        List { window, area, count: self.matches.len(), rows_each: 1 }
    }

    fn apply(&self, event: ListEvent, context: &mut Context<'_, '_>) -> EventResult {
        match event {
            ListEvent::Chosen => self.choose(context),
            ListEvent::Closed => EventResult::Request(Request::CloseOverlay),
            ListEvent::Consumed | ListEvent::Ignored => EventResult::Consumed,
        }
    }
}

impl Component for SettingsList {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        let event = self.selection.handle_key(key, self.matches.len(), context);
        if event == ListEvent::Ignored && edit_field(&mut self.query, key) == Edit::Changed {
            self.update_matches();
        }
        self.apply(event, context)
    }

    fn handle_paste(&mut self, text: &str, _context: &mut Context<'_, '_>) -> EventResult {
        self.query.insert_in_line(text);
        self.update_matches();
        EventResult::Consumed
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        let list = self.list(self.window(area));
        let event = self.selection.handle_mouse(mouse, at, &list);
        self.apply(event, context)
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let window = self.window(area);
        let title = view.workspace.keys().title("Settings", &[(Action::Enter, "changes one")]);
        let inner = draw_frame(window, &title, surface, theme);
        draw_field(inner, &self.query, surface, theme);
        let visible = self.selection.visible(&self.list(window));
        let (skip, list) = (visible.start, self.list(window).area);
        let room = usize::from(list.width);
        let column = self.rows.iter().map(|row| width(&row.name)).max().unwrap_or(0).min(room / 2) + 2;
        let visible = self.matches.iter().enumerate().skip(skip).take(visible.len());
        for (index, row) in visible.filter_map(|(index, row)| Some((index, self.rows.get(*row)?))) {
            let y = u16::try_from(index - skip).unwrap_or(0);
            let selected = index == self.selection.index();
            let style = |role| {
                let style = theme.style(role);
                if selected { style.patch(theme.style(Role::Selected)) } else { style }
            };
            let name = pad_to_width(&truncate_to_width(&row.name, column - 2), column);
            let end = surface.draw_text(list, 0, y, &name, style(Role::Text));
            let mark = if row.changed { "changed" } else { "" };
            let room = room.saturating_sub(column + width(mark) + 1);
            let value = if row.value.is_empty() { "none" } else { &row.value };
            let value = pad_to_width(&truncate_to_width(value, room), room);
            let role = if row.changed { Role::Accent } else { Role::Dim };
            let end = surface.draw_text(list, end, y, &format!("{value} "), style(role));
            surface.draw_text(list, end, y, mark, style(role));
        }
        let about = self.selected_row().map_or("no setting has this in its name", |row| row.about.as_str());
        let top = inner.height.saturating_sub(self.about_rows(inner));
        for (y, row) in (top..inner.height).zip(wrap_plain(about, room, MAX_ABOUT_ROWS)) {
            surface.draw_text(inner, 0, y, &row, theme.style(Role::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn enter_puts_the_command_into_the_composer() {
        let mut fixture = Fixture::new();
        let mut list = SettingsList::open(&fixture.workspace);
        fixture.type_text(&mut list, "members list");
        let rows = fixture.render(&list, 80, 12);
        assert!(rows.iter().any(|row| row.contains("layout.members ")), "{rows:?}");
        assert!(!rows.iter().any(|row| row.contains("theme")), "{rows:?}");
        assert_eq!(fixture.keys(&mut list, "Enter"), EventResult::Request(Request::CloseOverlay));
        assert_eq!(fixture.workspace.draft().text(), "/set layout.members auto");
        // A draft comes back after it.
        fixture.workspace.draft_mut().set("half a thought");
        fixture.keys(&mut list, "Enter");
        assert_eq!(fixture.workspace.draft().text(), "/set layout.members auto");
        assert!(fixture.workspace.hint.is_some());
        fixture.workspace.draft_mut().take();
        fixture.workspace.return_drafts();
        assert_eq!(fixture.workspace.draft().text(), "half a thought");
    }

    #[test]
    fn clicks_choose_or_close() {
        let mut fixture = Fixture::new();
        let mut list = SettingsList::open(&fixture.workspace);
        let rows = fixture.render(&list, 100, 24);
        let y = rows.iter().position(|row| row.contains("bell")).expect("a row");
        fixture.click(&mut list, 20, u16::try_from(y).expect("a row"));
        assert_eq!(fixture.workspace.draft().text(), "/set bell true");
        assert_eq!(fixture.click(&mut list, 0, 0), EventResult::Request(Request::CloseOverlay));
    }
}
