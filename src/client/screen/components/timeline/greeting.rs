//! Rows of a greeting.

use ratatui::style::Style;

use crate::client::screen::text::wrap::{Row, Run, pad_to_width, width, wrap};
use crate::client::screen::view::theme::{Role, Theme};
use crate::client::screen::workspace::greeting::{Greeting, GreetingLine, GreetingPosition};

/// Margin on both sides, in cells.
const MARGIN: usize = 2;

/// Space that a greeting takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Density {
    /// Empty rows set its parts off.
    Loose,
    /// No row is empty.
    Dense,
    /// No row is empty, and effects follow their keys without a column.
    Flowing,
}

/// Breaks a greeting into rows of a width in cells, as loose as `page` rows allow. Where they don't allow all of it, keys
/// are left out: the last one, which leads to all the others, goes last, and before it those further down.
pub fn rows(greeting: &Greeting, theme: Theme, columns: usize, page: usize) -> Vec<Row> {
    let rows = |density| break_rows(greeting, theme, columns, density);
    let fitting = [Density::Loose, Density::Dense].map(rows).into_iter().find(|rows| rows.len() <= page);
    if let Some(rows) = fitting {
        return rows;
    }
    let mut greeting = greeting.clone();
    loop {
        let rows = break_rows(&greeting, theme, columns, Density::Flowing);
        if rows.len() <= page || !leave_out_key(&mut greeting.lines) {
            return rows;
        }
    }
}

/// Removes the least important key. Returns false where there is none.
fn leave_out_key(lines: &mut Vec<GreetingLine>) -> bool {
    let mut keys = lines.iter().enumerate().filter(|(_, line)| matches!(line, GreetingLine::Key(..)));
    let last = keys.next_back();
    let Some((index, _)) = keys.next_back().or(last) else { return false };
    lines.remove(index);
    true
}

fn break_rows(greeting: &Greeting, theme: Theme, columns: usize, density: Density) -> Vec<Row> {
    let room = columns.saturating_sub(2 * MARGIN).max(8);
    let keys = greeting.lines.iter().filter_map(|line| match line {
        GreetingLine::Key(key, _) => Some(width(key)),
        _ => None,
    });
    // The effect stands beside the key if there is room, else below.
    let column = Some(keys.max().unwrap_or(0) + 2).filter(|column| room >= 2 * column);
    let mut rows: Vec<Row> = Vec::new();
    if greeting.position == GreetingPosition::Bottom {
        rows.push(Vec::new());
    }
    let mut in_keys = false;
    for line in &greeting.lines {
        // An empty row sets the keys off, where there is room for columns.
        let is_key = matches!(line, GreetingLine::Key(..));
        if is_key && !in_keys && column.is_some() {
            rows.push(Vec::new());
        }
        in_keys = is_key;
        match line {
            GreetingLine::Heading(text) => {
                if rows.last().is_some_and(|row| !row.is_empty()) {
                    rows.push(Vec::new());
                }
                rows.extend(wrap(vec![Run::new(text, theme.style(Role::Accent))], room));
            }
            GreetingLine::Text(text) => {
                rows.extend(wrap(vec![Run::new(text, theme.style(Role::Text))], room));
            }
            GreetingLine::Error(text) => {
                rows.extend(wrap(vec![Run::new(text, theme.style(Role::Error))], room));
            }
            GreetingLine::Key(key, effect) => {
                let flows = match density {
                    Density::Loose => false,
                    Density::Dense => column.is_none(),
                    Density::Flowing => true,
                };
                rows.extend(if flows {
                    flowing_key_rows(key, effect, room, theme)
                } else {
                    key_rows(key, effect, column, room, theme)
                });
            }
        }
    }
    rows.push(Vec::new());
    if density != Density::Loose {
        rows.retain(|row| !row.is_empty());
    }
    for row in rows.iter_mut().filter(|row| !row.is_empty()) {
        row.insert(0, Run::new(" ".repeat(MARGIN), Style::new()));
    }
    rows
}

fn key_rows(key: &str, effect: &str, column: Option<usize>, room: usize, theme: Theme) -> Vec<Row> {
    let (key_style, dim) = (theme.style(Role::Unread), theme.style(Role::Dim));
    let indent = column.unwrap_or(MARGIN);
    let effect = wrap(vec![Run::new(effect, dim)], room.saturating_sub(indent));
    let mut rows = Vec::new();
    if column.is_none() {
        rows.push(vec![Run::new(key, key_style)]);
    }
    for (index, mut row) in effect.into_iter().enumerate() {
        let head = if index == 0 && column.is_some() {
            Run::new(pad_to_width(key, indent), key_style)
        } else {
            Run::new(" ".repeat(indent), Style::new())
        };
        row.insert(0, head);
        rows.push(row);
    }
    rows
}

/// Returns rows in which the effect follows its key, and goes on below it.
fn flowing_key_rows(key: &str, effect: &str, room: usize, theme: Theme) -> Vec<Row> {
    let runs = || {
        let key = Run::new(format!("{key}  "), theme.style(Role::Unread));
        vec![key, Run::new(effect, theme.style(Role::Dim))]
    };
    let mut rows = wrap(runs(), room);
    if rows.len() > 1 {
        rows = wrap(runs(), room.saturating_sub(MARGIN));
    }
    for row in rows.iter_mut().skip(1) {
        row.insert(0, Run::new(" ".repeat(MARGIN), Style::new()));
    }
    rows
}
