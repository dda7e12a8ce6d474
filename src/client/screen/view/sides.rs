//! List of conversations on the left, members on the right.

use ratatui::buffer::Buffer as Cells;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::put::text;
use crate::client::model::{Model, Target};
use crate::client::screen::buffer::Buffer;
use crate::client::screen::text::sanitize::tidy_line;
use crate::client::screen::text::wrap::{fit, pad, width};
use crate::client::screen::view::theme::Role;
use crate::client::screen::{App, Spot, State};
use crate::wire::Nick;

/// Row of the list of conversations.
enum Row<'a> {
    Server(usize),
    Place(Spot, &'a Buffer),
    Gap,
}

/// Returns the visible rows of the list, which include the conversation on the screen.
fn rows(app: &App, room: usize) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut here = 0;
    for (at, server) in app.servers.iter().enumerate() {
        if at > 0 {
            rows.push(Row::Gap);
        }
        rows.push(Row::Server(at));
        let mut people = false;
        for (place, buffer) in &server.buffers {
            if matches!(place, Target::Person(_)) && !people {
                people = true;
                if server.buffers.keys().any(|place| matches!(place, Target::Channel(_))) {
                    rows.push(Row::Gap);
                }
            }
            if app.here.as_ref().is_some_and(|(server, spot)| *server == at && spot == place) {
                here = rows.len();
            }
            rows.push(Row::Place((at, place.clone()), buffer));
        }
    }
    let skip = (here + 2).saturating_sub(room).min(rows.len().saturating_sub(room));
    rows.into_iter().skip(skip).take(room).collect()
}

/// Returns the conversation in a row of the list.
pub fn place_at(app: &App, area: Rect, row: u16) -> Option<Spot> {
    match rows(app, usize::from(area.height)).into_iter().nth(usize::from(row))? {
        Row::Place(spot, _) => Some(spot),
        _ => None,
    }
}

/// Draws the list of conversations and its border.
pub fn places(app: &App, area: Rect, cells: &mut Cells) {
    let theme = app.theme;
    let inner = Rect { width: area.width.saturating_sub(1), ..area };
    line(cells, area.x + inner.width, area, theme.style(Role::Line));
    for (index, row) in rows(app, usize::from(area.height)).into_iter().enumerate() {
        let y = u16::try_from(index).unwrap_or(u16::MAX);
        match row {
            Row::Gap => {}
            Row::Server(at) => {
                let server = &app.servers[at];
                let (sign, role) = match server.state {
                    State::Online if server.ready => ("●", Role::Good),
                    State::Ended(_) => ("✗", Role::Bad),
                    _ => ("○", Role::Alert),
                };
                text(cells, inner, 0, y, sign, theme.style(role));
                let room = usize::from(inner.width).saturating_sub(3);
                text(cells, inner, 2, y, &fit(&server.name, room), theme.style(Role::Accent));
            }
            Row::Place(spot, buffer) => place(app, inner, y, &spot, buffer, cells),
        }
    }
}

fn place(app: &App, inner: Rect, y: u16, spot: &Spot, buffer: &Buffer, cells: &mut Cells) {
    let theme = app.theme;
    let here = app.here.as_ref() == Some(spot);
    let (count, role) = match () {
        () if buffer.mentions > 0 && !buffer.muted => (number(buffer.unread), Role::Alert),
        () if buffer.unread > 0 && !buffer.muted => (number(buffer.unread), Role::Unread),
        () if !buffer.draft.is_empty() && !here => ("✎".to_owned(), Role::Text),
        () if buffer.muted || buffer.left => (String::new(), Role::Dim),
        () => (String::new(), Role::Text),
    };
    let sign = match (&spot.1, buffer.online) {
        (Target::Channel(_), _) => " ",
        (Target::Person(_), Some(true)) => "•",
        (Target::Person(_), _) => "◦",
    };
    let mut style = theme.style(role);
    if here {
        style = style.patch(theme.style(Role::Chosen));
    }
    let size = usize::from(inner.width);
    let room = size.saturating_sub(2 + width(&count) + usize::from(!count.is_empty()));
    let name = pad(&fit(&tidy_line(spot.1.as_str(), 64), room), room);
    let gap = if count.is_empty() { "" } else { " " };
    text(cells, inner, 0, y, &pad(&format!("{sign} {name}{gap}{count}"), size), style);
    if sign == "•" {
        let dot = theme.style(Role::Good);
        text(cells, inner, 0, y, sign, if here { dot.patch(theme.style(Role::Chosen)) } else { dot });
    }
}

fn number(count: usize) -> String {
    if count > 999 { "999+".to_owned() } else { count.to_string() }
}

fn line(cells: &mut Cells, x: u16, area: Rect, style: Style) {
    for y in area.y..area.y + area.height {
        cells.set_string(x, y, "│", style);
    }
}

/// Returns the members with the prefix of their highest status, highest first.
fn sorted<'a>(app: &App, models: &'a [&mut Model]) -> Vec<(&'a Nick, char)> {
    let Some((server, Target::Channel(channel))) = &app.here else { return Vec::new() };
    let Some(model) = models.get(*server) else { return Vec::new() };
    let found = model.channels().find(|(name, _)| *name == channel).map(|(_, channel)| &channel.members);
    let mut members: Vec<(&Nick, char)> = found
        .into_iter()
        .flatten()
        .map(|(nick, ranks)| (nick, ranks.chars().next().unwrap_or(' ')))
        .collect();
    let rank = |sign: char| "~&@%+".find(sign).unwrap_or(9);
    members.sort_by_key(|(_, sign)| rank(*sign));
    members
}

/// Returns the member in a row.
pub fn member_at(app: &App, models: &[&mut Model], row: u16) -> Option<Nick> {
    let at = usize::from(row).checked_sub(1)?;
    sorted(app, models).get(at).map(|(nick, _)| (*nick).clone())
}

/// Draws the members and their border.
pub fn members(app: &App, models: &[&mut Model], area: Rect, cells: &mut Cells) {
    let theme = app.theme;
    line(cells, area.x, area, theme.style(Role::Line));
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    let members = sorted(app, models);
    let model = app.here.as_ref().and_then(|(server, _)| models.get(*server));
    text(cells, inner, 0, 0, &format!("{} here", members.len()), theme.style(Role::Dim));
    let room = usize::from(inner.height).saturating_sub(1);
    let cut = members.len() > room;
    for (index, (nick, sign)) in
        members.iter().take(if cut { room.saturating_sub(1) } else { room }).enumerate()
    {
        let y = u16::try_from(index + 1).unwrap_or(u16::MAX);
        let away = model.is_some_and(|model| model.away_words(nick).is_some());
        let style = if away {
            theme.style(Role::Dim)
        } else {
            theme.name(nick.as_str()).remove_modifier(Modifier::BOLD)
        };
        text(cells, inner, 0, y, &sign.to_string(), theme.style(Role::Dim));
        text(cells, inner, 1, y, &fit(nick.as_str(), usize::from(inner.width).saturating_sub(1)), style);
    }
    if cut && room > 0 {
        let more = format!("and {} more", members.len() - room + 1);
        text(cells, inner, 0, inner.height - 1, &more, theme.style(Role::Dim));
    }
}
