//! Supervision of the long-lived tasks, and the priority of threads.

pub mod supervisor;
pub mod thread_priority;
