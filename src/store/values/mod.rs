//! Values in the database: the stored forms of the core's types, counters, and times.

pub(super) mod columns;
pub(super) mod counters;
pub mod time;
