//! Navigation between conversations, scrolling, mouse clicks.

use crate::client::screen::buffer::{JumpTarget, Scroll};
use crate::client::screen::view::{self, Layout};
use crate::client::screen::{App, Models, Selection};
use crate::wire::Timestamp;

impl App {
    /// Returns half the rows of the messages, at least 1.
    pub(in crate::client::screen) fn half_page_rows(&self) -> i16 {
        i16::try_from((Layout::from_app(self).messages.height / 2).max(1)).unwrap_or(1)
    }

    /// Scrolls by rows, up if positive.
    pub(in crate::client::screen) fn scroll_rows(&mut self, rows: isize) {
        let columns = Layout::from_app(self).messages.width;
        let Some(buffer) = self.current_buffer() else { return };
        let range = buffer.numbers();
        if range.is_empty() {
            return;
        }
        let height = |number: i64| view::entry_height(self, buffer, number, columns);
        let (mut number, mut below) = match buffer.scroll {
            Scroll::Bottom => (range.end - 1, 0),
            Scroll::At { number, rows_below: below } => (number.clamp(range.start, range.end - 1), below),
        };
        if rows > 0 {
            below += rows.unsigned_abs();
            while below >= height(number) {
                if number == range.start {
                    below = height(number).saturating_sub(1);
                    break;
                }
                below -= height(number);
                number -= 1;
            }
        } else {
            let mut down = rows.unsigned_abs();
            while down > below {
                down -= below + 1;
                // An entry that is folded into another one's row has no row.
                let next = (number + 1..range.end).find(|&number| height(number) > 0);
                number = next.unwrap_or(range.end);
                if next.is_none() {
                    break;
                }
                below = height(number) - 1;
            }
            below = below.saturating_sub(down);
        }
        // The first page is the limit of scrolling up.
        let page = self.first_page_rows();
        let mut above = 0;
        for other in (range.start..=number.min(range.end - 1)).rev() {
            above += height(other);
            if above >= page + below {
                break;
            }
        }
        let missing = (page + below).saturating_sub(above);
        let live = buffer.has_latest;
        let is_last =
            |number: i64| (number + 1..range.end).all(|number| view::is_folded(self, buffer, number));
        let scroll = if number >= range.end || below == 0 && is_last(number) && (live || rows < 0) {
            Scroll::Bottom
        } else if missing > 0 && rows > 0 {
            self.scroll_to_first_page(page, columns)
        } else {
            Scroll::At { number, rows_below: below }
        };
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.scroll = scroll;
        }
    }

    /// Returns the rows of the first page, which are one less when the row "beginning of …" precedes it.
    fn first_page_rows(&self) -> usize {
        let whole = self.current_buffer().is_some_and(|buffer| buffer.has_oldest);
        usize::from(Layout::from_app(self).messages.height).saturating_sub(usize::from(whole)).max(1)
    }

    /// Returns the scroll position with the first loaded entry at the top.
    fn scroll_to_first_page(&self, page: usize, columns: u16) -> Scroll {
        let from = self.current_buffer().map_or(0, |buffer| buffer.numbers().start);
        self.scroll_showing(from, page, columns)
    }

    pub(in crate::client::screen) fn scroll_to_latest(&mut self) {
        let Some(buffer) = self.current_buffer_mut() else { return };
        if buffer.detached {
            // The history in between is queried when the user scrolls there.
            buffer.skip_to_latest();
            buffer.detached = false;
        }
        buffer.scroll = Scroll::Bottom;
        self.selection = None;
    }

    pub(in crate::client::screen) fn scroll_to_oldest(&mut self) {
        let (page, columns) = (self.first_page_rows(), Layout::from_app(self).messages.width);
        let scroll = self.scroll_to_first_page(page, columns);
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.scroll = scroll;
        }
    }

    /// Scrolls to the first new message.
    pub(in crate::client::screen) fn scroll_to_new(&mut self) {
        let Some(buffer) = self.current_buffer() else { return };
        let since = buffer
            .divider
            .or_else(|| (buffer.unread > 0).then(|| buffer.read_marker.unwrap_or(Timestamp(0))));
        match (since, self.current.clone()) {
            (Some(since), Some(current)) => self.jump_to(current, JumpTarget::After(since)),
            _ => self.show_hint("no new messages here"),
        }
    }

    /// Switches to the next or previous conversation in the list, wrapping around.
    pub(in crate::client::screen) fn switch_by(&mut self, by: isize) {
        let keys: Vec<_> = self.buffers().map(|(key, _)| key).collect();
        if keys.is_empty() {
            return;
        }
        let at = self.current.as_ref().and_then(|here| keys.iter().position(|key| key == here));
        let next = match at {
            Some(at) => (at + keys.len()).saturating_add_signed(by) % keys.len(),
            None => 0,
        };
        if let Some(key) = keys.get(next) {
            self.switch_to(key.clone());
        }
    }

    /// Handles a click: opens a conversation or a member, selects a message, unfolds or folds a run of joins and
    /// leaves.
    pub(in crate::client::screen) fn handle_click(&mut self, column: u16, row: u16, models: Models<'_, '_>) {
        match view::click_target(self, models, column, row) {
            Some(view::ClickTarget::Conversation(key)) => self.switch_to(key),
            Some(view::ClickTarget::Entry(number))
                if self
                    .current_buffer()
                    .is_some_and(|buffer| view::find_run(self, buffer, number).is_some()) =>
            {
                self.selection = None;
                self.toggle_run(number);
            }
            Some(view::ClickTarget::Entry(number)) => {
                let chosen = Some(Selection::Entry(number));
                self.selection = if self.selection == chosen { None } else { chosen };
            }
            Some(view::ClickTarget::Outgoing(ticket)) => self.selection = Some(Selection::Outgoing(ticket)),
            Some(view::ClickTarget::Member(nick)) => {
                if let Some((server, _)) = self.current {
                    self.switch_to((server, crate::client::model::Conversation::Direct(nick)));
                }
            }
            None => self.selection = None,
        }
    }
}
