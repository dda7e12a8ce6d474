//! List of conversations on the left, members on the right.

use ratatui::buffer::Buffer as Cells;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::draw_text::draw_text;
use crate::client::model::{Conversation, Model};
use crate::client::screen::buffer::Buffer;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{pad_to_width, truncate_to_width, width};
use crate::client::screen::view::theme::Role;
use crate::client::screen::{App, BufferKey, ConnectionState};
use crate::wire::Nick;

/// Row of the list of conversations.
enum ListRow<'a> {
    Server(usize),
    Conversation(BufferKey, &'a Buffer),
    Gap,
}

/// Returns the visible rows of the list, which include the conversation on the screen.
fn list_rows(app: &App, room: usize) -> Vec<ListRow<'_>> {
    let mut rows = Vec::new();
    let mut current_row = 0;
    for (at, server) in app.servers.iter().enumerate() {
        if at > 0 {
            rows.push(ListRow::Gap);
        }
        rows.push(ListRow::Server(at));
        let mut directs_begun = false;
        for (conversation, buffer) in &server.buffers {
            if matches!(conversation, Conversation::Direct(_)) && !directs_begun {
                directs_begun = true;
                if server.buffers.keys().any(|conversation| matches!(conversation, Conversation::Channel(_)))
                {
                    rows.push(ListRow::Gap);
                }
            }
            if app.current.as_ref().is_some_and(|(server, key)| *server == at && key == conversation) {
                current_row = rows.len();
            }
            rows.push(ListRow::Conversation((at, conversation.clone()), buffer));
        }
    }
    let skip = (current_row + 2).saturating_sub(room).min(rows.len().saturating_sub(room));
    rows.into_iter().skip(skip).take(room).collect()
}

/// Returns the conversation in a row of the list.
pub fn conversation_at(app: &App, area: Rect, row: u16) -> Option<BufferKey> {
    match list_rows(app, usize::from(area.height)).into_iter().nth(usize::from(row))? {
        ListRow::Conversation(key, _) => Some(key),
        _ => None,
    }
}

/// Draws the list of conversations and its border.
pub fn draw_conversations(app: &App, area: Rect, cells: &mut Cells) {
    let theme = app.theme;
    let inner = Rect { width: area.width.saturating_sub(1), ..area };
    draw_border(cells, area.x + inner.width, area, theme.style(Role::Line));
    for (index, row) in list_rows(app, usize::from(area.height)).into_iter().enumerate() {
        let y = u16::try_from(index).unwrap_or(u16::MAX);
        match row {
            ListRow::Gap => {}
            ListRow::Server(at) => {
                let server = &app.servers[at];
                let (sign, role) = match server.state {
                    ConnectionState::Online if server.ready => ("●", Role::Success),
                    ConnectionState::Ended(_) => ("✗", Role::Error),
                    _ => ("○", Role::Alert),
                };
                draw_text(cells, inner, 0, y, sign, theme.style(role));
                let room = usize::from(inner.width).saturating_sub(3);
                draw_text(
                    cells,
                    inner,
                    2,
                    y,
                    &truncate_to_width(&server.name, room),
                    theme.style(Role::Accent),
                );
            }
            ListRow::Conversation(key, buffer) => draw_conversation(app, inner, y, &key, buffer, cells),
        }
    }
}

fn draw_conversation(app: &App, inner: Rect, y: u16, key: &BufferKey, buffer: &Buffer, cells: &mut Cells) {
    let theme = app.theme;
    let is_current = app.current.as_ref() == Some(key);
    let (count, role) = match () {
        () if buffer.mentions > 0 && !buffer.muted => (format_count(buffer.unread), Role::Alert),
        () if buffer.unread > 0 && !buffer.muted => (format_count(buffer.unread), Role::Unread),
        () if !buffer.draft.is_empty() && !is_current => ("✎".to_owned(), Role::Text),
        () if buffer.muted || buffer.left => (String::new(), Role::Dim),
        () => (String::new(), Role::Text),
    };
    let sign = match (&key.1, buffer.peer_online) {
        (Conversation::Channel(_), _) => " ",
        (Conversation::Direct(_), Some(true)) => "•",
        (Conversation::Direct(_), _) => "◦",
    };
    let mut style = theme.style(role);
    if is_current {
        style = style.patch(theme.style(Role::Selected));
    }
    let size = usize::from(inner.width);
    let room = size.saturating_sub(2 + width(&count) + usize::from(!count.is_empty()));
    let name = pad_to_width(&truncate_to_width(&sanitize_line(key.1.as_str(), 64), room), room);
    let gap = if count.is_empty() { "" } else { " " };
    draw_text(cells, inner, 0, y, &pad_to_width(&format!("{sign} {name}{gap}{count}"), size), style);
    if sign == "•" {
        let dot = theme.style(Role::Success);
        draw_text(
            cells,
            inner,
            0,
            y,
            sign,
            if is_current { dot.patch(theme.style(Role::Selected)) } else { dot },
        );
    }
}

fn format_count(count: usize) -> String {
    if count > 999 { "999+".to_owned() } else { count.to_string() }
}

fn draw_border(cells: &mut Cells, x: u16, area: Rect, style: Style) {
    for y in area.y..area.y + area.height {
        cells.set_string(x, y, "│", style);
    }
}

/// Returns the members with the prefix of their highest status, highest first.
fn sorted_members<'a>(app: &App, models: &'a [&mut Model]) -> Vec<(&'a Nick, char)> {
    let Some((server, Conversation::Channel(channel))) = &app.current else { return Vec::new() };
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
    sorted_members(app, models).get(at).map(|(nick, _)| (*nick).clone())
}

/// Draws the members and their border.
pub fn draw_members(app: &App, models: &[&mut Model], area: Rect, cells: &mut Cells) {
    let theme = app.theme;
    draw_border(cells, area.x, area, theme.style(Role::Line));
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    let members = sorted_members(app, models);
    let model = app.current.as_ref().and_then(|(server, _)| models.get(*server));
    draw_text(cells, inner, 0, 0, &format!("{} here", members.len()), theme.style(Role::Dim));
    let room = usize::from(inner.height).saturating_sub(1);
    let cut = members.len() > room;
    for (index, (nick, sign)) in
        members.iter().take(if cut { room.saturating_sub(1) } else { room }).enumerate()
    {
        let y = u16::try_from(index + 1).unwrap_or(u16::MAX);
        let away = model.is_some_and(|model| model.away_message(nick).is_some());
        let style = if away {
            theme.style(Role::Dim)
        } else {
            theme.nick_style(nick.as_str()).remove_modifier(Modifier::BOLD)
        };
        draw_text(cells, inner, 0, y, &sign.to_string(), theme.style(Role::Dim));
        draw_text(
            cells,
            inner,
            1,
            y,
            &truncate_to_width(nick.as_str(), usize::from(inner.width).saturating_sub(1)),
            style,
        );
    }
    if cut && room > 0 {
        let more = format!("and {} more", members.len() - room + 1);
        draw_text(cells, inner, 0, inner.height - 1, &more, theme.style(Role::Dim));
    }
}
