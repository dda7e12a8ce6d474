//! Services of the system. A unit of systemd or launchd runs `parlour serve` as it is, so there is nothing to do here.

use std::convert::Infallible;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The program cannot install itself.
pub const IS_SUPPORTED: bool = false;

/// Text for those who try.
pub const ADVICE: &str = "services that install themselves are for Windows; here a unit runs `parlour serve`, as in \
                          docs/administration.md";

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, ADVICE))
}

/// Home of the server that a package installs and a service manager runs, as the help names it.
pub const SYSTEM_HOME: &str = "/var/lib/parlour";

/// Returns the path of [`SYSTEM_HOME`].
pub fn system_home() -> PathBuf {
    PathBuf::from(SYSTEM_HOME)
}

/// Returns the configuration file of that server where its home has none: packages put it where the system's other
/// configuration is.
pub fn system_config() -> PathBuf {
    PathBuf::from("/etc/parlour/parlour.toml")
}

/// Fails.
pub fn install(_: &Path) -> io::Result<()> {
    unsupported()
}

/// Fails.
pub fn remove() -> io::Result<()> {
    unsupported()
}

/// Fails.
pub fn status() -> io::Result<String> {
    unsupported()
}

/// Fails.
pub fn run(_: impl FnOnce() -> bool + Send + 'static) -> io::Result<()> {
    unsupported()
}

/// Fails.
pub fn open_log(_: &Path) -> io::Result<impl Write + Send + use<>> {
    unsupported::<Infallible>().map(|never| -> io::Sink { match never {} })
}
