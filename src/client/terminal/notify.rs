//! Desktop notifications (freedesktop.org, over D-Bus).

use std::time::Duration;

use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;

/// Time limit of one notification.
const PATIENCE: Duration = Duration::from_secs(5);
/// Limit of queued notifications; more are dropped.
const WAITING: usize = 8;

/// Handle of the task that sends notifications to the desktop.
#[derive(Debug)]
pub struct Desktop(Sender<(String, String)>);

/// Returns whether the terminal runs on a desktop with notifications. Over SSH the desktop is on another machine, which
/// only the terminal reaches.
pub fn is_there(env: impl Fn(&str) -> Option<String>) -> bool {
    let has = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    cfg!(all(unix, not(target_os = "macos")))
        && has("DBUS_SESSION_BUS_ADDRESS")
        && (has("DISPLAY") || has("WAYLAND_DISPLAY"))
        && !has("SSH_CONNECTION")
}

impl Desktop {
    /// Starts the task. Needs a Tokio runtime.
    pub fn start() -> Self {
        let (to, mut from) = channel::<(String, String)>(WAITING);
        tokio::spawn(async move {
            while let Some((title, body)) = from.recv().await {
                // After the first failure the task ends, and notifications go through the terminal.
                if !matches!(timeout(PATIENCE, show(&title, &body)).await, Ok(true)) {
                    return;
                }
            }
        });
        Self(to)
    }

    /// Queues a notification. Returns `false` if the desktop takes none. Both texts must be safe to write to a
    /// terminal.
    pub fn tell(&self, title: &str, body: &str) -> bool {
        let _ = self.0.try_send((plain(title), plain(body)));
        !self.0.is_closed()
    }
}

/// Escapes the markup of notifications
/// ([markup](https://specifications.freedesktop.org/notification-spec/latest/markup.html)), so that a message cannot
/// add links or images.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(all(unix, not(target_os = "macos")))]
async fn show(title: &str, body: &str) -> bool {
    let mut notice = notify_rust::Notification::new();
    notice.appname("Parlour").summary(title).body(body);
    notice.hint(notify_rust::Hint::Category("im.received".to_owned()));
    notice.show_async().await.is_ok()
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
async fn show(_: &str, _: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn desktop_needs_dbus_and_display_without_ssh() {
        let with = |names: &[&str]| is_there(|name| names.contains(&name).then(|| "x".to_owned()));
        assert!(!with(&["DBUS_SESSION_BUS_ADDRESS"]) && !with(&["DISPLAY"]) && !with(&[]));
        let linux = cfg!(not(target_os = "macos"));
        assert_eq!(with(&["DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY"]), linux);
        assert!(!with(&["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "SSH_CONNECTION"]));
    }

    #[test]
    fn escapes_notification_markup() {
        assert_eq!(plain("<img src=\"file:///x\"/> & <b>"), "&lt;img src=\"file:///x\"/&gt; &amp; &lt;b&gt;");
    }
}
