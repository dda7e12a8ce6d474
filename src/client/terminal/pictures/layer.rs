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

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(y: u16, sequences: &Arc<str>) -> Placed {
        Placed { area: Rect::new(2, y, 4, 3), sequences: sequences.clone() }
    }

    /// Draws a frame with these pictures, of which some cells were written.
    fn frame(layer: &mut Layer, next: Vec<Placed>, written: &[(u16, u16)]) -> String {
        let written: Vec<Position> = written.iter().map(|at| Position::from(*at)).collect();
        let mut out = String::new();
        layer.set_next(next, Vec::new());
        let redraw =
            |area: Rect, out: &mut String| out.push_str(&["<cells at ", &area.y.to_string(), ">"].concat());
        layer.draw(&written, redraw, &mut out);
        out
    }

    #[test]
    fn a_picture_is_drawn_once_and_goes_with_its_cells() {
        let (mut layer, one) = (Layer::default(), Arc::from("<picture>"));
        assert_eq!(frame(&mut layer, vec![placed(5, &one)], &[]), "\u{1b}[6;3H<picture>");
        assert_eq!(frame(&mut layer, vec![placed(5, &one)], &[(1, 5), (6, 6)]), "", "beside it");
        assert_eq!(
            frame(&mut layer, vec![placed(5, &one)], &[(5, 7)]),
            "\u{1b}[6;3H<picture>",
            "written over"
        );
        assert_eq!(
            frame(&mut layer, vec![placed(4, &one)], &[]),
            "<cells at 5>\u{1b}[5;3H<picture>",
            "moved"
        );
        let other = Arc::from("<other>");
        assert_eq!(frame(&mut layer, vec![placed(4, &other)], &[]), "<cells at 4>\u{1b}[5;3H<other>");
        assert_eq!(frame(&mut layer, Vec::new(), &[]), "<cells at 4>");
        assert_eq!(frame(&mut layer, vec![placed(4, &other)], &[]), "\u{1b}[5;3H<other>");
        layer.clear();
        assert_eq!(
            frame(&mut layer, vec![placed(4, &other)], &[]),
            "\u{1b}[5;3H<other>",
            "the screen was cleared"
        );
    }

    #[test]
    fn the_terminal_keeps_a_limited_number_of_pictures() {
        let (mut layer, sequences) = (Layer::default(), Arc::<str>::from("<picture>"));
        let send = |layer: &mut Layer, mark: u32| {
            let mut out = String::new();
            layer.set_next(Vec::new(), vec![(mark, sequences.clone())]);
            layer.send_numbered(&mut out);
            out
        };
        let most = u32::try_from(MAX_SENT).expect("small");
        for mark in 1..=most {
            assert_eq!(send(&mut layer, mark), "<picture>");
        }
        assert_eq!(send(&mut layer, 1), "", "it is there");
        assert_eq!(send(&mut layer, most + 1), format!("<picture>{}", kitty_removal(2)));
        assert_eq!(send(&mut layer, 2), format!("<picture>{}", kitty_removal(3)));
        layer.forget_sent();
        assert_eq!(send(&mut layer, 1), "<picture>");
    }
}
