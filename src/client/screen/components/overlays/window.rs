//! Frame, search field and list of a window over the messages.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::client::screen::components::Surface;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{truncate_to_width, width};
use crate::client::screen::view::clear_area;
use crate::client::screen::view::theme::{Role, Theme};

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

/// List of a window: its items and the visible part.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// Area of the window, with its frame.
    pub window: Rect,
    /// Count of the items.
    pub count: usize,
    /// Index of the selected item.
    pub selected: usize,
    /// Rows of one item.
    pub rows_each: u16,
}

impl List {
    /// Returns the target of a click at a position.
    pub fn click_target(&self, at: Position) -> WindowClick {
        let list = list_area(self.window);
        if !self.window.contains(at) {
            return WindowClick::Outside;
        }
        if !list.contains(at) {
            return WindowClick::Inside;
        }
        let first = first_visible(self.selected, (list.height / self.rows_each).max(1));
        let item = first + usize::from((at.y - list.y) / self.rows_each);
        if item < self.count { WindowClick::Item(item) } else { WindowClick::Inside }
    }
}

/// Returns the area of a window of at most `columns` by `rows` cells.
pub fn window_area(screen: Rect, columns: u16, rows: u16) -> Rect {
    let (width, height) = (columns.min(screen.width), rows.min(screen.height));
    Rect::new(screen.x + (screen.width - width) / 2, screen.y + (screen.height - height) / 3, width, height)
}

/// Clears an area and draws a frame with a title. Returns the area within.
pub fn draw_frame(area: Rect, title: &str, surface: &mut Surface<'_>, theme: Theme) -> Rect {
    let line = theme.style(Role::Line);
    clear_area(surface.cells, area, Style::new());
    if area.width < 4 || area.height < 3 {
        return inner_area(area);
    }
    let across = "─".repeat(usize::from(area.width) - 2);
    surface.draw_text(area, 0, 0, &format!("╭{across}╮"), line);
    surface.draw_text(area, 0, area.height - 1, &format!("╰{across}╯"), line);
    for row in 1..area.height - 1 {
        surface.draw_text(area, 0, row, "│", line);
        surface.draw_text(area, area.width - 1, row, "│", line);
    }
    let title = truncate_to_width(&format!(" {title} "), usize::from(area.width) - 4);
    surface.draw_text(area, 2, 0, &title, theme.style(Role::Accent));
    inner_area(area)
}

/// Returns the area within a frame.
fn inner_area(area: Rect) -> Rect {
    if area.width < 4 || area.height < 3 {
        return area;
    }
    Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
}

/// Returns the area of the list below the search field.
pub fn list_area(area: Rect) -> Rect {
    let inner = inner_area(area);
    Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }
}

/// Returns the index of the first visible item, such that the selected one is visible.
pub fn first_visible(selected: usize, room: u16) -> usize {
    (selected + 1).saturating_sub(usize::from(room))
}

/// Draws a search field, and sets the cursor.
pub fn draw_field(inner: Rect, field: &TextField, surface: &mut Surface<'_>, theme: Theme) {
    let mut before = width(&field.text()[..field.cursor()]);
    let room = usize::from(inner.width).saturating_sub(3).max(1);
    // The cursor stays visible in a text that is longer than the field.
    let mut shown = field.text();
    while before > room {
        let Some(cluster) = shown.graphemes(true).next() else { break };
        before -= width(cluster);
        shown = &shown[cluster.len()..];
    }
    surface.draw_text(inner, 0, 0, "› ", theme.style(Role::Accent));
    surface.draw_text(inner, 2, 0, shown, theme.style(Role::Text));
    let x = u16::try_from(2 + before).unwrap_or(2).min(inner.width.saturating_sub(1));
    surface.cursor = Some(Position::new(inner.x + x, inner.y));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_hit_the_visible_items() {
        let window = Rect::new(10, 2, 20, 6);
        let mut list = List { window, count: 5, selected: 0, rows_each: 1 };
        let hit = |list: &List, x, y| list.click_target(Position::new(x, y));
        assert_eq!(hit(&list, 9, 4), WindowClick::Outside);
        assert_eq!(hit(&list, 10, 4), WindowClick::Inside, "the frame");
        assert_eq!(hit(&list, 12, 3), WindowClick::Inside, "the search field");
        assert_eq!([4, 5, 6].map(|y| hit(&list, 12, y)), [0, 1, 2].map(WindowClick::Item));
        list.selected = 4;
        assert_eq!(hit(&list, 12, 4), WindowClick::Item(2), "scrolled to the selected item");
        list = List { rows_each: 2, count: 1, selected: 0, ..list };
        assert_eq!(
            [4, 5, 6].map(|y| hit(&list, 12, y)),
            [WindowClick::Item(0), WindowClick::Item(0), WindowClick::Inside]
        );
    }
}
