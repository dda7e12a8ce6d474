//! Errors of `servers.toml`, each with its remedy.

use std::io;
use std::path::PathBuf;

use crate::client::files::devices::DeviceFileError;
use crate::platform::files::{Restriction, restriction_command};

/// The version of the file's format that this program writes.
pub(super) const VERSION: u32 = 2;

/// An error of the file, or of the selection of a server. Each message states the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// There is no home folder.
    #[error("there is no home folder to remember servers in: set HOME or XDG_CONFIG_HOME")]
    NoHome,
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(
        "cannot write {}: {source}; make its folder one that you can write to, or name another with XDG_CONFIG_HOME",
        path.display()
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Others can write to the file, so they could replace a pin.
    #[error("others can change {path}, and so whom you trust: check it, then `{command}`", path = .0.display(), command = restriction_command(Restriction::PrivateFile, .0))]
    WritableByOthers(PathBuf),
    /// The file is not valid.
    #[error("{} is damaged ({what}): repair it, or remove it and join your servers again", path.display())]
    Damaged {
        /// Path of the damaged file.
        path: PathBuf,
        /// Location and description of the problem.
        what: String,
    },
    /// The text to write would not be parsed back to the same values.
    #[error("cannot remember {0}: that cannot be read back from {path}", path = .1.display())]
    NotRepresentable(String, PathBuf),
    /// The device's key cannot be renamed for the new pin.
    #[error(transparent)]
    Device(#[from] DeviceFileError),
    /// The file was written by a later version of this program.
    #[error("{} was written by a newer parlour (format {version}, this one knows {}): update parlour", path.display(), VERSION)]
    Newer {
        /// Path of the newer file.
        path: PathBuf,
        /// Its format version.
        version: u32,
    },
    /// No server has been joined yet.
    #[error("no server is known yet: join one with `parlour join LINK`")]
    NoServers,
    /// No server has this name.
    #[error(
        "no server of that name, or of that address and port, is known, but {0}; join it with an invite, or give its --pin"
    )]
    Unknown(String),
    /// An invite link was given in place of a server. It is not quoted, because its token is secret.
    #[error(
        "an invite link is for who joins: open it with `parlour join`, and then name the server as that calls it"
    )]
    InviteLink,
    /// The text matches more than one server.
    #[error("that could be any of: {0}; say which")]
    Ambiguous(String),
    /// Another server has this name.
    #[error("another server is called {0}: choose another name, or rename that one first")]
    NameTaken(String),
}
