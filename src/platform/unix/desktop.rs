//! Desktop notifications (freedesktop.org, over D-Bus).

/// Returns whether this program runs on a desktop with notifications. Over SSH the desktop is on another machine, which
/// only the terminal reaches.
#[cfg(not(target_os = "macos"))]
pub fn is_available(env: impl Fn(&str) -> Option<String>) -> bool {
    let has = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    has("DBUS_SESSION_BUS_ADDRESS") && (has("DISPLAY") || has("WAYLAND_DISPLAY")) && !has("SSH_CONNECTION")
}

/// Sends a notification. The texts are plain. Returns whether the desktop took it.
#[cfg(not(target_os = "macos"))]
pub async fn notify(title: &str, body: &str) -> bool {
    match zbus::Connection::session().await {
        Ok(bus) => call_notify(&bus, &escape_markup(title), &escape_markup(body)).await.is_ok(),
        Err(_) => false,
    }
}

/// Returns `false`: there is no D-Bus on macOS.
#[cfg(target_os = "macos")]
pub fn is_available(_: impl Fn(&str) -> Option<String>) -> bool {
    false
}

/// Returns `false`: there is no D-Bus on macOS.
#[cfg(target_os = "macos")]
pub async fn notify(_: &str, _: &str) -> bool {
    false
}

/// Calls `Notify` of the
/// [notification service](https://specifications.freedesktop.org/notification-spec/latest/protocol.html).
#[cfg(not(target_os = "macos"))]
async fn call_notify(bus: &zbus::Connection, title: &str, body: &str) -> zbus::Result<()> {
    const INTERFACE: &str = "org.freedesktop.Notifications";
    /// Replaces no earlier notification.
    const NEW: u32 = 0;
    /// The time that the desktop chooses.
    const DEFAULT_EXPIRY: i32 = -1;
    let (icon, actions) = ("", [""; 0]);
    let hints = std::collections::HashMap::from([("category", zbus::Variant::from("im.received"))]);
    let notification = ("Parlour", NEW, icon, title, body, actions.as_slice(), hints, DEFAULT_EXPIRY);
    let path = "/org/freedesktop/Notifications";
    bus.call_method(Some(INTERFACE), path, Some(INTERFACE), "Notify", &notification).await.map(drop)
}

/// Escapes the markup of notifications
/// ([markup](https://specifications.freedesktop.org/notification-spec/latest/markup.html)), so that a message cannot
/// add links or images.
#[cfg(not(target_os = "macos"))]
fn escape_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(all(test, not(target_os = "macos")))]
mod tests {
    use std::collections::HashMap;

    use zbus::Variant;

    use super::*;

    #[test]
    fn desktop_needs_dbus_and_display_without_ssh() {
        let with = |names: &[&str]| is_available(|name| names.contains(&name).then(|| "x".to_owned()));
        assert!(!with(&["DBUS_SESSION_BUS_ADDRESS"]) && !with(&["DISPLAY"]) && !with(&[]));
        assert!(with(&["DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY"]));
        assert!(!with(&["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "SSH_CONNECTION"]));
    }

    #[test]
    fn escapes_notification_markup() {
        assert_eq!(
            escape_markup("<img src=\"file:///x\"/> & <b>"),
            "&lt;img src=\"file:///x\"/&gt; &amp; &lt;b&gt;"
        );
    }

    #[tokio::test]
    async fn the_desktop_gets_the_texts_and_the_category() {
        use std::future::poll_fn;
        use std::pin::Pin;

        use futures_core::Stream as _;
        use tokio::net::UnixListener;
        use zbus::ObjectPath;
        use zbus::connection::Builder;
        use zbus::names::MemberName;

        type Call<'a> = (String, u32, String, String, String, Vec<String>, HashMap<String, Variant<'a>>, i32);

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bus");
        let listener = UnixListener::bind(&path).expect("binds");
        // The other end is a bus that names its client at `Hello`, and the desktop behind it.
        let desktop = async {
            let (stream, _) = listener.accept().await.expect("accepts");
            let stream = stream.into_std().expect("a stream");
            let builder = Builder::unix_stream(stream).server(zbus::Guid::generate()).p2p();
            let mut calls = builder.build_message_stream().await.expect("connects");
            let bus = zbus::Connection::from(&calls);
            let mut next = async || {
                poll_fn(|cx| Pin::new(&mut calls).poll_next(cx)).await.expect("one").expect("a call")
            };
            let hello = next().await;
            bus.reply(&hello.header(), &":1.7").await.expect("replies");
            let call = next().await;
            bus.reply(&call.header(), &7u32).await.expect("replies");
            call
        };
        let chat = async {
            let address = format!("unix:path={}", path.display());
            let bus = Builder::address(address.as_str()).build().await.expect("connects");
            call_notify(&bus, "alice", "hello").await
        };
        let (call, sent) = tokio::join!(desktop, chat);
        sent.expect("sent");
        let header = call.header();
        assert_eq!(header.member().map(MemberName::as_str), Some("Notify"));
        assert_eq!(header.path().map(ObjectPath::as_str), Some("/org/freedesktop/Notifications"));
        let body = call.body();
        let (app, replaces, icon, title, text, actions, hints, expiry): Call<'_> =
            body.deserialize().expect("a call");
        assert_eq!((app.as_str(), title.as_str(), text.as_str()), ("Parlour", "alice", "hello"));
        assert_eq!((replaces, icon.as_str(), actions.len(), expiry), (0, "", 0, -1));
        assert_eq!(hints.get("category"), Some(&Variant::from("im.received")));
    }
}
