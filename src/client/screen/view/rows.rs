//! Conversion of an entry to rows of the screen.

use ratatui::style::{Modifier, Style};

use super::clock::{clock, zoned};
use super::folds;
use crate::client::model::Kind;
use crate::client::screen::App;
use crate::client::screen::buffer::Buffer;
use crate::client::screen::entry::{Entry, Message, Outgoing, What};
use crate::client::screen::text::urls::links;
use crate::client::screen::text::wrap::{Row, Run, fit, pad, row_width, width, wrap, wrap_message};
use crate::client::screen::view::theme::Role;
use crate::wire::Millis;

/// Time in milliseconds within which consecutive messages of one sender show the nick once.
const GROUP: u64 = 5 * 60_000;

/// Limit of the rows of one message. The rest of it is available by copying.
const MOST_ROWS: usize = 200;

/// Widths of the columns, in cells.
#[derive(Clone, Copy)]
pub struct Columns {
    /// Width of all columns.
    pub all: usize,
    /// Time, with the space behind it.
    time: usize,
    /// Nick; 0 where it precedes the text instead.
    name: usize,
}

impl Columns {
    /// Returns the columns for a width of the messages.
    pub fn of(app: &App, all: u16) -> Self {
        let all = usize::from(all);
        match all {
            _ if app.parts.bare => Self { all, time: 0, name: 0 },
            0..56 => Self { all, time: 6, name: 0 },
            _ => Self { all, time: 6, name: (all / 6).clamp(9, 14) },
        }
    }

    /// Returns the column of the text.
    fn indent(self) -> usize {
        match self.name {
            0 => self.time,
            name => self.time + name + 2,
        }
    }

    fn room(self) -> usize {
        self.all.saturating_sub(self.indent()).max(8)
    }
}

/// Returns the count of rows of an entry; 0 for one that is folded into an earlier one's row.
pub fn height(app: &App, buffer: &Buffer, number: i64, columns: u16) -> usize {
    if folds::is_folded(app, buffer, number) {
        return 0;
    }
    rows(app, buffer, number, Columns::of(app, columns)).len().max(1)
}

/// Converts an entry to rows, with the lines above it for a new day and for new messages.
pub fn rows(app: &App, buffer: &Buffer, number: i64, columns: Columns) -> Vec<Row> {
    let Some(entry) = buffer.entry(number).filter(|_| !folds::is_folded(app, buffer, number)) else {
        return Vec::new();
    };
    let before = buffer.entry(number - 1);
    let mut rows = Vec::new();
    let day = zoned(entry.time, &app.zone).date();
    if before.is_none_or(|before| zoned(before.time, &app.zone).date() != day) && !app.parts.bare {
        let today = zoned(app.now, &app.zone).date();
        let name = match () {
            () if day == today => format!("today, {}", day.strftime("%-d %B")),
            () if day.year() == today.year() => day.strftime("%A, %-d %B").to_string(),
            () => day.strftime("%A, %-d %B %Y").to_string(),
        };
        rows.push(rule(&name, app.theme.style(Role::Dim), app.theme.style(Role::Line), columns.all));
    }
    if let Some(divider) = buffer.divider
        && entry.time > divider
        && before.is_none_or(|before| before.time <= divider)
        && !app.parts.bare
    {
        let style = app.theme.style(Role::Alert);
        rows.push(rule("new", style, style.remove_modifier(Modifier::BOLD), columns.all));
    }
    match &entry.what {
        What::Note(text) => rows.extend(note(app, entry.time, text, "", columns)),
        What::Moved(moved) => {
            let run = folds::begins(app, buffer, number).then(|| folds::run(app, buffer, number)).flatten();
            if let Some(run) = &run {
                let text = folds::sum(buffer, run.clone(), columns.room());
                let sign = if entry.open { "▾" } else { "▸" };
                rows.extend(note(app, entry.time, &text, sign, columns));
            }
            if entry.open || run.is_none() {
                rows.extend(note(app, entry.time, &folds::one(moved), "", columns));
            }
        }
        What::Said(message) => {
            let again = rows.is_empty() && before.is_some_and(|before| goes_on(before, entry, message));
            rows.extend(said(app, buffer, entry, message, again, columns));
        }
    }
    rows
}

