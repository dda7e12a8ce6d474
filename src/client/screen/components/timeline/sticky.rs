//! Header over the first row of the messages: the sender of a group whose start is above the screen, and the day
//! while the user scrolls.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::columns::Columns;
use super::groups::continues_group;
use super::lines::MessageLine;
use super::names::head_runs;
use super::rows::entry_height;
use super::separators::{separator_rows, short_day_name, starts_day};
use crate::client::screen::components::Surface;
use crate::client::screen::text::wrap::{row_width, truncate_to_width, visual_text, width};
use crate::client::screen::view::draw_runs;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::{Scroll, Selection};
use crate::wire::Nick;

/// Sender and day of the first row that the rows on the screen do not show.
#[derive(Debug, Default, PartialEq, Eq)]
struct StickyHeader {
    sender: Option<Nick>,
    day: Option<String>,
}

/// Draws the sender into the column of the nicks, and the day on the right. Where the nicks have no column, both stand
/// on the right.
pub fn draw_sticky(
    workspace: &Workspace,
    lines: &[MessageLine],
    columns: Columns,
    area: Rect,
    surface: &mut Surface<'_>,
) {
    let StickyHeader { sender, day } = find_sticky_header(workspace, lines, columns);
    let theme = workspace.display.theme;
    let mut right: Vec<String> = Vec::new();
    if let Some(sender) = sender {
        if columns.name > 0 {
            let head = head_runs(workspace, &sender, columns);
            let column = columns.time + columns.name.saturating_sub(row_width(&head));
            let column = u16::try_from(column).unwrap_or(u16::MAX);
            draw_runs(surface.cells, &mut surface.links, area, column, 0, &head, Style::new());
        } else {
            // The arrow tells it from the end of a message.
            right.push(format!("↑ {}", visual_text(workspace.short_name(&sender))));
        }
    }
    right.extend(day);
    if right.is_empty() {
        return;
    }
    let text = format!(" {} ", truncate_to_width(&right.join(" · "), columns.width.saturating_sub(2)));
    let column = columns.width.saturating_sub(width(&text));
    cut_row(lines, column, area, surface);
    surface.draw_text(area, u16::try_from(column).unwrap_or(0), 0, &text, theme.style(Role::Bar));
}

/// Ends the first row with `…` where what follows on the right would cover the rest of it.
fn cut_row(lines: &[MessageLine], column: usize, area: Rect, surface: &mut Surface<'_>) {
    let Some(row) = lines.first().map(|line| &line.row).filter(|row| row_width(row) > column) else { return };
    let text: String = row.iter().map(|run| run.text.as_str()).collect();
    let shown = width(&truncate_to_width(&text, column));
    for at in shown.saturating_sub(1)..column {
        let x = area.x.saturating_add(u16::try_from(at).unwrap_or(u16::MAX));
        if let Some(cell) = surface.cells.cell_mut((x, area.y)) {
            cell.set_symbol(if at + 1 == shown { "…" } else { " " });
        }
    }
}

fn find_sticky_header(workspace: &Workspace, lines: &[MessageLine], columns: Columns) -> StickyHeader {
    let mut header = StickyHeader::default();
    let (Some(buffer), Some(Selection::Entry(number))) =
        (workspace.current_buffer(), lines.first().and_then(|line| line.selection))
    else {
        return header;
    };
    let Some(entry) = buffer.entry(number).filter(|_| !columns.messages_only) else { return header };
    let visible = lines.iter().filter(|line| line.selection == Some(Selection::Entry(number))).count();
    // The entry at the bottom of the screen may be cut off there.
    let below = match buffer.scroll {
        Scroll::At { number: lowest, rows_below } if lowest == number => rows_below,
        _ => 0,
    };
    let hidden = entry_height(workspace, buffer, number, columns).saturating_sub(visible + below);
    let separators = separator_rows(workspace, buffer, number, columns.width).len();
    if buffer.scroll != Scroll::Bottom && (hidden > 0 || !starts_day(workspace, buffer, number)) {
        header.day = Some(short_day_name(workspace, entry.time));
    }
    if let Some(message) = entry.message()
        && (hidden > separators || hidden == separators && separators == 0 && continues_group(buffer, number))
    {
        header.sender = Some(message.from.clone());
    }
    header
}
