//! Desktop notifications, sent by a task so that the screen never waits for the desktop.

use std::time::Duration;

use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;

use crate::platform::desktop;

/// Time limit of one notification.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(5);
/// Limit of queued notifications; more are dropped.
const MAX_QUEUED: usize = 8;

/// Handle of the task that sends notifications to the desktop.
#[derive(Debug)]
pub struct DesktopNotifier(Sender<Notification>);

/// Notification to show on the desktop.
#[derive(Debug)]
struct Notification {
    title: String,
    body: String,
}

impl DesktopNotifier {
    /// Starts the task. Needs a Tokio runtime.
    pub fn start() -> Self {
        let (to, mut from) = channel::<Notification>(MAX_QUEUED);
        tokio::spawn(async move {
            while let Some(Notification { title, body }) = from.recv().await {
                // After the first failure the task ends, and notifications go through the terminal.
                if !matches!(timeout(NOTIFY_TIMEOUT, desktop::notify(&title, &body)).await, Ok(true)) {
                    return;
                }
            }
        });
        Self(to)
    }

    /// Queues a notification. Returns `false` if the desktop takes none. Both texts must be safe to write to a
    /// terminal.
    pub fn notify(&self, title: &str, body: &str) -> bool {
        let _ = self.0.try_send(Notification { title: title.to_owned(), body: body.to_owned() });
        !self.0.is_closed()
    }
}
