//! One WebSocket of a page, and the connection to the server that its lines go to.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy, split};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;
use zeroize::{Zeroize as _, Zeroizing};

use super::kept_state::serve_state;
use super::open_pages::{OpenPage, OpenPages};
use super::page_token::PageToken;
use super::{PageServer, PageServers, write_message};
use crate::client::connect::connection::{ConnectError, check_pins};
use crate::client::connect::dial::DialError;
use crate::client::connect::search::open_stream_or_search;
use crate::client::connect::session::PIN_CHECK_INTERVAL;
use crate::client::files::page_state_file::PageStateFile;
use crate::trust::tls::ClientProtocol;
use crate::web::websocket::CloseReason;
use crate::web::{Lingering, WebSocketStream};

/// Time limit for the first message of a page.
const FIRST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Limit of the first message, in bytes.
const MAX_FIRST_MESSAGE_BYTES: u64 = 512;

/// Time limit for a page to take the last message.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);

/// The page's token is wrong.
const WRONG_TOKEN: CloseReason = CloseReason { code: 4401, text: "wrong token" };

/// There is no connection to the server, or not any more.
const NO_SERVER: CloseReason = CloseReason { code: 4502, text: "no connection to the server" };

/// The page has closed the WebSocket.
const CLOSED: CloseReason = CloseReason { code: 1000, text: "" };

/// The link between pages and servers.
pub(super) struct Relay {
    token: PageToken,
    servers: Arc<dyn PageServers>,
    state: Option<Arc<PageStateFile>>,
    pages: OpenPages,
}

/// First message of a page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    token: String,
    /// Name of the server to connect to; `None` for the one that the page was opened for.
    #[serde(default)]
    server: Option<String>,
    /// Set for a WebSocket that is not for the server, but for what is kept for the page.
    #[serde(default)]
    state: bool,
}

/// First message to a page, once the server has proven its identity.
#[derive(Serialize)]
struct Welcome<'a> {
    server: &'a str,
    servers: Vec<String>,
    account: &'a str,
    network: &'a str,
    /// SASL mechanism by which the page logs in.
    login: &'static str,
    /// Certificate fingerprint of this machine's device, so that the page knows it among those of the account.
    device: Option<String>,
}

/// First and last message to a page that is not connected.
#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
    /// Set if the same attempt may succeed later.
    retry: bool,
}

impl Drop for Hello {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

impl Relay {
    pub fn new(
        token: PageToken,
        servers: Arc<dyn PageServers>,
        state: Option<Arc<PageStateFile>>,
        pages: OpenPages,
    ) -> Self {
        Self { token, servers, state, pages }
    }

    /// Serves a WebSocket until it ends.
    pub async fn run(&self, socket: WebSocketStream<Lingering<TcpStream>>) {
        // Lines are read one by one until the page has sent its token, and never more than the limit.
        let mut socket = BufReader::new(socket);
        let hello = timeout(FIRST_MESSAGE_TIMEOUT, read_hello(&mut socket)).await;
        let hello = hello.ok().flatten().filter(|hello| self.token.matches(&hello.token));
        let Some(hello) = hello else {
            let error = "This page is not from the parlour that runs now: open it again with `parlour web`.";
            return refuse(socket, error, false, WRONG_TOKEN).await;
        };
        if hello.state {
            let server = self.servers.find(hello.server.as_deref());
            return match server {
                Ok(server) => serve_state(socket, self.state.as_deref(), &server).await,
                Err(error) => refuse(socket, &error, false, NO_SERVER).await,
            };
        }
        let Some(page) = self.pages.open() else {
            let error = "Too many pages are open: close some of them, and load this one again.";
            return refuse(socket, error, false, NO_SERVER).await;
        };
        let server = match self.servers.find(hello.server.as_deref()) {
            Ok(server) => server,
            Err(error) => return refuse(socket, &error, false, NO_SERVER).await,
        };
        let connected = tokio::select! {
            connected = open_stream_or_search(server.endpoint.clone(), ClientProtocol::Irc) => connected,
            () = wait_for_end(&mut socket) => return,
        };
        match connected {
            Ok((opened, endpoint)) => {
                let server = PageServer { endpoint, ..server };
                self.relay_lines(socket, opened.stream, &server, page).await;
            }
            Err(error) => {
                let may_come_back = is_temporary(&error);
                refuse(socket, &self.servers.describe(&error), may_come_back, NO_SERVER).await;
                if may_come_back {
                    page.expect_back();
                }
            }
        }
    }

