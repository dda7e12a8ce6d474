//! The tables: how records are applied to them, and how the core's snapshot is read from them.

pub mod accounts;
pub(super) mod apply;
pub mod audit;
pub(super) mod channel_names;
pub mod devices;
pub mod invites;
pub(super) mod record_writer;
pub mod retention;
pub(super) mod snapshot;
pub(super) mod volumes;
