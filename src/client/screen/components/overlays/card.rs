//! Card: an answer of the server with several lines.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::step;
use super::window::{draw_frame, draw_scrolled, inner_area, scroll_offset, window_area};
use crate::client::answers::card::{Card, CardLine};
use crate::client::keys::Action;
use crate::client::keys::CLOSES;
use crate::client::keys::key::{Code, MouseAction};
use crate::client::keys::keymap::KeyMap;
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{Row, Run, pad_to_width, width, wrap};
use crate::client::screen::view::theme::{Role, Theme};
use crate::client::screen::workspace::{Request, ScreenEffect, Workspace};

/// Width of a card, in cells.
const COLUMNS: u16 = 92;

/// Limit of a line, in bytes.
const MAX_LINE_BYTES: usize = 4_000;

/// Window with a card, which scrolls. A letter closes it and goes to the composer.
#[derive(Debug)]
pub struct CardWindow {
    card: Card,
    /// Scroll offset in rows. May exceed the last one after the screen has grown.
    offset: usize,
}

impl CardWindow {
    /// Opens a card.
    pub fn new(card: Card) -> Self {
        Self { card, offset: 0 }
    }

    fn title(&self, keys: &KeyMap) -> String {
        let title = sanitize_line(&self.card.title, 80);
        match self.card.secret {
            Some(_) => {
                let closes = keys.clauses(&[(Action::Escape, CLOSES)]);
                format!("{title} — {}", ["y copies", &closes].join(", "))
            }
            None => keys.title(&title, &[]),
        }
    }

    /// Breaks the card into rows of a width in cells.
    fn rows(&self, theme: Theme, columns: usize) -> Vec<Row> {
        let lines = self.card.lines(Some(columns), width);
        let names = lines.iter().filter_map(|line| match line {
            CardLine::Field { name, .. } => Some(width(name)),
            _ => None,
        });
        let column = names.max().unwrap_or(0) + 2;
        let plain = Style::new();
        lines.iter().flat_map(|line| line_rows(line, column, columns, theme, plain)).collect()
    }

    fn scroll(&mut self, by: isize, workspace: &Workspace) {
        let theme = workspace.display.theme;
        let window = self.window(Rect::from((Position::ORIGIN, workspace.display.size)), theme);
        let rows = self.rows(theme, usize::from(inner_area(window).width)).len();
        self.offset = scroll_offset(self.offset, by, window, rows);
    }

    fn window(&self, screen: Rect, theme: Theme) -> Rect {
        let inner = inner_area(window_area(screen, COLUMNS, screen.height));
        let rows = self.rows(theme, usize::from(inner.width)).len();
        let rows = u16::try_from(rows + 2).unwrap_or(u16::MAX);
        window_area(screen, COLUMNS, rows.min(screen.height.saturating_sub(2).max(3)))
    }
}

/// Breaks a line into rows. The value of a field stands beside its name if there is room, else below.
fn line_rows(line: &CardLine, column: usize, columns: usize, theme: Theme, plain: Style) -> Vec<Row> {
    let text = |text: &str| sanitize_line(text, MAX_LINE_BYTES);
    match line {
        CardLine::Heading(heading) => vec![vec![Run::new(text(heading), theme.style(Role::Accent))]],
        CardLine::Text(line) if line.is_empty() => vec![Row::new()],
        CardLine::Text(line) => wrap(vec![Run::new(text(line), plain)], columns),
        // Cut anywhere, so that no row of it is shorter than it could be.
        CardLine::Secret(secret) => {
            let secret: Vec<char> = text(secret).chars().collect();
            let rows = secret.chunks(columns.max(1));
            rows.map(|row| vec![Run::new(row.iter().collect::<String>(), theme.style(Role::Alert))]).collect()
        }
        CardLine::Field { name, value } => {
            let name_style = theme.style(Role::Dim);
            let beside = columns >= 2 * column;
            let indent = if beside { column } else { 2 };
            let mut rows: Vec<Row> =
                wrap(vec![Run::new(text(value), plain)], columns.saturating_sub(indent).max(1));
            for (index, row) in rows.iter_mut().enumerate() {
                let head = if index == 0 && beside { pad_to_width(name, indent) } else { " ".repeat(indent) };
                row.insert(0, Run::new(head, name_style));
            }
            if !beside {
                rows.insert(0, vec![Run::new(name.clone(), name_style)]);
            }
            rows
        }
    }
}

impl Component for CardWindow {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        match (step(key, context), key.key.code) {
            (Some(rows), _) => self.scroll(rows, context.workspace),
            (None, Code::Char('y')) if self.card.secret.is_some() => {
                if let Some(secret) = &self.card.secret {
                    context.workspace.effects.push(ScreenEffect::Copy(secret.expose().to_owned()));
                    context.workspace.show_hint("copied");
                }
            }
            (None, Code::Char('q')) => return EventResult::Request(Request::CloseOverlay),
            (None, _) if key.action == Some(Action::Enter) => {
                return EventResult::Request(Request::CloseOverlay);
            }
            // A secret stays until it is closed on purpose.
            (None, Code::Char(_)) if self.card.secret.is_none() => return EventResult::Ignored,
            (None, _) => {}
        }
        EventResult::Consumed
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        match mouse {
            MouseAction::WheelUp => self.scroll(-3, context.workspace),
            MouseAction::WheelDown => self.scroll(3, context.workspace),
            MouseAction::Click if !self.window(area, context.workspace.display.theme).contains(at) => {
                return EventResult::Request(Request::CloseOverlay);
            }
            MouseAction::Click => {}
        }
        EventResult::Consumed
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let window = self.window(area, theme);
        let inner = draw_frame(window, &self.title(view.workspace.keys()), surface, theme);
        let rows = self.rows(theme, usize::from(inner.width));
        draw_scrolled(window, &rows, self.offset, surface, theme);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::answers::card::Block;
    use crate::client::model::requests::SecretText;
    use crate::client::screen::tests::fixture::Fixture;

    fn long_card(secret: Option<&str>) -> CardWindow {
        let blocks = (1..=30).map(|n| Block::Text(format!("line {n}"))).collect();
        CardWindow::new(Card { title: "Long".to_owned(), blocks, secret: secret.map(SecretText::new) })
    }

    #[test]
    fn scrolls_and_closes() {
        let (mut fixture, mut card) = (Fixture::new(), long_card(None));
        let rows = fixture.render(&card, 40, 12);
        assert!(rows[0].contains("Long — Esc closes") && rows[1].contains("line 1"), "{rows:?}");
        fixture.keys(&mut card, "Down Down");
        assert!(fixture.render(&card, 40, 12)[1].contains("line 3"));
        // Keys beyond the end are not counted.
        fixture.keys(&mut card, &["Down"; 40].join(" "));
        let end = card.offset;
        fixture.keys(&mut card, "Up");
        assert_eq!(card.offset, end - 1);
        assert_eq!(fixture.keys(&mut card, "Enter"), EventResult::Request(Request::CloseOverlay));
        assert_eq!(fixture.keys(&mut card, "x"), EventResult::Ignored, "for the composer");
    }

    #[test]
    fn a_secret_is_copied_whole_and_stays_until_it_is_closed() {
        let (mut fixture, mut card) = (Fixture::new(), long_card(Some("parlour://secret")));
        assert_eq!(fixture.keys(&mut card, "x"), EventResult::Consumed);
        fixture.keys(&mut card, "y");
        assert_eq!(fixture.workspace.effects, [ScreenEffect::Copy("parlour://secret".to_owned())]);
        assert!(!format!("{card:?}").contains("parlour://"), "hidden from Debug");
    }
}