/// Returns whether a message continues the group of the one before, and so needs no nick.
fn goes_on(before: &Entry, entry: &Entry, message: &Message) -> bool {
    before.message().is_some_and(|last| {
        last.from == message.from
            && last.kind == message.kind
            && message.kind == Kind::Text
            && entry.time.0.saturating_sub(before.time.0) < GROUP
    })
}

fn said(
    app: &App,
    buffer: &Buffer,
    entry: &Entry,
    message: &Message,
    again: bool,
    columns: Columns,
) -> Vec<Row> {
    let dim = app.theme.style(Role::Dim);
    let name = app.theme.name(message.from.as_str());
    let mut body = Vec::new();
    let mut lead = lead(app, message, again, columns);
    if let Some(id) = &message.reply {
        // On a narrow screen the sender precedes the quoted text.
        let first = if columns.name == 0 && !app.parts.bare { std::mem::take(&mut lead) } else { Vec::new() };
        body.push(excerpt(app, buffer, id, first, columns));
    }
    if let Some(by) = &message.redacted {
        let text = format!("taken back by {by}");
        body.extend(wrap(&[Run::new(text, dim.add_modifier(Modifier::ITALIC))], columns.room()));
    } else {
        let style = match message.kind {
            Kind::Notice => dim,
            _ => app.theme.style(Role::Text),
        };
        let names = lead.len();
        let runs = with_links(app, &message.text, style, lead);
        // In the bare view, which is for copying, alignment would add spaces to the text.
        body.extend(wrap_message(&runs, names, columns.room(), !app.parts.bare));
    }
    if body.len() > MOST_ROWS {
        body.truncate(MOST_ROWS);
        body.push(vec![Run::new("… shortened: Alt-Up, then y, copies all of it", dim)]);
    }
    if !message.reactions.is_empty() {
        body.extend(reactions(app, message, columns.room()));
    }
    let head = match columns.name {
        0 => String::new(),
        _ if again => String::new(),
        _ if message.kind == Kind::Action => "*".to_owned(),
        _ => message.from.to_string(),
    };
    let mark = if message.mention {
        Run::new("▎", app.theme.style(Role::Alert))
    } else {
        Run::new(" ", Style::new())
    };
    framed(body, &clock(entry.time, &app.zone), dim, (&head, name), &mark, columns)
}

/// Returns the runs before the text: the nick where it has no column of its own, or the sender of an action.
fn lead(app: &App, message: &Message, again: bool, columns: Columns) -> Vec<Run> {
    let name = app.theme.name(message.from.as_str());
    let from = message.from.as_str();
    match (columns.name, message.kind) {
        (_, Kind::Action) if columns.name > 0 => vec![Run::new(format!("{from} "), name)],
        (0, _) if app.parts.bare => match message.kind {
            Kind::Action => vec![Run::new(format!("* {from} "), name)],
            _ => vec![Run::new(format!("<{from}> "), name)],
        },
        (0, Kind::Action) => vec![Run::new(format!("* {from} "), name)],
        (0, _) if !again => vec![Run::new(format!("{from}  "), name)],
        _ => Vec::new(),
    }
}

/// Returns the row that quotes the message replied to.
fn excerpt(app: &App, buffer: &Buffer, id: &str, mut row: Row, columns: Columns) -> Row {
    let dim = app.theme.style(Role::Dim);
    row.push(Run::new("↪ ", dim));
    match buffer.find(id) {
        Some((_, message)) => {
            row.push(Run::new(format!("{} ", message.from), app.theme.name(message.from.as_str())));
            let text = if message.redacted.is_some() { "taken back" } else { &message.text };
            let room = columns.room().saturating_sub(row_width(&row));
            row.push(Run::new(fit(&text.replace('\n', " "), room), dim));
        }
        None => row.push(Run::new("an earlier message", dim)),
    }
    row
}

