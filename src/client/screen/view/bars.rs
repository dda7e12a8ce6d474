//! Topic bar, status bar, hint row and composer.

use std::borrow::Cow;

use ratatui::buffer::Buffer as Cells;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use super::put::{clear, text};
use crate::client::model::{Model, Target};
use crate::client::screen::buffer::Scroll;
use crate::client::screen::text::sanitize::tidy_line;
use crate::client::screen::text::wrap::{fit, width};
use crate::client::screen::view::theme::Role;
use crate::client::screen::{App, Chosen, State};
use crate::client::secret::is_service;

/// Draws the topic bar: conversation, topic or presence, count of members.
pub fn topic(app: &App, models: &[&mut Model], area: Rect, cells: &mut Cells) {
    let bar = app.theme.style(Role::Bar);
    clear(cells, area, bar);
    let Some((server, place)) = &app.here else {
        text(cells, area, 1, 0, "parlour", bar);
        return;
    };
    let several = app.servers.len() > 1;
    let name = tidy_line(place.as_str(), 64);
    let mut end = text(cells, area, 1, 0, &name, bar.patch(app.theme.style(Role::Unread)));
    if several {
        let name = app.servers.get(*server).map_or("", |server| server.name.as_str());
        end = text(cells, area, end, 0, &format!(" on {name}"), bar);
    }
    let model = models.get(*server);
    let mut right = Vec::new();
    let mut about = String::new();
    match place {
        Target::Channel(channel) => {
            if let Some((_, channel)) =
                model.and_then(|model| model.channels().find(|(name, _)| *name == channel))
            {
                about = tidy_line(&channel.topic, 1000);
                if !channel.members.is_empty() {
                    right.push(format!("{} here", channel.members.len()));
                }
            }
        }
        Target::Person(nick) => {
            if let Some(words) = model.and_then(|model| model.away_words(nick)) {
                about = if words.is_empty() {
                    "away".to_owned()
                } else {
                    format!("away: {}", tidy_line(words, 300))
                };
            } else if app.buffer().is_some_and(|buffer| buffer.online == Some(false)) {
                let service = is_service(nick.as_str());
                about.push_str(if service { "a service" } else { "offline: messages are delivered later" });
            }
        }
    }
    if app.buffer().is_some_and(|buffer| buffer.muted) {
        right.push("muted".to_owned());
    }
    if app.buffer().is_some_and(|buffer| buffer.left) {
        right.push("not joined".to_owned());
    }
    let right = right.join("  ");
    let size = u16::try_from(width(&right)).unwrap_or(0);
    let room = area.width.saturating_sub(end + 2 + size + 2);
    text(cells, area, end + 2, 0, &fit(&about, usize::from(room)), bar);
    if area.width > end + size + 2 {
        text(cells, area, area.width - size - 1, 0, &right, bar);
    }
}

/// Draws the status bar: own nick, connection state, unconfirmed messages, typing notifications, unread messages
/// elsewhere.
pub fn status(app: &App, models: &[&mut Model], area: Rect, cells: &mut Cells) {
    let bar = app.theme.style(Role::Bar);
    clear(cells, area, bar);
    let at = app.here.as_ref().map_or(0, |(server, _)| *server);
    let Some(server) = app.servers.get(at) else { return };
    let with = |role| bar.patch(app.theme.style(role));
    let mut column = 1;
    let mut put = |text_: &str, style| {
        column = text(cells, area, column, 0, text_, style);
    };
    if let Some(me) = models.get(at).and_then(|model| model.me()) {
        put(me.as_str(), bar);
        if server.away.is_some() {
            put(" away", with(Role::Alert));
        }
        put("  ", bar);
    }
    // Drawn last, because it may be long.
    let mut why = None;
    match &server.state {
        State::Online if server.ready => {
            let lag = match server.lag {
                Some(lag) if lag >= 1000 => format!("● {}.{} s", lag / 1000, lag % 1000 / 100),
                Some(lag) => format!("● {lag} ms"),
                None => "●".to_owned(),
            };
            put(&lag, with(Role::Good));
        }
        State::Online | State::Connecting => put("○ connecting …", with(Role::Alert)),
        State::Down { reason, until } => {
            let left = until.0.saturating_sub(app.now.0).div_ceil(1000);
            let when =
                if left == 0 { "reconnecting …".to_owned() } else { format!("reconnecting in {left} s") };
            put(&format!("○ {when}"), with(Role::Alert));
            why = Some((reason, Role::Alert));
        }
        State::Ended(reason) => {
            put("✗ ended", with(Role::Bad));
            why = Some((reason, Role::Bad));
        }
    }
    let pending = app.pending();
    if pending > 0 {
        put(&format!("  {pending} sending"), with(Role::Alert));
    }
    if let Some(buffer) = app.buffer() {
        let failed = buffer.outbox.iter().filter(|out| out.failed.is_some()).count();
        if failed > 0 {
            put(&format!("  {failed} failed"), with(Role::Bad));
        }
        let names: Vec<&str> = buffer.typing.iter().map(|(nick, _)| nick.as_str()).collect();
        match names[..] {
            [] => {}
            [one] => put(&format!("  {one} is typing …"), bar),
            [one, other] => put(&format!("  {one} and {other} are typing …"), bar),
            [..] => put(&format!("  {} people are typing …", names.len()), bar),
        }
    }
    if let Some((reason, role)) = why {
        let room = usize::from(area.width.saturating_sub(column + 3));
        column = text(cells, area, column, 0, &fit(&format!("  {reason}"), room), with(role));
    }
    let mut right = Vec::new();
    if let Some(buffer) = app.buffer()
        && buffer.scroll != Scroll::Bottom
    {
        right.push(if buffer.unread > 0 {
            format!("↓ {} new below", buffer.unread)
        } else {
            "↓ Esc: latest".to_owned()
        });
    }
    let elsewhere = app.spots().filter(|(spot, buffer)| Some(spot) != app.here.as_ref() && !buffer.muted);
    let (mentions, unread) = elsewhere
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
            text(cells, area, area.width - size - 1, 0, &line, style);
            break;
        }
        right.pop();
    }
}

