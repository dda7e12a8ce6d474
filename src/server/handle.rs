//! How the rest of the server reaches the hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, mpsc, oneshot};

use super::clock::Clock;
use super::session::Ready;
use crate::chat::Settings;
use crate::chat::record::AccountChange;

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
    /// The server's time.
    pub clock: Arc<Clock>,
    /// Held while an account is changed in the database and in the chat: of two changes the chat follows in the order of
    /// the database.
    pub changing: Arc<Mutex<()>>,
}

/// Where the orders arrive that are given through a [`HubHandle`].
#[derive(Debug)]
pub(super) struct Orders(pub mpsc::Receiver<Order>);

impl HubHandle {
    /// A handle for a hub that is still to be made, and what that one needs.
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
