//! The server's end of the control socket.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;
use tracing::{debug, info, warn};

use super::callers::{Caller, Callers};
use super::{Answer, REQUEST, socket_path};
use crate::chat::record::AccountChange;
use crate::server::admin::{self, Failure, Outcome, Reply, Request};
use crate::server::clock::Clock;
use crate::server::logins::close_ways_in;
use crate::store::Store;
use crate::store::audit::Actor;
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
    /// Held while an account is changed in the database and in the core.
    pub changing: Arc<Mutex<()>>,
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

    /// Serves requests until it is dropped. `tell` makes the core follow a change of accounts and returns when that is
    /// in force; only then the requester gets a reply.
    pub async fn serve<F, Fut>(self, store: Store, facts: Facts, tell: F)
    where
        F: Fn(AccountChange) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send,
    {
        let desk = Arc::new(Desk { store, facts, tell });
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
    tell: F,
}

impl<F, Fut> Desk<F>
where
    F: Fn(AccountChange) -> Fut + Send + Sync,
    Fut: Future<Output = ()> + Send,
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
            let noted = admin::run(&self.store, Request::ClockAccept, Actor::Console, now);
            noted.await.map(|outcome| outcome.reply)
        };
        accepted.await.map_or_else(Answer::Failed, Answer::Done)
    }

    async fn answer(&self, line: &[u8]) -> Answer {
        let request = match serde_json::from_slice(line) {
            Ok(Request::Server) => {
                let addresses = self.facts.addresses.clone();
                return Answer::Done(Reply::Server { addresses, pin: (self.facts.pin)() });
            }
            Ok(Request::Metrics) => return Answer::Done(Reply::Metrics((self.facts.metrics)())),
            Ok(Request::Certificates) => {
                return (self.facts.reload)().await.map_or_else(Answer::Failed, Answer::Done);
            }
            Ok(request) => request,
            // The error's own text would quote the request.
            Err(error) => {
                let place = error.column();
                return Answer::Failed(Failure::invalid(format!(
                    "the request is not understood, at byte {place}"
                )));
            }
        };
        if matches!(request, Request::ClockAccept) {
            return self.accept_clock().await;
        }
        let changes =
            matches!(request, Request::UserAdd { .. } | Request::UserImport(_) | Request::UserChange { .. });
        let _changing = if changes { Some(self.facts.changing.lock().await) } else { None };
        match admin::run(&self.store, request, Actor::Console, self.facts.clock.now()).await {
            Ok(Outcome { reply, changes }) => {
                if !changes.is_empty() {
                    info!(changes = changes.len(), "control: accounts changed");
                }
                for change in changes {
                    let renewed = match change {
                        AccountChange::PasswordChanged(account) => Some(account),
                        _ => None,
                    };
                    (self.tell)(change).await;
                    if let Some(account) = renewed
                        && let Err(error) = close_ways_in(&self.store, account, self.facts.clock.now()).await
                    {
                        return Answer::Failed(error.into());
                    }
                }
                Answer::Done(reply)
            }
            Err(failure) => Answer::Failed(failure),
        }
    }
}