/// Returns whether the hint row is shown.
pub fn has_hint(app: &App) -> bool {
    app.hint.is_some()
        || app.chosen.is_some()
        || app.offered().is_some()
        || app.buffer().is_some_and(|buffer| buffer.reply.is_some())
        || lines(app) > 1
}

/// Draws the hint row: a hint, the completions, the keys for a selection, the pending reply or the count of lines.
pub fn hint(app: &App, area: Rect, cells: &mut Cells) {
    let dim = app.theme.style(Role::Dim);
    let room = usize::from(area.width).saturating_sub(2);
    if let Some((line, bad)) = &app.hint {
        let style = if *bad { app.theme.style(Role::Bad) } else { dim };
        text(cells, area, 1, 0, &fit(line, room), style);
    } else if let Some((offers, at)) = app.offered() {
        let mut column = 1;
        for (index, offer) in offers.iter().enumerate().skip(at.saturating_sub(3)) {
            let style = if index == at { app.theme.style(Role::Chosen) } else { dim };
            column = text(cells, area, column, 0, &format!(" {} ", tidy_line(offer.trim_end(), 64)), style);
        }
    } else if let Some(chosen) = app.chosen {
        let keys = match chosen {
            Chosen::Entry(_) if app.chosen_run().is_some() => "Enter expand/collapse  y copy  ↑↓ select  Esc",
            Chosen::Entry(_) => "r reply  e react  d take back  y copy  ↑↓ select  Esc",
            Chosen::Outgoing(_) => "s send again  d drop  y copy  ↑↓ select  Esc",
        };
        text(cells, area, 1, 0, &fit(keys, room), app.theme.style(Role::Accent));
    } else if let Some(buffer) = app.buffer()
        && let Some(id) = &buffer.reply
    {
        let about = match buffer.find(id) {
            Some((_, message)) => {
                format!("↪ replying to {}: {}", message.from, message.text.replace('\n', " "))
            }
            None => "↪ replying to an earlier message".to_owned(),
        };
        text(cells, area, 1, 0, &fit(&about, room), dim);
    } else if lines(app) > 1 {
        let about = format!("{} lines in one message: Enter sends, Ctrl-C clears", lines(app));
        text(cells, area, 1, 0, &fit(&about, room), dim);
    }
}

/// Returns the count of lines in the composer.
fn lines(app: &App) -> usize {
    app.editor().text().trim_end_matches('\n').split('\n').count()
}

const PROMPT: &str = "› ";

/// Returns the count of rows that the composer needs.
pub fn input_rows(app: &App, columns: u16) -> usize {
    broken(&written(app).0, 0, room(columns)).0.len()
}

fn room(columns: u16) -> usize {
    usize::from(columns).saturating_sub(width(PROMPT) + 1).max(1)
}

/// Breaks the composer's text into rows, and returns the row and column of the byte offset `at`. Breaks within words,
/// so that words don't jump while they are typed.
fn broken(text: &str, at: usize, room: usize) -> (Vec<&str>, (usize, usize)) {
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
fn written(app: &App) -> (Cow<'_, str>, usize) {
    let editor = app.editor();
    let Some(from) = app.secret_written() else { return (Cow::Borrowed(editor.text()), editor.at()) };
    let (open, secret) = editor.text().split_at(from);
    let (mut shown, mut at) = (open.to_owned(), editor.at().min(from));
    for (index, cluster) in secret.grapheme_indices(true) {
        let space = cluster.chars().all(char::is_whitespace);
        shown.push_str(if space { cluster } else { "•" });
        if from + index < editor.at() {
            at = shown.len();
        }
    }
    (Cow::Owned(shown), at)
}

/// Draws the composer. Returns the position of the cursor on the screen.
pub fn input(app: &App, area: Rect, cells: &mut Cells) -> Option<(u16, u16)> {
    let editor = app.editor();
    let (written, at) = written(app);
    let (rows, (row, column)) = broken(&written, at, room(area.width));
    let shown = usize::from(area.height);
    let skip = (row + 1).saturating_sub(shown);
    text(cells, area, 0, 0, PROMPT, app.theme.style(Role::Accent));
    if editor.is_empty() && app.buffer().is_some() {
        let place = tidy_line(app.here.as_ref().map_or("", |(_, place)| place.as_str()), 64);
        let room = usize::from(area.width).saturating_sub(width(PROMPT));
        text(cells, area, 2, 0, &fit(&format!("write to {place}"), room), app.theme.style(Role::Dim));
    }
    for (index, line) in rows.iter().skip(skip).take(shown).enumerate() {
        text(cells, area, 2, u16::try_from(index).unwrap_or(0), line, app.theme.style(Role::Text));
    }
    let x = u16::try_from(column + width(PROMPT)).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    let y = u16::try_from(row - skip).unwrap_or(0);
    (area.height > 0).then_some((area.x + x, area.y + y))
}
