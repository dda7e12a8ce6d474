//! The listener, which accepts connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tracing::warn;

use super::connection::serve;
use super::shared::Shared;
use crate::server::limits::incidents::Incident;
use crate::server::limits::strangers::{NoPlace, Strangers};
use crate::server::metrics::Refusal;

/// Maximum count of connections that the kernel holds before they are accepted.
const BACKLOG: i32 = 4096;

/// Pause after an error, such as a lack of file descriptors.
const REST: Duration = Duration::from_millis(50);

/// Time for which such errors are not logged again.
const QUIET: Duration = Duration::from_mins(1);

/// Listens on an address. An IPv6 address takes IPv6 only, so that `0.0.0.0` and `[::]` can be used together.
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

/// Accepts connections, and counts each among those before their login. Never returns.
pub(in crate::server) async fn accept(listener: TcpListener, shared: Arc<Shared>, strangers: Arc<Strangers>) {
    let mut quiet_until: Option<Instant> = None;
    loop {
        let (tcp, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Connections before their login may have used up the file descriptors: one of them makes room.
                strangers.make_room();
                if quiet_until.is_none_or(|until| until <= Instant::now()) {
                    warn!(%error, "cannot accept connections for a moment; not logged again for a minute");
                    quiet_until = Some(Instant::now() + QUIET);
                }
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let source = shared.logins.source(peer.ip(), None);
        match strangers.enter(source.subject) {
            Ok(place) => {
                let connection = serve(tcp, peer, source, shared.clone(), place);
                shared.tasks.spawn(connection);
            }
            Err(no_place) => {
                let (refusal, why) = match no_place {
                    NoPlace::Subject => (Refusal::Address, "too many connections from this address"),
                    NoPlace::Total => (Refusal::Total, "too many connections"),
                };
                shared.metrics.refused(refusal);
                shared.incidents.note(
                    source.subject,
                    Incident::Refused,
                    format_args!("refused: {why} are not logged in peer={peer}"),
                );
            }
        }
    }
}
