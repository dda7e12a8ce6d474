//! Pictures in the terminal.
//!
//! | module | content |
//! | --- | --- |
//! | [`detection`] | what the terminal can show, by its answers to queries |
//! | [`decode`] | files of pictures to pixels, in bounded time and memory |
//! | [`render`] | pixels to the escape sequences of the kitty graphics protocol, iTerm2 or sixel |
//! | [`gallery`] | the pictures in memory and on their way |
//! | [`layer`] | the pictures on the screen |

pub mod decode;
pub mod detection;
pub mod gallery;
pub mod layer;
pub mod render;
#[cfg(test)]
mod tests;
