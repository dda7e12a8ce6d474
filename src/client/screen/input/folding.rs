//! Folding and unfolding of runs of joins and leaves.

use std::ops::Range;

use crate::client::screen::buffer::Scroll;
use crate::client::screen::view::{self, Layout};
use crate::client::screen::{App, Chosen};

impl App {
    /// Returns the selected run of joins and leaves.
    pub(in crate::client::screen) fn chosen_run(&self) -> Option<Range<i64>> {
        let Some(Chosen::Entry(number)) = self.chosen else { return None };
        view::run(self, self.buffer()?, number)
    }

    pub(in crate::client::screen) fn fold_chosen(&mut self) {
        if let Some(run) = self.chosen_run() {
            self.fold(run.start);
        }
    }

    /// Unfolds a run of joins and leaves, or folds it. Its first row stays in place on the screen if possible.
    pub(in crate::client::screen) fn fold(&mut self, number: i64) {
        let Some(run) = self.buffer().and_then(|buffer| view::run(self, buffer, number)) else { return };
        let rows = view::rows_from(self, run.start);
        if let Some(buffer) = self.buffer_mut() {
            let open = buffer.entry(run.start).is_some_and(|entry| entry.open);
            buffer.unfold(run.clone(), !open);
        }
        if let Some(Chosen::Entry(chosen)) = &mut self.chosen
            && run.contains(chosen)
        {
            *chosen = run.start;
        }
        let bottom = self.buffer().is_some_and(|buffer| buffer.scroll == Scroll::Bottom);
        if bottom && view::rows_from(self, run.start).is_some() {
            return;
        }
        let talk = Layout::of(self).talk;
        let scroll = self.lowest_below(run.start, rows.unwrap_or(usize::from(talk.height)), talk.width);
        if let Some(buffer) = self.buffer_mut() {
            buffer.scroll = scroll;
        }
    }

    /// Returns the scroll position that shows `rows` rows from the first row of the entry `from` on.
    pub(in crate::client::screen) fn lowest_below(&self, from: i64, rows: usize, columns: u16) -> Scroll {
        let Some(buffer) = self.buffer() else { return Scroll::Bottom };
        let end = buffer.numbers().end;
        let mut seen = 0;
        for number in from..end {
            seen += view::height(self, buffer, number, columns);
            if seen >= rows {
                let last = (number + 1..end).all(|number| view::is_folded(self, buffer, number));
                return if last && seen == rows && buffer.live {
                    Scroll::Bottom
                } else {
                    Scroll::At { number, below: seen - rows }
                };
            }
        }
        Scroll::Bottom
    }
}
