//! Help: key bindings and commands.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::step;
use super::window::{draw_frame, draw_scrolled, inner_area, scroll_offset, window_area};
use crate::client::input::commands::{GROUPS, find};
use crate::client::keys::Action;
use crate::client::keys::key::{Code, MouseAction};
use crate::client::keys::keymap::KeyMap;
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::wrap::{Row, Run, pad_to_width, width, wrap};
use crate::client::screen::view::theme::{Role, Theme};
use crate::client::screen::workspace::{Request, Workspace};

/// Width of the window, in cells.
const WIDTH: u16 = 92;

/// Width of a name, in cells, from which it has rows of its own.
const MAX_NAME_WIDTH: usize = 30;

/// Width of the window, in cells, from which descriptions stand beside names.
const MIN_COLUMNS: usize = 60;

/// Window with the key bindings and commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// Scroll offset in rows. May exceed the last one after the screen has grown.
    offset: usize,
    /// Command to explain; `None` for everything.
    command: Option<&'static str>,
}

impl Help {
    /// Opens the help for all keys and commands, or for the command with this name.
    pub fn new(command: Option<&'static str>) -> Self {
        Self { offset: 0, command }
    }

    /// Returns the rows of the help in a window on this screen.
    fn rows(&self, screen: Rect, workspace: &Workspace) -> Vec<Row> {
        let width = inner_area(window_area(screen, WIDTH, screen.height)).width;
        rows(self.lines(workspace), workspace.display.theme, usize::from(width))
    }

    /// Returns the lines of the help, without those of keys that do nothing on this system.
    fn lines(&self, workspace: &Workspace) -> Vec<HelpLine> {
        match self.command.and_then(find) {
            Some(command) => vec![HelpLine::entry(command.usage_line(), command.full_description())],
            None => all_lines(workspace.keys(), workspace.display.can_suspend),
        }
    }

    fn scroll(&mut self, by: isize, workspace: &Workspace) {
        let screen = Rect::from((Position::ORIGIN, workspace.display.size));
        let rows = self.rows(screen, workspace).len();
        self.offset = scroll_offset(self.offset, by, self.window(screen, workspace), rows);
    }

    fn window(&self, screen: Rect, workspace: &Workspace) -> Rect {
        let rows = u16::try_from(self.rows(screen, workspace).len() + 2).unwrap_or(u16::MAX);
        window_area(screen, WIDTH, rows.min(screen.height.saturating_sub(2).max(3)))
    }
}

impl Component for Help {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        let closes = matches!(key.action, Some(Action::Help | Action::Enter))
            || matches!(key.key.code, Code::Char('q' | '?'));
        match step(key, context) {
            Some(rows) => self.scroll(rows, context.workspace),
            None if closes => return EventResult::Request(Request::CloseOverlay),
            None => {}
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
            MouseAction::Click if !self.window(area, context.workspace).contains(at) => {
                return EventResult::Request(Request::CloseOverlay);
            }
            MouseAction::Click => {}
        }
        EventResult::Consumed
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        let window = self.window(area, view.workspace);
        let does = [(Action::Down, "scrolls")];
        draw_frame(window, &view.workspace.keys().title("Help", &does), surface, theme);
        draw_scrolled(window, &self.rows(area, view.workspace), self.offset, surface, theme);
    }
}

/// Line of the help.
enum HelpLine {
    /// Heading or paragraph; an empty one separates groups.
    Text(String),
    /// Keys or a command, with their description.
    Entry { name: String, description: String },
}

impl HelpLine {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn entry(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Entry { name: name.into(), description: description.into() }
    }
}

/// Returns the lines of the help for all keys and commands.
fn all_lines(keys: &KeyMap, can_suspend: bool) -> Vec<HelpLine> {
    let mut lines = vec![HelpLine::text("Keys")];
    let is_shown = |action| action != Action::Suspend || can_suspend;
    let bound =
        keys.bindings().filter(|(binding, _)| !binding.description.is_empty() && is_shown(binding.action));
    lines.extend(bound.map(|(binding, bound)| {
        let names: Vec<String> = bound.iter().map(ToString::to_string).collect();
        let names = match binding.action.command() {
            _ if !names.is_empty() => names.join(", "),
            Some(command) => command.to_owned(),
            None => "(no key)".to_owned(),
        };
        HelpLine::entry(names, keys.describe(binding))
    }));
    lines.push(HelpLine::entry("The mouse", "click: open a conversation, select a message or an item; wheel: scroll; Shift and drag: select text in most terminals"));
    for group in GROUPS {
        lines.push(HelpLine::text(""));
        lines.push(HelpLine::text(group.title));
        let all = group.commands.iter();
        lines.extend(all.map(|command| HelpLine::entry(command.usage_line(), command.description)));
    }
    lines.push(HelpLine::text(""));
    lines.push(HelpLine::entry("//TEXT", "send a message that starts with a slash"));
    lines.push(HelpLine::text(""));
    let by_keys = match [Action::SelectAbove, Action::Redact].map(|action| keys.key_name(action)) {
        [Some(select), Some(redact)] => format!(", or {select} and {redact}"),
        _ => String::new(),
    };
    let text = format!("Sent messages cannot be edited: take it back (/delete{by_keys}) and send it again.");
    lines.push(HelpLine::Text(text));
    lines
}

