//! The server as a process: start, faults of the machine, metrics, end.

mod crash;
mod crash_mixed;
mod lifecycle;
mod log;
mod metrics;
mod outputs;
mod renewal;
mod server_queries;
mod service_manager;
mod startup;
mod storage;
mod supervision;
mod takeover;
