//! Invite links and their addresses, and what mail and chat programs make of a link.

pub mod address;
pub mod invite;
pub mod link_extraction;
