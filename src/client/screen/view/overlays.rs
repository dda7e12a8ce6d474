//! Windows over the messages: help, pick lists, search.

use ratatui::buffer::Buffer as Cells;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::clock::{format_time, to_zoned};
use super::draw_text::{clear_area, draw_text};
use super::layout::Layout;
use crate::client::input;
use crate::client::screen::keys::BINDINGS;
use crate::client::screen::picker::Picker;
use crate::client::screen::search::SearchWindow;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{Run, pad_to_width, truncate_to_width, width, wrap};
use crate::client::screen::view::theme::Role;
use crate::client::screen::{App, Overlay};

/// Clears an area and draws a frame with a title. Returns the area within.
fn draw_window(app: &App, area: Rect, title: &str, cells: &mut Cells) -> Rect {
    let line = app.theme.style(Role::Line);
    clear_area(cells, area, Style::new());
    if area.width < 4 || area.height < 3 {
        return inner_area(area);
    }
    let across = "─".repeat(usize::from(area.width) - 2);
    draw_text(cells, area, 0, 0, &format!("╭{across}╮"), line);
    draw_text(cells, area, 0, area.height - 1, &format!("╰{across}╯"), line);
    for row in 1..area.height - 1 {
        draw_text(cells, area, 0, row, "│", line);
        draw_text(cells, area, area.width - 1, row, "│", line);
    }
    let title = truncate_to_width(&format!(" {title} "), usize::from(area.width) - 4);
    draw_text(cells, area, 2, 0, &title, app.theme.style(Role::Accent));
    inner_area(area)
}

/// Returns the area within a frame.
fn inner_area(area: Rect) -> Rect {
    if area.width < 4 || area.height < 3 {
        return area;
    }
    Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
}

/// Target of a click while a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowClick {
    /// Item of the list, by its index.
    Item(usize),
    /// Any other part of the window.
    Inside,
    /// Beside the window.
    Outside,
}

/// Returns the target of a click at a position.
pub fn click_target(app: &App, screen: Rect, at: Position) -> WindowClick {
    let (area, first, count, rows_each) = match &app.overlay {
        Overlay::None => return WindowClick::Outside,
        Overlay::Help(_) => (help_area(screen), 0, 0, 1),
        Overlay::Pick(picker) => {
            let area = picker_area(picker, screen);
            (area, first_visible(picker.selected, list_area(area).height), picker.matching_items().count(), 1)
        }
        Overlay::Find(finder) => {
            let area = finder_area(screen);
            let found = finder.results.as_ref().map_or(0, Vec::len);
            (area, first_visible(finder.selected, (list_area(area).height / 2).max(1)), found, 2)
        }
    };
    let list = list_area(area);
    match () {
        () if !area.contains(at) => WindowClick::Outside,
        () if !list.contains(at) => WindowClick::Inside,
        () => Some(first + usize::from((at.y - list.y) / rows_each))
            .filter(|item| *item < count)
            .map_or(WindowClick::Inside, WindowClick::Item),
    }
}

/// Returns the area of the list below the search field.
fn list_area(area: Rect) -> Rect {
    let inner = inner_area(area);
    Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }
}

/// Returns the index of the first visible item, such that the selected one is visible.
fn first_visible(selected: usize, room: u16) -> usize {
    (selected + 1).saturating_sub(usize::from(room))
}

fn help_area(screen: Rect) -> Rect {
    Layout::window_area(screen, 92, screen.height.saturating_sub(2).max(3))
}

fn picker_area(picker: &Picker, screen: Rect) -> Rect {
    let items = u16::try_from(picker.matching_items().take(20).count().max(1)).unwrap_or(1);
    Layout::window_area(screen, 60, (items + 3).min((screen.height * 2 / 3).max(6)))
}

fn finder_area(screen: Rect) -> Rect {
    Layout::window_area(
        screen,
        screen.width.saturating_sub(4).clamp(30, 110),
        screen.height.saturating_sub(2).max(5),
    )
}

/// Draws the help: key bindings and commands.
pub fn draw_help(app: &App, from: usize, screen: Rect, cells: &mut Cells) {
    let area = help_area(screen);
    let inner = draw_window(app, area, "Help — arrow keys scroll, Esc closes", cells);
    let accent = app.theme.style(Role::Accent);
    let mut lines: Vec<(String, String)> = vec![("Keys".into(), String::new())];
    lines.extend(
        BINDINGS
            .iter()
            .filter(|key| !key.description.is_empty())
            .map(|key| (key.keys.replace(' ', ", "), key.description.into())),
    );
    lines.push(("The mouse".into(), "click: open a conversation, select a message or an item; wheel: scroll; Shift and drag: select text in most terminals".into()));
    lines.push((String::new(), String::new()));
    lines.push(("Commands".into(), String::new()));
    lines.extend(input::command_table().map(|(usage, does)| (usage, does.to_owned())));
    lines.push(("//TEXT".into(), "send a message that starts with a slash".into()));
    lines.push((String::new(), String::new()));
    lines.push((
        "Sent messages cannot be edited: take it back (/delete, or Alt-Up and d) and send it again.".into(),
        String::new(),
    ));
    // The description stands beside the keys if there is room, else below.
    let names = lines.iter().filter(|(_, does)| !does.is_empty()).map(|(name, _)| width(name));
    let column = Some(names.max().unwrap_or(0) + 2).filter(|column| usize::from(inner.width) >= 2 * column);
    let mut rows: Vec<Vec<Run>> = Vec::new();
    for (name, does) in lines {
        if does.is_empty() {
            rows.extend(wrap(&[Run::new(name, accent)], usize::from(inner.width)));
            continue;
        }
        let key = Run::new(name, app.theme.style(Role::Unread));
        let Some(column) = column else {
            rows.push(vec![key]);
            let room = usize::from(inner.width).saturating_sub(2);
            for mut row in wrap(&[Run::new(does, app.theme.style(Role::Dim))], room) {
                row.insert(0, Run::new("  ", Style::new()));
                rows.push(row);
            }
            continue;
        };
        let room = usize::from(inner.width) - column;
        for (index, mut row) in wrap(&[Run::new(does, Style::new())], room).into_iter().enumerate() {
            let head = if index == 0 { pad_to_width(&key.text, column) } else { " ".repeat(column) };
            row.insert(0, Run::new(head, key.style));
            rows.push(row);
        }
    }
    let from = from.min(rows.len().saturating_sub(usize::from(inner.height)));
    for (index, row) in rows.iter().skip(from).take(usize::from(inner.height)).enumerate() {
        let y = u16::try_from(index).unwrap_or(0);
        super::draw_text::draw_runs(
            cells,
            &mut super::draw_text::Links::default(),
            inner,
            0,
            y,
            row,
            Style::new(),
        );
    }
}

