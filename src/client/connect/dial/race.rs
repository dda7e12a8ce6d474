//! Parallel connection attempts. The first to reach the right server ends the others.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::candidates::Candidates;
use crate::platform::network;
use crate::trust::{Address, InviteLink};

/// Time limit of each of name resolution, TCP connect and TLS handshake.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Delay from the start of one attempt to the start of the next, unless the first fails earlier ([RFC 8305 section
/// 5](https://www.rfc-editor.org/rfc/rfc8305#section-5), "Connection Attempt Delay").
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The result of a task, with the index of its address.
enum TaskResult {
    Resolved(usize, io::Result<Vec<SocketAddr>>),
    Connected(usize, io::Result<Box<TlsStream<TcpStream>>>),
}

/// Returns the first stream to the server with its address, or the errors of all attempts. Dropping the future ends all attempts.
///
/// At most [`InviteLink::MAX_ADDRESSES`] addresses are resolved.
pub(super) async fn race(
    addresses: &[Address],
    config: &Arc<ClientConfig>,
) -> Result<(TlsStream<TcpStream>, Address), Vec<(usize, io::Error)>> {
    let mut tasks = JoinSet::new();
    for (index, address) in addresses.iter().take(InviteLink::MAX_ADDRESSES).enumerate() {
        let address = address.clone();
        tasks.spawn(async move { TaskResult::Resolved(index, resolve(&address).await) });
    }
    let mut candidates = Candidates::default();
    let mut failed = Vec::new();
    // Earliest start of the next attempt.
    let mut turn = Instant::now();
    loop {
        if Instant::now() >= turn
            && let Some((index, socket)) = candidates.next()
        {
            let host = addresses.get(index).map_or_else(String::new, |address| address.host().to_owned());
            let attempt = attempt(host, socket, Arc::clone(config));
            tasks.spawn(async move { TaskResult::Connected(index, attempt.await.map(Box::new)) });
            turn = Instant::now() + ATTEMPT_DELAY;
        }
        tokio::select! {
            done = tasks.join_next() => match done {
                Some(Ok(TaskResult::Resolved(index, Ok(found)))) => candidates.add(index, found),
                Some(Ok(TaskResult::Resolved(index, Err(error)))) => failed.push((index, error)),
                Some(Ok(TaskResult::Connected(index, Ok(stream)))) => {
                    return Ok((*stream, addresses[index].clone()));
                }
                Some(Ok(TaskResult::Connected(index, Err(error)))) => {
                    failed.push((index, error));
                    turn = Instant::now();
                }
                None if candidates.is_empty() => return Err(failed),
                // A task panicked, which the panic hook has logged, or the last task ended: the next attempt starts.
                Some(Err(_)) | None => turn = Instant::now(),
            },
            () = sleep_until(turn), if !candidates.is_empty() => {}
        }
    }
}

async fn resolve(address: &Address) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = address.host().parse::<Ipv6Addr>()
        && ip.is_unicast_link_local()
    {
        return link_local_sockets(ip, address).await;
    }
    let found = timeout(ATTEMPT_TIMEOUT, tokio::net::lookup_host((address.host(), address.port())));
    let found: Vec<SocketAddr> = found.await.map_err(|_| timeout_error("the name's look-up"))??.collect();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

/// Returns a socket on each link of this machine: the address does not say on which one the server is, and its zone is the
/// server's name of the link.
async fn link_local_sockets(ip: Ipv6Addr, address: &Address) -> io::Result<Vec<SocketAddr>> {
    let (zone, port) = (address.zone().map(str::to_owned), address.port());
    let scopes = spawn_blocking(move || network::link_local_scopes(zone.as_deref())).await?;
    if scopes.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "this machine is on no link of IPv6"));
    }
    Ok(scopes.into_iter().map(|scope| SocketAddrV6::new(ip, port, 0, scope).into()).collect())
}

/// Connects and lets the server prove its identity. The host name does not matter for that; it goes into the SNI for
/// proxies that route by name.
async fn attempt(
    host: String,
    socket: SocketAddr,
    config: Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let stream = timeout(ATTEMPT_TIMEOUT, TcpStream::connect(socket))
        .await
        .map_err(|_| timeout_error("connecting"))??;
    // Lines are small, and each is waited for.
    stream.set_nodelay(true)?;
    let handshake = TlsConnector::from(config).connect(name, stream);
    timeout(ATTEMPT_TIMEOUT, handshake).await.map_err(|_| timeout_error("the TLS handshake"))?
}

fn timeout_error(action: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("{action} took too long"))
}
