//! Scrolling by rows.

use super::Timeline;
use super::columns::Columns;
use super::fold_actions::scroll_showing;
use super::membership_runs::is_folded;
use super::rows::entry_height;
use crate::client::screen::components::Context;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::{Buffer, Scroll};

impl Timeline {
    /// Scrolls by rows, up if positive.
    pub fn scroll_rows(&self, rows: isize, context: &mut Context<'_, '_>) {
        let area = context.layout().timeline;
        let columns = self.columns(area.width);
        let workspace = &*context.workspace;
        let Some(buffer) = workspace.current_buffer() else { return };
        let range = buffer.numbers();
        if range.is_empty() {
            return;
        }
        let height = |number: i64| entry_height(workspace, buffer, number, columns);
        let (mut number, mut below) = match buffer.scroll {
            Scroll::Bottom => (range.end - 1, 0),
            Scroll::At { number, rows_below: below } => (number.clamp(range.start, range.end - 1), below),
        };
        if rows > 0 {
            below += rows.unsigned_abs();
            loop {
                let height = height(number);
                if below < height {
                    break;
                }
                if number == range.start {
                    below = height.saturating_sub(1);
                    break;
                }
                below -= height;
                number -= 1;
            }
        } else {
            let mut down = rows.unsigned_abs();
            while down > below {
                down -= below + 1;
                // An entry that is folded into another one's row has no row.
                let next = (number + 1..range.end).find(|&number| !is_folded(workspace, buffer, number));
                number = next.unwrap_or(range.end);
                if next.is_none() {
                    break;
                }
                below = height(number) - 1;
            }
            below = below.saturating_sub(down);
        }
        // The first page is the limit of scrolling up.
        let page = first_page_rows(workspace, area.height);
        let live = buffer.loading.has_latest();
        let is_last =
            |number: i64| (number + 1..range.end).all(|number| is_folded(workspace, buffer, number));
        let scroll = if number >= range.end || below == 0 && is_last(number) && (live || rows < 0) {
            Scroll::Bottom
        } else if rows > 0 && !fills_rows(workspace, buffer, number, page + below, columns) {
            scroll_to_first_page(workspace, page, columns)
        } else {
            Scroll::At { number, rows_below: below }
        };
        if let Some(buffer) = context.workspace.current_buffer_mut() {
            buffer.scroll = scroll;
        }
    }

    /// Scrolls to the oldest loaded entry.
    pub fn scroll_to_oldest(&self, context: &mut Context<'_, '_>) {
        let area = context.layout().timeline;
        let page = first_page_rows(context.workspace, area.height);
        let scroll = scroll_to_first_page(context.workspace, page, self.columns(area.width));
        if let Some(buffer) = context.workspace.current_buffer_mut() {
            buffer.scroll = scroll;
        }
    }
}

/// Returns whether the loaded entries up to a number fill as many rows.
fn fills_rows(workspace: &Workspace, buffer: &Buffer, number: i64, rows: usize, columns: Columns) -> bool {
    let shown = || (buffer.numbers().start..=number).rev().filter(|&n| !is_folded(workspace, buffer, n));
    // Each of them has a row at least, so only near the first entry the rows must be counted.
    let mut filled = 0;
    shown().take(rows).count() == rows
        || shown().any(|number| {
            filled += entry_height(workspace, buffer, number, columns);
            filled >= rows
        })
}

/// Returns the rows of the first page, which are one less when the row "beginning of …" precedes it.
fn first_page_rows(workspace: &Workspace, rows: u16) -> usize {
    let whole = workspace.current_buffer().is_some_and(|buffer| buffer.loading.at_beginning());
    usize::from(rows).saturating_sub(usize::from(whole)).max(1)
}

/// Returns the scroll position with the first loaded entry at the top.
fn scroll_to_first_page(workspace: &Workspace, page: usize, columns: Columns) -> Scroll {
    let from = workspace.current_buffer().map_or(0, |buffer| buffer.numbers().start);
    scroll_showing(workspace, from, page, columns)
}
