//! Transfers of a chat, in the background. Their events come one after the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::interval;
use tokio_util::task::AbortOnDropHandle;

use super::download::Download;
use super::target::Target;
use super::upload::{OutgoingFile, upload};
use super::{FileServer, Progress, TransferError};
use crate::client::connect::connection::Endpoint;
use crate::client::files::paths::expand_home;
use crate::client::input::transfers::{TransferEvent, TransferId};
use crate::client::text::file_address::FileAddress;

/// Interval between two events of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Limit of events that wait.
const MAX_EVENTS: usize = 16;

/// The transfers of a chat. Dropping this cancels them.
#[derive(Debug)]
pub struct TransferJobs {
    running: HashMap<TransferId, AbortOnDropHandle<()>>,
    sender: mpsc::Sender<(TransferId, TransferEvent)>,
    events: mpsc::Receiver<(TransferId, TransferEvent)>,
}

impl Default for TransferJobs {
    fn default() -> Self {
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        Self { running: HashMap::new(), sender, events }
    }
}

impl TransferJobs {
    /// Begins to upload a file.
    pub fn upload(&mut self, id: TransferId, endpoint: &Endpoint, path: &str) {
        let (server, path, events) = (FileServer::new(endpoint), expand_home(path), self.events_of(id));
        self.spawn(id, async move {
            let done = send_file(server, &path, &events).await;
            events.end(done.map(TransferEvent::Uploaded)).await;
        });
    }

    /// Begins to save a file in a folder, under the first free name.
    pub fn save(&mut self, id: TransferId, endpoint: &Endpoint, address: FileAddress, folder: PathBuf) {
        let (server, events) = (FileServer::new(endpoint), self.events_of(id));
        self.spawn(id, async move {
            let done = save_file(server, &address, &folder, &events).await;
            events.end(done.map(|path| TransferEvent::Saved(path.display().to_string()))).await;
        });
    }

    /// Cancels a transfer.
    pub fn cancel(&mut self, id: TransferId) {
        self.running.remove(&id);
    }

    /// Waits for the next event. This is cancel-safe.
    pub async fn next(&mut self) -> (TransferId, TransferEvent) {
        // The sender is in `self`, so there is always another event to wait for.
        let Some((id, event)) = self.events.recv().await else { return std::future::pending().await };
        if !matches!(event, TransferEvent::Progress { .. }) {
            self.running.remove(&id);
        }
        (id, event)
    }

    fn events_of(&self, id: TransferId) -> Events {
        Events { id, sender: self.sender.clone() }
    }

    fn spawn(&mut self, id: TransferId, work: impl Future<Output = ()> + Send + 'static) {
        self.running.insert(id, AbortOnDropHandle::new(tokio::spawn(work)));
    }
}

/// Channel for the events of one transfer.
struct Events {
    id: TransferId,
    sender: mpsc::Sender<(TransferId, TransferEvent)>,
}

impl Events {
    async fn send(&self, event: TransferEvent) {
        // Without a receiver the chat is over, and this task too.
        let _ = self.sender.send((self.id, event)).await;
    }

    async fn end(&self, done: Result<TransferEvent, TransferError>) {
        self.send(done.unwrap_or_else(|error| TransferEvent::Failed(error.to_string()))).await;
    }

    /// Sends the progress of a transfer while it lasts.
    async fn follow<T>(
        &self,
        (name, size): (&str, u64),
        progress: &Progress,
        transfer: impl Future<Output = T>,
    ) -> T {
        let (mut ticks, mut shown) = (interval(PROGRESS_INTERVAL), None);
        tokio::pin!(transfer);
        loop {
            tokio::select! {
                biased;
                done = &mut transfer => return done,
                _ = ticks.tick() => {
                    let bytes = progress.bytes();
                    if shown.replace(bytes) != Some(bytes) {
                        self.send(TransferEvent::Progress { name: name.to_owned(), bytes, size }).await;
                    }
                }
            }
        }
    }
}

async fn send_file(server: FileServer, path: &Path, events: &Events) -> Result<String, TransferError> {
    let (file, progress) = (OutgoingFile::open(path).await?, Progress::default());
    events.follow((&file.name, file.size), &progress, upload(server, &file, &progress)).await
}

async fn save_file(
    server: FileServer,
    address: &FileAddress,
    folder: &Path,
    events: &Events,
) -> Result<PathBuf, TransferError> {
    let progress = Progress::default();
    let mut download = Download::open(server, &address.path, &progress).await?;
    let name = download.name.clone().filter(|_| !address.has_name()).unwrap_or_else(|| address.name());
    let target = Target::create_in(folder, &name)?;
    events.follow((&name, download.size), &progress, target.fill(&mut download)).await
}
