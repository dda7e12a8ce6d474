//! The change from a running server to a new one, without a refused connection: the new one gets the listening sockets over
//! the control socket, has the running one end, and serves.
//!
//! 1. [`TakeoverRequest::Sockets`]: the running server sends copies of its listening sockets, and goes on.
//! 2. [`TakeoverRequest::Release`]: it ends its sessions, stores what is left, unlocks the data folder and replies.
//!    Connections wait in the sockets meanwhile.
//! 3. [`TakeoverRequest::Ready`]: the new server answers, and the process of the former one ends. If the connection ends
//!    before, the former server serves again.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tracing::info;

use super::client::ControlError;
use super::{MAX_RESPONSE_BYTES, Response};
use crate::platform::control::{self, Caller, Connection, DetachedConnection};
use crate::platform::service_manager::PassedSocket;
use crate::server::admin::{AdminReply, Failure};

/// Time limit for the running server to end. It gives its last commits a minute.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(100);

/// Maximum length of a request of a takeover, in bytes.
const MAX_REQUEST_BYTES: u64 = 1024;

/// A step of a takeover.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum TakeoverRequest {
    /// Send the listening sockets to this version of the program.
    Sockets { version: String },
    /// Store everything and unlock the data folder.
    Release,
    /// The new server answers.
    Ready,
}

/// Decides whether the process with this id may take over; the error says why not.
pub type MayTakeOver = Arc<dyn Fn(Option<u32>) -> Result<(), String> + Send + Sync>;

/// The listening sockets of a running server, and the way to the end of that.
#[derive(Clone)]
pub struct ListeningSockets {
    /// Copies of the sockets, with their names.
    pub sockets: Arc<Vec<PassedSocket>>,
    /// Decides who may have them.
    pub may_take_over: MayTakeOver,
    /// Takes the server that waits for the end of this one.
    pub released: mpsc::Sender<Successor>,
}

/// The right to end the running server. Only one new server has it.
pub(super) struct Place<'a>(mpsc::Permit<'a, Successor>);

impl ListeningSockets {
    /// Returns the names of the sockets if the process may have them, or the reply to a request that comes too early.
    pub(super) fn offer(&self, request: &TakeoverRequest, pid: Option<u32>) -> Response {
        let TakeoverRequest::Sockets { version } = request else {
            return Response::Failed(Failure::invalid("the sockets come first"));
        };
        if let Err(refusal) = (self.may_take_over)(pid) {
            return Response::Failed(Failure::invalid(refusal));
        }
        // The version is for people to read; whoever asks decides what it sends.
        let version: String = version.chars().filter(char::is_ascii_graphic).take(40).collect();
        info!(pid, version, "control: another server asks for the listening sockets");
        Response::Sockets(self.sockets.iter().map(|socket| socket.name.clone()).collect())
    }

    /// Sends the reply together with the sockets.
    pub(super) async fn send(&self, connection: &Connection, reply: &[u8]) -> io::Result<()> {
        let sockets = self.sockets.iter().map(|socket| socket.listener.try_clone());
        let sockets = sockets.collect::<io::Result<Vec<_>>>()?;
        control::send_with_sockets(connection, reply, &sockets).await
    }

    /// Returns the place of the server that takes over.
    pub(super) fn reserve(&self) -> Result<Place<'_>, Failure> {
        self.released.try_reserve().map(Place).map_err(|_| Failure::invalid("the server is ending already"))
    }
}

impl Place<'_> {
    /// Ends the running server for the one that has this connection.
    pub fn release(self, connection: Connection) -> io::Result<()> {
        let pid = control::caller_pid(&connection);
        self.0.send(Successor { connection: control::detach(connection)?, pid });
        Ok(())
    }
}

/// The server that takes over, as the former one sees it.
#[derive(Debug)]
pub struct Successor {
    connection: DetachedConnection,
    /// Id of its process.
    pub pid: Option<u32>,
}

impl Successor {
    /// Tells the new server that everything is stored and the data folder unlocked, and waits until it answers; then
    /// `change_process` is called before it is told to go on. Returns false if it has ended before it answered.
    pub async fn hand_over(self, change_process: impl FnOnce()) -> bool {
        let handing_over = async {
            let mut stream = BufReader::new(control::attach(self.connection)?);
            stream.get_mut().write_all(&done_line()?).await?;
            let mut line = Vec::new();
            (&mut stream).take(MAX_REQUEST_BYTES).read_until(b'\n', &mut line).await?;
            if !matches!(serde_json::from_slice(&line), Ok(TakeoverRequest::Ready)) {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            change_process();
            // It serves, whether it reads this or not.
            let _ = stream.get_mut().write_all(&done_line()?).await;
            Ok(())
        };
        handing_over.await.is_ok()
    }
}

fn done_line() -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Response::Done(AdminReply::Done))?;
    line.push(b'\n');
    Ok(line)
}

/// A takeover, as the new server sees it. Dropping it lets the former server go on.
#[derive(Debug)]
pub struct Takeover {
    caller: Caller,
}

impl Takeover {
    /// Asks the server that runs on this data folder for its listening sockets, which goes on with them until
    /// [`release`](Self::release). Returns `None` if no server runs there.
    pub fn begin(folder: &Path) -> Result<Option<(Self, Vec<PassedSocket>)>, ControlError> {
        let caller = match Caller::connect(folder, RELEASE_TIMEOUT) {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                return Ok(None);
            }
            connected => connected?,
        };
        let mut takeover = Self { caller };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut listeners = Vec::new();
        let reply = takeover.request(&TakeoverRequest::Sockets { version }, &mut listeners)?;
        let Response::Sockets(names) = reply else { return Err(unexpected_reply()) };
        if names.len() != listeners.len() {
            return Err(unexpected_reply());
        }
        let sockets =
            names.into_iter().zip(listeners).map(|(name, listener)| PassedSocket { name, listener });
        let sockets = sockets.collect();
        Ok(Some((takeover, sockets)))
    }

    /// Asks the running server to end, and returns when it has unlocked the data folder.
    pub fn release(&mut self) -> Result<(), ControlError> {
        self.request_done(&TakeoverRequest::Release)
    }

    /// Tells the former server that this one answers, and returns when its service manager knows, too.
    pub fn complete(mut self) -> Result<(), ControlError> {
        self.request_done(&TakeoverRequest::Ready)
    }

    fn request_done(&mut self, request: &TakeoverRequest) -> Result<(), ControlError> {
        match self.request(request, &mut Vec::new())? {
            Response::Done(_) => Ok(()),
            Response::Failed(_) | Response::Sockets(_) => Err(unexpected_reply()),
        }
    }

    fn request(
        &mut self,
        request: &TakeoverRequest,
        sockets: &mut Vec<std::net::TcpListener>,
    ) -> Result<Response, ControlError> {
        use std::io::Write as _;
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        self.caller.write_all(&line)?;
        let (mut reply, mut piece) = (Vec::new(), [0; 4096]);
        while !reply.ends_with(b"\n") {
            let read = self.caller.read_with_sockets(&mut piece, sockets)?;
            if read == 0 || reply.len() as u64 > MAX_RESPONSE_BYTES {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            reply.extend(piece.iter().take(read));
        }
        match serde_json::from_slice(&reply).map_err(io::Error::from)? {
            Response::Failed(failure) => Err(failure.into()),
            reply => Ok(reply),
        }
    }
}

fn unexpected_reply() -> ControlError {
    io::Error::new(io::ErrorKind::InvalidData, "its reply is not understood").into()
}
