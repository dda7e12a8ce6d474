//! Text measured in cells: sanitizing, line breaking, direction, URLs, and the field that a text is written in.

pub mod bidi;
pub mod composer;
pub mod sanitize;
pub mod urls;
pub mod wrap;
