//! Supervision of the long-lived tasks, and the priority of threads.

pub mod gathering;
pub mod stop;
pub mod supervisor;

/// Lowers the priority of the calling thread permanently, as it works for connections before their login. Not every
/// system has priorities of threads.
pub fn lower_thread_priority() {
    if let Err(error) = crate::platform::process::lower_thread_priority() {
        tracing::debug!(%error, "cannot lower the priority of a thread");
    }
}
