//! The WebSocket over which a page reads and changes what is kept for it between two runs. It needs no connection to the
//! server, so a draft is kept also while that is down.

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite};

use super::{MAX_PAGE_LINE_BYTES, PageServer, write_message};
use crate::client::files::page_state_file::{PageStateFile, PageValues, owner_of};

/// First message to the page.
#[derive(Serialize)]
struct KeptState {
    state: PageValues,
}

/// A message of the page: the new value of a key, or that there is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    key: String,
    value: Option<String>,
}

/// Serves what is kept for an account until the page ends the WebSocket.
pub(super) async fn serve_state(
    mut socket: impl AsyncBufRead + AsyncWrite + Unpin,
    file: Option<&PageStateFile>,
    server: &PageServer,
) {
    let owner = owner_of(server.endpoint.account.as_str(), &server.name);
    // The command line tells why the file cannot be used, when it is to be written.
    let state = file.and_then(|file| file.values(&owner).ok()).unwrap_or_default();
    if write_message(&mut socket, &KeptState { state }).await.is_err() {
        return;
    }
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut socket).take(MAX_PAGE_LINE_BYTES as u64);
        if limited.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
            return;
        }
        // Pings become empty lines.
        if let (Some(file), Ok(Change { key, value })) = (file, serde_json::from_slice(&line)) {
            file.change(&owner, key, value);
        }
    }
}
