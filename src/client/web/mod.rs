//! The page on the user's own machine: an HTTP server on the loopback interface, for browsers that know its token.
//!
//! | module | content |
//! | --- | --- |
//! | `relay` | one WebSocket of a page, and the connection to the server that its lines go to |
//! | `open_pages` | the count of open pages, and when the last one has been closed for long enough |
//! | `files` | requests about files, passed on to their server |
//! | `kept_state` | the WebSocket over which a page reads and changes what is kept for it |
//! | [`page_token`] | the secret by which a page proves that the user opened it |
//!
//! The browser never sees a password, a certificate or a key: this process verifies the server by its pin and presents
//! the device's certificate. The page logs in over that connection by SASL EXTERNAL.

mod files;
mod kept_state;
mod open_pages;
pub mod page_token;
mod relay;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::connect::connection::{ConnectError, Endpoint};
use super::files::page_state_file::PageStateFile;
use crate::web::{HostPolicy, Lingering, Mode, Page, Site, serve};
use files::FileRelay;
use open_pages::OpenPages;
use page_token::PageToken;
use relay::Relay;

/// Limit of connections that are open at one time. A browser opens six for a page, and one stays with each.
const MAX_CONNECTIONS: usize = 96;

/// Limit of a line of the page, in bytes: tags of 4 KiB, and the longest line that a Parlour server can be set to take.
const MAX_PAGE_LINE_BYTES: usize = 4096 + 64 * 1024;

/// Pause after an error of the listener, such as a lack of file descriptors.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// A server that a page may be connected to.
#[derive(Clone, Debug)]
pub struct PageServer {
    /// Its name among the known servers.
    pub name: String,
    /// Its addresses and pins, and the account with this device's key.
    pub endpoint: Endpoint,
}

/// The servers that pages may be connected to. Errors are sentences for the user and say what to do.
pub trait PageServers: Send + Sync + 'static {
    /// Returns the server of this name, or the one that the page is opened for.
    ///
    /// # Errors
    /// There is no such server, or this device has no key for it.
    fn find(&self, name: Option<&str>) -> Result<PageServer, String>;

    /// Returns the names of all known servers.
    fn names(&self) -> Vec<String>;

    /// Describes why there is no connection.
    fn describe(&self, error: &ConnectError) -> String;
}

/// The HTTP server for the pages of one user.
pub struct LocalSite {
    listener: TcpListener,
    address: SocketAddr,
    token: PageToken,
}

impl LocalSite {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, token: PageToken::generate() })
    }

    /// Returns the address of the page, with the token. The part behind `#` stays in the browser: it is in no request.
    pub fn url(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("http://{}/#{}", self.address, &*self.token.to_hex()))
    }

    /// Serves pages until the last one has been closed for a minute; with `keep` without end. What pages keep goes to
    /// `state`, if there is such a file.
    pub async fn run(self, servers: Arc<dyn PageServers>, state: Option<Arc<PageStateFile>>, keep: bool) {
        let policy = Arc::new(HostPolicy::Loopback { authority: self.address.to_string() });
        let pages = OpenPages::default();
        let files = FileRelay::new(servers.clone()).routes();
        let relay = Arc::new(Relay::new(self.token, servers, state, pages.clone()));
        let site = Arc::new(Site::new(Some(Page { mode: Mode::Local, find_phone_root: None }), files));
        let serve_all = serve_connections(self.listener, site, policy, relay);
        tokio::select! {
            () = serve_all => {}
            () = pages.wait_until_closed(), if !keep => {}
        }
    }
}

async fn serve_connections(
    listener: TcpListener,
    site: Arc<Site>,
    policy: Arc<HostPolicy>,
    relay: Arc<Relay>,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // Dropped together with this future, which ends all connections.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // One too many is closed at once.
                Ok((stream, _)) => if let Ok(slot) = slots.clone().try_acquire_owned() {
                    let (site, policy, relay) = (site.clone(), policy.clone(), relay.clone());
                    // Lines are small, and each is waited for.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(async move {
                        if let Ok(Some(socket)) = serve(Lingering::new(stream), (&site, &policy), None, MAX_PAGE_LINE_BYTES).await {
                            relay.run(socket).await;
                        }
                        drop(slot);
                    });
                },
                Err(_) => tokio::time::sleep(ERROR_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Writes a message to a page, as JSON.
async fn write_message(socket: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(message)? + "\r\n";
    socket.write_all(text.as_bytes()).await?;
    socket.flush().await
}
