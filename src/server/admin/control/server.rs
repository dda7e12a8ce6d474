//! The server's end of the control socket.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tracing::{debug, info, warn};

use super::callers::{Caller, CallerRegistry};
use super::takeover::{ListeningSockets, TakeoverRequest};
use super::{ControlRequest, MAX_REQUEST_BYTES, Response};
use crate::core::request::admin::{Change, RequestError, RequestOutcome};
use crate::platform::control::{self, Connection, Listener};
use crate::server::admin::{AdminQuery, AdminReply, AdminRequest, Failure};
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::server::telemetry::exporter::ReadMetrics;
use crate::trust::Pin;

/// Time after which a silent caller's connection is closed. On a slow machine an import hashes for minutes between two
/// requests, but it opens a connection for each.
const IDLE_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 3600 } else { 30 });

/// Data and actions that only the running server has.
#[derive(Clone)]
pub struct RunningServer {
    /// Addresses by which clients reach the server.
    pub addresses: AdvertisedAddresses,
    /// Returns the server's present pin.
    pub pin: Arc<dyn Fn() -> Pin + Send + Sync>,
    /// Returns the metrics.
    pub metrics: ReadMetrics,
    /// Runs a query on the core's state.
    pub answer: Arc<dyn Fn(AdminQuery) -> Replying + Send + Sync>,
    /// Loads the certificates again and returns the result.
    pub reload: Arc<dyn Fn() -> Replying + Send + Sync>,
    /// The listening sockets, for a server that takes over.
    pub sockets: ListeningSockets,
}

/// A reply that is being made.
pub type Replying = std::pin::Pin<Box<dyn Future<Output = Result<AdminReply, Failure>> + Send>>;

/// The bound socket. Dropping it removes the file.
#[derive(Debug)]
pub struct ControlSocket(Listener);

impl ControlSocket {
    /// Binds the socket in the data folder. The caller holds the folder's lock, so an existing socket file was left
    /// behind by a server that was killed, and is replaced.
    pub fn bind(folder: &Path) -> io::Result<Self> {
        Listener::bind(folder).map(Self)
    }

    /// Serves requests until it is dropped. `apply_change` has the core make a change, and returns when that is durable; only
    /// then the requester gets a reply.
    pub async fn serve<F, Fut>(mut self, running_server: RunningServer, apply_change: F)
    where
        F: Fn(Change) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<RequestOutcome, RequestError>> + Send,
    {
        let request_handler = Arc::new(RequestHandler { running_server, apply_change });
        let callers = CallerRegistry::default();
        loop {
            let stream = match self.0.accept().await {
                Ok(Some(stream)) => stream,
                // It belongs to another user.
                Ok(None) => continue,
                Err(error) => {
                    // Most likely out of file descriptors: connections need time to close theirs.
                    warn!(%error, "control: cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some((caller, replaced)) = callers.register() else {
                warn!("control: closed a connection, as too many requests are under way");
                continue;
            };
            let desk = request_handler.clone();
            tokio::spawn(async move {
                let attended = tokio::select! {
                    attended = desk.serve_connection(stream, &caller) => attended,
                    _ = replaced => Err(io::Error::other("a newer one took its place")),
                };
                if let Err(error) = attended {
                    debug!(%error, "control: connection ended");
                }
            });
        }
    }
}

struct RequestHandler<F> {
    running_server: RunningServer,
    apply_change: F,
}

impl<F, Fut> RequestHandler<F>
where
    F: Fn(Change) -> Fut + Send + Sync,
    Fut: Future<Output = Result<RequestOutcome, RequestError>> + Send,
{
    async fn serve_connection(&self, stream: Connection, caller: &Caller) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut has_sockets = false;
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut stream).take(MAX_REQUEST_BYTES);
            let read = tokio::time::timeout(IDLE_TIMEOUT, bounded.read_until(b'\n', &mut line));
            if read.await.map_err(|_| io::ErrorKind::TimedOut)?? == 0 {
                return Ok(());
            }
            let is_complete = line.ends_with(b"\n");
            if !caller.begin_request() {
                return Ok(());
            }
            let response = match serde_json::from_slice(&line) {
                _ if !is_complete => {
                    Response::Failed(Failure::invalid("the request is too long or was cut off"))
                }
                // The error's own text would quote the request.
                Err(_) => Response::Failed(Failure::invalid("the request is not understood")),
                Ok(ControlRequest::Admin(request)) => self.handle_request(request).await,
                Ok(ControlRequest::Takeover(TakeoverRequest::Release)) if has_sockets => {
                    match self.running_server.sockets.reserve() {
                        Ok(place) => return place.release(stream.into_inner()),
                        Err(failure) => Response::Failed(failure),
                    }
                }
                Ok(ControlRequest::Takeover(request)) => {
                    self.running_server.sockets.offer(&request, control::caller_pid(stream.get_ref()))
                }
            };
            caller.end_request();
            let mut text = serde_json::to_vec(&response)?;
            text.push(b'\n');
            let write = async {
                if matches!(response, Response::Sockets(_)) {
                    has_sockets = true;
                    return self.running_server.sockets.send(stream.get_ref(), &text).await;
                }
                stream.get_mut().write_all(&text).await
            };
            tokio::time::timeout(IDLE_TIMEOUT, write).await.map_err(|_| io::ErrorKind::TimedOut)??;
            if !is_complete {
                return Ok(());
            }
        }
    }

    async fn handle_request(&self, request: AdminRequest) -> Response {
        let result = match request {
            AdminRequest::Query(AdminQuery::Server) => {
                let addresses = self.running_server.addresses.current().await;
                Ok(AdminReply::Server { addresses, pin: (self.running_server.pin)() })
            }
            AdminRequest::Query(AdminQuery::Metrics) => {
                let metrics = self.running_server.metrics.clone();
                let text = tokio::task::spawn_blocking(move || metrics()).await;
                text.map(AdminReply::Metrics).map_err(|_| Failure::invalid("the metrics cannot be read"))
            }
            AdminRequest::Query(AdminQuery::Certificates) => (self.running_server.reload)().await,
            AdminRequest::Query(query) => (self.running_server.answer)(query).await,
            AdminRequest::Change(change) => {
                let name = change.name();
                let done = (self.apply_change)(change).await;
                if done.as_ref().is_ok_and(|done| !matches!(done, RequestOutcome::ClockAccepted(_))) {
                    info!(change = name, "control: carried out a change");
                }
                done.map(Into::into).map_err(Into::into)
            }
        };
        result.map_or_else(Response::Failed, Response::Done)
    }
}