    /// Passes lines on in both directions until one side ends.
    async fn relay_lines(
        &self,
        mut socket: BufReader<WebSocketStream<Lingering<TcpStream>>>,
        stream: TlsStream<TcpStream>,
        server: &PageServer,
        page: OpenPage,
    ) {
        let welcome = Welcome {
            server: &server.name,
            servers: self.servers.names(),
            account: server.endpoint.account.as_str(),
            network: &server.name,
            login: "external",
            device: server.endpoint.device.as_ref().map(|device| device.fingerprint().to_hex()),
        };
        if write_message(&mut socket, &welcome).await.is_err() {
            return;
        }
        let (mut from_page, mut to_page) = split(socket);
        let (mut from_server, mut to_server) = split(stream);
        let close_reason = tokio::select! {
            _ = copy(&mut from_page, &mut to_server) => CLOSED,
            _ = copy(&mut from_server, &mut to_page) => NO_SERVER,
            () = check_pins_each_hour(server) => NO_SERVER,
        };
        // The server learns that the connection was not cut.
        let _ = timeout(FAREWELL_TIMEOUT, to_server.shutdown()).await;
        close(from_page.unsplit(to_page), close_reason).await;
        if close_reason == NO_SERVER {
            page.expect_back();
        }
    }
}

/// Reads the first message; `None` if there is none, or if it is no JSON of the right form.
async fn read_hello(socket: &mut BufReader<WebSocketStream<Lingering<TcpStream>>>) -> Option<Hello> {
    let mut line = Zeroizing::new(Vec::new());
    // Pings become empty lines.
    while line.trim_ascii().is_empty() {
        line.clear();
        let mut limited = (&mut *socket).take(MAX_FIRST_MESSAGE_BYTES);
        limited.read_until(b'\n', &mut line).await.ok().filter(|&read| read > 0)?;
    }
    serde_json::from_slice(&line).ok()
}

/// Completes when a page that waits for its server has gone. Lines that come early wait for the server.
async fn wait_for_end(socket: &mut BufReader<WebSocketStream<Lingering<TcpStream>>>) {
    loop {
        match socket.fill_buf().await {
            Ok([]) | Err(_) => return,
            // Pings become empty lines.
            Ok([b'\r' | b'\n', ..]) => socket.consume(1),
            Ok(_) => std::future::pending().await,
        }
    }
}

/// Tells a page why it is not connected, and closes its WebSocket.
async fn refuse(
    mut socket: BufReader<WebSocketStream<Lingering<TcpStream>>>,
    error: &str,
    retry: bool,
    reason: CloseReason,
) {
    let written = timeout(FAREWELL_TIMEOUT, write_message(&mut socket, &Failure { error, retry })).await;
    if written.is_ok_and(|written| written.is_ok()) {
        close(socket, reason).await;
    }
}

/// Closes a WebSocket, and waits until the page has closed its side too.
async fn close(mut socket: BufReader<WebSocketStream<Lingering<TcpStream>>>, reason: CloseReason) {
    socket.get_mut().set_close_reason(reason);
    let _ = timeout(FAREWELL_TIMEOUT, socket.shutdown()).await;
}

/// Looks at the server's certificates each hour. A page may stay open for months, in which the server may rotate its
/// root and retire the old one.
async fn check_pins_each_hour(server: &PageServer) {
    loop {
        sleep(PIN_CHECK_INTERVAL).await;
        // After a failed check the pins stay as they are until the next one.
        let _ = check_pins(server.endpoint.clone()).await;
    }
}

/// Returns whether the server may be reached later by the same attempt.
fn is_temporary(error: &ConnectError) -> bool {
    match error {
        // While the right server may be down temporarily at one address, another server at a second address is not
        // final.
        ConnectError::Dial(DialError::Untrusted { elsewhere, .. }) => elsewhere.is_some(),
        ConnectError::Dial(DialError::Device(_)) => false,
        _ => true,
    }
}
