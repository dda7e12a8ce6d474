//! Topic bar, status bar, hint row and composer.

use std::borrow::Cow;

use ratatui::buffer::Buffer as Cells;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use super::draw_text::{clear_area, draw_text};
use crate::client::message_secrets::is_service_name;
use crate::client::model::{Conversation, Model};
use crate::client::screen::buffer::Scroll;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{truncate_to_width, width};
use crate::client::screen::view::theme::Role;
use crate::client::screen::{App, ConnectionState, Selection};

/// Draws the topic bar: conversation, topic or presence, count of members.
pub fn draw_topic(app: &App, models: &[&mut Model], area: Rect, cells: &mut Cells) {
    let bar = app.theme.style(Role::Bar);
    clear_area(cells, area, bar);
    let Some((server, conversation)) = &app.current else {
        draw_text(cells, area, 1, 0, "parlour", bar);
        return;
    };
    let several = app.servers.len() > 1;
    let name = sanitize_line(conversation.as_str(), 64);
    let mut end = draw_text(cells, area, 1, 0, &name, bar.patch(app.theme.style(Role::Unread)));
    if several {
        let name = app.servers.get(*server).map_or("", |server| server.name.as_str());
        end = draw_text(cells, area, end, 0, &format!(" on {name}"), bar);
    }
    let model = models.get(*server);
    let mut right = Vec::new();
    let mut about = String::new();
    match conversation {
        Conversation::Channel(channel) => {
            if let Some((_, channel)) =
                model.and_then(|model| model.channels().find(|(name, _)| *name == channel))
            {
                about = sanitize_line(&channel.topic, 1000);
                if !channel.members.is_empty() {
                    right.push(format!("{} here", channel.members.len()));
                }
            }
        }
        Conversation::Direct(nick) => {
            if let Some(away_message) = model.and_then(|model| model.away_message(nick)) {
                about = if away_message.is_empty() {
                    "away".to_owned()
                } else {
                    format!("away: {}", sanitize_line(away_message, 300))
                };
            } else if app.current_buffer().is_some_and(|buffer| buffer.peer_online == Some(false)) {
                let service = is_service_name(nick.as_str());
                about.push_str(if service { "a service" } else { "offline: messages are delivered later" });
            }
        }
    }
    if app.current_buffer().is_some_and(|buffer| buffer.muted) {
        right.push("muted".to_owned());
    }
    if app.current_buffer().is_some_and(|buffer| buffer.left) {
        right.push("not joined".to_owned());
    }
    let right = right.join("  ");
    let size = u16::try_from(width(&right)).unwrap_or(0);
    let room = area.width.saturating_sub(end + 2 + size + 2);
    draw_text(cells, area, end + 2, 0, &truncate_to_width(&about, usize::from(room)), bar);
    if area.width > end + size + 2 {
        draw_text(cells, area, area.width - size - 1, 0, &right, bar);
    }
}

