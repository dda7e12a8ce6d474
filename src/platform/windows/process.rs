//! This process: the priority of its threads, its limits, and job control.

use std::io;

/// Does nothing: no kept crate sets the priority of a thread without the whole of Microsoft's `windows` crate. The turns
/// that connections take before their login bound what they cost others.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn lower_thread_priority() -> io::Result<()> {
    Ok(())
}

/// Does nothing: Windows has no limit of open files that a process could raise.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn raise_open_files_limit() -> io::Result<()> {
    Ok(())
}

/// Returns `None`: only memory limits the number of open files.
pub fn open_files_limit() -> Option<u64> {
    None
}

/// Returns `None`: only memory limits the number of open files.
pub fn open_files_limit_of(_: Option<u32>) -> Option<u64> {
    None
}

/// The remedy for a low limit of open files, which Windows does not have.
pub const RAISE_OPEN_FILES: &str = "restart the machine";

/// Returns the command that lets connections to these ports through the firewall that every machine has.
pub fn firewall_rule(ports: &[u16]) -> Option<String> {
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    Some(format!(
        "netsh advfirewall firewall add rule name=Parlour dir=in action=allow protocol=TCP localport={} as administrator",
        ports.join(",")
    ))
}

/// True where [`stop_group`] can work.
pub const HAS_JOB_CONTROL: bool = false;

/// Returns `false`: Windows has no job control.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn stop_group() -> io::Result<bool> {
    Ok(false)
}
