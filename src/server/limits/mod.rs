//! Limits on connections before their login, the subjects by which they count (addresses and IPv6 prefixes), token
//! buckets, and schedulers that share work by subject or account.

pub mod fair_queue;
pub mod fair_scheduler;
pub mod incidents;
pub mod pre_login_connections;
pub mod subject;
pub mod token_bucket;
