//! Topic bar: conversation, topic or presence, count of the members.

use ratatui::layout::Rect;

use super::{Component, Surface, View};
use crate::client::model::Conversation;
use crate::client::model::marks::Mark;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{truncate_to_width, visual_text, width};
use crate::client::screen::view::clear_area;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::buffer::PeerPresence;
use crate::client::text::services::is_service_name;

/// First row of the screen.
#[derive(Clone, Copy, Debug, Default)]
pub struct TopicBar;

impl Component for TopicBar {
    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let bar = workspace.display.theme.style(Role::Bar);
        clear_area(surface.cells, area, bar);
        let Some((server, conversation)) = &workspace.current else {
            surface.draw_text(area, 1, 0, "parlour", bar);
            return;
        };
        let several = workspace.servers.len() > 1;
        let name = match (conversation, workspace.display_names()) {
            (Conversation::Direct(nick), Some(names)) => visual_text(&names.full_name(nick)).into_owned(),
            _ => sanitize_line(conversation.as_str(), 64),
        };
        let mut end =
            surface.draw_text(area, 1, 0, &name, bar.patch(workspace.display.theme.style(Role::Unread)));
        if several {
            let name = workspace.servers.get(*server).map_or("", |server| server.name.as_str());
            end = surface.draw_text(area, end, 0, &format!(" on {name}"), bar);
        }
        let mut right = Vec::new();
        let mut about = String::new();
        match conversation {
            Conversation::Channel(channel) => {
                if let Some(channel) = view.model().and_then(|model| model.channel(channel)) {
                    about = workspace.display.topic_line(&channel.topic);
                    if !channel.members.is_empty() {
                        right.push(format!("{} here", channel.members.len()));
                    }
                }
            }
            Conversation::Direct(nick) => {
                if let Some(words) = view.model().and_then(|model| model.away_message(nick)) {
                    about = if words.is_empty() {
                        "away".to_owned()
                    } else {
                        format!("away: {}", sanitize_line(words, 300))
                    };
                } else {
                    about.push_str(match workspace.current_buffer().and_then(|buffer| buffer.peer) {
                        Some(PeerPresence::Offline) if is_service_name(nick.as_str()) => "a service",
                        Some(PeerPresence::Offline) => "offline: messages are delivered later",
                        Some(PeerPresence::Missing) => "no account has this name",
                        Some(PeerPresence::Online) | None => "",
                    });
                }
            }
        }
        let pinned =
            workspace.servers.get(*server).map_or(0, |state| state.marks.of(Mark::Pin, conversation).len());
        if pinned > 0 {
            right.push(format!("{pinned} pinned"));
        }
        if workspace.current_buffer().is_some_and(|buffer| buffer.muted) {
            right.push("muted".to_owned());
        } else if let (Some(key), Some(buffer)) = (&workspace.current, workspace.current_buffer())
            && workspace.is_silent(key, buffer)
        {
            right.push("silent".to_owned());
        }
        if workspace.current_buffer().is_some_and(|buffer| buffer.left) {
            right.push("not joined".to_owned());
        }
        let right = right.join("  ");
        let size = u16::try_from(width(&right)).unwrap_or(0);
        let room = area.width.saturating_sub(end + 2 + size + 2);
        surface.draw_text(area, end + 2, 0, &truncate_to_width(&about, usize::from(room)), bar);
        if area.width > end + size + 2 {
            surface.draw_text(area, area.width - size - 1, 0, &right, bar);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn shows_topic_and_count_of_members() {
        let mut fixture = Fixture::new();
        fixture.lines(&[":srv 332 alice #lobby :Tea and talk"]);
        assert_eq!(fixture.render(&TopicBar, 40, 1), [" #lobby  Tea and talk            3 here"]);
    }

    #[test]
    fn a_topic_has_no_marks() {
        let mut fixture = Fixture::new();
        fixture.lines(&[":srv 332 alice #lobby :*Tea* at \u{2}four\u{f}, `#den` _soon_"]);
        let rows = fixture.render(&TopicBar, 60, 1);
        assert!(rows[0].contains("  Tea at four, #den soon  "), "{rows:?}");
        fixture.workspace.display.raw_text = true;
        let rows = fixture.render(&TopicBar, 60, 1);
        assert!(rows[0].contains("  *Tea* at four, `#den` _soon_  "), "{rows:?}");
    }

    #[test]
    fn shows_the_presence_of_the_other_account() {
        let mut fixture = Fixture::new();
        fixture.workspace.switch_to(Fixture::key("bob"));
        fixture.lines(&[":bob!u@p AWAY :for tea"]);
        assert_eq!(fixture.render(&TopicBar, 40, 1), [" bob  away: for tea"]);
    }
}
