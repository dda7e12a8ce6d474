//! Connections that wait for their next request, because each handshake costs the server and a page has many pictures.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::HttpConnection;

/// Time for which a connection waits: half of what servers allow.
const MAX_IDLE: Duration = Duration::from_secs(5);

/// Limit of the connections that wait for one server. A browser sends six requests at one time.
const MAX_CONNECTIONS: usize = 6;

/// Connections by the names of their servers.
#[derive(Debug, Default)]
pub(in crate::client) struct IdleConnections(Mutex<HashMap<String, Vec<(Instant, HttpConnection)>>>);

impl IdleConnections {
    /// Removes and returns the connection that was used last. Those that have waited too long are closed.
    pub fn take(&self, server: &str) -> Option<HttpConnection> {
        let mut all = self.0.lock();
        all.retain(|_, waiting| {
            waiting.retain(|(since, _)| since.elapsed() < MAX_IDLE);
            !waiting.is_empty()
        });
        all.get_mut(server)?.pop().map(|(_, connection)| connection)
    }

    /// Keeps a connection whose last response was read to its end.
    pub fn put(&self, server: &str, connection: HttpConnection) {
        let mut all = self.0.lock();
        let waiting = all.entry(server.to_owned()).or_default();
        if waiting.len() < MAX_CONNECTIONS {
            waiting.push((Instant::now(), connection));
        }
    }
}