/// Draws the status bar: own nick, connection state, unconfirmed messages, typing notifications, unread messages
/// elsewhere.
pub fn draw_status(app: &App, models: &[&mut Model], area: Rect, cells: &mut Cells) {
    let bar = app.theme.style(Role::Bar);
    clear_area(cells, area, bar);
    let at = app.current.as_ref().map_or(0, |(server, _)| *server);
    let Some(server) = app.servers.get(at) else { return };
    let with = |role| bar.patch(app.theme.style(role));
    let mut column = 1;
    let mut put = |text_: &str, style| {
        column = draw_text(cells, area, column, 0, text_, style);
    };
    if let Some(me) = models.get(at).and_then(|model| model.me()) {
        put(me.as_str(), bar);
        if server.away_message.is_some() {
            put(" away", with(Role::Alert));
        }
        put("  ", bar);
    }
    // Drawn last, because it may be long.
    let mut detail = None;
    match &server.state {
        ConnectionState::Online if server.ready => {
            let lag = match server.lag {
                Some(lag) if lag >= 1000 => format!("● {}.{} s", lag / 1000, lag % 1000 / 100),
                Some(lag) => format!("● {lag} ms"),
                None => "●".to_owned(),
            };
            put(&lag, with(Role::Success));
        }
        ConnectionState::Online | ConnectionState::Connecting => put("○ connecting …", with(Role::Alert)),
        ConnectionState::Disconnected { reason, retry_at: until } => {
            let left = until.0.saturating_sub(app.now.0).div_ceil(1000);
            let when =
                if left == 0 { "reconnecting …".to_owned() } else { format!("reconnecting in {left} s") };
            put(&format!("○ {when}"), with(Role::Alert));
            detail = Some((reason, Role::Alert));
        }
        ConnectionState::Ended(reason) => {
            put("✗ ended", with(Role::Error));
            detail = Some((reason, Role::Error));
        }
    }
    let pending = app.unconfirmed_count();
    if pending > 0 {
        put(&format!("  {pending} sending"), with(Role::Alert));
    }
    if let Some(buffer) = app.current_buffer() {
        let failed = buffer.outgoing.iter().filter(|out| out.failed.is_some()).count();
        if failed > 0 {
            put(&format!("  {failed} failed"), with(Role::Error));
        }
        let names: Vec<&str> = buffer.typing.iter().map(|(nick, _)| nick.as_str()).collect();
        match names[..] {
            [] => {}
            [one] => put(&format!("  {one} is typing …"), bar),
            [one, other] => put(&format!("  {one} and {other} are typing …"), bar),
            [..] => put(&format!("  {} people are typing …", names.len()), bar),
        }
    }
    if let Some((reason, role)) = detail {
        let room = usize::from(area.width.saturating_sub(column + 3));
        column =
            draw_text(cells, area, column, 0, &truncate_to_width(&format!("  {reason}"), room), with(role));
    }
    let mut right = Vec::new();
    if let Some(buffer) = app.current_buffer()
        && buffer.scroll != Scroll::Bottom
    {
        right.push(if buffer.unread > 0 {
            format!("↓ {} new below", buffer.unread)
        } else {
            "↓ Esc: latest".to_owned()
        });
    }
    let other_buffers =
        app.buffers().filter(|(key, buffer)| Some(key) != app.current.as_ref() && !buffer.muted);
    let (mentions, unread) = other_buffers
        .fold((0, 0), |(m, u), (_, buffer)| (m + buffer.mentions, u + usize::from(buffer.unread > 0)));
    if mentions > 0 {
        right.push(format!("{mentions} mentions: Alt-a"));
    } else if unread > 0 {
        right.push(format!("{unread} unread: Alt-a"));
    }
    right.push("? help".to_owned());
    // Texts without room are left out, the least important first.
    while !right.is_empty() {
        let line = right.join("  ");
        let size = u16::try_from(width(&line)).unwrap_or(u16::MAX);
        if column + size + 3 <= area.width {
            let style = if mentions > 0 { with(Role::Alert) } else { bar };
            draw_text(cells, area, area.width - size - 1, 0, &line, style);
            break;
        }
        right.pop();
    }
}

/// Returns whether the hint row is shown.
pub fn has_hint(app: &App) -> bool {
    app.hint.is_some()
        || app.selection.is_some()
        || app.completion_candidates().is_some()
        || app.current_buffer().is_some_and(|buffer| buffer.reply_to.is_some())
        || composer_lines(app) > 1
}

/// Draws the hint row: a hint, the completions, the keys for a selection, the pending reply or the count of lines.
pub fn draw_hint(app: &App, area: Rect, cells: &mut Cells) {
    let dim = app.theme.style(Role::Dim);
    let room = usize::from(area.width).saturating_sub(2);
    if let Some((line, bad)) = &app.hint {
        let style = if *bad { app.theme.style(Role::Error) } else { dim };
        draw_text(cells, area, 1, 0, &truncate_to_width(line, room), style);
    } else if let Some((offers, at)) = app.completion_candidates() {
        let mut column = 1;
        for (index, offer) in offers.iter().enumerate().skip(at.saturating_sub(3)) {
            let style = if index == at { app.theme.style(Role::Selected) } else { dim };
            column = draw_text(
                cells,
                area,
                column,
                0,
                &format!(" {} ", sanitize_line(offer.trim_end(), 64)),
                style,
            );
        }
    } else if let Some(chosen) = app.selection {
        let keys = match chosen {
            Selection::Entry(_) if app.selected_run().is_some() => {
                "Enter expand/collapse  y copy  ↑↓ select  Esc"
            }
            Selection::Entry(_) => "r reply  e react  d take back  y copy  ↑↓ select  Esc",
            Selection::Outgoing(_) => "s send again  d drop  y copy  ↑↓ select  Esc",
        };
        draw_text(cells, area, 1, 0, &truncate_to_width(keys, room), app.theme.style(Role::Accent));
    } else if let Some(buffer) = app.current_buffer()
        && let Some(id) = &buffer.reply_to
    {
        let about = match buffer.find_message(id) {
            Some((_, message)) => {
                format!("↪ replying to {}: {}", message.from, message.text.replace('\n', " "))
            }
            None => "↪ replying to an earlier message".to_owned(),
        };
        draw_text(cells, area, 1, 0, &truncate_to_width(&about, room), dim);
    } else if composer_lines(app) > 1 {
        let about = format!("{} lines in one message: Enter sends, Ctrl-C clears", composer_lines(app));
        draw_text(cells, area, 1, 0, &truncate_to_width(&about, room), dim);
    }
}

