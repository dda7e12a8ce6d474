//! Full-screen client without IO: takes events and keys, gives frames to draw and [`ScreenEffect`]s to carry out.
//!
//! | module | content |
//! | --- | --- |
//! | [`App`] in [`app`] | routing of events to the parts of the screen, drawing of the whole |
//! | [`workspace`] | the servers with their conversations, and what the components share |
//! | [`components`] | parts of the screen, each with its state, its keys and its drawing |
//! | [`effects`] | IO that the screen requests from its caller |
//! | [`picture_box`] | pictures and their size on the screen |
//! | [`view`] | drawing of text into cells, colours, escape sequences |
//! | [`text`] | text measured in cells |

pub mod app;
pub mod components;
pub mod effects;
pub mod picture_box;
#[cfg(test)]
mod tests;
pub mod text;
pub mod view;
pub mod workspace;

pub use self::app::App;
pub use self::workspace::{BufferKey, ConnectionState, Models, ScreenEffect, Workspace};
