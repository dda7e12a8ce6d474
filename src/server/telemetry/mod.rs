//! Log and metrics.

pub mod log;
pub mod metrics;
pub mod recent_commits;
