//! Drawing of text into cells, and of cells to the terminal.

pub mod clock;
pub mod colours;
mod contrast;
mod draw_text;
pub mod escape;
pub mod pictures;
mod rgb;
pub mod theme;

pub use self::draw_text::{Links, clear_area, draw_border, draw_runs, draw_text};
use self::pictures::Pictures;

/// Parts of a frame that are not in its cells.
#[derive(Debug, Default)]
pub struct Drawn {
    /// Targets of the links.
    pub links: Links,
    /// Pictures in the boxes.
    pub pictures: Pictures,
}
