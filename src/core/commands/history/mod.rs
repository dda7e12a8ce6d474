//! Commands that read the history.

pub mod chathistory;
pub mod search;
