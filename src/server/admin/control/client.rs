//! The command line's end of the control socket, blocking.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use super::{MAX_RESPONSE_BYTES, Response};
use crate::platform::control::Caller;
use crate::server::admin::{AdminReply, AdminRequest, Failure};

/// Time limit for a reply. The store waits a few seconds for a lock; the rest takes milliseconds.
const REPLY_TIMEOUT: Duration = Duration::from_mins(1);

/// A connection to a running server.
#[derive(Debug)]
pub struct ControlClient {
    stream: BufReader<Caller>,
}

/// Reason why a request has no reply.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The server refused the request or failed to carry it out.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The connection to the server broke.
    #[error("the running server does not answer: {0}")]
    Io(#[from] io::Error),
}

impl ControlClient {
    /// Connects to the server that runs on this data folder.
    pub fn connect(folder: &Path) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(Caller::connect(folder, REPLY_TIMEOUT)?) })
    }

    /// Sends a request and waits for the reply.
    pub fn send_request(&mut self, request: &AdminRequest) -> Result<AdminReply, ControlError> {
        let mut text = serde_json::to_vec(request).map_err(io::Error::from)?;
        text.push(b'\n');
        self.stream.get_mut().write_all(&text)?;
        let mut line = Vec::new();
        (&mut self.stream).take(MAX_RESPONSE_BYTES).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match serde_json::from_slice(&line).map_err(io::Error::from)? {
            Response::Done(reply) => Ok(reply),
            Response::Failed(failure) => Err(failure.into()),
            Response::Sockets(_) => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        }
    }
}
