//! The handshake: what the client offers, then with the configuration that suits it the rest.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use rustls::ServerConfig;
use rustls::server::{Accepted, Acceptor};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::TlsStream;
use super::buffers::poll_read_once;
use super::records::Records;

/// Maximum size of a read during the handshake, in bytes.
const READ_BYTES: usize = 4096;

/// A connection whose handshake has begun: the client has sent what it offers.
pub(in crate::server) struct StartedHandshake<S> {
    socket: S,
    /// All that the client has sent.
    received: Vec<u8>,
    accepted: Accepted,
}

/// Begins the handshake: waits for what the client offers.
///
/// # Errors
/// The connection ended before, or what came is not what TLS allows, which the client is told then.
pub(in crate::server) async fn start_handshake<S>(mut socket: S) -> io::Result<StartedHandshake<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // It reads a copy: the connection itself, which can be made with the configuration only, needs the same bytes.
    let mut acceptor = Acceptor::default();
    let mut received = Vec::new();
    loop {
        let start = received.len();
        read_once(&mut socket, &mut received).await?;
        let mut input = received.get(start..).unwrap_or_default();
        while !input.is_empty() {
            // It fails when there are more than 64 KiB.
            if acceptor.read_tls(&mut input)? == 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
            match acceptor.accept() {
                Ok(Some(accepted)) => return Ok(StartedHandshake { socket, received, accepted }),
                Ok(None) => {}
                Err((error, mut alert)) => {
                    let mut records = Vec::new();
                    alert.write_all(&mut records)?;
                    let _ = socket.write_all(&records).await;
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
    }
}

impl<S> StartedHandshake<S> {
    /// Returns whether the client offers a protocol (ALPN).
    pub fn offers(&self, protocol: &[u8]) -> bool {
        self.accepted.client_hello().alpn().into_iter().flatten().any(|offered| offered == protocol)
    }

    /// Returns the name by which the client calls the server (SNI), in lower case.
    pub fn server_name(&self) -> Option<String> {
        self.accepted.client_hello().server_name().map(ToOwned::to_owned)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> StartedHandshake<S> {
    /// Completes the handshake. The session ticket is not sent yet: it leaves with the first write, or when a read waits.
    ///
    /// # Errors
    /// The connection broke, or the two sides did not agree. Then the client is told so.
    pub async fn complete(self, config: Arc<ServerConfig>) -> io::Result<TlsStream<S>> {
        let Self { socket, mut received, accepted } = self;
        drop(accepted);
        let mut stream = TlsStream::new(socket, Records::new(config).map_err(io::Error::other)?);
        loop {
            if let Err(error) = stream.receive(&mut received) {
                // The client is told, if it can be at once: it may itself wait for the server to read.
                poll_fn(|cx| Poll::Ready(stream.poll_send_outgoing(cx).is_ready())).await;
                return Err(error);
            }
            if !stream.common_state().is_handshaking() {
                return Ok(stream);
            }
            received.clear();
            // It sends while it waits: the client may need the one before the other.
            poll_fn(|cx| {
                if let Poll::Ready(Err(error)) = stream.poll_flush_outgoing(cx) {
                    return Poll::Ready(Err(error));
                }
                poll_read_once(stream.socket_mut(), cx, READ_BYTES, |input| received.extend_from_slice(input))
            })
            .await?;
            if received.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Reads from a socket once. The end of the stream is an error.
async fn read_once<S: AsyncRead + Unpin>(socket: &mut S, received: &mut Vec<u8>) -> io::Result<()> {
    let before = received.len();
    poll_fn(|cx| poll_read_once(socket, cx, READ_BYTES, |input| received.extend_from_slice(input))).await?;
    if received.len() == before { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
