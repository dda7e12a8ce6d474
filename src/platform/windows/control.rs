//! The control channel: a named pipe, whose name is in a private file of the data folder.
//!
//! The name is random, so that no other user can take it before the server does, and the list of the pipe lets in only the
//! user of the server, the administrators and the system. A caller checks the owner of the pipe, because another user can
//! take the name of a server that was killed.

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::distr::{Alphanumeric, SampleString as _};
use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

use super::{access, files};

/// Name of the file in the data folder.
pub const FILE_NAME: &str = "control.pipe";

/// Length of a pipe's name, 190 bits.
const NAME_LENGTH: usize = 32;

/// Start of the names of pipes of this machine.
const PIPES: &str = r"\\.\pipe\";

/// Error of a pipe whose instances are all taken: the server is about to make a new one.
const ERROR_PIPE_BUSY: i32 = 231;

/// Interval of the attempts to connect meanwhile.
const BUSY_RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// `SECURITY_IDENTIFICATION`: the server may learn who calls, and not act as the caller.
const SECURITY_IDENTIFICATION: u32 = 0x0001_0000;

/// Connection of a caller, at the server's end.
pub type Connection = NamedPipeServer;

/// False: a socket cannot be passed over a pipe.
pub const PASSES_SOCKETS: bool = false;

/// There is none: a pipe stays with its runtime.
pub type DetachedConnection = Infallible;

/// The pipe. Dropping it removes the file.
#[derive(Debug)]
pub struct Listener {
    /// The instance that the next caller gets.
    next: NamedPipeServer,
    pipe: String,
    file: PathBuf,
}

impl Listener {
    /// Makes the pipe and its file in the data folder. The caller holds the folder's lock, so an existing file was left
    /// behind by a server that was killed, and is replaced.
    pub fn bind(folder: &Path) -> io::Result<Self> {
        let file = folder.join(FILE_NAME);
        let name = format!("parlour-{}", Alphanumeric.sample_string(&mut rand::rng(), NAME_LENGTH));
        let pipe = format!("{PIPES}{name}");
        // The list is that of all instances. Until it is set, Windows lets others read at most, and they get nothing.
        let mut next =
            ServerOptions::new().first_pipe_instance(true).write_dac(true).write_owner(true).create(&pipe)?;
        access::restrict_pipe(&mut next)?;
        let mut options = OpenOptions::new();
        let mut open = files::open_private(options.write(true).create(true).truncate(true), &file)?;
        open.write_all(name.as_bytes())?;
        Ok(Self { next, pipe, file })
    }

    /// Waits for the next caller. The access list has refused those of other users.
    pub async fn accept(&mut self) -> io::Result<Option<Connection>> {
        let connected = self.next.connect().await;
        // An instance serves one caller. One that failed is replaced too.
        let next = ServerOptions::new().create(&self.pipe)?;
        let connection = std::mem::replace(&mut self.next, next);
        connected.map(|()| Some(connection))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A missing file, or one that cannot be removed, is replaced by the next server.
        let _ = fs::remove_file(&self.file);
    }
}

/// Returns `None`: only another process of the service could be one that it has started.
pub fn caller_pid(_: &Connection) -> Option<u32> {
    None
}

/// Fails.
pub fn detach(_: Connection) -> io::Result<DetachedConnection> {
    Err(cannot_pass_sockets())
}

/// Is never called, because there is no such connection.
pub fn attach(connection: DetachedConnection) -> io::Result<Connection> {
    match connection {}
}

/// Fails: sockets are not passed on here.
#[expect(clippy::unused_async, reason = "other systems wait")]
pub async fn send_with_sockets(_: &Connection, _: &[u8], _: &[TcpListener]) -> io::Result<()> {
    Err(cannot_pass_sockets())
}

fn cannot_pass_sockets() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a server on Windows cannot pass on its listening sockets")
}

/// Connection to a running server, blocking.
#[derive(Debug)]
pub struct Caller {
    pipe: File,
    timeout: Duration,
}

impl Caller {
    /// Connects to the server that runs on this data folder. Reads and writes that take longer than `timeout` fail.
    ///
    /// # Errors
    /// `NotFound` or `ConnectionRefused` if no server runs there.
    pub fn connect(folder: &Path, timeout: Duration) -> io::Result<Self> {
        let name = fs::read_to_string(folder.join(FILE_NAME))?;
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the name of the pipe is damaged"));
        }
        let deadline = Instant::now() + timeout;
        let mut options = OpenOptions::new();
        options.read(true).write(true).security_qos_flags(SECURITY_IDENTIFICATION);
        loop {
            match options.open(format!("{PIPES}{name}")) {
                Ok(pipe) if access::is_trusted_owner(&pipe)? => return Ok(Self { pipe, timeout }),
                Ok(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::PermissionDenied,
                        "the pipe belongs to another user",
                    ));
                }
                Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) && Instant::now() < deadline => {
                    sleep(BUSY_RETRY_INTERVAL);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads as [`read`](Read::read) does. No sockets come with the bytes.
    pub fn read_with_sockets(&mut self, bytes: &mut [u8], _: &mut Vec<TcpListener>) -> io::Result<usize> {
        self.read(bytes)
    }

    /// Runs an operation that cannot be cancelled, on a thread that a silent server keeps.
    fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (done, result) = sync_channel(1);
        let pipe = self.pipe.try_clone()?;
        std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            // The caller may have given up.
            let _ = done.send(operation(pipe));
        })?;
        result.recv_timeout(self.timeout).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Read for Caller {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = bytes.len();
        let read = self.run(move |mut pipe| {
            let mut bytes = vec![0; length];
            let count = pipe.read(&mut bytes)?;
            bytes.truncate(count);
            Ok(bytes)
        });
        match read {
            Ok(read) => {
                bytes[..read.len()].copy_from_slice(&read);
                Ok(read.len())
            }
            // The other end was closed, which is the end of a stream elsewhere.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl Write for Caller {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = bytes.to_vec();
        self.run(move |mut pipe| pipe.write(&bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Leaves behind what a server leaves that was killed.
#[cfg(test)]
pub fn leave_behind(folder: &Path) {
    fs::write(folder.join(FILE_NAME), "parlour-of-a-server-that-was-killed").expect("written");
}
