//! This process: the priority of its threads, its limits, and job control.

use std::fs;
use std::io;

use rustix::process::{Signal, kill_current_process_group};

/// Increase of the nice value. Such a thread gets a quarter of a core that another thread needs, and all of an idle
/// one.
#[cfg(target_os = "linux")]
const NICE_INCREMENT: i32 = 5;

/// Lowers the priority of the calling thread permanently.
#[cfg(target_os = "linux")]
pub fn lower_thread_priority() -> io::Result<()> {
    use rustix::process::{getpriority_process, setpriority_process};
    // No process id means the calling thread on Linux.
    let now = getpriority_process(None)?;
    Ok(setpriority_process(None, (now + NICE_INCREMENT).min(19))?)
}

/// Does nothing: a nice value is that of the whole process here.
#[cfg(not(target_os = "linux"))]
pub fn lower_thread_priority() -> io::Result<()> {
    Ok(())
}

/// Raises the limit of open files as far as the system lets this user.
pub fn raise_open_files_limit() -> io::Result<()> {
    rlimit::increase_nofile_limit(u64::MAX).map(drop)
}

/// Returns the limit of files that this process may have open at once; `None` where there is none.
pub fn open_files_limit() -> Option<u64> {
    rlimit::Resource::NOFILE.get_soft().ok()
}

/// Returns the limit of open files of the process with this id, or else the one to which a new process could raise its
/// own; `None` where there is none.
pub fn open_files_limit_of(pid: Option<u32>) -> Option<u64> {
    let limits = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/limits")).ok());
    limits
        .as_deref()
        .and_then(parse_open_files_limit)
        .or_else(|| rlimit::Resource::NOFILE.get_hard().ok())
        .filter(|&limit| limit != u64::MAX)
}

/// Parses the soft limit from `/proc/PID/limits`.
fn parse_open_files_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// The remedy for a low limit of open files.
pub const RAISE_OPEN_FILES: &str = "raise it: `ulimit -Hn 65536`, or LimitNOFILE=65536 in the service's unit";

/// Returns the command that lets connections to these ports through the firewall that every machine has; `None`, because
/// distributions differ.
pub fn firewall_rule(_: &[u16]) -> Option<String> {
    None
}

/// True where [`stop_group`] can work.
pub const HAS_JOB_CONTROL: bool = true;

/// Stops the process group, as Ctrl-Z does. Returns `false` where the system has no job control. A group without a shell
/// to return to goes on.
pub fn stop_group() -> io::Result<bool> {
    kill_current_process_group(Signal::TSTP)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_of_open_files_is_parsed() {
        let table = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(parse_open_files_limit(table), Some(1024));
        assert_eq!(parse_open_files_limit("Max open files  unlimited unlimited files"), Some(u64::MAX));
        assert_eq!(parse_open_files_limit("nonsense"), None);
    }
}
