//! The standard streams, and copies of sockets.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, ioctl_fionread};
use tokio::net::TcpStream;

/// Returns a copy of standard error, which shares no lock with [`io::stderr`].
pub fn copy_stderr() -> io::Result<File> {
    Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?))
}

/// Returns a copy of a socket, for another runtime than that of the original.
pub fn copy_socket(socket: &TcpStream) -> io::Result<std::net::TcpStream> {
    Ok(socket.as_fd().try_clone_to_owned()?.into())
}

/// Returns whether standard input is a pipe in which something waits to be read. It is not read for that.
pub fn has_piped_input() -> bool {
    let input = io::stdin();
    let is_pipe = fstat(&input).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
    is_pipe && ioctl_fionread(&input).is_ok_and(|bytes| bytes > 0)
}

/// Blocks until the reader of standard output is gone, for a pipe, a socket or a terminal. Returns `false` if that cannot
/// be detected.
pub fn wait_until_unread() -> bool {
    let out = io::stdout();
    // No events are requested; errors and hang-ups are always reported.
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    while poll(&mut watched, None) == Err(Errno::INTR) {}
    watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}
