//! Commands that read the past.

pub mod chathistory;
pub mod search;
