//! Logins: password checks, devices, and the slowing of failed attempts.

pub(super) mod login_checker;
pub mod login_rate_limit;
mod lookups;
pub mod passwords;
