//! The control socket, by which the command line reaches a running server.
//!
//! A Unix socket in the data folder, for its owner only. Each line is an [`AdminRequest`](super::AdminRequest) in JSON, and
//! one line replies to it. It carries hashes, never a password or a token.

mod callers;
mod client;
mod server;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{AdminReply, Failure};

pub use client::{ControlClient, ControlError};
pub use server::{ControlSocket, Replying, RunningServer};

/// Maximum length of a request, in bytes. An import's batch of some hundred accounts is well below it.
const MAX_REQUEST_BYTES: u64 = 1 << 20;

/// Maximum length of a reply, in bytes. A page of a list is well below it.
const MAX_RESPONSE_BYTES: u64 = 1 << 20;

/// Reply to a request, one line.
#[derive(Debug, Serialize, Deserialize)]
enum Response {
    Done(AdminReply),
    Failed(Failure),
}

/// Returns the socket's path in `folder`, and a file that must stay open while the path is used.
///
/// A socket's path may have only some hundred bytes. A data folder with a longer path is reached through its open file
/// descriptor.
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
