//! Pictures on the screen of the terminal, which are drawn over the cells of a frame, and taken away with them.

use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;
use ratatui::layout::{Position, Rect};

use super::render::kitty_removal;

/// Limit of the pictures that a terminal with the kitty protocol keeps.
const MAX_SENT: usize = 32;

/// Numbers of the pictures that the terminal keeps, which are removed when it is restored, also by a panic.
static SENT: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A picture over an area of cells.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Cells that it covers.
    pub area: Rect,
    /// Sequences that draw it from the upper left corner.
    pub sequences: Arc<str>,
}

/// A picture that the placeholders of its number show, and the sequences that send it.
pub type Numbered = (u32, Arc<str>);

/// Pictures of the last frame and of the next.
#[derive(Debug, Default)]
pub struct Layer {
    shown: Vec<Placed>,
    next: Vec<Placed>,
    /// Pictures of the next frame that have a number.
    numbered: Vec<Numbered>,
    /// Pictures that the terminal keeps, those that were shown last at the end.
    sent: Vec<Numbered>,
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.area == other.area && Arc::ptr_eq(&self.sequences, &other.sequences)
    }
}

impl Layer {
    /// Sets the pictures of the next frame.
    pub fn set_next(&mut self, next: Vec<Placed>, numbered: Vec<Numbered>) {
        (self.next, self.numbered) = (next, numbered);
    }

    /// Forgets what is on the screen, because it was cleared.
    pub fn clear(&mut self) {
        self.shown.clear();
    }

    /// Forgets what the terminal keeps, which may be another one.
    pub fn forget_sent(&mut self) {
        self.sent.clear();
    }

    /// Writes the pictures that placeholders of the frame need. To be called before the cells are written.
    pub fn send_numbered(&mut self, out: &mut String) {
        if self.numbered.is_empty() {
            return;
        }
        for (mark, sequences) in &self.numbered {
            let known = self.sent.iter().position(|(sent, _)| sent == mark).map(|at| self.sent.remove(at));
            if !known.is_some_and(|(_, sent)| Arc::ptr_eq(&sent, sequences)) {
                out.push_str(sequences);
            }
            self.sent.push((*mark, sequences.clone()));
        }
        let excess = self.sent.len().saturating_sub(MAX_SENT.max(self.numbered.len()));
        for (mark, _) in self.sent.drain(..excess) {
            out.push_str(&kitty_removal(mark));
        }
        *SENT.lock() = self.sent.iter().map(|(mark, _)| *mark).collect();
    }

    /// Takes away the pictures that are gone, by writing the cells below again, and draws the new ones and those of which a
    /// cell was written. To be called behind the cells.
    pub fn draw(&mut self, written: &[Position], redraw: impl Fn(Rect, &mut String), out: &mut String) {
        let gone = self.shown.iter().filter(|old| !self.next.contains(old)).map(|old| old.area);
        gone.for_each(|area| redraw(area, out));
        for placed in &self.next {
            let is_whole = self.shown.contains(placed) && !written.iter().any(|at| placed.area.contains(*at));
            if !is_whole {
                let Position { x, y } = placed.area.as_position();
                let _ = write!(out, "\u{1b}[{};{}H", y + 1, x + 1);
                out.push_str(&placed.sequences);
            }
        }
        self.shown = std::mem::take(&mut self.next);
    }
}

/// Returns the sequences that remove all pictures that the terminal keeps.
pub fn removal_of_sent() -> String {
    // A panic may have come while the list was locked.
    let sent = SENT.try_lock().map(|mut sent| std::mem::take(&mut *sent)).unwrap_or_default();
    sent.into_iter().map(kitty_removal).collect()
}
