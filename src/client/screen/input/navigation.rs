//! Navigation between conversations, scrolling, mouse clicks.

use crate::client::screen::buffer::{Landing, Scroll};
use crate::client::screen::view::{self, Layout};
use crate::client::screen::{App, Chosen, Models};
use crate::wire::Millis;

impl App {
    /// Returns half the rows of the messages, at least 1.
    pub(in crate::client::screen) fn half_page(&self) -> i16 {
        i16::try_from((Layout::of(self).talk.height / 2).max(1)).unwrap_or(1)
    }

    /// Scrolls by rows, up if positive.
    pub(in crate::client::screen) fn scroll(&mut self, rows: isize) {
        let columns = Layout::of(self).talk.width;
        let Some(buffer) = self.buffer() else { return };
        let range = buffer.numbers();
        if range.is_empty() {
            return;
        }
        let height = |number: i64| view::height(self, buffer, number, columns);
        let (mut number, mut below) = match buffer.scroll {
            Scroll::Bottom => (range.end - 1, 0),
            Scroll::At { number, below } => (number.clamp(range.start, range.end - 1), below),
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
        let page = self.rows_of_first_page();
        let mut above = 0;
        for other in (range.start..=number.min(range.end - 1)).rev() {
            above += height(other);
            if above >= page + below {
                break;
            }
        }
        let missing = (page + below).saturating_sub(above);
        let live = buffer.live;
        let is_last =
            |number: i64| (number + 1..range.end).all(|number| view::is_folded(self, buffer, number));
        let scroll = if number >= range.end || below == 0 && is_last(number) && (live || rows < 0) {
            Scroll::Bottom
        } else if missing > 0 && rows > 0 {
            self.lowest_of_first_page(page, columns)
        } else {
            Scroll::At { number, below }
        };
        if let Some(buffer) = self.buffer_mut() {
            buffer.scroll = scroll;
        }
    }

    /// Returns the rows of the first page, which are one less when the row "beginning of …" precedes it.
    fn rows_of_first_page(&self) -> usize {
        let whole = self.buffer().is_some_and(|buffer| buffer.whole);
        usize::from(Layout::of(self).talk.height).saturating_sub(usize::from(whole)).max(1)
    }

    /// Returns the scroll position with the first loaded entry at the top.
    fn lowest_of_first_page(&self, page: usize, columns: u16) -> Scroll {
        let from = self.buffer().map_or(0, |buffer| buffer.numbers().start);
        self.lowest_below(from, page, columns)
    }

    pub(in crate::client::screen) fn go_to_latest(&mut self) {
        let Some(buffer) = self.buffer_mut() else { return };
        if buffer.detached {
            // The history in between is queried when the user scrolls there.
            buffer.skip_to_latest();
            buffer.detached = false;
        }
        buffer.scroll = Scroll::Bottom;
        self.chosen = None;
    }

    pub(in crate::client::screen) fn go_to_oldest(&mut self) {
        let (page, columns) = (self.rows_of_first_page(), Layout::of(self).talk.width);
        let scroll = self.lowest_of_first_page(page, columns);
        if let Some(buffer) = self.buffer_mut() {
            buffer.scroll = scroll;
        }
    }

    /// Scrolls to the first new message.
    pub(in crate::client::screen) fn go_to_new(&mut self) {
        let Some(buffer) = self.buffer() else { return };
        let since =
            buffer.divider.or_else(|| (buffer.unread > 0).then(|| buffer.marker.unwrap_or(Millis(0))));
        match (since, self.here.clone()) {
            (Some(since), Some(here)) => self.jump(here, Landing::After(since)),
            _ => self.hint("no new messages here"),
        }
    }

    /// Switches to the next or previous conversation in the list, wrapping around.
    pub(in crate::client::screen) fn step_place(&mut self, by: isize) {
        let spots: Vec<_> = self.spots().map(|(spot, _)| spot).collect();
        if spots.is_empty() {
            return;
        }
        let at = self.here.as_ref().and_then(|here| spots.iter().position(|spot| spot == here));
        let next = match at {
            Some(at) => (at + spots.len()).saturating_add_signed(by) % spots.len(),
            None => 0,
        };
        if let Some(spot) = spots.get(next) {
            self.go(spot.clone());
        }
    }

    /// Handles a click: opens a conversation or a member, selects a message, unfolds or folds a run of joins and
    /// leaves.
    pub(in crate::client::screen) fn click(&mut self, column: u16, row: u16, models: Models<'_, '_>) {
        match view::what_is_at(self, models, column, row) {
            Some(view::Thing::Place(spot)) => self.go(spot),
            Some(view::Thing::Entry(number))
                if self.buffer().is_some_and(|buffer| view::run(self, buffer, number).is_some()) =>
            {
                self.chosen = None;
                self.fold(number);
            }
            Some(view::Thing::Entry(number)) => {
                let chosen = Some(Chosen::Entry(number));
                self.chosen = if self.chosen == chosen { None } else { chosen };
            }
            Some(view::Thing::Outgoing(ticket)) => self.chosen = Some(Chosen::Outgoing(ticket)),
            Some(view::Thing::Member(nick)) => {
                if let Some((server, _)) = self.here {
                    self.go((server, crate::client::model::Target::Person(nick)));
                }
            }
            None => self.chosen = None,
        }
    }
}
