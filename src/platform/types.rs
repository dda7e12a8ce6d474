//! Types of the contracts, which are the same on each system.

use std::io;
use std::net::TcpListener;

/// Access of users other than the owner to a file or a folder. On Windows the system and the administrators do not count
/// as others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OthersAccess {
    /// They have any permission at all.
    pub any: bool,
    /// They may change the file, or what the folder contains.
    pub write: bool,
    /// They may create files in the folder but not replace those of others, as in `/tmp`. Windows has no such folders.
    pub sticky: bool,
    /// The permissions as people know them, such as `mode 0644` or `access for Everyone`.
    pub shown: String,
}

/// Permissions to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// A file, a socket or a pipe for its owner only.
    PrivateFile,
    /// A folder for its owner only.
    PrivateFolder,
    /// Others may read, and only the owner may change it.
    OwnerWrites,
}

/// Result of waiting for input of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Bytes were appended.
    Bytes,
    /// Nothing came in time.
    TimedOut,
    /// The terminal is gone, or the reading was stopped.
    Ended,
}

/// A listening socket that the service manager has opened.
#[derive(Debug)]
pub struct PassedSocket {
    /// The name that the service manager has for it, `FileDescriptorName=` of a socket unit; empty for none.
    pub name: String,
    /// The socket, non-blocking.
    pub listener: TcpListener,
}

impl PassedSocket {
    /// Returns another handle of the same socket.
    pub fn copy(&self) -> io::Result<Self> {
        Ok(Self { name: self.name.clone(), listener: self.listener.try_clone()? })
    }
}
