//! Accepting connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::addresses::Addresses;
use super::connection::{Shared, serve};

/// Connections that the kernel may hold before they are accepted.
const BACKLOG: i32 = 4096;

/// After an error of accepting, such as no more file descriptors, the listener rests so long.
const REST: Duration = Duration::from_millis(50);

/// Listens on an address. An IPv6 address takes IPv6 alone, so that `0.0.0.0` and `[::]` can stand beside each other.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts connections for ever. A permit stands for a connection that is not logged in; without one nothing is
/// accepted, so that strangers cannot take all of the server's memory.
pub(super) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    strangers: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    tasks: TaskTracker,
) {
    loop {
        // The semaphore is never closed.
        let Ok(permit) = strangers.clone().acquire_owned().await else { return };
        let (tcp, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "cannot accept connections for a moment");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let Some(place) = addresses.enter(peer.ip()) else {
            info!(%peer, "refused: too many connections from this address");
            continue;
        };
        info!("Accepted connection from {peer}");
        let shared = shared.clone();
        tasks.spawn(serve(tcp, peer, shared, permit, place));
    }
}
