//! Folding and unfolding of runs of joins and leaves.

use std::ops::Range;

use super::Timeline;
use super::columns::Columns;
use super::lines::message_lines;
use super::membership_runs::{find_run, is_folded};
use super::rows::entry_height;
use crate::client::screen::components::Context;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::{Scroll, Selection};

/// Returns the selected run of joins and leaves.
pub fn selected_run(workspace: &Workspace) -> Option<Range<i64>> {
    let Some(Selection::Entry(number)) = workspace.selection() else { return None };
    find_run(workspace, workspace.current_buffer()?, number)
}

/// Returns the count of rows from the first row of an entry to the bottom of the messages; `None` where that row is not
/// visible.
fn rows_to_bottom(workspace: &Workspace, number: i64, rows: u16, columns: Columns) -> Option<usize> {
    let lines = message_lines(workspace, rows, columns);
    let at = lines.iter().position(|line| line.selection == Some(Selection::Entry(number)))?;
    // The first visible row of the entry may be a later one.
    let all = entry_height(workspace, workspace.current_buffer()?, number, columns);
    let visible_rows = lines.iter().filter(|line| line.selection == Some(Selection::Entry(number))).count();
    (at > 0 || visible_rows == all).then_some(lines.len() - at)
}

/// Returns the scroll position that shows `rows` rows from the first row of the entry `from` on.
pub fn scroll_showing(workspace: &Workspace, from: i64, rows: usize, columns: Columns) -> Scroll {
    let Some(buffer) = workspace.current_buffer() else { return Scroll::Bottom };
    let end = buffer.numbers().end;
    let mut visible_rows = 0;
    for number in from..end {
        visible_rows += entry_height(workspace, buffer, number, columns);
        if visible_rows >= rows {
            let last = (number + 1..end).all(|number| is_folded(workspace, buffer, number));
            return if last && visible_rows == rows && buffer.loading.has_latest() {
                Scroll::Bottom
            } else {
                Scroll::At { number, rows_below: visible_rows - rows }
            };
        }
    }
    Scroll::Bottom
}

impl Timeline {
    /// Unfolds the selected run, or folds it.
    pub fn fold_selected(&self, context: &mut Context<'_, '_>) {
        if let Some(run) = selected_run(context.workspace) {
            self.toggle_run(run.start, context);
        }
    }

    /// Unfolds a run of joins and leaves, or folds it. Its first row stays in place on the screen if possible.
    pub fn toggle_run(&self, number: i64, context: &mut Context<'_, '_>) {
        let workspace = &*context.workspace;
        let Some(run) = workspace.current_buffer().and_then(|buffer| find_run(workspace, buffer, number))
        else {
            return;
        };
        let area = context.layout().timeline;
        let columns = self.columns(area.width);
        let rows = rows_to_bottom(workspace, run.start, area.height, columns);
        if let Some(buffer) = context.workspace.current_buffer_mut() {
            let open = buffer.entry(run.start).is_some_and(|entry| entry.unfolded);
            buffer.set_unfolded(run.clone(), !open);
            if let Some(Selection::Entry(selected)) = &mut buffer.selection
                && run.contains(selected)
            {
                *selected = run.start;
            }
        }
        let workspace = &*context.workspace;
        let bottom = workspace.current_buffer().is_some_and(|buffer| buffer.scroll == Scroll::Bottom);
        if bottom && rows_to_bottom(workspace, run.start, area.height, columns).is_some() {
            return;
        }
        let rows = rows.unwrap_or(usize::from(area.height));
        let scroll = scroll_showing(workspace, run.start, rows, columns);
        if let Some(buffer) = context.workspace.current_buffer_mut() {
            buffer.scroll = scroll;
        }
    }
}
