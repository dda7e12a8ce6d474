//! The control socket, by which the command line reaches a running server.
//!
//! A Unix socket in the data folder, for its owner only (see `platform`). Each line is an [`AdminRequest`](super::AdminRequest) in JSON, and
//! one line replies to it. It carries hashes, never a password or a token.

mod callers;
mod client;
mod server;

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

#[cfg(test)]
mod tests;
