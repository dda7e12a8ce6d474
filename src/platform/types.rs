//! Types of the contracts, which are the same on each system.

use std::io;
use std::net::{IpAddr, TcpListener};

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

/// A network interface with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The system's number of it, which is the scope id of its link-local addresses.
    pub index: u32,
    /// Its zone in the text of a link-local address, such as `eth0`, or `4` on Windows.
    pub zone: String,
    /// Kind of the interface.
    pub kind: InterfaceKind,
    /// A default route leads through it.
    pub has_default_route: bool,
    /// Its addresses, IPv4 first, without those that are temporary or no longer preferred.
    pub addresses: Vec<IpAddr>,
}

/// Kind of a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceKind {
    /// Hardware, also bundled (bond) or divided (VLAN).
    Hardware,
    /// A link to a container or of one, or a stand-in for a device.
    Virtual,
    /// A bridge, as virtual machines and containers have.
    Bridge,
    /// A tunnel, as VPNs have.
    Tunnel,
}
