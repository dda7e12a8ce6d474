//! What programs use: hooks and access tokens.

pub(super) mod access_tokens;
pub(super) mod hooks;
