//! Attempts that run side by side; the first to reach the right server ends the others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::candidates::Candidates;
use crate::trust::{Address, InviteLink};

/// How long each of looking up, connecting and shaking hands may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The next attempt begins when the last one has had this long, or has failed
/// ([RFC 8305 section 5](https://www.rfc-editor.org/rfc/rfc8305#section-5), "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// What a task comes back with, for the address at a place of the list.
enum Done {
    LookedUp(usize, io::Result<Vec<SocketAddr>>),
    Tried(usize, io::Result<Box<TlsStream<TcpStream>>>),
}

/// The first stream to the server, or why each attempt failed. Dropping this ends all attempts.
///
/// At most [`InviteLink::MAX_ADDRESSES`] addresses are looked up.
pub(super) async fn race(
    addresses: &[Address],
    config: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, Vec<(usize, io::Error)>> {
    let mut tasks = JoinSet::new();
    for (place, address) in addresses.iter().take(InviteLink::MAX_ADDRESSES).enumerate() {
        let address = address.clone();
        tasks.spawn(async move { Done::LookedUp(place, look_up(&address).await) });
    }
    let mut candidates = Candidates::default();
    let mut failed = Vec::new();
    // From when on the next attempt may begin.
    let mut turn = Instant::now();
    loop {
        if Instant::now() >= turn
            && let Some((place, socket)) = candidates.next()
        {
            let host = addresses.get(place).map_or_else(String::new, |address| address.host().to_owned());
            let attempt = attempt(host, socket, Arc::clone(config));
            tasks.spawn(async move { Done::Tried(place, attempt.await.map(Box::new)) });
            turn = Instant::now() + HEAD_START;
        }
        tokio::select! {
            done = tasks.join_next() => match done {
                Some(Ok(Done::LookedUp(place, Ok(found)))) => candidates.add(place, found),
                Some(Ok(Done::LookedUp(place, Err(error)))) => failed.push((place, error)),
                Some(Ok(Done::Tried(_, Ok(stream)))) => return Ok(*stream),
                Some(Ok(Done::Tried(place, Err(error)))) => {
                    failed.push((place, error));
                    turn = Instant::now();
                }
                None if candidates.is_empty() => return Err(failed),
                // A panic ended a task, and the panic hook has told of it; or the last task is done: on with the next.
                Some(Err(_)) | None => turn = Instant::now(),
            },
            () = sleep_until(turn), if !candidates.is_empty() => {}
        }
    }
}

async fn look_up(address: &Address) -> io::Result<Vec<SocketAddr>> {
    let found = timeout(PATIENCE, tokio::net::lookup_host((address.host(), address.port())));
    let found: Vec<SocketAddr> = found.await.map_err(|_| late("the name's look-up"))??.collect();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

/// Connects and lets the other side prove that it is the server. Its name does not matter for that; it is told to who
/// answers there, for what may pass connections on by name.
async fn attempt(
    host: String,
    socket: SocketAddr,
    config: Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let stream = timeout(PATIENCE, TcpStream::connect(socket)).await.map_err(|_| late("connecting"))??;
    // Lines are small and each is waited for.
    stream.set_nodelay(true)?;
    let handshake = TlsConnector::from(config).connect(name, stream);
    timeout(PATIENCE, handshake).await.map_err(|_| late("the TLS handshake"))?
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"))
}
