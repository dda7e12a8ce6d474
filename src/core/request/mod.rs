//! Requests that come from sessions and from the administration, and their results.

pub mod account;
pub mod admin;
pub mod durations;
pub mod invites;
pub mod json;
pub mod listing;
pub mod maintenance;
pub mod sasl;
pub mod settings;
