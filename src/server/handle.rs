//! Access of the rest of the server to the hub.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::clock::Clock;
use super::sessions::session::Ready;
use crate::core::request::admin::{Done, Request, RequestError};
use crate::core::{Chat, InputKind};

/// An order to the hub.
pub(super) enum Order {
    /// Carry out a request; the sender gets the result when it is durable.
    Request(Request, oneshot::Sender<Result<Done, RequestError>>),
    /// Apply an input; the sender gets a reply when it is in force.
    Input(Box<InputKind>, oneshot::Sender<()>),
    /// Look at the core's state.
    Look(Box<dyn FnOnce(&Chat) + Send>),
    /// End all sessions, finish pending work, stop.
    Shutdown,
}

/// Handle of the hub.
#[derive(Clone, Debug)]
pub(super) struct HubHandle {
    pub ready: Arc<Ready>,
    orders: mpsc::Sender<Order>,
    /// The server's time.
    pub clock: Arc<Clock>,
}

/// Error of a request to a hub that has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is shutting down")]
pub(super) struct Stopped;

/// Receiver of the orders that are sent through a [`HubHandle`].
#[derive(Debug)]
pub(super) struct Orders(pub mpsc::Receiver<Order>);

impl HubHandle {
    /// Makes a handle for a hub that does not exist yet, and the receiver that the hub needs.
    pub fn new(clock: Arc<Clock>) -> (Self, Orders) {
        let (orders, receiver) = mpsc::channel(64);
        let handle = Self { ready: Arc::new(Ready::new()), orders, clock };
        (handle, Orders(receiver))
    }

    /// Sends the core a request, and returns the result when it is durable. Once sent, the request is carried out
    /// even if the future is dropped.
    pub async fn request(&self, request: Request) -> Result<Done, RequestError> {
        let (done, result) = oneshot::channel();
        self.orders.send(Order::Request(request, done)).await.map_err(|_| RequestError::Stopped)?;
        result.await.unwrap_or(Err(RequestError::Stopped))
    }

    /// Applies an input that no session caused, and returns when it is in force.
    pub async fn apply(&self, kind: InputKind) {
        let (done, in_force) = oneshot::channel();
        if self.orders.send(Order::Input(Box::new(kind), done)).await.is_ok() {
            // An error means that the hub has stopped, and then there are no sessions.
            let _ = in_force.await;
        }
    }

    /// Returns what `look` makes of the core's state. It must be brief, because it runs in the hub.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Chat) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (done, seen) = oneshot::channel();
        let look = Box::new(move |chat: &Chat| drop(done.send(look(chat))));
        self.orders.send(Order::Look(look)).await.map_err(|_| Stopped)?;
        seen.await.map_err(|_| Stopped)
    }

    /// Tells the hub to stop.
    pub async fn shut_down(&self) {
        let _ = self.orders.send(Order::Shutdown).await;
    }
}
