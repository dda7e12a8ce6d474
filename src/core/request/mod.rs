//! Requests that come from sessions and from the administration, and their results.

pub mod access_tokens;
pub mod admin;
pub mod channels;
pub mod durations;
pub mod export;
pub mod files;
pub mod hooks;
pub mod json;
pub mod listing;
pub mod maintenance;
pub mod people;
pub mod reply_form;
pub mod sasl;
pub mod target;
