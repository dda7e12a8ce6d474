//! The tables: how records are applied to them, and how the core's snapshot is read from them.

pub mod accounts;
pub(super) mod apply;
pub mod audit;
pub mod devices;
pub mod invites;
pub(super) mod names;
pub(super) mod records;
pub(super) mod snapshot;
pub(super) mod volumes;
