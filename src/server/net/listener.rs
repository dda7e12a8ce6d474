//! The listener, which accepts connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tracing::warn;

use super::connection::serve_connection;
use super::context::ConnectionContext;
use super::handshake::ListenerKind;
use crate::server::limits::incidents::IncidentKind;
use crate::server::limits::pre_login_connections::{LimitReached, PreLoginConnections};
use crate::server::telemetry::metrics::RefusalReason;

/// Maximum count of connections that the kernel holds before they are accepted.
const BACKLOG: i32 = 4096;

/// Pause after an error, such as a lack of file descriptors.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// Time for which such errors are not logged again.
const ERROR_LOG_INTERVAL: Duration = Duration::from_mins(1);

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
pub(in crate::server) async fn accept_connections(
    listener: TcpListener,
    kind: ListenerKind,
    context: Arc<ConnectionContext>,
    pre_login_connections: Arc<PreLoginConnections>,
) {
    let mut quiet_until: Option<Instant> = None;
    loop {
        let (tcp, peer) = match listener.accept().await {
            // A socket of both families shows IPv4 addresses as IPv6 ones.
            Ok((tcp, peer)) => (tcp, SocketAddr::new(peer.ip().to_canonical(), peer.port())),
            Err(error) => {
                // Connections before their login may have used up the file descriptors: one of them makes room.
                pre_login_connections.evict_one();
                if quiet_until.is_none_or(|until| until <= Instant::now()) {
                    warn!(%error, "cannot accept connections for a moment; not logged again for a minute");
                    quiet_until = Some(Instant::now() + ERROR_LOG_INTERVAL);
                }
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        let origin = context.login_checker.attempt_origin(peer.ip(), None);
        match pre_login_connections.acquire_slot(origin.subject) {
            Ok(slot) => {
                let connection = serve_connection(tcp, kind, peer, origin, context.clone(), slot);
                context.connection_tasks.spawn(connection);
            }
            Err(limit) => {
                let (reason, why) = match limit {
                    LimitReached::Subject => {
                        (RefusalReason::SubjectLimit, "too many connections from this address")
                    }
                    LimitReached::Total => (RefusalReason::TotalLimit, "too many connections"),
                };
                context.metrics.count_refusal(reason);
                context.incidents.record(
                    origin.subject,
                    IncidentKind::ConnectionRefused,
                    format_args!("refused: {why} are not logged in peer={peer}"),
                );
            }
        }
    }
}
