//! Errors of the file of known servers, each with its remedy.

use std::io;
use std::path::PathBuf;

use crate::client::devices::DeviceFileError;

/// The version of the file's form that this program writes.
pub(super) const VERSION: u32 = 2;

/// An error of the file, or of the choice of a server. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServersError {
    /// No home folder.
    #[error("there is no home folder to remember servers in: set HOME or XDG_CONFIG_HOME")]
    NoHome,
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
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
        /// Why.
        source: io::Error,
    },
    /// Others can write to it, so they could replace a pin.
    #[error("others can change {path}, and so whom you trust: check it, then `chmod 600 {path}`", path = .0.display())]
    Writable(PathBuf),
    /// It is not what this program wrote.
    #[error("{} is damaged ({what}): repair it, or remove it and join your servers again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        what: String,
    },
    /// What was to be written would not be read back as it is.
    #[error("cannot remember {0}: that cannot be read back from {path}", path = .1.display())]
    Unreadable(String, PathBuf),
    /// The key that logs in cannot follow the pin.
    #[error(transparent)]
    Device(#[from] DeviceFileError),
    /// It is from a later version of this program.
    #[error("{} was written by a newer parlour (format {version}, this one knows {}): update parlour", path.display(), VERSION)]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// Nothing was joined yet.
    #[error("no server is known yet: join one with `parlour join LINK`")]
    None,
    /// There is no server of that name.
    #[error("no server of that name is known, but {0}; join it with an invite, or give its --pin")]
    Unknown(String),
    /// An invite link was given for a server. It is not quoted: its token is a secret.
    #[error(
        "an invite link is for who joins: open it with `parlour join`, and then name the server as that calls it"
    )]
    Link,
    /// More than one server could be meant.
    #[error("that could be any of: {0}; say which")]
    Ambiguous(String),
    /// Another server has that name.
    #[error("another server is called {0}: choose another name, or rename that one first")]
    Taken(String),
}
