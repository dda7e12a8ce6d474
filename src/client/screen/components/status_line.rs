//! Status line: own nick, connection state, unconfirmed messages, typing notifications, unread messages elsewhere.

use ratatui::layout::Rect;

use super::hint_line::offline_cause;
use super::{Component, Surface, View};
use crate::client::keys::Action;
use crate::client::screen::text::wrap::{truncate_to_width, width};
use crate::client::screen::view::clear_area;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::buffer::Scroll;
use crate::client::screen::workspace::{ConnectionState, Workspace};
use crate::client::text::count::counted;

/// Row above the composer.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatusLine;

impl Component for StatusLine {
    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let bar = workspace.display.theme.style(Role::Bar);
        clear_area(surface.cells, area, bar);
        let at = workspace.current.as_ref().map_or(0, |(server, _)| *server);
        let Some(server) = workspace.servers.get(at) else { return };
        let with = |role| bar.patch(workspace.display.theme.style(role));
        let mut column = 1;
        let mut put = |text_: &str, style| {
            column = surface.draw_text(area, column, 0, text_, style);
        };
        if let Some(me) = view.models.get(at).and_then(|model| model.me()) {
            put(me.as_str(), bar);
            if server.away_message.is_some() {
                put(" away", with(Role::Alert));
            }
            put(&workspace.do_not_disturb_text(), with(Role::Alert));
            put("  ", bar);
        }
        // Drawn last, because it may be long.
        let mut why = None;
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
                let left = until.0.saturating_sub(workspace.now.0).div_ceil(1000);
                let when = countdown(left);
                put(&format!("○ {when}"), with(Role::Alert));
                why = Some((reason, Role::Alert));
            }
            ConnectionState::Ended(reason) => {
                put("✗ ended", with(Role::Error));
                why = Some((reason, Role::Error));
            }
        }
        let pending = workspace.unconfirmed_count();
        if pending > 0 {
            let state = if server.ready { "sending" } else { "waiting" };
            put(&format!("  {pending} {state}"), with(Role::Alert));
        }
        if let Some(buffer) = workspace.current_buffer() {
            let failed = buffer.outgoing.iter().filter(|out| out.failed.is_some()).count();
            if failed > 0 {
                put(&format!("  {failed} failed"), with(Role::Error));
            }
            let names: Vec<&str> = buffer.typing.iter().map(|(nick, _)| workspace.short_name(nick)).collect();
            match names[..] {
                [] => {}
                [one] => put(&format!("  {one} is typing …"), bar),
                [one, other] => put(&format!("  {one} and {other} are typing …"), bar),
                [..] => put(&format!("  {} people are typing …", names.len()), bar),
            }
        }
        // The hint line has it whole, unless it has other content.
        if let Some((reason, role)) = why.filter(|_| offline_cause(workspace).is_none()) {
            let room = usize::from(area.width.saturating_sub(column + 3));
            column = surface.draw_text(
                area,
                column,
                0,
                &truncate_to_width(&format!("  {reason}"), room),
                with(role),
            );
        }
        let mut right = Vec::new();
        if let Some(buffer) = workspace.current_buffer()
            && buffer.scroll != Scroll::Bottom
        {
            right.push(if buffer.unread > 0 {
                format!("↓ {} new below", buffer.unread)
            } else {
                let key = workspace.keys().key_name(Action::Escape);
                key.map_or_else(|| "↓ earlier".to_owned(), |key| format!("↓ {key}: latest"))
            });
        }
        let (mentions, about) = unread_elsewhere(workspace);
        right.extend(about);
        right.push("? help".to_owned());
        // Texts without room are left out, the least important first.
        while !right.is_empty() {
            let line = right.join("  ");
            let size = u16::try_from(width(&line)).unwrap_or(u16::MAX);
            if column + size + 3 <= area.width {
                let style = if mentions > 0 { with(Role::Alert) } else { bar };
                surface.draw_text(area, area.width - size - 1, 0, &line, style);
                break;
            }
            right.pop();
        }
    }
}

/// Returns the count of the mentions in other conversations, and a text about what is unread there with the key that
/// leads to it.
fn unread_elsewhere(workspace: &Workspace) -> (usize, Option<String>) {
    let elsewhere = workspace
        .buffers()
        .filter(|(key, buffer)| Some(key) != workspace.current.as_ref() && !workspace.is_silent(key, buffer));
    let (mentions, unread) = elsewhere
        .fold((0, 0), |(m, u), (_, buffer)| (m + buffer.mentions, u + usize::from(buffer.unread > 0)));
    let key = workspace.keys().key_name(Action::NextUnread);
    let key = key.map(|key| format!(": {key}")).unwrap_or_default();
    let about = match (mentions, unread) {
        (0, 0) => None,
        (0, unread) => Some(format!("{unread} unread{key}")),
        (mentions, _) => Some(format!("{}{key}", counted(mentions, "mention"))),
    };
    (mentions, about)
}

/// Formats the time until the next attempt to connect, in seconds.
fn countdown(seconds: u64) -> String {
    if seconds == 0 { "reconnecting …".to_owned() } else { format!("reconnecting in {seconds} s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn shows_connection_typing_and_unread_messages_elsewhere() {
        let mut fixture = Fixture::new();
        assert!(fixture.render(&StatusLine, 60, 1)[0].starts_with(" alice  ○ connecting …"));
        fixture.lines(&["@+typing=active :bob!u@p TAGMSG #lobby", ":bob!u@parlour PRIVMSG alice :psst"]);
        let row = fixture.render(&StatusLine, 80, 1).remove(0);
        assert!(row.contains("bob is typing …") && row.ends_with("1 mention: Alt-a  ? help"), "{row}");
        fixture.workspace.handle_disconnected(0, "the server closed it", 3000);
        let row = fixture.render(&StatusLine, 80, 1).remove(0);
        assert!(row.contains("○ reconnecting in 3 s") && !row.contains("the server closed it"), "{row}");
        fixture.workspace.draft_mut().insert("one\ntwo");
        let row = fixture.render(&StatusLine, 80, 1).remove(0);
        assert!(row.contains("the server closed it"), "the hint line has other content: {row}");
    }

    #[test]
    fn texts_without_room_are_left_out() {
        let mut fixture = Fixture::new();
        fixture.lines(&[":bob!u@parlour PRIVMSG alice :psst"]);
        let row = fixture.render(&StatusLine, 45, 1).remove(0);
        assert!(row.ends_with("1 mention: Alt-a"), "{row}");
    }
}
