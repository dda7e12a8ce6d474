//! Commands about the session itself.

pub mod cap;
pub mod login_commands;
pub mod quit;
