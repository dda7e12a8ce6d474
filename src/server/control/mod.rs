//! The control socket: how the command line reaches a server that runs.
//!
//! A Unix socket in the data folder, for its owner only. Each line is a [`Request`](super::admin::Request) in JSON
//! and is answered by one line. It carries hashes, never a password or a token.

mod callers;
mod client;
mod server;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::admin::{Failure, Reply};

pub use client::{Client, ControlError};
pub use server::{Control, Facts, Reloading};

/// Longest request, in bytes: an import's batch of some hundred accounts is well below.
const REQUEST: u64 = 1 << 20;

/// Longest answer, in bytes: a page of a list is well below.
const ANSWER: u64 = 1 << 20;

/// One line back.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Done(Reply),
    Failed(Failure),
}

/// The socket's path in `folder`, and what must be kept open while the path is used.
///
/// A socket's path may have some hundred bytes only. A data folder that is deeper is reached through its open
/// file descriptor.
fn socket_path(folder: &Path) -> io::Result<(PathBuf, Option<File>)> {
    const NAME: &str = "control.sock";
    let path = folder.join(NAME);
    if path.as_os_str().len() < 100 || !cfg!(target_os = "linux") {
        return Ok((path, None));
    }
    let open = File::open(folder)?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&open);
    Ok((PathBuf::from(format!("/proc/self/fd/{fd}/{NAME}")), Some(open)))
}

#[cfg(test)]
mod tests;
