//! A connection: its login on the threads for connections before their login, then the transfer of its bytes on those
//! for sessions, until it ends.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;
use tracing::{debug, info};

use super::context::ConnectionContext;
use super::handshake::ListenerKind;
use super::login::handshake_and_log_in;
use super::new_sessions::{LoggedIn, NewSession};
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
        let new_session = NewSession { logged_in: Box::new(logged_in), peer, open_connection };
        let shared = context.clone();
        let start = async move |new_sessions| start_sessions(new_sessions, shared);
        context.session_threads.new_sessions.pass_together(new_session, start).await;
    }
}

/// Starts the tasks of sessions from one that runs with them, so that the threads for sessions are woken once.
fn start_sessions(new_sessions: Vec<NewSession>, context: Arc<ConnectionContext>) {
    let (tasks, runtime) = (context.connection_tasks.clone(), context.session_threads.runtime.clone());
    let start = async move {
        for new_session in new_sessions {
            context.connection_tasks.spawn(serve_session(new_session, context.clone()));
        }
    };
    tasks.spawn_on(start, &runtime);
}

/// Serves a connection from its login to its end.
async fn serve_session(new_session: NewSession, context: Arc<ConnectionContext>) {
    let NewSession { logged_in, peer, open_connection: _open } = new_session;
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