/// Draws a search field. Returns the position of the cursor on the screen.
fn draw_search_field(
    app: &App,
    inner: Rect,
    editor: &crate::client::screen::text::text_field::TextField,
    cells: &mut Cells,
) -> (u16, u16) {
    let mut columns_before_cursor = width(&editor.text()[..editor.cursor()]);
    let room = usize::from(inner.width).saturating_sub(3).max(1);
    // The cursor stays visible in a text that is longer than the field.
    let mut shown = editor.text();
    while columns_before_cursor > room {
        let Some(cluster) = shown.graphemes(true).next() else { break };
        columns_before_cursor -= width(cluster);
        shown = &shown[cluster.len()..];
    }
    draw_text(cells, inner, 0, 0, "› ", app.theme.style(Role::Accent));
    draw_text(cells, inner, 2, 0, shown, app.theme.style(Role::Text));
    let x = u16::try_from(2 + columns_before_cursor).unwrap_or(2).min(inner.width.saturating_sub(1));
    (inner.x + x, inner.y)
}

/// Draws a pick list. Returns the position of the cursor on the screen.
pub fn draw_picker(app: &App, picker: &Picker, screen: Rect, cells: &mut Cells) -> (u16, u16) {
    let area = picker_area(picker, screen);
    let inner = draw_window(app, area, picker.title, cells);
    let cursor = draw_search_field(app, inner, &picker.query, cells);
    let list = list_area(area);
    let skip = first_visible(picker.selected, list.height);
    let room = usize::from(list.width);
    let mut some = false;
    for (index, (name, beside)) in
        picker.matching_items().enumerate().skip(skip).take(usize::from(list.height))
    {
        some = true;
        let y = u16::try_from(index - skip).unwrap_or(0);
        let style = if index == picker.selected { app.theme.style(Role::Selected) } else { Style::new() };
        let beside = truncate_to_width(beside, room.saturating_sub(width(name) + 2));
        let left = pad_to_width(name, room.saturating_sub(width(&beside)));
        let end = draw_text(cells, list, 0, y, &left, style);
        draw_text(cells, list, end, y, &beside, app.theme.style(Role::Dim).patch(style));
    }
    if !some {
        draw_text(cells, list, 0, 0, "no matches", app.theme.style(Role::Dim));
    }
    cursor
}

/// Draws the search window. Returns the position of the cursor on the screen.
pub fn draw_search(app: &App, finder: &SearchWindow, screen: Rect, cells: &mut Cells) -> (u16, u16) {
    let area = finder_area(screen);
    let inner = draw_window(app, area, "Search — Enter searches, then opens the result", cells);
    let cursor = draw_search_field(app, inner, &finder.query, cells);
    let list = list_area(area);
    let dim = app.theme.style(Role::Dim);
    let room = usize::from(list.width);
    let message = match (&finder.error, &finder.results) {
        (Some(error), _) => Some((error.clone(), app.theme.style(Role::Error))),
        (None, Some(found)) if found.is_empty() => Some(("no results".to_owned(), dim)),
        (None, None) if finder.is_waiting() => Some(("searching …".to_owned(), dim)),
        (None, None) => Some(("search terms; filters: in:#channel from:name".to_owned(), dim)),
        (None, Some(_)) => None,
    };
    if let Some((message, style)) = message {
        draw_text(cells, list, 0, 0, &truncate_to_width(&message, room), style);
        return cursor;
    }
    let found = finder.results.as_deref().unwrap_or_default();
    // Two rows for each result: conversation and time, then sender and text.
    let fits = usize::from(list.height / 2).max(1);
    let skip = (finder.selected + 1).saturating_sub(fits);
    for (index, hit) in found.iter().enumerate().skip(skip).take(fits) {
        let y = u16::try_from((index - skip) * 2).unwrap_or(0);
        let style = if index == finder.selected { app.theme.style(Role::Selected) } else { Style::new() };
        let day = to_zoned(hit.time, &app.zone).date().strftime("%-d %b %Y");
        let conversation = sanitize_line(hit.conversation.as_str(), 64);
        let head = format!("{conversation}  {day} {}", format_time(hit.time, &app.zone));
        draw_text(cells, list, 0, y, &pad_to_width(&head, room), dim.patch(style));
        if y + 1 < list.height {
            let end = draw_text(
                cells,
                list,
                2,
                y + 1,
                &format!("{} ", hit.from),
                app.theme.nick_style(hit.from.as_str()).patch(style),
            );
            let rest = room.saturating_sub(usize::from(end));
            draw_text(
                cells,
                list,
                end,
                y + 1,
                &pad_to_width(&truncate_to_width(&hit.text, rest), rest),
                style,
            );
        }
    }
    cursor
}
