//! Text measured in cells: sanitizing, line breaking, direction, URLs, and the field that a text is written in.

pub mod bidi;
pub mod clusters;
pub mod sanitize;
pub mod text_field;
pub mod urls;
pub mod wrap;
