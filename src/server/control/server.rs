//! The server's end of the control socket.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tracing::{debug, info, warn};

use super::callers::{Caller, Callers};
use super::{Answer, REQUEST, socket_path};
use crate::core::request::admin::{Change, Done, RequestError};
use crate::server::admin::{self, Failure, Query, Reply, Request};
use crate::server::clock::Clock;
use crate::store::Store;
use crate::trust::{Address, Pin};

/// Time after which a silent caller's connection is closed. On a slow machine an import hashes for minutes between two
/// requests, but it opens a connection for each.
const SILENCE: Duration = Duration::from_secs(if cfg!(test) { 3600 } else { 30 });

/// Data and actions that only the running server has.
#[derive(Clone)]
pub struct Facts {
    /// Addresses by which clients reach the server, the likeliest first.
    pub addresses: Vec<Address>,
    /// Returns the server's present pin.
    pub pin: Arc<dyn Fn() -> Pin + Send + Sync>,
    /// Returns the metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The server's time.
    pub clock: Arc<Clock>,
    /// Loads the certificates again and returns the result.
    pub reload: Arc<dyn Fn() -> Reloading + Send + Sync>,
}

/// Certificates that are being loaded.
pub type Reloading = std::pin::Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// The bound socket. Dropping it removes the file.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// User id whose processes may connect, beside root.
    owner: u32,
    _folder: Option<File>,
}

impl Control {
    /// Binds the socket in the data folder. The caller holds the folder's lock, so an existing socket file was left
    /// behind by a server that was killed, and is replaced.
    pub fn bind(folder: &Path) -> io::Result<Self> {
        let (path, open) = socket_path(folder)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        // Until this line other users could connect, if the folder lets them; `peer_cred` refuses them.
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let owner = fs::metadata(&path)?.uid();
        Ok(Self { listener, path, owner, _folder: open })
    }

    /// Serves requests until it is dropped. `carry_out` has the core make a change, and returns when that is durable; only
    /// then the requester gets a reply.
    pub async fn serve<F, Fut>(self, store: Store, facts: Facts, carry_out: F)
    where
        F: Fn(Change) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Done, RequestError>> + Send,
    {
        let desk = Arc::new(Desk { store, facts, carry_out });
        let callers = Callers::default();
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Most likely out of file descriptors: connections need time to close theirs.
                    warn!(%error, "control: cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            match stream.peer_cred() {
                Ok(peer) if peer.uid() == self.owner || peer.uid() == 0 => {}
                Ok(peer) => {
                    warn!(uid = peer.uid(), "control: refused another user");
                    continue;
                }
                Err(_) => continue,
            }
            let Some((caller, ended)) = callers.enter() else {
                warn!("control: closed a connection, as too many requests are under way");
                continue;
            };
            let desk = desk.clone();
            tokio::spawn(async move {
                let attended = tokio::select! {
                    attended = desk.attend(stream, &caller) => attended,
                    _ = ended => Err(io::Error::other("a newer one took its place")),
                };
                if let Err(error) = attended {
                    debug!(%error, "control: connection ended");
                }
            });
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // A missing file, or one that cannot be removed, is replaced by the next server.
        let _ = fs::remove_file(&self.path);
    }
}

struct Desk<F> {
    store: Store,
    facts: Facts,
    carry_out: F,
}

impl<F, Fut> Desk<F>
where
    F: Fn(Change) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Done, RequestError>> + Send,
{
    async fn attend(&self, stream: UnixStream, caller: &Caller) -> io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut reader).take(REQUEST);
            let read = tokio::time::timeout(SILENCE, bounded.read_until(b'\n', &mut line));
            if read.await.map_err(|_| io::ErrorKind::TimedOut)?? == 0 {
                return Ok(());
            }
            let understood = line.ends_with(b"\n");
            if !caller.begins() {
                return Ok(());
            }
            let answer = if understood {
                self.answer(&line).await
            } else {
                Answer::Failed(Failure::invalid("the request is too long or was cut off"))
            };
            caller.done();
            let mut text = serde_json::to_vec(&answer)?;
            text.push(b'\n');
            tokio::time::timeout(SILENCE, writer.write_all(&text))
                .await
                .map_err(|_| io::ErrorKind::TimedOut)??;
            if !understood {
                return Ok(());
            }
        }
    }

    async fn accept_clock(&self) -> Answer {
        let accepted = async {
            let now = self.facts.clock.accept(&self.store).await?;
            admin::query(&self.store, Query::ClockAccept, now).await
        };
        accepted.await.map_or_else(Answer::Failed, Answer::Done)
    }

    async fn answer(&self, line: &[u8]) -> Answer {
        let Ok(request) = serde_json::from_slice(line) else {
            // The error's own text would quote the request.
            return Answer::Failed(Failure::invalid("the request is not understood"));
        };
        let result = match request {
            Request::Query(Query::Server) => {
                let addresses = self.facts.addresses.clone();
                Ok(Reply::Server { addresses, pin: (self.facts.pin)() })
            }
            Request::Query(Query::Metrics) => Ok(Reply::Metrics((self.facts.metrics)())),
            Request::Query(Query::Certificates) => (self.facts.reload)().await,
            Request::Query(Query::ClockAccept) => return self.accept_clock().await,
            Request::Query(query) => admin::query(&self.store, query, self.facts.clock.now()).await,
            Request::Change(change) => match (self.carry_out)(change).await {
                Ok(done) => {
                    info!("control: changed accounts or invites");
                    Ok(done.into())
                }
                Err(error) => Err(error.into()),
            },
        };
        result.map_or_else(Answer::Failed, Answer::Done)
    }
}
