//! Commands about the session itself.

pub mod after_login;
pub mod cap;
pub mod quit;
