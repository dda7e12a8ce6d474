//! Limits on connections before their login, and the subjects by which they count: addresses and IPv6 prefixes.

pub mod incidents;
pub mod paced;
pub mod strangers;
pub mod subject;
