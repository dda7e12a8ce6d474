//! The control socket, by which the command line reaches a running server.
//!
//! A Unix socket in the data folder, for its owner only (see `platform`). Each line is an [`AdminRequest`] in JSON, and
//! one line replies to it. It carries hashes, never a password or a token. A server that takes over from the running one
//! asks for its listening sockets over it ([`Takeover`]).

mod callers;
mod client;
mod server;
mod takeover;

use serde::{Deserialize, Serialize};

use super::{AdminReply, AdminRequest, Failure};
use takeover::TakeoverRequest;

pub use client::{ControlClient, ControlError};
pub use server::{ControlSocket, Replying, RunningServer};
pub use takeover::{ListeningSockets, Successor, Takeover};

/// Maximum length of a request, in bytes. An import's batch of some hundred accounts is well below it.
const MAX_REQUEST_BYTES: u64 = 1 << 20;

/// Maximum length of a reply, in bytes. A page of a list is well below a megabyte; what is kept of a person has all of
/// their read markers, notes and files.
const MAX_RESPONSE_BYTES: u64 = 16 << 20;

/// A request, one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum ControlRequest {
    Admin(AdminRequest),
    Takeover(TakeoverRequest),
}

/// Reply to a request, one line.
#[derive(Debug, Serialize, Deserialize)]
enum Response {
    Done(AdminReply),
    Failed(Failure),
    /// The names of the sockets that come with the line.
    Sockets(Vec<String>),
}

#[cfg(test)]
mod tests;
