//! How the rest of the server reaches the hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};

use super::session::Ready;
use crate::chat::Settings;
use crate::chat::record::AccountChange;
use crate::wire::Millis;

/// From the administration to the hub.
#[derive(Debug)]
pub(super) enum Order {
    /// Follow a change of accounts; answered when it is in force.
    Account(AccountChange, oneshot::Sender<()>),
    /// Go by other settings; answered when they are in force.
    Settings(Box<Settings>, oneshot::Sender<()>),
    /// End all sessions, finish what is on its way, stop.
    Shutdown,
}

/// How the rest of the server reaches the hub.
#[derive(Clone, Debug)]
pub(super) struct HubHandle {
    pub ready: Arc<Ready>,
    orders: mpsc::Sender<Order>,
    /// [`Chat::password_changes`], for logins to read.
    pub password_changes: Arc<AtomicU64>,
}

/// Where the orders arrive that are given through a [`HubHandle`].
#[derive(Debug)]
pub(super) struct Orders(pub mpsc::Receiver<Order>);

impl HubHandle {
    /// A handle for a hub that is still to be made, and what that one needs.
    pub fn new() -> (Self, Orders) {
        let (orders, receiver) = mpsc::channel(64);
        let handle =
            Self { ready: Arc::new(Ready::new()), orders, password_changes: Arc::new(AtomicU64::new(0)) };
        (handle, Orders(receiver))
    }

    /// Has the chat follow a change of accounts, and returns when it does.
    pub async fn account_changed(&self, change: AccountChange) {
        let (done, in_force) = oneshot::channel();
        if self.orders.send(Order::Account(change, done)).await.is_ok() {
            // An error means that the hub has stopped, and then nobody is connected.
            let _ = in_force.await;
        }
    }

    /// Has the chat go by other settings, and returns when it does.
    pub async fn settings_changed(&self, settings: Settings) {
        let (done, in_force) = oneshot::channel();
        if self.orders.send(Order::Settings(Box::new(settings), done)).await.is_ok() {
            let _ = in_force.await;
        }
    }

    /// [`Chat::password_changes`] as it stands.
    pub fn password_changes(&self) -> u64 {
        self.password_changes.load(Ordering::Acquire)
    }

    /// Tells the hub to stop.
    pub async fn shut_down(&self) {
        let _ = self.orders.send(Order::Shutdown).await;
    }
}

/// The server's time.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
