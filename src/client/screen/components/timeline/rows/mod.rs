//! Conversion of an entry to rows of the screen.

mod body;
pub mod previews;

use std::borrow::Cow;

use ratatui::style::{Modifier, Style};

use self::body::text_rows;
use self::previews::picture_rows;
use super::columns::Columns;
use super::groups::continues_group;
use super::membership_runs;
use super::names::{head_runs, lead_runs};
use super::separators::separator_rows;
use crate::client::keys::Action;
use crate::client::model::MessageKind;
use crate::client::screen::text::markup::strip_marks;
use crate::client::screen::text::wrap::{
    Row, Run, pad_to_width, row_width, truncate_to_width, visual_text, wrap,
};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::{Buffer, Selection};
use crate::client::screen::workspace::entry::{Entry, EntryContent, Message, OutgoingMessage};
use crate::wire::Timestamp;

/// Limit of the rows of one message. The rest of it is available by copying.
const MAX_MESSAGE_ROWS: usize = 200;

/// Returns the count of rows of an entry; 0 for one that is folded into an earlier one's row.
pub fn entry_height(workspace: &Workspace, buffer: &Buffer, number: i64, columns: Columns) -> usize {
    if membership_runs::is_folded(workspace, buffer, number) {
        return 0;
    }
    entry_rows(workspace, buffer, number, columns).len().max(1)
}

/// Converts an entry to rows, with the lines above it for a new day and for new messages.
pub fn entry_rows(workspace: &Workspace, buffer: &Buffer, number: i64, columns: Columns) -> Vec<Row> {
    let Some(entry) = buffer.entry(number).filter(|_| !membership_runs::is_folded(workspace, buffer, number))
    else {
        return Vec::new();
    };
    // The bare view is for copying.
    let mut rows = if columns.messages_only {
        Vec::new()
    } else {
        separator_rows(workspace, buffer, number, columns.width)
    };
    match &entry.content {
        EntryContent::Note(text) => rows.extend(note_rows(workspace, entry.time, text, "", columns)),
        EntryContent::Membership(moved) => {
            let run = membership_runs::starts_run(workspace, buffer, number)
                .then(|| membership_runs::find_run(workspace, buffer, number))
                .flatten();
            if let Some(run) = &run {
                let text = membership_runs::summarize_run(buffer, run.clone(), columns.text_width());
                let sign = if entry.unfolded { "▾" } else { "▸" };
                rows.extend(note_rows(workspace, entry.time, &text, sign, columns));
            }
            if entry.unfolded || run.is_none() {
                rows.extend(note_rows(
                    workspace,
                    entry.time,
                    &membership_runs::format_change(moved),
                    "",
                    columns,
                ));
            }
        }
        EntryContent::Message(message) => {
            if entry.hidden {
                if membership_runs::starts_run(workspace, buffer, number)
                    && let Some(run) = membership_runs::find_run(workspace, buffer, number)
                {
                    let sign = if entry.unfolded { "▾" } else { "▸" };
                    let text = membership_runs::summarize_hidden(&run);
                    rows.extend(note_rows(workspace, entry.time, &text, sign, columns));
                }
                if !entry.unfolded {
                    return rows;
                }
            }
            let same_sender = rows.is_empty() && continues_group(buffer, number);
            rows.extend(message_rows(workspace, buffer, entry, message, same_sender, columns));
        }
    }
    rows
}

