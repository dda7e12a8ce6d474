//! Handling of keys and the mouse, and execution of commands.

pub mod commands;
pub mod completion;
pub mod dispatch;
pub mod folding;
pub mod navigation;
pub mod selection;
