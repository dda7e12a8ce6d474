//! List of a window: the selected item, and its keys and mouse events, which are the same in every window.

use ratatui::layout::{Position, Rect};

use super::step;
use crate::client::keys::Action;
use crate::client::keys::key::MouseAction;
use crate::client::screen::components::{Context, KeyPress};

/// Items of a list on the screen.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// Area of the window, with its frame.
    pub window: Rect,
    /// Area of the items.
    pub area: Rect,
    /// Count of the items.
    pub count: usize,
    /// Rows of one item.
    pub rows_each: u16,
}

/// Selected item of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListSelection {
    /// Index of the item; 0 in an empty list.
    index: usize,
}

/// Effect of a key or a mouse event on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEvent {
    /// The event is not about the list.
    Ignored,
    /// The event is handled.
    Consumed,
    /// The selected item was chosen, by Enter or by a click.
    Chosen,
    /// A click beside the window, which closes it.
    Closed,
}

impl List {
    /// Returns the count of the items that fit the area, at least 1.
    pub fn capacity(&self) -> usize {
        usize::from(self.area.height / self.rows_each.max(1)).max(1)
    }

    /// Returns the item at a position.
    fn item_at(&self, at: Position, selected: usize) -> Option<usize> {
        if !self.area.contains(at) {
            return None;
        }
        let row = usize::from((at.y - self.area.y) / self.rows_each.max(1));
        Some(first_visible(selected, self.capacity()) + row).filter(|&item| item < self.count)
    }
}

impl ListSelection {
    /// Returns the index of the selected item.
    pub fn index(self) -> usize {
        self.index
    }

    /// Selects an item, or the last one where there are fewer.
    pub fn select(&mut self, index: usize, count: usize) {
        self.index = index.min(count.saturating_sub(1));
    }

    /// Returns the indexes of the visible items, among them the selected one.
    pub fn visible(self, list: &List) -> std::ops::Range<usize> {
        let first = first_visible(self.index, list.capacity());
        first..(first + list.capacity()).min(list.count)
    }

    /// Handles a key for a list of `count` items.
    pub fn handle_key(&mut self, key: KeyPress, count: usize, context: &Context<'_, '_>) -> ListEvent {
        if let Some(step) = step(key, context) {
            self.select(self.index.saturating_add_signed(step), count);
            ListEvent::Consumed
        } else if key.action == Some(Action::Enter) {
            ListEvent::Chosen
        } else {
            ListEvent::Ignored
        }
    }

    /// Handles a mouse event: the wheel moves the selection, and a click chooses an item.
    pub fn handle_mouse(&mut self, mouse: MouseAction, at: Position, list: &List) -> ListEvent {
        match mouse {
            MouseAction::WheelUp => self.select(self.index.saturating_sub(1), list.count),
            MouseAction::WheelDown => self.select(self.index + 1, list.count),
            MouseAction::Click if !list.window.contains(at) => return ListEvent::Closed,
            MouseAction::Click => {
                if let Some(item) = list.item_at(at, self.index) {
                    self.index = item;
                    return ListEvent::Chosen;
                }
            }
        }
        ListEvent::Consumed
    }
}

/// Returns the index of the first visible item, such that the selected one is visible.
fn first_visible(selected: usize, capacity: usize) -> usize {
    (selected + 1).saturating_sub(capacity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::components::overlays::window::list_area;
    use crate::client::screen::tests::fixture::Fixture;

    fn list(count: usize, rows_each: u16) -> List {
        let window = Rect::new(10, 2, 20, 6);
        List { window, area: list_area(window), count, rows_each }
    }

    fn click(list: &List, selected: usize, x: u16, y: u16) -> (ListEvent, usize) {
        let mut selection = ListSelection { index: selected };
        let event = selection.handle_mouse(MouseAction::Click, Position::new(x, y), list);
        (event, selection.index())
    }

    #[test]
    fn clicks_hit_the_visible_items() {
        let five = list(5, 1);
        assert_eq!(click(&five, 0, 9, 4), (ListEvent::Closed, 0));
        assert_eq!(click(&five, 0, 10, 4), (ListEvent::Consumed, 0), "the frame");
        assert_eq!(click(&five, 0, 12, 3), (ListEvent::Consumed, 0), "the search field");
        assert_eq!(
            [4, 5, 6].map(|y| click(&five, 0, 12, y)),
            [0, 1, 2].map(|item| (ListEvent::Chosen, item))
        );
        assert_eq!(click(&five, 4, 12, 4), (ListEvent::Chosen, 2), "scrolled to the selected item");
        let one = list(1, 2);
        let chosen = (ListEvent::Chosen, 0);
        assert_eq!([4, 5, 6].map(|y| click(&one, 0, 12, y)), [chosen, chosen, (ListEvent::Consumed, 0)]);
    }

    #[test]
    fn keys_and_the_wheel_stay_within_the_list() {
        let (mut fixture, mut selection) = (Fixture::new(), ListSelection::default());
        let mut press = |selection: &mut ListSelection, name: &str| {
            let mode = crate::client::keys::KeyMode::Composing;
            let key = KeyPress::new(name.parse().expect(name), mode, fixture.workspace.keys());
            fixture.with(|context| selection.handle_key(key, 3, context))
        };
        assert_eq!(press(&mut selection, "Down"), ListEvent::Consumed);
        assert_eq!(selection.index(), 1);
        press(&mut selection, "PgDn");
        assert_eq!(selection.index(), 2);
        assert_eq!(press(&mut selection, "Enter"), ListEvent::Chosen);
        assert_eq!(press(&mut selection, "x"), ListEvent::Ignored);
        let three = list(3, 1);
        selection.handle_mouse(MouseAction::WheelDown, Position::new(0, 0), &three);
        assert_eq!(selection.index(), 2);
        selection.handle_mouse(MouseAction::WheelUp, Position::new(0, 0), &three);
        assert_eq!((selection.index(), selection.visible(&three)), (1, 0..3));
        selection.select(7, 0);
        assert_eq!(selection.index(), 0);
    }
}
