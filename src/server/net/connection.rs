//! A connection: its login on the threads for connections before their login, then its pump on those for sessions,
//! until it ends.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;
use tracing::{debug, info};

use super::entrance::{Entered, enter};
use super::pump::Pump;
use super::shared::Shared;
use crate::server::auth::logins::Source;
use crate::server::limits::paced::Paced;
use crate::server::limits::strangers::Place;
use crate::server::metrics::{Open, Refusal};

/// Serves a connection until its login, and then starts another task for the rest. `place` counts the connection among
/// those before their login.
pub(in crate::server) async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    source: Source,
    shared: Arc<Shared>,
    place: Place,
) {
    let mut open = Open::begin(&shared.metrics);
    debug!("Accepted connection from {peer}");
    let entered = {
        // A block, so that the buffers of the login are freed while the connection lives on.
        let entering = Paced::new(enter(tcp, source, &shared), shared.rounds.clone(), source.subject);
        tokio::select! {
            biased;
            () = place.evicted() => {
                shared.metrics.refused(Refusal::Evicted);
                None
            }
            entered = entering => entered,
        }
    };
    drop(place);
    if let Some(entered) = entered {
        open.logged_in();
        let stay = stay(Box::new(entered), peer, shared.clone(), open);
        shared.tasks.spawn_on(stay, &shared.members);
    }
}

/// Serves a connection from its login to its end.
async fn stay(entered: Box<Entered>, peer: SocketAddr, shared: Arc<Shared>, _open: Open) {
    let nick = entered.nick.clone();
    let pump = begin(*entered, peer.ip(), &shared);
    drop(shared);
    let mut pump = match pump {
        Ok(pump) => pump,
        Err(error) => {
            info!(%peer, account = %nick, %error, "lost at the login");
            return;
        }
    };
    info!(%peer, account = %nick, "logged in");
    let reason = pump.run().await;
    // The text of a QUIT or KILL is a message like any other, and no message enters the log.
    let told = reason.starts_with("Quit: ") || reason.starts_with("Killed by ");
    let logged = reason.split(':').next().filter(|_| told).unwrap_or(&reason);
    info!(%peer, account = %nick, reason = logged, "disconnected");
    pump.ended(reason);
}

fn begin(entered: Entered, peer: IpAddr, shared: &Shared) -> io::Result<Box<Pump>> {
    let Entered { mut stream, login, lines, rest, .. } = entered;
    stream.get_mut().0.settle()?;
    let mut pump = Pump::new(stream, login, lines, shared.hub.ready.clone(), peer);
    pump.say(rest.iter().map(|line| line.as_deref().map_err(Clone::clone)));
    // Boxed, so that the task is as small as an idle connection.
    Ok(Box::new(pump))
}
