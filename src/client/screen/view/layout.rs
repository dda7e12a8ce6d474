//! Layout of the screen.

use ratatui::layout::Rect;

use super::bars;
use crate::client::model::Conversation;
use crate::client::screen::App;

/// Areas of the screen; `None` for a hidden panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// List of conversations, with its border.
    pub conversations: Option<Rect>,
    /// List of members, with its border.
    pub members: Option<Rect>,
    /// Topic bar, the first row.
    pub topic: Option<Rect>,
    /// Messages of the conversation.
    pub messages: Rect,
    /// Hint row, above the status bar.
    pub hint: Option<Rect>,
    /// Status bar, above the composer.
    pub status: Option<Rect>,
    /// Composer, the last rows.
    pub composer: Rect,
}

impl Layout {
    /// Returns the layout for the current size of the terminal.
    pub fn from_app(app: &App) -> Self {
        Self::for_screen(app, Rect::new(0, 0, app.size.0, app.size.1))
    }

    /// Returns the layout for a screen.
    pub fn for_screen(app: &App, screen: Rect) -> Self {
        let Rect { x, y, width, height } = screen;
        if width == 0 || height == 0 {
            return Self::default();
        }
        let mut layout = Self::default();
        let bare = app.panels.messages_only;
        let room = bars::composer_rows(app, width).min(usize::from(height / 3).max(1));
        let input = u16::try_from(room).unwrap_or(1).min(height);
        layout.composer = Rect::new(x, y + height - input, width, input);
        let mut bottom = layout.composer.y;
        let mut top = y;
        if !bare && bottom > top {
            bottom -= 1;
            layout.status = Some(Rect::new(x, bottom, width, 1));
        }
        if bars::has_hint(app) && bottom > top + 1 {
            bottom -= 1;
            layout.hint = Some(Rect::new(x, bottom, width, 1));
        }
        if !bare && bottom > top + 2 {
            layout.topic = Some(Rect::new(x, top, width, 1));
            top += 1;
        }
        let (mut left, mut right) = (x, x + width);
        let channel = matches!(&app.current, Some((_, Conversation::Channel(_))));
        if !bare && app.panels.conversations.unwrap_or(width >= 72) && width >= 36 {
            let size = (width / 5).clamp(16, 26);
            layout.conversations = Some(Rect::new(left, top, size, bottom - top));
            left += size;
        }
        if !bare && channel && app.panels.members.unwrap_or(width >= 110) && right - left >= 36 {
            let size = (width / 8).clamp(14, 22);
            right -= size;
            layout.members = Some(Rect::new(right, top, size, bottom - top));
        }
        layout.messages = Rect::new(left, top, right - left, bottom - top);
        layout
    }

    /// Returns whether the list of conversations is shown.
    pub fn shows_conversations(&self) -> bool {
        self.conversations.is_some()
    }

    /// Returns whether the list of members is shown.
    pub fn shows_members(&self) -> bool {
        self.members.is_some()
    }

    /// Returns the area of a window of at most `columns` by `rows` cells.
    pub fn window_area(screen: Rect, columns: u16, rows: u16) -> Rect {
        let (width, height) = (columns.min(screen.width), rows.min(screen.height));
        Rect::new(
            screen.x + (screen.width - width) / 2,
            screen.y + (screen.height - height) / 3,
            width,
            height,
        )
    }
}
