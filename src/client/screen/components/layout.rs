//! Layout of the screen.

use ratatui::layout::{Position, Rect};

use super::composer::rows::rows_needed;
use super::hint_line;
use crate::client::model::Conversation;
use crate::client::screen::workspace::Workspace;

/// Width that the messages keep on a screen of twice that width or more, in cells.
const MIN_TIMELINE_WIDTH: u16 = 40;

/// Width from which a list beside the messages is worth its place, in cells.
const MIN_PANEL_WIDTH: u16 = 12;

/// Panels of the screen, as the user switched them on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panels {
    /// List of conversations; `None` leaves it to the width of the screen.
    pub sidebar: Option<bool>,
    /// List of members; `None` leaves it to the width of the screen.
    pub members: Option<bool>,
    /// Hides everything but the messages, so that the mouse can select their text.
    pub messages_only: bool,
    /// Set while the hint line shows the candidates of a completion.
    pub completing: bool,
}

/// Areas of the screen; `None` for a hidden panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// List of conversations, with its border.
    pub sidebar: Option<Rect>,
    /// List of members, with its border.
    pub members: Option<Rect>,
    /// Topic bar, the first row.
    pub topic: Option<Rect>,
    /// Messages of the conversation.
    pub timeline: Rect,
    /// Hint line, above the status line.
    pub hint: Option<Rect>,
    /// Status line, above the composer.
    pub status: Option<Rect>,
    /// Composer, the last rows.
    pub composer: Rect,
}

impl Layout {
    /// Returns the layout for the current size of the terminal.
    pub fn from_app(workspace: &Workspace, panels: Panels) -> Self {
        let screen = Rect::from((Position::ORIGIN, workspace.display.size));
        Self::for_screen(workspace, panels, screen)
    }

    /// Returns the layout for a screen.
    pub fn for_screen(workspace: &Workspace, panels: Panels, screen: Rect) -> Self {
        let Rect { x, y, width, height } = screen;
        if width == 0 || height == 0 {
            return Self::default();
        }
        let mut layout = Self::default();
        let bare = panels.messages_only;
        let rows = rows_needed(workspace, width).min(usize::from(height / 3).max(1));
        let rows = u16::try_from(rows).unwrap_or(1).min(height);
        layout.composer = Rect::new(x, y + height - rows, width, rows);
        let mut bottom = layout.composer.y;
        let mut top = y;
        if !bare && bottom > top {
            bottom -= 1;
            layout.status = Some(Rect::new(x, bottom, width, 1));
        }
        let rows = hint_line::rows_needed(workspace, width).max(usize::from(panels.completing));
        let rows = u16::try_from(rows).unwrap_or(1).min((bottom - top).saturating_sub(1));
        if rows > 0 {
            bottom -= rows;
            layout.hint = Some(Rect::new(x, bottom, width, rows));
        }
        if !bare && bottom > top + 2 {
            layout.topic = Some(Rect::new(x, top, width, 1));
            top += 1;
        }
        let (mut left, mut right) = (x, x + width);
        // Whatever widths the user chose, the messages keep half of a narrow screen, and enough to read on a wide one.
        let least = (width / 2).clamp(20, MIN_TIMELINE_WIDTH);
        let channel = matches!(&workspace.current, Some((_, Conversation::Channel(_))));
        if !bare && panels.sidebar.unwrap_or(width >= 72) && width >= least + MIN_PANEL_WIDTH {
            let own = workspace.settings().layout.sidebar_width;
            let size = own.unwrap_or((width / 5).clamp(16, 26)).min(width.saturating_sub(least));
            layout.sidebar = Some(Rect::new(left, top, size, bottom - top));
            left += size;
        }
        if !bare
            && channel
            && panels.members.unwrap_or(width >= 110)
            && right - left >= least + MIN_PANEL_WIDTH
        {
            let own = workspace.settings().layout.members_width;
            let size = own.unwrap_or((width / 8).clamp(14, 22)).min((right - left).saturating_sub(least));
            right -= size;
            layout.members = Some(Rect::new(right, top, size, bottom - top));
        }
        layout.timeline = Rect::new(left, top, right - left, bottom - top);
        layout
    }

