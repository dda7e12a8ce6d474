//! Messages of a conversation, laid out from the bottom up.

use ratatui::buffer::Buffer as Cells;
use ratatui::style::Style;

use super::layout::Layout;
use super::put::{Links, put};
use super::rows::{Columns, outgoing, rows};
use crate::client::screen::buffer::{Buffer, Scroll, Want};
use crate::client::screen::text::sanitize::tidy_line;
use crate::client::screen::text::wrap::{Row, Run, wrap};
use crate::client::screen::view::theme::Role;
use crate::client::screen::{App, Chosen};

/// Row of the messages.
pub struct Line {
    /// Content of the row.
    pub row: Row,
    /// Entry or message that the row belongs to.
    pub of: Option<Chosen>,
}

/// Returns exactly as many rows as the area has.
pub fn lines(app: &App, layout: &Layout) -> Vec<Line> {
    let area = layout.talk;
    let page = usize::from(area.height);
    let columns = Columns::of(app, area.width);
    let Some(buffer) = app.buffer() else { return padded(welcome(app, columns), page) };
    // In reverse order, from the last row to the first.
    let mut found: Vec<Line> = Vec::with_capacity(page + 16);
    let range = buffer.numbers();
    let (last, below) = match buffer.scroll {
        Scroll::Bottom => {
            for out in buffer.outbox.iter().rev() {
                let of = Some(Chosen::Outgoing(out.ticket));
                found.extend(
                    outgoing(app, buffer, out, columns).into_iter().rev().map(|row| Line { row, of }),
                );
                if found.len() > page {
                    break;
                }
            }
            (range.end - 1, 0)
        }
        Scroll::At { number, below } => (number.clamp(range.start, (range.end - 1).max(range.start)), below),
    };
    let mut skip = below;
    let mut number = last;
    while found.len() < page && number >= range.start {
        let of = Some(Chosen::Entry(number));
        for row in rows(app, buffer, number, columns).into_iter().rev() {
            if skip > 0 {
                skip -= 1;
            } else {
                found.push(Line { row, of });
            }
        }
        number -= 1;
    }
    if found.len() < page
        && let Some(text) = start(app, buffer)
    {
        let row = wrap(&[Run::new(text, app.theme.style(Role::Dim))], columns.all);
        found.extend(row.into_iter().rev().map(|row| Line { row, of: None }));
    }
    found.truncate(page);
    found.reverse();
    padded(found, page)
}

fn padded(mut lines: Vec<Line>, page: usize) -> Vec<Line> {
    lines.truncate(page);
    let missing = page - lines.len();
    let mut all: Vec<Line> =
        std::iter::repeat_with(|| Line { row: Vec::new(), of: None }).take(missing).collect();
    all.append(&mut lines);
    all
}

/// Returns the text above the first loaded entry.
fn start(app: &App, buffer: &Buffer) -> Option<String> {
    let place = tidy_line(buffer.place.as_str(), 64);
    if let Some((_, Want::Older | Want::Latest | Want::Around(_))) = &buffer.asked {
        return Some("  loading earlier messages …".to_owned());
    }
    if !buffer.known {
        let online =
            app.here.as_ref().and_then(|(at, _)| app.servers.get(*at)).is_some_and(|server| server.ready);
        return (!online).then(|| "  earlier messages load once connected".to_owned());
    }
    buffer.whole.then(|| match buffer.newest() {
        None => format!("  no messages in {place} yet"),
        Some(_) => format!("  beginning of {place}"),
    })
}

fn welcome(app: &App, columns: Columns) -> Vec<Line> {
    let text = "Welcome. You have joined no channel yet.\n\n/join #lobby   joins a channel, or creates it\n/msg NAME TEXT   \
                sends a direct message\nCtrl-K   quick switcher\n?   shows all keys and commands";
    let rows = wrap(&[Run::new(text, app.theme.style(Role::Dim))], columns.all.saturating_sub(4));
    let margin = |mut row: Row| {
        row.insert(0, Run::new("  ", Style::new()));
        Line { row, of: None }
    };
    rows.into_iter().map(margin).chain([Line { row: Vec::new(), of: None }]).collect()
}

/// Draws the messages.
pub fn draw(app: &App, layout: &Layout, cells: &mut Cells, links: &mut Links) {
    let chosen = app.theme.style(Role::Chosen);
    for (index, line) in lines(app, layout).into_iter().enumerate() {
        let row = u16::try_from(index).unwrap_or(u16::MAX);
        let patch = if app.chosen.is_some() && line.of == app.chosen { chosen } else { Style::new() };
        put(cells, links, layout.talk, 0, row, &line.row, patch);
        if patch != Style::new() {
            let area = layout.talk;
            cells.set_style(ratatui::layout::Rect::new(area.x, area.y + row, area.width, 1), patch);
        }
    }
}
