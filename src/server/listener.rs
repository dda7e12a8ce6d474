//! Accepting connections.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

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
        tasks.spawn(async move {
            serve(tcp, peer, shared, permit).await;
            drop(place);
        });
    }
}

/// How many connections there are from each address.
#[derive(Debug)]
pub(super) struct Addresses {
    most: u32,
    counts: Mutex<HashMap<IpAddr, u32>>,
}

/// A connection's place among those of its address; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// At most `most` connections from an address, 0 for no limit.
    pub fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { most, counts: Mutex::default() })
    }

    /// A place for one more connection, if there is room.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = group(address);
        let mut counts = self.counts.lock();
        let count = counts.entry(address).or_default();
        if self.most > 0 && *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { addresses: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: of IPv6 the /64 that one subscriber has to himself.
pub(super) fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let addresses = Addresses::new(2);
        let one = addresses.enter([10, 0, 0, 1].into());
        let two = addresses.enter([10, 0, 0, 1].into());
        assert!(one.is_some() && two.is_some());
        assert!(addresses.enter([10, 0, 0, 1].into()).is_none());
        assert!(addresses.enter([10, 0, 0, 2].into()).is_some());
        drop(one);
        assert!(addresses.enter([10, 0, 0, 1].into()).is_some());
        drop(two);
        assert!(addresses.counts.lock().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let group = |text: &str| group(text.parse().expect(text));
        assert_eq!(group("2001:db8:1:2::3"), group("2001:db8:1:2:ffff::4"));
        assert_ne!(group("2001:db8:1:2::3"), group("2001:db8:1:3::3"));
        assert_eq!(group("::ffff:10.0.0.1"), group("10.0.0.1"));
    }
}
