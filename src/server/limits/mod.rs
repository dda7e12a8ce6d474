//! Limits on connections that are not logged in, and the subjects that they count: addresses and IPv6 prefixes.

pub mod incidents;
pub mod paced;
pub mod strangers;
pub mod subject;
