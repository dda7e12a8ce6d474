//! A connection: its login on the threads for connections before their login, then the transfer of its bytes on those
//! for sessions, until it ends.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;
use tracing::{debug, info};

use super::context::ConnectionContext;
use super::handshake::ListenerKind;
use super::login::{LoggedIn, handshake_and_log_in};
use super::session_io::SessionIo;
use crate::server::auth::login_checker::AttemptOrigin;
use crate::server::limits::fair_scheduler::FairFuture;
use crate::server::limits::pre_login_connections::PreLoginSlot;
use crate::server::telemetry::metrics::{OpenConnection, RefusalReason};

/// Serves a connection until its login, and then starts another task for the rest. `slot` counts the connection among
/// those before their login.
pub(in crate::server) async fn serve_connection(
    tcp: TcpStream,
    kind: ListenerKind,
    peer: SocketAddr,
    origin: AttemptOrigin,
    context: Arc<ConnectionContext>,
    slot: PreLoginSlot,
) {
    let mut open_connection = OpenConnection::new(&context.metrics);
    debug!("Accepted connection from {peer}");
    let logged_in = {
        // A block, so that the buffers of the login are freed while the connection lives on.
        let login = FairFuture::new(
            handshake_and_log_in(tcp, kind, origin, &context),
            context.scheduler.clone(),
            origin.subject,
        );
        tokio::select! {
            biased;
            () = slot.wait_until_evicted() => {
                context.metrics.count_refusal(RefusalReason::Evicted);
                None
            }
            entered = login => entered,
        }
    };
    drop(slot);
    if let Some(logged_in) = logged_in {
        open_connection.note_login();
        let session = serve_session(Box::new(logged_in), peer, context.clone(), open_connection);
        context.connection_tasks.spawn_on(session, &context.session_runtime);
    }
}

/// Serves a connection from its login to its end.
async fn serve_session(
    logged_in: Box<LoggedIn>,
    peer: SocketAddr,
    context: Arc<ConnectionContext>,
    _open: OpenConnection,
) {
    let nick = logged_in.nick.clone();
    let session_io = start_session(logged_in, peer.ip(), &context);
    drop(context);
    let mut pump = match session_io {
        Ok(pump) => pump,
        Err(error) => {
            info!(%peer, account = %nick, %error, "lost at the login");
            return;
        }
    };
    info!(%peer, account = %nick, "logged in");
    let reason = pump.run().await;
    // The text of a QUIT or KILL is a message like any other, and no message enters the log.
    let quotes_message = reason.starts_with("Quit: ") || reason.starts_with("Killed by ");
    let logged = reason.split(':').next().filter(|_| quotes_message).unwrap_or(&reason);
    info!(%peer, account = %nick, reason = logged, "disconnected");
    pump.report_disconnect(reason);
}

/// Takes the box, because in the task of the session its memory would stay until the end.
fn start_session(
    logged_in: Box<LoggedIn>,
    peer: IpAddr,
    context: &ConnectionContext,
) -> io::Result<Box<SessionIo>> {
    let LoggedIn { mut stream, login, framing: lines, pending_lines: rest, .. } = *logged_in;
    stream.socket_mut().lift_limit_and_move()?;
    let mut session_io = SessionIo::new(stream, login, lines, context.hub_handle.ready.clone(), peer);
    session_io.push_initial_lines(rest.iter().map(|line| line.as_deref().map_err(Clone::clone)));
    // Boxed, so that the task is as small as an idle connection.
    Ok(Box::new(session_io))
}
