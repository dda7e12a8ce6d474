//! Log and metrics.

pub mod log;
pub mod metrics;
