//! The control channel: a Unix socket in the data folder.

use std::fs::{self, File, Permissions};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tracing::warn;

/// Name of the socket in the data folder.
pub const FILE_NAME: &str = "control.sock";

/// Connection of a caller, at the server's end.
pub type Connection = UnixStream;

/// A [`Connection`] without a runtime.
pub type DetachedConnection = BlockingStream;

/// True: sockets go with bytes over the channel.
pub const PASSES_SOCKETS: bool = true;

/// Maximum count of sockets that are sent at once. Linux permits 253.
const MAX_SENT_SOCKETS: usize = 128;

/// The bound socket. Dropping it removes the file.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    /// User id whose processes may connect, beside root.
    owner_uid: u32,
    _folder: Option<File>,
}

impl Listener {
    /// Binds the socket in the data folder. The caller holds the folder's lock, so an existing socket file was left
    /// behind by a server that was killed, and is replaced.
    pub fn bind(folder: &Path) -> io::Result<Self> {
        let (path, open) = socket_path(folder)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(&path)?;
        // Until this line other users could connect, if the folder lets them; `peer_cred` refuses them.
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let owner = fs::metadata(&path)?.uid();
        Ok(Self { socket, path, owner_uid: owner, _folder: open })
    }

    /// Waits for the next caller. Returns `None` for one that was refused, because it belongs to another user.
    pub async fn accept(&mut self) -> io::Result<Option<Connection>> {
        let (stream, _) = self.socket.accept().await?;
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == self.owner_uid || peer.uid() == 0 => Ok(Some(stream)),
            Ok(peer) => {
                warn!(uid = peer.uid(), "control: refused another user");
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A missing file, or one that cannot be removed, is replaced by the next server.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns the id of the caller's process.
pub fn caller_pid(connection: &Connection) -> Option<u32> {
    connection.peer_cred().ok()?.pid().and_then(|pid| u32::try_from(pid).ok())
}

/// Takes a connection out of its runtime.
pub fn detach(connection: Connection) -> io::Result<DetachedConnection> {
    connection.into_std()
}

/// Puts a connection into the present runtime.
pub fn attach(connection: DetachedConnection) -> io::Result<Connection> {
    UnixStream::from_std(connection)
}

/// Sends a text of some hundred bytes, and with it copies of these sockets (`SCM_RIGHTS`, unix(7)).
pub async fn send_with_sockets(
    connection: &Connection,
    text: &[u8],
    sockets: &[TcpListener],
) -> io::Result<()> {
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(|socket| socket.as_fd()).collect();
    let rights = || SendAncillaryMessage::ScmRights(&descriptors);
    let mut space = vec![MaybeUninit::uninit(); rights().size()];
    let send = || {
        let mut control = SendAncillaryBuffer::new(&mut space);
        if sockets.len() > MAX_SENT_SOCKETS || !control.push(rights()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many listening sockets"));
        }
        Ok(sendmsg(connection, &[IoSlice::new(text)], &mut control, SendFlags::empty())?)
    };
    // The buffer of a new connection has room for all of it.
    if connection.async_io(Interest::WRITABLE, send).await? < text.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(())
}

/// Connection to a running server, blocking.
#[derive(Debug)]
pub struct Caller(BlockingStream);

impl Caller {
    /// Connects to the server that runs on this data folder. Reads and writes that take longer than `timeout` fail.
    ///
    /// # Errors
    /// `NotFound` or `ConnectionRefused` if no server runs there.
    pub fn connect(folder: &Path, timeout: Duration) -> io::Result<Self> {
        let (path, _open) = socket_path(folder)?;
        let stream = BlockingStream::connect(path)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        Ok(Self(stream))
    }

    /// Reads as [`read`](Read::read) does, and adds the sockets that came with the bytes to `sockets`.
    ///
    /// # Errors
    /// Also if there was no room for all sockets.
    pub fn read_with_sockets(
        &mut self,
        bytes: &mut [u8],
        sockets: &mut Vec<TcpListener>,
    ) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SENT_SOCKETS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let read = recvmsg(&self.0, &mut [IoSliceMut::new(bytes)], &mut control, RECEIVE_FLAGS)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                for descriptor in descriptors {
                    close_on_exec(&descriptor)?;
                    sockets.push(descriptor.into());
                }
            }
        }
        if read.flags.contains(ReturnFlags::CTRUNC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not all listening sockets were passed"));
        }
        Ok(read.bytes)
    }
}

/// Keeps the sockets that come from the programs that this one starts.
#[cfg(not(target_vendor = "apple"))]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(target_vendor = "apple")]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::empty();

/// Does nothing: [`RECEIVE_FLAGS`] did it.
#[cfg(not(target_vendor = "apple"))]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
fn close_on_exec(_: &OwnedFd) -> io::Result<()> {
    Ok(())
}

#[cfg(target_vendor = "apple")]
fn close_on_exec(descriptor: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC)?)
}

impl Read for Caller {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for Caller {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Returns the socket's path in `folder`, and a file that must stay open while the path is used.
///
/// A socket's path may have only some hundred bytes. On Linux a data folder with a longer path is reached through its open
/// file descriptor.
fn socket_path(folder: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let path = folder.join(FILE_NAME);
    if path.as_os_str().len() < 100 || !cfg!(target_os = "linux") {
        return Ok((path, None));
    }
    let open = File::open(folder)?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&open);
    Ok((PathBuf::from(format!("/proc/self/fd/{fd}/{FILE_NAME}")), Some(open)))
}

/// Leaves behind what a server leaves that was killed.
#[cfg(test)]
pub fn leave_behind(folder: &Path) {
    drop(std::os::unix::net::UnixListener::bind(folder.join(FILE_NAME)).expect("binds"));
}
