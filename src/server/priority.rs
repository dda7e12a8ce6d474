//! The priority of threads that work for strangers.

/// Added to the nice value: such a thread gets a quarter of a core that another thread needs, and all of one that is idle.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// Lowers the priority of the calling thread for good. Only Linux has priorities for threads; elsewhere nothing happens.
pub fn lower() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        // To Linux, no process id means the calling thread.
        let lowered =
            getpriority_process(None).and_then(|now| setpriority_process(None, (now + NICER).min(19)));
        if let Err(error) = lowered {
            tracing::debug!(%error, "cannot lower the priority of a thread");
        }
    }
}
