//! Invite links and their parts: addresses, the token, and what mail and chat programs make of a link.

pub mod address;
pub mod invite;
pub mod link_extraction;
pub mod token;
