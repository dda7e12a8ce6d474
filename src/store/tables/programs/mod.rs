//! Hooks and access tokens, by which programs use the server.

pub(super) mod access_tokens;
pub(super) mod hooks;