fn message_rows(
    workspace: &Workspace,
    buffer: &Buffer,
    entry: &Entry,
    message: &Message,
    same_sender: bool,
    columns: Columns,
) -> Vec<Row> {
    let dim = workspace.display.theme.style(Role::Dim);
    let mut body = Vec::new();
    let mut lead = lead_runs(workspace, message, same_sender, columns);
    if let Some(id) = &message.reply_to {
        // On a narrow screen the sender precedes the quoted text.
        let first =
            if columns.name == 0 && !columns.messages_only { std::mem::take(&mut lead) } else { Vec::new() };
        body.push(quote_row(workspace, buffer, id, first, columns));
    }
    if let Some(by) = &message.redacted {
        let text = format!("taken back by {by}");
        body.extend(wrap(vec![Run::new(text, dim.add_modifier(Modifier::ITALIC))], columns.text_width()));
    } else {
        let style = match message.kind {
            MessageKind::Notice => dim,
            _ => workspace.display.theme.style(Role::Text),
        };
        body.extend(text_rows(workspace, (&message.text, &message.markup), style, lead, columns));
    }
    let mut notice_rows = Vec::new();
    if let Some(notice) = held_notice(workspace, entry) {
        let style = workspace.display.theme.style(Role::Accent).add_modifier(Modifier::ITALIC);
        notice_rows.extend(wrap(vec![Run::new(notice, style)], columns.text_width()));
    }
    if body.len() > MAX_MESSAGE_ROWS {
        body.truncate(MAX_MESSAGE_ROWS);
        let copies = match selection_keys(workspace, Action::Copy) {
            Some(keys) => format!(": {keys}, copies all of it"),
            None => String::new(),
        };
        body.push(vec![Run::new(format!("… shortened{copies}"), dim)]);
    }
    if message.redacted.is_none() {
        body.extend(picture_rows(workspace, message, columns));
    }
    body.append(&mut notice_rows);
    if !message.reactions.is_empty() {
        body.extend(reaction_rows(workspace, message, columns.text_width()));
    }
    let head = match columns.name {
        0 => Vec::new(),
        _ if same_sender => Vec::new(),
        _ if message.kind == MessageKind::Action => {
            vec![Run::new("*", workspace.display.theme.nick_style(message.from.as_str()))]
        }
        _ => head_runs(workspace, &message.from, columns),
    };
    let mark = if message.mention {
        Run::new("▎", workspace.display.theme.style(Role::Alert))
    } else {
        Run::new(" ", Style::new())
    };
    add_time_and_name(body, &workspace.format_time(entry.time), dim, head, &mark, columns)
}

/// Returns the row that quotes the message replied to.
fn quote_row(workspace: &Workspace, buffer: &Buffer, id: &str, mut row: Row, columns: Columns) -> Row {
    let dim = workspace.display.theme.style(Role::Dim);
    row.push(Run::new("↪ ", dim));
    match buffer.find_message(id) {
        Some((number, message)) => {
            row.push(Run::new(
                format!("{} ", visual_text(workspace.short_name(&message.from))),
                workspace.display.theme.nick_style(message.from.as_str()),
            ));
            let hidden = buffer.entry(number).is_some_and(|entry| entry.hidden);
            let text = match &message.redacted {
                _ if hidden => Cow::Borrowed("an ignored message"),
                Some(_) => Cow::Borrowed("taken back"),
                None => strip_marks(&message.text, &message.markup),
            };
            let room = columns.text_width().saturating_sub(row_width(&row));
            row.push(Run::new(truncate_to_width(&text.replace('\n', " "), room), dim));
        }
        None => row.push(Run::new("an earlier message", dim)),
    }
    row
}

fn reaction_rows(workspace: &Workspace, message: &Message, room: usize) -> Vec<Row> {
    let dim = workspace.display.theme.style(Role::Dim);
    let mut runs = Vec::new();
    for reaction in &message.reactions {
        let style = if reaction.mine.is_some() { workspace.display.theme.style(Role::Accent) } else { dim };
        let count = reaction.nicks.len();
        let names = if count <= 3 {
            let names = reaction.nicks.iter().map(|nick| workspace.short_name(nick));
            names.collect::<Vec<_>>().join(", ")
        } else {
            count.to_string()
        };
        runs.push(Run::new(format!("{} {names}", reaction.emoji), style));
        runs.push(Run::new("  ", dim));
    }
    runs.pop();
    wrap(runs, room)
}

/// Converts a note to rows, with a sign in the column of the nick.
fn note_rows(workspace: &Workspace, time: Timestamp, text: &str, sign: &str, columns: Columns) -> Vec<Row> {
    let dim = workspace.display.theme.style(Role::Dim);
    let narrow = columns.name == 0 && !sign.is_empty() && !columns.messages_only;
    let lead = if narrow { format!("{sign} ") } else { String::new() };
    let body = wrap(vec![Run::new(lead + text, dim)], columns.text_width());
    add_time_and_name(
        body,
        &workspace.format_time(time),
        dim,
        vec![Run::new(sign, dim)],
        &Run::new(" ", dim),
        columns,
    )
}

