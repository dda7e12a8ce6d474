//! Sidebar: list of the conversations, on the left.

use ratatui::layout::{Position, Rect};

use super::{Component, Context, EventResult, Surface, View};
use crate::client::keys::key::MouseAction;
use crate::client::model::Conversation;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{pad_to_width, truncate_to_width, visual_text, width};
use crate::client::screen::view::draw_border;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::buffer::{Buffer, PeerPresence};
use crate::client::screen::workspace::{BufferKey, ConnectionState, Workspace};

/// List of the conversations of all servers.
#[derive(Debug, Default)]
pub struct Sidebar {
    /// Shown or hidden by the user; `None` leaves it to the width of the screen.
    pub shown: Option<bool>,
}

impl Component for Sidebar {
    /// Handles a click, which opens a conversation.
    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        if mouse != MouseAction::Click {
            return EventResult::Ignored;
        }
        match conversation_at(context.workspace, area, at.y - area.y) {
            Some(key) => {
                context.workspace.switch_to(key);
                EventResult::Consumed
            }
            None => EventResult::Ignored,
        }
    }

    /// Draws the list and its border.
    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let theme = workspace.display.theme;
        let inner = Rect { width: area.width.saturating_sub(1), ..area };
        draw_border(surface.cells, area.x + inner.width, area, theme.style(Role::Line));
        for (index, row) in list_rows(workspace, usize::from(area.height)).into_iter().enumerate() {
            let y = u16::try_from(index).unwrap_or(u16::MAX);
            match row {
                ListRow::Gap => {}
                ListRow::Server(at) => {
                    let server = &workspace.servers[at];
                    let (sign, role) = match server.state {
                        ConnectionState::Online if server.ready => ("●", Role::Success),
                        ConnectionState::Ended(_) => ("✗", Role::Error),
                        _ => ("○", Role::Alert),
                    };
                    surface.draw_text(inner, 0, y, sign, theme.style(role));
                    let room = usize::from(inner.width).saturating_sub(3);
                    surface.draw_text(
                        inner,
                        2,
                        y,
                        &truncate_to_width(&server.name, room),
                        theme.style(Role::Accent),
                    );
                }
                ListRow::Conversation(key, buffer) => {
                    draw_conversation(workspace, inner, y, &key, buffer, surface);
                }
            }
        }
    }
}

/// Row of the list of conversations.
enum ListRow<'a> {
    Server(usize),
    Conversation(BufferKey, &'a Buffer),
    Gap,
}

/// Returns the visible rows of the list, which include the conversation on the screen.
fn list_rows(workspace: &Workspace, room: usize) -> Vec<ListRow<'_>> {
    let mut rows = Vec::new();
    let mut current_row = 0;
    for (at, server) in workspace.servers.iter().enumerate() {
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
            if workspace.current.as_ref().is_some_and(|(server, key)| *server == at && key == conversation) {
                current_row = rows.len();
            }
            rows.push(ListRow::Conversation((at, conversation.clone()), buffer));
        }
    }
    let skip = (current_row + 2).saturating_sub(room).min(rows.len().saturating_sub(room));
    rows.into_iter().skip(skip).take(room).collect()
}

/// Returns the conversation in a row of the list.
fn conversation_at(workspace: &Workspace, area: Rect, row: u16) -> Option<BufferKey> {
    match list_rows(workspace, usize::from(area.height)).into_iter().nth(usize::from(row))? {
        ListRow::Conversation(key, _) => Some(key),
        _ => None,
    }
}

fn draw_conversation(
    workspace: &Workspace,
    inner: Rect,
    y: u16,
    key: &BufferKey,
    buffer: &Buffer,
    surface: &mut Surface<'_>,
) {
    let theme = workspace.display.theme;
    let is_current = workspace.current.as_ref() == Some(key);
    let silent = workspace.is_silent(key, buffer);
    let (count, role) = match () {
        () if buffer.mentions > 0 && !silent => (format_count(buffer.unread), Role::Alert),
        () if buffer.unread > 0 && !silent => (format_count(buffer.unread), Role::Unread),
        () if !buffer.draft.is_empty() && !is_current => ("✎".to_owned(), Role::Text),
        () if silent || buffer.left => (String::new(), Role::Dim),
        () => (String::new(), Role::Text),
    };
    let sign = match (&key.1, buffer.peer) {
        (Conversation::Channel(_), _) => " ",
        (Conversation::Direct(_), Some(PeerPresence::Online)) => "•",
        (Conversation::Direct(_), _) => "◦",
    };
    let mut style = theme.style(role);
    if is_current {
        style = style.patch(theme.style(Role::Selected));
    }
    let size = usize::from(inner.width);
    let room = size.saturating_sub(2 + width(&count) + usize::from(!count.is_empty()));
    let known = match &key.1 {
        Conversation::Direct(nick) => {
            workspace.servers.get(key.0).map(|server| server.display_names.name_for_width(nick, room))
        }
        Conversation::Channel(_) => None,
    };
    let name = match known {
        Some(name) => visual_text(name).into_owned(),
        None => sanitize_line(key.1.as_str(), 64),
    };
    let name = pad_to_width(&truncate_to_width(&name, room), room);
    let gap = if count.is_empty() { "" } else { " " };
    surface.draw_text(inner, 0, y, &pad_to_width(&format!("{sign} {name}{gap}{count}"), size), style);
    if sign == "•" {
        let dot = theme.style(Role::Success);
        surface.draw_text(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn lists_conversations_with_unread_counts_and_opens_them_by_click() {
        let (mut fixture, mut sidebar) = (Fixture::new(), Sidebar::default());
        fixture.lines(&[":bob!u@parlour PRIVMSG alice :psst"]);
        let rows = fixture.render(&sidebar, 16, 6);
        assert_eq!(rows[0], "○ home         │");
        assert_eq!(rows[1], "  #lobby       │");
        assert_eq!(rows[3], "• bob         1│");
        assert_eq!(fixture.click(&mut sidebar, 3, 3), EventResult::Consumed);
        assert_eq!(fixture.workspace.current, Some(Fixture::key("bob")));
        assert_eq!(fixture.click(&mut sidebar, 3, 0), EventResult::Ignored);
    }

    #[test]
    fn conversation_on_the_screen_is_visible_in_a_short_list() {
        let (mut fixture, sidebar) = (Fixture::new(), Sidebar::default());
        for n in 0..20 {
            fixture.lines(&[&format!(":m{n:02}!u@parlour PRIVMSG alice :hi")]);
        }
        fixture.workspace.switch_to(Fixture::key("m15"));
        let rows = fixture.render(&sidebar, 16, 5);
        assert!(rows.iter().any(|row| row.contains("m15")), "{rows:?}");
    }
}
