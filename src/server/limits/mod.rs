//! Limits on connections before their login, and the subjects by which they count: addresses and IPv6 prefixes.

pub mod fair_scheduler;
pub mod incidents;
pub mod pre_login_connections;
pub mod subject;
