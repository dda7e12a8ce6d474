//! Access of the rest of the server to the hub.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::core::request::admin::{ChangeRequest, RequestError, RequestOutcome};
use crate::core::{Core, InputKind};
use crate::server::clock::Clock;
use crate::server::sessions::Sessions;
use crate::server::sessions::session::ReadySessions;
use crate::server::tasks::stop::StopReason;

/// A look at the core's state and the sessions.
pub(in crate::server) type Inspection = Box<dyn FnOnce(&Core, &Sessions) + Send>;

/// A message to the hub.
pub(in crate::server) enum HubMessage {
    /// Carry out a request; the sender gets the result when it is durable.
    Request(ChangeRequest, oneshot::Sender<Result<RequestOutcome, RequestError>>),
    /// Apply an input; the sender gets a reply when it is in force.
    Input(Box<InputKind>, oneshot::Sender<()>),
    /// Look at the core's state, and at the sessions.
    Inspect(Inspection),
    /// End all sessions with this reason, finish pending work, stop.
    Shutdown(StopReason),
}

/// Handle of the hub.
#[derive(Clone, Debug)]
pub(in crate::server) struct HubHandle {
    pub ready: Arc<ReadySessions>,
    sender: mpsc::Sender<HubMessage>,
    /// The server's time.
    pub clock: Arc<Clock>,
}

/// Error of a request to a hub that has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is shutting down")]
pub(in crate::server) struct HubStopped;

/// Receiver of the messages that are sent through a [`HubHandle`].
#[derive(Debug)]
pub(in crate::server) struct HubReceiver(pub mpsc::Receiver<HubMessage>);

impl HubHandle {
    /// Makes a handle for a hub that does not exist yet, and the receiver that the hub needs.
    pub fn new(clock: Arc<Clock>) -> (Self, HubReceiver) {
        let (sender, receiver) = mpsc::channel(64);
        let handle = Self { ready: Arc::new(ReadySessions::new()), sender, clock };
        (handle, HubReceiver(receiver))
    }

    /// Sends the core a request, and returns the result when it is durable. Once sent, the request is carried out
    /// even if the future is dropped.
    pub async fn request(&self, request: ChangeRequest) -> Result<RequestOutcome, RequestError> {
        let (done, result) = oneshot::channel();
        self.sender.send(HubMessage::Request(request, done)).await.map_err(|_| RequestError::ShuttingDown)?;
        result.await.unwrap_or(Err(RequestError::ShuttingDown))
    }

    /// Applies an input that no session caused, and returns when it is in force.
    pub async fn apply_input(&self, kind: InputKind) {
        let (done, applied) = oneshot::channel();
        if self.sender.send(HubMessage::Input(Box::new(kind), done)).await.is_ok() {
            // An error means that the hub has stopped, and then there are no sessions.
            let _ = applied.await;
        }
    }

    /// Returns the result of `inspect` on the core's state. `inspect` must be brief, because it runs in the hub.
    pub async fn inspect<T: Send + 'static>(
        &self,
        inspect: impl FnOnce(&Core) -> T + Send + 'static,
    ) -> Result<T, HubStopped> {
        self.inspect_sessions(|core, _| inspect(core)).await
    }

    /// Returns the result of `inspect` on the core's state and the sessions, as [`inspect`](Self::inspect) does.
    pub async fn inspect_sessions<T: Send + 'static>(
        &self,
        inspect: impl FnOnce(&Core, &Sessions) -> T + Send + 'static,
    ) -> Result<T, HubStopped> {
        let (done, outcome) = oneshot::channel();
        let look = move |core: &Core, sessions: &Sessions| drop(done.send(inspect(core, sessions)));
        let inspect = Box::new(look);
        self.sender.send(HubMessage::Inspect(inspect)).await.map_err(|_| HubStopped)?;
        outcome.await.map_err(|_| HubStopped)
    }

    /// Sends the hub several looks at the core's state as one message. Each must be brief. A hub that has stopped drops
    /// them.
    pub async fn start_inspections(&self, inspections: Vec<Inspection>) {
        let all: Inspection = Box::new(move |core, sessions| {
            for inspect in inspections {
                inspect(core, sessions);
            }
        });
        let _ = self.sender.send(HubMessage::Inspect(all)).await;
    }

    /// Tells the hub to stop.
    pub async fn shut_down(&self, reason: StopReason) {
        let _ = self.sender.send(HubMessage::Shutdown(reason)).await;
    }
}
