//! Lines between entries: the day, and the line before the first unread message.

use ratatui::style::{Modifier, Style};

use crate::client::model::MessageKind;
use crate::client::screen::text::wrap::{Row, Run, truncate_to_width, width};
use crate::client::screen::view::clock::{is_same_day, to_zoned};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::entry::Entry;
use crate::client::text::services::is_service_name;
use crate::wire::Timestamp;

/// Returns the lines above an entry, each with a text in its middle.
pub fn separator_rows(workspace: &Workspace, buffer: &Buffer, number: i64, columns: usize) -> Vec<Row> {
    let theme = workspace.display.theme;
    let mut rows = Vec::new();
    if starts_day(workspace, buffer, number)
        && let Some(entry) = buffer.entry(number)
    {
        let day = day_name(workspace, entry.time);
        rows.push(rule_row(&day, theme.style(Role::Dim), theme.style(Role::Line), columns));
    }
    if is_first_unread(buffer, number) {
        let style = theme.style(Role::Alert);
        rows.push(rule_row("new", style, style.remove_modifier(Modifier::BOLD), columns));
    }
    rows
}

/// Returns whether the entry before is of another day, or not loaded.
pub fn starts_day(workspace: &Workspace, buffer: &Buffer, number: i64) -> bool {
    let time = |number| buffer.entry(number).map(|entry| entry.time);
    match (time(number - 1), time(number)) {
        (Some(before), Some(time)) => !is_same_day(before, time, &workspace.display.zone),
        (before, time) => before.is_none() && time.is_some(),
    }
}

/// Returns the name of the day of a time stamp.
fn day_name(workspace: &Workspace, time: Timestamp) -> String {
    let day = to_zoned(time, &workspace.display.zone).date();
    let today = to_zoned(workspace.now, &workspace.display.zone).date();
    match () {
        () if day == today => format!("today, {}", day.strftime("%-d %B")),
        () if day.year() == today.year() => day.strftime("%A, %-d %B").to_string(),
        () => day.strftime("%A, %-d %B %Y").to_string(),
    }
}

/// Returns the short name of the day of a time stamp.
pub fn short_day_name(workspace: &Workspace, time: Timestamp) -> String {
    let day = to_zoned(time, &workspace.display.zone).date();
    let today = to_zoned(workspace.now, &workspace.display.zone).date();
    match () {
        () if day == today => "today".to_owned(),
        () if day.year() == today.year() => day.strftime("%a, %-d %b").to_string(),
        () => day.strftime("%-d %b %Y").to_string(),
    }
}

/// Returns whether the entry is the first unread message of a person since the conversation was last on the screen.
fn is_first_unread(buffer: &Buffer, number: i64) -> bool {
    let Some(divider) = buffer.divider else { return false };
    let is_unread = |entry: &Entry| entry.time > divider && is_from_person(entry);
    buffer.entry(number).is_some_and(is_unread)
        && (buffer.numbers().start..number)
            .rev()
            .map_while(|number| buffer.entry(number))
            .take_while(|entry| entry.time > divider)
            .all(|entry| !is_unread(entry))
}

/// Returns whether another person sent the entry: no join, no note, no own message, nothing of a service.
fn is_from_person(entry: &Entry) -> bool {
    entry.counts_as_unread()
        && entry.message().is_some_and(|message| {
            message.kind != MessageKind::Notice || !is_service_name(message.from.as_str())
        })
}

/// Returns a horizontal line with a text in its middle.
fn rule_row(text: &str, style: Style, line: Style, columns: usize) -> Row {
    let text = truncate_to_width(&format!(" {text} "), columns);
    let left = columns.saturating_sub(width(&text)) / 2;
    let right = columns.saturating_sub(width(&text)) - left;
    vec![Run::new("─".repeat(left), line), Run::new(text, style), Run::new("─".repeat(right), line)]
}
