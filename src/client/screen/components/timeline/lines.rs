//! Messages of a conversation, laid out from the bottom up.

use super::columns::Columns;
use super::greeting;
use super::rows::{entry_rows, outgoing_rows};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{Row, Run, wrap};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::Selection;
use crate::client::screen::workspace::buffer::loading::PageRequest;
use crate::client::screen::workspace::buffer::{Buffer, Scroll};
use crate::client::screen::workspace::greeting::GreetingPosition;

/// Row of the messages.
pub struct MessageLine {
    /// Content of the row.
    pub row: Row,
    /// Entry or message that the row belongs to.
    pub selection: Option<Selection>,
}

/// Returns exactly as many rows as the `height` of the area.
pub fn message_lines(workspace: &Workspace, height: u16, columns: Columns) -> Vec<MessageLine> {
    let page = usize::from(height);
    let Some(buffer) = workspace.current_buffer() else {
        return pad_lines(greeting_lines(workspace, GreetingPosition::Top, columns, page), page);
    };
    // In reverse order, from the last row to the first.
    let mut found: Vec<MessageLine> = Vec::with_capacity(page + 16);
    let range = buffer.numbers();
    let (last, below) = match buffer.scroll {
        Scroll::Bottom => {
            // Some messages stay visible.
            let greeting = greeting_lines(workspace, GreetingPosition::Bottom, columns, page * 2 / 3);
            if greeting.len() < page {
                found.extend(greeting.into_iter().rev());
            }
            for out in buffer.outgoing.iter().rev() {
                let of = Some(Selection::Outgoing(out.ticket));
                found.extend(
                    outgoing_rows(workspace, buffer, out, columns)
                        .into_iter()
                        .rev()
                        .map(|row| MessageLine { row, selection: of }),
                );
                if found.len() > page {
                    break;
                }
            }
            (range.end - 1, 0)
        }
        Scroll::At { number, rows_below: below } => {
            (number.clamp(range.start, (range.end - 1).max(range.start)), below)
        }
    };
    let mut skip = below;
    let mut number = last;
    while found.len() < page && number >= range.start {
        if buffer.entry(number).is_some_and(|entry| buffer.is_cleared(entry)) {
            found.truncate(page);
            found.reverse();
            return pad_lines(found, page);
        }
        let of = Some(Selection::Entry(number));
        for row in entry_rows(workspace, buffer, number, columns).into_iter().rev() {
            if skip > 0 {
                skip -= 1;
            } else {
                found.push(MessageLine { row, selection: of });
            }
        }
        number -= 1;
    }
    let mut greeting = greeting_lines(workspace, GreetingPosition::Top, columns, page);
    // Of a greeting that is too long the beginning is shown.
    greeting.truncate(page.saturating_sub(found.len()));
    if found.len() < page && !greeting.is_empty() {
        found.extend(greeting.into_iter().rev());
    } else if found.len() < page
        && let Some(text) = history_start_text(workspace, buffer)
    {
        let row = wrap(vec![Run::new(text, workspace.display.theme.style(Role::Dim))], columns.width);
        found.extend(row.into_iter().rev().map(|row| MessageLine { row, selection: None }));
    }
    found.truncate(page);
    found.reverse();
    pad_lines(found, page)
}

fn pad_lines(mut lines: Vec<MessageLine>, page: usize) -> Vec<MessageLine> {
    lines.truncate(page);
    let missing = page - lines.len();
    let mut all: Vec<MessageLine> =
        std::iter::repeat_with(|| MessageLine { row: Vec::new(), selection: None }).take(missing).collect();
    all.append(&mut lines);
    all
}

/// Returns the text above the first loaded entry.
fn history_start_text(workspace: &Workspace, buffer: &Buffer) -> Option<String> {
    let conversation = sanitize_line(buffer.conversation.as_str(), 64);
    if let Some(PageRequest::Older | PageRequest::Latest | PageRequest::Around(_)) =
        buffer.loading.in_flight()
    {
        return Some("  loading earlier messages …".to_owned());
    }
    if buffer.loading.is_unloaded() {
        let online = workspace
            .current
            .as_ref()
            .and_then(|(at, _)| workspace.servers.get(*at))
            .is_some_and(|server| server.ready);
        return (!online).then(|| "  earlier messages load once connected".to_owned());
    }
    buffer.loading.at_beginning().then(|| format!("  beginning of {conversation}"))
}

/// Returns the rows of the greeting, if it has this position: fewer of them where not all fit into `page`.
fn greeting_lines(
    workspace: &Workspace,
    position: GreetingPosition,
    columns: Columns,
    page: usize,
) -> Vec<MessageLine> {
    let greeting = workspace.greeting.as_ref().filter(|greeting| greeting.position == position);
    let rows =
        greeting.map(|greeting| greeting::rows(greeting, workspace.display.theme, columns.width, page));
    rows.unwrap_or_default().into_iter().map(|row| MessageLine { row, selection: None }).collect()
}
