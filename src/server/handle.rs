//! Access of the rest of the server to the hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, mpsc, oneshot};

use super::clock::Clock;
use super::session::Ready;
use crate::chat::record::AccountChange;
use crate::chat::{Chat, Settings};

/// An order to the hub.
pub(super) enum Order {
    /// Follow a change of accounts; the sender gets a reply when it is in force.
    Account(AccountChange, oneshot::Sender<()>),
    /// Use other settings; the sender gets a reply when they are in force.
    Settings(Box<Settings>, oneshot::Sender<()>),
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
    /// [`Chat::password_changes`](crate::chat::Chat::password_changes), for logins to read.
    pub password_changes: Arc<AtomicU64>,
    /// The server's time.
    pub clock: Arc<Clock>,
    /// Held while an account is changed in the database and in the core, so that the core follows two changes in the
    /// order of the database.
    pub changing: Arc<Mutex<()>>,
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
        let handle = Self {
            ready: Arc::new(Ready::new()),
            orders,
            password_changes: Arc::new(AtomicU64::new(0)),
            clock,
            changing: Arc::default(),
        };
        (handle, Orders(receiver))
    }

    /// Makes the core follow a change of accounts, and returns when that is in force.
    pub async fn account_changed(&self, change: AccountChange) {
        let (done, in_force) = oneshot::channel();
        if self.orders.send(Order::Account(change, done)).await.is_ok() {
            // An error means that the hub has stopped, and then there are no sessions.
            let _ = in_force.await;
        }
    }

    /// Makes the core use other settings, and returns when they are in force.
    pub async fn settings_changed(&self, settings: Settings) {
        let (done, in_force) = oneshot::channel();
        if self.orders.send(Order::Settings(Box::new(settings), done)).await.is_ok() {
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

    /// Returns the present value of [`Chat::password_changes`](crate::chat::Chat::password_changes).
    pub fn password_changes(&self) -> u64 {
        self.password_changes.load(Ordering::Acquire)
    }

    /// Tells the hub to stop.
    pub async fn shut_down(&self) {
        let _ = self.orders.send(Order::Shutdown).await;
    }
}
