//! Commands about channels and their members.

pub mod invite;
pub mod join;
pub mod kick;
pub mod knock;
pub mod list;
pub mod mode;
pub mod names;
pub mod part;
pub mod rename;
pub mod topic;