/// Returns the count of lines in the composer.
fn composer_lines(app: &App) -> usize {
    app.composer().text().trim_end_matches('\n').split('\n').count()
}

const PROMPT: &str = "› ";

/// Returns the count of rows that the composer needs.
pub fn composer_rows(app: &App, columns: u16) -> usize {
    break_composer(&displayed_text(app).0, 0, text_columns(columns)).0.len()
}

fn text_columns(columns: u16) -> usize {
    usize::from(columns).saturating_sub(width(PROMPT) + 1).max(1)
}

/// Breaks the composer's text into rows, and returns the row and column of the byte offset `at`. Breaks within words,
/// so that words don't jump while they are typed.
fn break_composer(text: &str, at: usize, room: usize) -> (Vec<&str>, (usize, usize)) {
    let mut rows = Vec::new();
    let mut cursor = (0, 0);
    let (mut start, mut used) = (0, 0);
    for (index, cluster) in text.grapheme_indices(true) {
        let size = width(cluster);
        if cluster != "\n" && used + size > room {
            rows.push(&text[start..index]);
            (start, used) = (index, 0);
        }
        if index <= at {
            cursor = (rows.len(), used);
        }
        if cluster == "\n" {
            rows.push(&text[start..index]);
            (start, used) = (index + 1, 0);
        } else {
            used += size;
        }
    }
    if at >= text.len() {
        cursor = (rows.len(), used);
    }
    rows.push(&text[start..]);
    (rows, cursor)
}

/// Returns the composer's text for display and its cursor as a byte offset. A password is replaced by dots.
fn displayed_text(app: &App) -> (Cow<'_, str>, usize) {
    let editor = app.composer();
    let Some(from) = app.composer_secret_start() else {
        return (Cow::Borrowed(editor.text()), editor.cursor());
    };
    let (open, secret) = editor.text().split_at(from);
    let (mut shown, mut at) = (open.to_owned(), editor.cursor().min(from));
    for (index, cluster) in secret.grapheme_indices(true) {
        let space = cluster.chars().all(char::is_whitespace);
        shown.push_str(if space { cluster } else { "•" });
        if from + index < editor.cursor() {
            at = shown.len();
        }
    }
    (Cow::Owned(shown), at)
}

/// Draws the composer. Returns the position of the cursor on the screen.
pub fn draw_composer(app: &App, area: Rect, cells: &mut Cells) -> Option<(u16, u16)> {
    let editor = app.composer();
    let (written, at) = displayed_text(app);
    let (rows, (row, column)) = break_composer(&written, at, text_columns(area.width));
    let shown = usize::from(area.height);
    let skip = (row + 1).saturating_sub(shown);
    draw_text(cells, area, 0, 0, PROMPT, app.theme.style(Role::Accent));
    if editor.is_empty() && app.current_buffer().is_some() {
        let conversation = sanitize_line(app.current.as_ref().map_or("", |(_, place)| place.as_str()), 64);
        let room = usize::from(area.width).saturating_sub(width(PROMPT));
        draw_text(
            cells,
            area,
            2,
            0,
            &truncate_to_width(&format!("write to {conversation}"), room),
            app.theme.style(Role::Dim),
        );
    }
    for (index, line) in rows.iter().skip(skip).take(shown).enumerate() {
        draw_text(cells, area, 2, u16::try_from(index).unwrap_or(0), line, app.theme.style(Role::Text));
    }
    let x = u16::try_from(column + width(PROMPT)).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    let y = u16::try_from(row - skip).unwrap_or(0);
    (area.height > 0).then_some((area.x + x, area.y + y))
}
