//! Folding and unfolding of runs of joins and leaves.

use std::ops::Range;

use crate::client::screen::buffer::Scroll;
use crate::client::screen::view::{self, Layout};
use crate::client::screen::{App, Selection};

impl App {
    /// Returns the selected run of joins and leaves.
    pub(in crate::client::screen) fn selected_run(&self) -> Option<Range<i64>> {
        let Some(Selection::Entry(number)) = self.selection else { return None };
        view::find_run(self, self.current_buffer()?, number)
    }

    pub(in crate::client::screen) fn toggle_selected_run(&mut self) {
        if let Some(run) = self.selected_run() {
            self.toggle_run(run.start);
        }
    }

    /// Unfolds a run of joins and leaves, or folds it. Its first row stays in place on the screen if possible.
    pub(in crate::client::screen) fn toggle_run(&mut self, number: i64) {
        let Some(run) = self.current_buffer().and_then(|buffer| view::find_run(self, buffer, number)) else {
            return;
        };
        let rows = view::rows_to_bottom(self, run.start);
        if let Some(buffer) = self.current_buffer_mut() {
            let open = buffer.entry(run.start).is_some_and(|entry| entry.unfolded);
            buffer.set_unfolded(run.clone(), !open);
        }
        if let Some(Selection::Entry(chosen)) = &mut self.selection
            && run.contains(chosen)
        {
            *chosen = run.start;
        }
        let bottom = self.current_buffer().is_some_and(|buffer| buffer.scroll == Scroll::Bottom);
        if bottom && view::rows_to_bottom(self, run.start).is_some() {
            return;
        }
        let messages = Layout::from_app(self).messages;
        let scroll =
            self.scroll_showing(run.start, rows.unwrap_or(usize::from(messages.height)), messages.width);
        if let Some(buffer) = self.current_buffer_mut() {
            buffer.scroll = scroll;
        }
    }

    /// Returns the scroll position that shows `rows` rows from the first row of the entry `from` on.
    pub(in crate::client::screen) fn scroll_showing(&self, from: i64, rows: usize, columns: u16) -> Scroll {
        let Some(buffer) = self.current_buffer() else { return Scroll::Bottom };
        let end = buffer.numbers().end;
        let mut visible_rows = 0;
        for number in from..end {
            visible_rows += view::entry_height(self, buffer, number, columns);
            if visible_rows >= rows {
                let last = (number + 1..end).all(|number| view::is_folded(self, buffer, number));
                return if last && visible_rows == rows && buffer.has_latest {
                    Scroll::Bottom
                } else {
                    Scroll::At { number, rows_below: visible_rows - rows }
                };
            }
        }
        Scroll::Bottom
    }
}