fn reactions(app: &App, message: &Message, room: usize) -> Vec<Row> {
    let dim = app.theme.style(Role::Dim);
    let mut runs = Vec::new();
    for reaction in &message.reactions {
        let style = if reaction.mine { app.theme.style(Role::Accent) } else { dim };
        let count = reaction.from.len();
        let names = if count <= 3 {
            reaction.from.iter().map(crate::wire::Nick::as_str).collect::<Vec<_>>().join(", ")
        } else {
            count.to_string()
        };
        runs.push(Run::new(format!("{} {names}", reaction.emoji), style));
        runs.push(Run::new("  ", dim));
    }
    runs.pop();
    wrap(&runs, room)
}

/// Converts a note to rows, with a sign in the column of the nick.
fn note(app: &App, time: Millis, text: &str, sign: &str, columns: Columns) -> Vec<Row> {
    let dim = app.theme.style(Role::Dim);
    let narrow = columns.name == 0 && !sign.is_empty() && !app.parts.bare;
    let lead = if narrow { format!("{sign} ") } else { String::new() };
    let body = wrap(&[Run::new(lead + text, dim)], columns.room());
    framed(body, &clock(time, &app.zone), dim, (sign, dim), &Run::new(" ", dim), columns)
}

/// Converts an unconfirmed message to rows.
pub fn outgoing(app: &App, buffer: &Buffer, out: &Outgoing, columns: Columns) -> Vec<Row> {
    let dim = app.theme.style(Role::Dim);
    let bad = app.theme.style(Role::Bad);
    let mut body = Vec::new();
    if let Some(id) = &out.reply {
        body.push(excerpt(app, buffer, id, Vec::new(), columns));
    }
    let text = if out.kind == Kind::Action { format!("* {}", out.text) } else { out.text.clone() };
    body.extend(wrap(&[Run::new(text, dim)], columns.room()));
    body.truncate(MOST_ROWS);
    if let Some(why) = &out.failed {
        body.extend(wrap(
            &[Run::new(format!("not sent: {why} (Alt-Up, then s, to send it again)"), bad)],
            columns.room(),
        ));
    }
    let (sign, style) = if out.failed.is_some() { ("  ✗  ", bad) } else { ("  …  ", dim) };
    framed(body, sign, style, ("", dim), &Run::new(" ", dim), columns)
}

/// Adds the time and the nick to the first row, and indents the others.
fn framed(
    body: Vec<Row>,
    time: &str,
    dim: Style,
    name: (&str, Style),
    mark: &Run,
    columns: Columns,
) -> Vec<Row> {
    if columns.time == 0 {
        return body;
    }
    let frame = |(index, mut row): (usize, Row)| {
        let mut whole = Vec::with_capacity(row.len() + 4);
        whole.push(Run::new(pad(if index == 0 { time } else { "" }, columns.time - 1), dim));
        if columns.name == 0 {
            whole.push(mark.clone());
        } else {
            let text = fit(if index == 0 { name.0 } else { "" }, columns.name);
            let room = columns.name - width(&text);
            whole.push(Run::new(" ".repeat(room + 1), Style::new()));
            whole.push(Run::new(text, name.1));
            whole.push(mark.clone());
            whole.push(Run::new(" ", Style::new()));
            // The gap between nick and text is two cells; the mark is one of them.
        }
        whole.append(&mut row);
        whole
    };
    body.into_iter().enumerate().map(frame).collect()
}

/// Splits a text into runs, with a link for each URL, and appends them to `runs`.
fn with_links(app: &App, text: &str, style: Style, mut runs: Vec<Run>) -> Vec<Run> {
    let mut from = 0;
    for range in links(text) {
        if range.start > from {
            runs.push(Run::new(&text[from..range.start], style));
        }
        from = range.end;
        let address = &text[range];
        runs.push(Run {
            text: address.to_owned(),
            style: app.theme.style(Role::Link),
            link: Some(address.into()),
        });
    }
    if from < text.len() {
        runs.push(Run::new(&text[from..], style));
    }
    runs
}

/// Returns a horizontal line with a text in its middle.
pub fn rule(text: &str, style: Style, line: Style, columns: usize) -> Row {
    let text = fit(&format!(" {text} "), columns);
    let left = columns.saturating_sub(width(&text)) / 2;
    let right = columns.saturating_sub(width(&text)) - left;
    vec![Run::new("─".repeat(left), line), Run::new(text, style), Run::new("─".repeat(right), line)]
}
