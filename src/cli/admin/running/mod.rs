//! Commands about the running server and its configuration.

pub mod config;
pub mod reload;
pub mod session;
pub mod status;