/// Converts an unconfirmed message to rows.
pub fn outgoing_rows(
    workspace: &Workspace,
    buffer: &Buffer,
    out: &OutgoingMessage,
    columns: Columns,
) -> Vec<Row> {
    let dim = workspace.display.theme.style(Role::Dim);
    let bad = workspace.display.theme.style(Role::Error);
    let mut body = Vec::new();
    if let Some(id) = &out.reply_to {
        body.push(quote_row(workspace, buffer, id, Vec::new(), columns));
    }
    let lead = if out.kind == MessageKind::Action { vec![Run::new("* ", dim)] } else { Vec::new() };
    body.extend(text_rows(workspace, (&out.shown, &out.markup), dim, lead, columns));
    body.truncate(MAX_MESSAGE_ROWS);
    if out.dropped.is_some() {
        let is_selected = workspace.selection() == Some(Selection::Outgoing(out.ticket));
        let undo = workspace.keys().key_or_command(Action::Undo).filter(|_| is_selected);
        let keeps = format!("will be dropped; {} keeps it", undo.as_deref().unwrap_or("/undo"));
        body.extend(wrap(vec![Run::new(keeps, dim)], columns.text_width()));
    } else if let Some(reason) = &out.failed {
        let again = match selection_keys(workspace, Action::Resend) {
            Some(keys) => format!(" ({keys}, to send it again)"),
            None => String::new(),
        };
        body.extend(wrap(vec![Run::new(format!("not sent: {reason}{again}"), bad)], columns.text_width()));
    }
    let (sign, style) = if out.failed.is_some() { ("  ✗  ", bad) } else { ("  …  ", dim) };
    add_time_and_name(body, sign, style, Vec::new(), &Run::new(" ", dim), columns)
}

/// Returns the text under a message whose redaction is held back.
fn held_notice(workspace: &Workspace, entry: &Entry) -> Option<String> {
    let ((server, conversation), id) = (workspace.current.as_ref()?, entry.id.as_deref()?);
    if !workspace.held.is_held(*server, conversation, id) {
        return None;
    }
    let buffer = workspace.current_buffer()?;
    let is_selected = match workspace.selection() {
        Some(Selection::Entry(number)) => buffer.entry(number).is_some_and(|it| it.id == entry.id),
        _ => false,
    };
    let keys = workspace.keys();
    let keeps = match () {
        () if is_selected => keys.key_or_command(Action::Undo),
        () if workspace.held.is_latest(id) => Some("/undo".to_owned()),
        () => selection_keys(workspace, Action::Undo).map(|keys| keys + ","),
    };
    Some(match keeps {
        Some(keys) => format!("will be taken back; {keys} keeps it"),
        None => "will be taken back".to_owned(),
    })
}

/// Returns the keys that select a message and act on it; `None` if one of the two has none.
fn selection_keys(workspace: &Workspace, action: Action) -> Option<String> {
    let keys = workspace.keys();
    Some(format!("{}, then {}", keys.key_name(Action::SelectAbove)?, keys.key_name(action)?))
}

/// Adds the time and the name to the first row, and indents the others.
fn add_time_and_name(
    body: Vec<Row>,
    time: &str,
    dim: Style,
    mut head: Vec<Run>,
    mark: &Run,
    columns: Columns,
) -> Vec<Row> {
    if columns.time == 0 {
        return body;
    }
    let frame = |(index, mut row): (usize, Row)| {
        let mut whole = Vec::with_capacity(row.len() + 6);
        whole.push(Run::new(pad_to_width(if index == 0 { time } else { "" }, columns.time - 1), dim));
        if columns.name == 0 {
            whole.push(mark.clone());
        } else {
            let head = if index == 0 { std::mem::take(&mut head) } else { Vec::new() };
            let room = columns.name.saturating_sub(row_width(&head));
            whole.push(Run::new(" ".repeat(room + 1), Style::new()));
            whole.extend(head);
            whole.push(mark.clone());
            whole.push(Run::new(" ", Style::new()));
            // The gap between name and text is two cells; the mark is one of them.
        }
        whole.append(&mut row);
        whole
    };
    body.into_iter().enumerate().map(frame).collect()
}
