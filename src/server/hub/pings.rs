//! PINGs of the server: a client that stays silent is asked for a sign of life, then disconnected.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::Hub;
use crate::wire::LineWriter;

/// Silence after which a client is pinged, in seconds. A client that stays silent as long again is disconnected.
const PING_AFTER_SECONDS: u32 = 120;

impl Hub {
    /// Pings the sessions that have been silent, and ends those that stayed silent after their PING.
    pub(super) fn ping_silent_sessions(&mut self) {
        let now = self.ready.uptime_seconds();
        // Sessions that the scheduler delays must not count as silent.
        self.schedule.sessions().for_each(|session| session.note_received(now));
        self.schedule.remove_idle_accounts(Instant::now());
        self.sessions.shrink();
        let silent: Arc<str> = "Ping timeout".into();
        let ping = ping_line();
        for (session, pinged) in self.sessions.iter_with_ping_flag() {
            match session.idle_seconds(now) {
                s if s < PING_AFTER_SECONDS => *pinged = false,
                s if s >= 2 * PING_AFTER_SECONDS && *pinged => session.outbox.close(&silent),
                _ if !*pinged => {
                    *pinged = true;
                    let ping = session.outbox.form().encode(&ping).into_owned();
                    self.deliverer.queue_block(session, ping.into());
                }
                _ => {}
            }
        }
    }
}

/// Returns the PING to a session that has been silent. Its token carries nothing, because any line of the client shows
/// that the connection works.
fn ping_line() -> Bytes {
    let mut line = String::new();
    LineWriter::new(&mut line).command("PING").text("are-you-there").end();
    line.into()
}