/// Breaks the lines into rows of a width in cells.
fn rows(lines: Vec<HelpLine>, theme: Theme, columns: usize) -> Vec<Row> {
    let accent = theme.style(Role::Accent);
    // The description stands beside the keys if there is room for two columns, else below. Names that are longer than
    // most have rows of their own, so that they do not widen the column.
    let limit = (columns * 2 / 5).min(MAX_NAME_WIDTH);
    let names = lines.iter().filter_map(|line| match line {
        HelpLine::Text(_) => None,
        HelpLine::Entry { name, .. } => Some(width(name)),
    });
    let widest = names.filter(|width| *width <= limit).max().unwrap_or(0);
    let column = Some(widest + 2).filter(|_| columns >= MIN_COLUMNS);
    let mut rows: Vec<Row> = Vec::new();
    for line in lines {
        let (name, description) = match line {
            HelpLine::Text(text) => {
                rows.extend(wrap(vec![Run::new(text, accent)], columns));
                continue;
            }
            HelpLine::Entry { name, description } => (name, description),
        };
        let key = Run::new(name, theme.style(Role::Unread));
        let is_beside = column.is_some_and(|column| width(&key.text) + 2 <= column);
        if !is_beside {
            rows.extend(wrap(vec![key.clone()], columns));
        }
        let indent = column.unwrap_or(2);
        let style = if column.is_some() { Style::new() } else { theme.style(Role::Dim) };
        let below = wrap(vec![Run::new(description, style)], columns.saturating_sub(indent).max(1));
        for (index, mut row) in below.into_iter().enumerate() {
            let head =
                if index == 0 && is_beside { pad_to_width(&key.text, indent) } else { " ".repeat(indent) };
            row.insert(0, Run::new(head, key.style));
            rows.push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn explains_one_command() {
        let (mut fixture, help) = (Fixture::new(), Help::new(Some("join")));
        let rows = fixture.render(&help, 80, 6);
        assert!(rows[2].contains("/join #CHANNEL…") && rows[2].contains("also /j"), "{rows:?}");
        assert!(!rows.concat().contains("Keys") && rows[4].is_empty(), "{rows:?}");
    }

    #[test]
    fn long_usages_have_rows_of_their_own() {
        let theme = Fixture::new().workspace.display.theme;
        let rows_at = |columns| -> Vec<String> {
            let rows = rows(all_lines(&KeyMap::default(), true), theme, columns);
            rows.iter().map(|row| row.iter().map(|run| run.text.as_str()).collect()).collect()
        };
        for columns in [76, 36] {
            let rows = rows_at(columns);
            assert!(rows.iter().all(|row| width(row) <= columns), "{columns}");
            let at = rows.iter().position(|row| row.contains("/invite-only [")).expect("a row");
            assert!(rows[at].trim_end().ends_with("[on|off]"), "{:?}", rows[at]);
            assert_eq!(rows[at + 1].trim(), "joining needs an invitation", "{columns}");
        }
        let wide = rows_at(76);
        let topic = wide.iter().find(|row| row.starts_with("/topic")).expect("a row");
        let column = topic.find("show or set").expect("a description");
        assert!(column <= 34, "{topic}");
    }

    #[test]
    fn a_key_that_the_system_ignores_is_left_out() {
        let (mut fixture, help) = (Fixture::new(), Help::default());
        assert!(fixture.render(&help, 80, 200).concat().contains("Ctrl-Z"));
        fixture.workspace.display.can_suspend = false;
        let rows = fixture.render(&help, 80, 200).concat();
        assert!(rows.contains("Ctrl-L") && !rows.contains("Ctrl-Z"), "{rows}");
    }

    #[test]
    fn scrolls_and_closes() {
        let (mut fixture, mut help) = (Fixture::new(), Help::default());
        let rows = fixture.render(&help, 80, 12);
        assert!(rows[0].contains("Help") && rows[1].contains("Keys"), "{rows:?}");
        assert!(rows[9].contains("─ 8 of "), "{rows:?}");
        fixture.keys(&mut help, "Down Down");
        assert!(!fixture.render(&help, 80, 12)[1].contains("Keys"));
        fixture.keys(&mut help, "PgUp");
        assert!(fixture.render(&help, 80, 12)[1].contains("Keys"));
        for key in ["q", "?", "Enter", "F1"] {
            assert_eq!(fixture.keys(&mut help, key), EventResult::Request(Request::CloseOverlay), "{key}");
        }
    }
}
