//! Logins: password checks, devices, and the slowing of failed attempts.

pub(super) mod logins;
pub mod passwords;
pub mod throttle;
