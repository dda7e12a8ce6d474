//! The load generator of `benches/load`: its check notices what goes wrong, its scenarios run against a real server, and its
//! report compares. None of it depends on how fast the machine is.

#[path = "../../../benches/load/generator/mod.rs"]
mod generator;
mod ledger;
#[path = "../../../benches/load/report/mod.rs"]
mod report;
mod scenarios;
mod tables;
