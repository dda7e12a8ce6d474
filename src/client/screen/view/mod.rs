//! Drawing of text into cells, and of cells to the terminal.

pub mod clock;
pub mod colours;
mod contrast;
mod draw_text;
pub mod escape;
mod rgb;
pub mod theme;

pub use self::draw_text::{Links, clear_area, draw_border, draw_runs, draw_text};
