//! Selection of messages and of runs of joins and leaves.

use super::Timeline;
use super::fold_actions::selected_run;
use super::membership_runs::{changes, find_run, format_change, starts_run};
use super::rows::entry_height;
use crate::client::screen::components::Context;
use crate::client::screen::workspace::buffer::{Scroll, Selection};
use crate::client::screen::workspace::{ScreenEffect, Workspace};

impl Timeline {
    /// Moves the selection to the message or run of joins and leaves above or below.
    pub fn move_selection(&self, above: bool, context: &mut Context<'_, '_>) {
        let workspace = &*context.workspace;
        let Some(buffer) = workspace.current_buffer() else { return };
        let selection = buffer.selection;
        let says = |number: &i64| {
            buffer
                .entry(*number)
                .is_some_and(|entry| entry.message().is_some() && (!entry.hidden || entry.unfolded))
                || starts_run(workspace, buffer, *number)
        };
        let range = buffer.numbers();
        let waiting = &buffer.outgoing;
        let last = || {
            let bottom = match buffer.scroll {
                Scroll::Bottom => range.end - 1,
                Scroll::At { number, .. } => number,
            };
            (range.start..=bottom).rev().find(says).map(Selection::Entry)
        };
        let at = |ticket| waiting.iter().position(|out| out.ticket == ticket);
        let next = match (selection, above) {
            (None, true) => match waiting.last() {
                Some(out) if buffer.scroll == Scroll::Bottom => Some(Selection::Outgoing(out.ticket)),
                _ => last(),
            },
            (None, false) => None,
            (Some(Selection::Outgoing(ticket)), true) => {
                match at(ticket).and_then(|at| waiting.get(at.checked_sub(1)?)) {
                    Some(out) => Some(Selection::Outgoing(out.ticket)),
                    None => last().or(selection),
                }
            }
            (Some(Selection::Outgoing(ticket)), false) => {
                at(ticket).and_then(|at| waiting.get(at + 1)).map(|out| Selection::Outgoing(out.ticket))
            }
            (Some(Selection::Entry(number)), true) => {
                (range.start..number).rev().find(says).map(Selection::Entry).or(selection)
            }
            (Some(Selection::Entry(number)), false) => {
                let next = (number + 1..range.end).find(says).map(Selection::Entry);
                next.or_else(|| waiting.first().map(|out| Selection::Outgoing(out.ticket)))
            }
        };
        context.workspace.select(next);
        if let Some(Selection::Entry(number)) = next {
            self.scroll_into_view(number, context);
        }
    }

    /// Scrolls until an entry is visible.
    fn scroll_into_view(&self, number: i64, context: &mut Context<'_, '_>) {
        let area = context.layout().timeline;
        let columns = self.columns(area.width);
        let page = usize::from(area.height);
        let workspace = &*context.workspace;
        let Some(buffer) = workspace.current_buffer() else { return };
        let (lowest, below) = match buffer.scroll {
            Scroll::Bottom => (buffer.numbers().end - 1, 0),
            Scroll::At { number, rows_below: below } => (number, below),
        };
        if number > lowest || number == lowest && below > 0 {
            let end = number == buffer.numbers().end - 1;
            if let Some(buffer) = context.workspace.current_buffer_mut() {
                buffer.scroll = if end { Scroll::Bottom } else { Scroll::At { number, rows_below: 0 } };
            }
            return;
        }
        let rows: usize =
            (number..=lowest).map(|n| entry_height(workspace, buffer, n, columns)).take(page + 1).sum();
        if rows > page + below {
            let up = isize::try_from(rows - page - below).unwrap_or(0);
            self.scroll_rows(up, context);
        }
    }
}

/// Copies the selected message or run, or the last message of another account where nothing is selected.
pub fn copy(workspace: &mut Workspace) {
    let text = match workspace.selection() {
        Some(Selection::Outgoing(ticket)) => workspace
            .current_buffer()
            .and_then(|buffer| buffer.outgoing.iter().find(|out| out.ticket == ticket))
            .map(|out| out.text.clone()),
        Some(Selection::Entry(number)) if selected_run(workspace).is_some() => run_text(workspace, number),
        _ => workspace.selected_or_last_message().map(|(_, _, message)| message.text.to_string()),
    };
    if let Some(text) = text {
        workspace.effects.push(ScreenEffect::Copy(text));
        workspace.show_hint("copied");
    }
    workspace.deselect();
}

/// Formats a run of joins and leaves as text, one line for each entry.
fn run_text(workspace: &Workspace, number: i64) -> Option<String> {
    let buffer = workspace.current_buffer()?;
    let run = find_run(workspace, buffer, number)?;
    Some(changes(buffer, run).map(format_change).collect::<Vec<_>>().join("\n"))
}
