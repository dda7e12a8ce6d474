//! Member list: members of the channel on the screen, on the right.

use std::collections::BTreeMap;

use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use super::{Component, Context, EventResult, Surface, View};
use crate::client::keys::key::MouseAction;
use crate::client::model::{Conversation, Model};
use crate::client::screen::text::wrap::{truncate_to_width, visual_text};
use crate::client::screen::view::draw_border;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::wire::Nick;

/// Width of the list from which it has avatars, in cells.
const MIN_WIDTH_WITH_AVATARS: u16 = 18;

/// List of the members of the channel on the screen.
#[derive(Debug, Default)]
pub struct MemberList {
    /// Shown or hidden by the user; `None` leaves it to the width of the screen.
    pub shown: Option<bool>,
}

impl Component for MemberList {
    /// Handles a click, which opens the direct conversation with a member.
    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        let member = member_at(context.workspace, context.models, at.y - area.y);
        match (mouse, &context.workspace.current, member) {
            (MouseAction::Click, &Some((server, _)), Some(nick)) => {
                context.workspace.switch_to((server, Conversation::Direct(nick)));
                EventResult::Consumed
            }
            _ => EventResult::Ignored,
        }
    }

    /// Draws the members and their border.
    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let theme = view.workspace.display.theme;
        draw_border(surface.cells, area.x, area, theme.style(Role::Line));
        let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
        let members = channel_members(view.workspace, view.models);
        let count = members.map_or(0, BTreeMap::len);
        surface.draw_text(inner, 0, 0, &format!("{count} here"), theme.style(Role::Dim));
        let room = usize::from(inner.height).saturating_sub(1);
        let cut = count > room;
        let shown = if cut { room.saturating_sub(1) } else { room };
        let members = members.map(|members| first_members(members, shown)).unwrap_or_default();
        for (index, (nick, prefix)) in members.into_iter().enumerate() {
            let y = u16::try_from(index + 1).unwrap_or(u16::MAX);
            let away = view.model().is_some_and(|model| model.away_message(nick).is_some());
            let style = if away {
                theme.style(Role::Dim)
            } else {
                theme.nick_style(nick.as_str()).remove_modifier(Modifier::BOLD)
            };
            surface.draw_text(inner, 0, y, &prefix.to_string(), theme.style(Role::Dim));
            let mut column = 1;
            if inner.width >= MIN_WIDTH_WITH_AVATARS {
                let initials = view.workspace.display_names().map(|names| names.initials(nick));
                let avatar = theme.nick_style(nick.as_str()).add_modifier(Modifier::REVERSED);
                surface.draw_text(inner, 1, y, &visual_text(&initials.unwrap_or_default()), avatar);
                column = 4;
            }
            let room = |column: u16| usize::from(inner.width.saturating_sub(column));
            let short = view.workspace.name_for_width(nick, room(column));
            let name = truncate_to_width(short, room(column));
            column = surface.draw_text(inner, column, y, &visual_text(&name), style);
            if !short.eq_ignore_ascii_case(nick.as_str()) && room(column) > 3 {
                let nick = truncate_to_width(&format!(" {nick}"), room(column));
                surface.draw_text(inner, column, y, &nick, theme.style(Role::Dim));
            }
        }
        if cut && room > 0 {
            let more = format!("and {} more", count - room + 1);
            surface.draw_text(inner, 0, inner.height - 1, &more, theme.style(Role::Dim));
        }
    }
}

/// Returns the members of the channel on the screen, with the prefixes of their status.
fn channel_members<'a>(
    workspace: &Workspace,
    models: &'a [&mut Model],
) -> Option<&'a BTreeMap<Nick, String>> {
    let Some((server, Conversation::Channel(channel))) = &workspace.current else { return None };
    models.get(*server)?.channel(channel).map(|channel| &channel.members)
}

/// Returns the first `count` members with the prefix of their highest status, highest first. Takes one pass, because
/// a channel may have thousands of members, of which each frame shows some.
fn first_members(members: &BTreeMap<Nick, String>, count: usize) -> Vec<(&Nick, char)> {
    const PREFIXES: [char; 5] = ['~', '&', '@', '%', '+'];
    let mut by_status: [Vec<(&Nick, char)>; PREFIXES.len() + 1] = Default::default();
    for (nick, prefixes) in members {
        let prefix = prefixes.chars().next().unwrap_or(' ');
        let status = PREFIXES.iter().position(|known| *known == prefix).unwrap_or(PREFIXES.len());
        if by_status[status].len() < count {
            by_status[status].push((nick, prefix));
        }
    }
    by_status.into_iter().flatten().take(count).collect()
}

/// Returns the member in a row.
fn member_at(workspace: &Workspace, models: &[&mut Model], row: u16) -> Option<Nick> {
    let at = usize::from(row).checked_sub(1)?;
    let members = channel_members(workspace, models)?;
    first_members(members, at + 1).get(at).map(|(nick, _)| (*nick).clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn lists_members_by_status_and_opens_a_conversation_by_click() {
        let (mut fixture, mut members) = (Fixture::new(), MemberList::default());
        assert_eq!(fixture.render(&members, 14, 4), ["│ 3 here", "│ ~bob", "│ @carol", "│  alice"]);
        assert_eq!(fixture.click(&mut members, 4, 0), EventResult::Ignored);
        assert_eq!(fixture.click(&mut members, 4, 2), EventResult::Consumed);
        assert_eq!(fixture.workspace.current, Some(Fixture::key("carol")));
    }

    #[test]
    fn members_without_room_are_counted() {
        let (mut fixture, members) = (Fixture::new(), MemberList::default());
        assert_eq!(fixture.render(&members, 14, 3), ["│ 3 here", "│ ~bob", "│ and 2 more"]);
    }
}
