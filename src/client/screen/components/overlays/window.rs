//! Frame and search field of a window over the messages.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::client::keys::CLOSES;
use crate::client::screen::components::Surface;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{Row, truncate_to_width, width};
use crate::client::screen::view::theme::{Role, Theme};
use crate::client::screen::view::{clear_area, draw_runs};

/// Least width of a strip of the screen beside a window, in cells. Less would show pieces of words only.
const MIN_STRIP_WIDTH: u16 = 8;

/// Least width of a title beside its keys, in cells.
const MIN_TITLE_WIDTH: usize = 8;

/// Returns the area of a window of at most `rows` rows and about `columns` columns: it takes the strips beside it that would
/// be too narrow.
pub fn window_area(screen: Rect, columns: u16, rows: u16) -> Rect {
    let strips = screen.width.saturating_sub(columns);
    let width = if strips < 2 * MIN_STRIP_WIDTH { screen.width } else { columns };
    let height = rows.min(screen.height);
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
    let title = format!(" {} ", fit_title(title, usize::from(area.width).saturating_sub(6)));
    surface.draw_text(area, 2, 0, &title, theme.style(Role::Accent));
    inner_area(area)
}

/// Returns a title of at most `room` cells. Without room for all of `Title — key does this, key does that, key closes`, the
/// last keys are left out, but neither the first, which is used most, nor the one that closes: for these two the latter loses
/// its words and the title its end.
pub fn fit_title(title: &str, room: usize) -> String {
    let (head, keys) = title.split_once(" — ").unwrap_or((title, ""));
    let (keys, closing): (Vec<&str>, Vec<&str>) =
        keys.split(", ").filter(|clause| !clause.is_empty()).partition(|clause| !clause.ends_with(CLOSES));
    let bare: Vec<&str> = closing.iter().map(|clause| clause.trim_end_matches(CLOSES).trim_end()).collect();
    let behind =
        |count: usize, closing: &[&str]| match [keys.get(..count).unwrap_or_default(), closing].concat() {
            clauses if clauses.is_empty() => String::new(),
            clauses => format!(" — {}", clauses.join(", ")),
        };
    let counts = (keys.len().min(1)..=keys.len()).rev();
    let mut all = counts.flat_map(|count| [behind(count, &closing), behind(count, &bare)]);
    if let Some(behind) = all.find(|behind| width(head) + width(behind) <= room) {
        return format!("{head}{behind}");
    }
    let least = [behind(1, &bare), behind(0, &closing), behind(0, &bare)];
    let fits = |behind: &&String| width(behind) + width(head).min(MIN_TITLE_WIDTH) <= room;
    match least.iter().find(fits) {
        Some(behind) => format!("{}{behind}", truncate_to_width(head, room - width(behind))),
        None => truncate_to_width(head, room),
    }
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

/// Draws rows from an offset, which may exceed the last one, into a frame. If not all fit, the lower edge has their count.
pub fn draw_scrolled(window: Rect, rows: &[Row], offset: usize, surface: &mut Surface<'_>, theme: Theme) {
    let inner = inner_area(window);
    let height = usize::from(inner.height);
    let offset = offset.min(rows.len().saturating_sub(height));
    if rows.len() > height {
        let more = if offset + height < rows.len() { " ↓" } else { "" };
        draw_footer(window, &format!("{} of {} rows{more}", offset + height, rows.len()), surface, theme);
    }
    for (y, row) in (0..inner.height).zip(rows.iter().skip(offset)) {
        draw_runs(surface.cells, &mut surface.links, inner, 0, y, row, Style::new());
    }
    surface.cursor = None;
}

/// Moves an offset into so many rows in a window by some rows, at most to where the last ones fill it.
pub fn scroll_offset(offset: usize, by: isize, window: Rect, rows: usize) -> usize {
    let last = rows.saturating_sub(usize::from(inner_area(window).height));
    offset.min(last).saturating_add_signed(by).min(last)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_leaves_no_narrow_strips() {
        let width = |columns, screen| window_area(Rect::new(0, 0, screen, 24), columns, 10).width;
        assert_eq!((width(76, 80), width(72, 87), width(72, 88), width(92, 40)), (80, 87, 72, 40));
    }

    #[test]
    fn keys_without_room_are_left_out_of_a_title() {
        let title = "Channels — Enter joins, Ctrl-S sorts";
        assert_eq!(fit_title(title, 40), title);
        assert_eq!(fit_title(title, 35), "Channels — Enter joins");
        assert_eq!(fit_title(title, 20), "Channels");
        assert_eq!(fit_title(title, 5), "Chan…");
        let title = "Channels — Enter joins, Ctrl-S sorts, Esc closes";
        assert_eq!(fit_title(title, 48), title);
        assert_eq!(fit_title(title, 41), "Channels — Enter joins, Ctrl-S sorts, Esc");
        assert_eq!(fit_title(title, 40), "Channels — Enter joins, Esc closes");
        assert_eq!(fit_title(title, 33), "Channels — Enter joins, Esc");
        assert_eq!(fit_title(title, 26), "Channels — Esc closes");
        assert_eq!(fit_title(title, 14), "Channels — Esc");
        assert_eq!(fit_title(title, 13), "Channels");
        let title = "Mentions and answers — Enter opens the message, Esc closes";
        assert_eq!(fit_title(title, 44), "Mentions and… — Enter opens the message, Esc");
        assert_eq!(fit_title(title, 34), "Mentions and answers — Esc closes");
    }
}
