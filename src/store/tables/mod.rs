//! The tables: how records are applied to them, and how the core's snapshot is read from them.

pub mod accounts;
pub mod audit;
pub(super) mod channel_names;
mod channel_state;
pub mod devices;
pub(in crate::store) mod files;
pub mod invites;
mod metadata;
mod programs;
mod read_state;
pub(super) mod record_writer;
pub mod retention;
pub(super) mod snapshot;
pub(super) mod volumes;
