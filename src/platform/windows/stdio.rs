//! The standard streams, and copies of sockets.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::windows::io::{AsHandle as _, AsSocket as _};

use tokio::net::TcpStream;

/// A copy of standard error.
#[derive(Debug)]
pub struct StderrCopy(Option<File>);

impl Write for StderrCopy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(file) => file.write(bytes),
            None => io::stderr().lock().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Some(file) => file.flush(),
            None => io::stderr().lock().flush(),
        }
    }
}

/// Returns a copy of standard error, which shares no lock with [`io::stderr`] unless that is a console. What the standard
/// library writes to a console is UTF-8 whatever its code page; bytes written to the copy of its handle are not.
pub fn copy_stderr() -> io::Result<StderrCopy> {
    let errors = io::stderr();
    if errors.is_terminal() {
        return Ok(StderrCopy(None));
    }
    Ok(StderrCopy(Some(File::from(errors.as_handle().try_clone_to_owned()?))))
}

/// Returns a copy of a socket, for another runtime than that of the original.
pub fn copy_socket(socket: &TcpStream) -> io::Result<std::net::TcpStream> {
    Ok(socket.as_socket().try_clone_to_owned()?.into())
}

/// Returns `false`: what waits in a pipe cannot be told without reading it here.
pub fn has_piped_input() -> bool {
    false
}

/// Returns `false`: a pipe does not tell that its reader is gone until something is written to it.
pub fn wait_until_unread() -> bool {
    false
}
