//! Tests of several modules together.

mod command_costs;
mod snapshot_rebuild;
