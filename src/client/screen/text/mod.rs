//! Text measured in cells: sanitizing, formatting, line breaking, direction, URLs, and the field that a text is written in.

pub mod bidi;
pub mod clusters;
pub mod format;
pub mod markup;
pub mod sanitize;
pub mod text_field;
pub mod urls;
pub mod wrap;
