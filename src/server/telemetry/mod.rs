//! Log and metrics.

pub mod exporter;
pub mod format;
pub mod journal;
pub mod log;
pub mod metrics;
pub mod recent_commits;
mod registration;
pub mod sizes;
