//! Invite links and their parts: addresses, the token, and what mail and chat programs make of a link.

pub mod address;
pub mod invite;
pub mod pasted;
pub mod token;