    /// Returns half the rows of the messages, at least 1.
    pub fn half_page_rows(&self) -> isize {
        isize::try_from((self.timeline.height / 2).max(1)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use ratatui::layout::Size;

    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn panels_follow_the_width_unless_switched() {
        let mut fixture = Fixture::new();
        let mut layout = |width, panels| {
            fixture.workspace.display.size = Size::new(width, 24);
            Layout::from_app(&fixture.workspace, panels)
        };
        let wide = layout(120, Panels::default());
        assert_eq!((wide.sidebar.is_some(), wide.members.is_some()), (true, true));
        assert_eq!(wide.timeline, Rect::new(24, 1, 81, 21));
        let narrow = layout(60, Panels::default());
        assert_eq!((narrow.sidebar, narrow.members), (None, None));
        let switched = layout(60, Panels { sidebar: Some(true), ..Panels::default() });
        assert_eq!(switched.sidebar, Some(Rect::new(0, 1, 16, 21)));
        let bare = layout(120, Panels { messages_only: true, ..Panels::default() });
        assert_eq!((bare.sidebar, bare.topic, bare.status), (None, None, None));
        assert_eq!(bare.timeline, Rect::new(0, 0, 120, 23));
    }

    #[test]
    fn panels_have_the_widths_of_the_settings_where_there_is_room() {
        let mut fixture = Fixture::new();
        fixture.workspace.change_setting("layout.sidebar_width", "40").expect("a width");
        fixture.workspace.change_setting("layout.members_width", "12").expect("a width");
        let mut layout = |width| {
            fixture.workspace.display.size = Size::new(width, 24);
            let shown = Some(true);
            Layout::from_app(
                &fixture.workspace,
                Panels { sidebar: shown, members: shown, ..Panels::default() },
            )
        };
        let areas = layout(120);
        assert_eq!(areas.sidebar.map(|area| area.width), Some(40));
        assert_eq!(areas.members.map(|area| area.width), Some(12));
        let areas = layout(50);
        assert_eq!((areas.sidebar.map(|area| area.width), areas.timeline.width), (Some(25), 25));
        let areas = layout(80);
        assert_eq!((areas.sidebar.map(|area| area.width), areas.timeline.width), (Some(40), 40));
    }

    proptest! {
        #[test]
        fn the_messages_have_room_at_each_size_whatever_the_widths(
            size in (20u16..260, 5u16..90),
            widths in (option::of(8u16..=80), option::of(8u16..=80)),
            shown in (any::<Option<bool>>(), any::<Option<bool>>()),
            (bare, completing, hint, draft) in (any::<bool>(), any::<bool>(), any::<bool>(), 0usize..40),
        ) {
            let mut fixture = Fixture::new();
            let number = |width: Option<u16>| width.map_or("auto".to_owned(), |width| width.to_string());
            for (name, width) in [("sidebar", widths.0), ("members", widths.1)] {
                fixture.workspace.change_setting(&format!("layout.{name}_width"), &number(width)).expect("a width");
            }
            if hint {
                fixture.workspace.show_hint(&"words ".repeat(60));
            }
            fixture.workspace.draft_mut().set("line\n".repeat(draft));
            fixture.workspace.display.size = Size::new(size.0, size.1);
            let panels = Panels { sidebar: shown.0, members: shown.1, messages_only: bare, completing };
            let Layout { sidebar, members, topic, timeline, hint, status, composer } =
                Layout::from_app(&fixture.workspace, panels);
            prop_assert!(timeline.width >= (size.0 / 2).clamp(20, MIN_TIMELINE_WIDTH), "{timeline:?}");
            prop_assert!(timeline.height >= 1 && composer.height >= 1, "{timeline:?} {composer:?}");
            // The areas cover the screen, each cell once.
            let areas = [sidebar, members, topic, Some(timeline), hint, status, Some(composer)];
            let cells: u32 = areas.iter().flatten().map(|area| area.area()).sum();
            prop_assert_eq!(cells, u32::from(size.0) * u32::from(size.1));
            let screen = Rect::new(0, 0, size.0, size.1);
            for (index, area) in areas.iter().flatten().enumerate() {
                prop_assert_eq!(area.intersection(screen), *area);
                let mut others = areas.iter().flatten().skip(index + 1);
                prop_assert!(!others.any(|other| area.intersects(*other)), "{areas:?}");
            }
        }
    }

    #[test]
    fn hint_line_takes_a_row_of_the_messages() {
        let mut fixture = Fixture::new();
        let without = Layout::from_app(&fixture.workspace, Panels::default());
        fixture.workspace.show_hint("copied");
        let with = Layout::from_app(&fixture.workspace, Panels::default());
        assert_eq!((without.hint, with.hint), (None, Some(Rect::new(0, 21, 80, 1))));
        assert_eq!(with.timeline.height, without.timeline.height - 1);
    }
}
