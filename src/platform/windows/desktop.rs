//! Desktop notifications.
//!
//! Toasts need an application that is registered in the start menu, and Microsoft's `windows` crate. Notifications go
//! through the terminal instead (OSC 9), which Windows Terminal shows.

/// Returns `false`: notifications go through the terminal.
pub fn is_available(_: impl Fn(&str) -> Option<String>) -> bool {
    false
}

/// Returns `false`: notifications go through the terminal.
pub async fn notify(_: &str, _: &str) -> bool {
    false
}
