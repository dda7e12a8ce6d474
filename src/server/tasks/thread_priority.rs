//! Priority of threads that work for connections before their login.

/// Increase of the nice value. Such a thread gets a quarter of a core that another thread needs, and all of an idle
/// one.
#[cfg(target_os = "linux")]
const NICE_INCREMENT: i32 = 5;

/// Lowers the priority of the calling thread permanently. Only Linux has thread priorities; elsewhere it does nothing.
pub fn lower_current_thread() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        // No process id means the calling thread on Linux.
        let lowered = getpriority_process(None)
            .and_then(|now| setpriority_process(None, (now + NICE_INCREMENT).min(19)));
        if let Err(error) = lowered {
            tracing::debug!(%error, "cannot lower the priority of a thread");
        }
    }
}
