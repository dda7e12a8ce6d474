//! Frame and search field of a window over the messages.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::client::screen::components::Surface;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{truncate_to_width, width};
use crate::client::screen::view::clear_area;
use crate::client::screen::view::theme::{Role, Theme};

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

/// Draws a remark at the right end of the lower edge of a frame.
pub fn draw_footer(area: Rect, text: &str, surface: &mut Surface<'_>, theme: Theme) {
    if area.width < 12 || area.height < 3 {
        return;
    }
    let text = truncate_to_width(&format!(" {text} "), usize::from(area.width) - 4);
    let size = u16::try_from(width(&text)).unwrap_or(0);
    surface.draw_text(area, area.width - 2 - size, area.height - 1, &text, theme.style(Role::Dim));
}

/// Returns the area within a frame.
pub fn inner_area(area: Rect) -> Rect {
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
