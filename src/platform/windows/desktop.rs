//! Desktop notifications: toasts.
//!
//! Windows shows those of applications that it knows, from its start menu, and Parlour needs no installation. So they are
//! shown as of PowerShell, which every Windows has.

use tauri_winrt_notification::Toast;

/// Returns whether this program runs on a desktop. Over SSH that is on another machine, which only the terminal reaches.
pub fn is_available(env: impl Fn(&str) -> Option<String>) -> bool {
    env("SSH_CONNECTION").is_none_or(|connection| connection.is_empty())
}

/// Shows a notification. The texts are plain. Returns whether the desktop took it.
pub async fn notify(title: &str, body: &str) -> bool {
    let (title, body) = (title.to_owned(), body.to_owned());
    let show =
        move || Toast::new(Toast::POWERSHELL_APP_ID).title(&title).text1(&body).sound(None).show().is_ok();
    tokio::task::spawn_blocking(show).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wine shows no toasts, and then the terminal is asked; other machines may show one.
    #[tokio::test]
    async fn a_refused_toast_is_no_error() {
        let _shown: bool = notify("Parlour's <tests>", "& nothing else").await;
        assert!(is_available(|_| None) && !is_available(|_| Some("192.0.2.1 22".to_owned())));
    }
}
