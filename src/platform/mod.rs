//! Differences between operating systems: the only module with code for one of them.
//!
//! Each system has the same modules with the same functions, whose contracts stand here, and the same tests run on all.
//! Nothing outside asks which system it runs on; `tests/it/architecture` looks for that.
//!
//! | module | contract |
//! | --- | --- |
//! | `clock` | a monotonic clock, which runs while the machine sleeps where the system has such a clock; how to set the other one |
//! | `control` | the control channel of a data folder, for processes of its owner only |
//! | `desktop` | notifications on the desktop; `false` where it takes none |
//! | `files` | private files and folders, what others may do with a file, owners, durable renames, identities of files, disk space |
//! | `network` | the network interfaces with their kinds and addresses (`network_links`: the kinds that only the system knows) |
//! | `process` | the priority of threads, the limit of open files, job control |
//! | `service` | the installation as a service of the system, where the program does that itself |
//! | `service_manager` | the service manager that runs this process: what it is told, and the sockets that it passes |
//! | `signals` | requests to stop, to reload and to go on, and the new size of a terminal |
//! | `stdio` | copies of the standard streams and of sockets, and the end of a stream's reader |
//! | `terminal` | raw mode, size, input as the bytes that xterm sends, prompts for secrets, and the closing of the terminal |

pub mod network;
mod types;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix::network_links;
#[cfg(unix)]
pub use unix::{clock, control, desktop, files, process, service, service_manager, signals, stdio, terminal};
#[cfg(windows)]
use windows::network_links;
#[cfg(windows)]
pub use windows::{
    clock, control, desktop, files, process, service, service_manager, signals, stdio, terminal,
};

#[cfg(test)]
mod tests;
