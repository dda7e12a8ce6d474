//! What the administrator decides and the rules depend on.

use std::sync::Arc;

use crate::wire::message::MAX_PARAMS;
use crate::wire::{Millis, ServerName};

/// The host in everybody's `nick!user@host`. Nobody's address is shown to others.
pub const USER_HOST: &str = "parlour";

/// The version in VERSION and `RPL_MYINFO`.
pub const VERSION: &str = concat!("parlour-", env!("CARGO_PKG_VERSION"));

/// Settings of the chat. They change as a whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source of the server's replies.
    pub server_name: ServerName,
    /// The name of the network, one word (`NETWORK`).
    pub network: Arc<str>,
    /// The address of a picture of the network (`draft/ICON`).
    pub icon: Option<Arc<str>>,
    /// Lines of the message of the day; none for no message.
    pub motd: Vec<String>,
    /// Most channels that an account is a member of (`CHANLIMIT`).
    pub channels_per_account: usize,
    /// Most bytes of a line after its tags, CR LF counted (`LINELEN`).
    pub line_bytes: usize,
    /// Most sessions of an account at one time; 0 for no limit.
    pub sessions_per_account: usize,
    /// When the server started.
    pub started: Millis,
    /// For so many milliseconds an account whose last connection broke still counts as there.
    pub grace: Millis,
    /// Most messages of each channel, and of all talks together, that a client gets replayed which cannot ask for them.
    pub replay: usize,
    /// The server's certificate, where it has one.
    pub certificate: Option<Certificate>,
}

/// What admins should know of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Until when it counts.
    pub until: Millis,
    /// From when on it is to be renewed.
    pub due: Millis,
    /// The server renews it by itself.
    pub renews: bool,
}

impl Certificate {
    /// How it stands, in one line.
    pub fn describe(self, now: Millis) -> String {
        let until = self.until.to_string();
        let day = until.get(..10).unwrap_or(&until);
        let left = self.days_left(now);
        let days = if left == 1 { "day" } else { "days" };
        let how = if self.renews { "the server renews it by itself" } else { "it has to be renewed by hand" };
        format!("The server's certificate counts until {day}, {left} {days} from now; {how}")
    }

    /// What admins are told when they log in, if there is something.
    pub fn warning(self, now: Millis) -> Option<String> {
        // A server that renews by itself looks once a day: then something keeps it from it.
        let patience = if self.renews { self.until.0.saturating_sub(self.due.0) / 10 } else { 0 };
        (now.0 > self.due.0.saturating_add(patience)).then(|| {
            let how = if self.renews {
                "The server cannot renew it; its log says why"
            } else {
                "Renew it where the root's key is: parlour certs renew --offline-root DIR"
            };
            format!("{}. {how}", self.describe(now).split(';').next().unwrap_or_default())
        })
    }

    fn days_left(self, now: Millis) -> u64 {
        self.until.0.saturating_sub(now.0) / 86_400_000
    }
}

impl Settings {
    /// Most bytes of a topic (`TOPICLEN`).
    pub const TOPIC_BYTES: usize = 390;
    /// Most bytes of an away message (`AWAYLEN`).
    pub const AWAY_BYTES: usize = 390;
    /// Most bytes of the text of a QUIT or PART.
    pub const REASON_BYTES: usize = 390;
    /// Most bytes of the name given with USER (`NAMELEN`).
    pub const REALNAME_BYTES: usize = 128;
    /// Most bytes of a channel's key (`KEYLEN`).
    pub const KEY_BYTES: usize = 32;
    /// Most messages that one CHATHISTORY returns (`CHATHISTORY`).
    pub const HISTORY: usize = 1000;
    /// Most nicks that a session watches (`MONITOR`).
    pub const MONITORED: usize = 200;
    /// Most nicks that all sessions of an account watch together: five full lists.
    pub const MONITORED_BY_ACCOUNT: usize = 1000;
    /// Most changes of one MODE that take a value (`MODES`): what is left of a message's parameters beside the channel
    /// and the letters.
    pub const MODES: usize = MAX_PARAMS - 2;
    /// Most targets of one command (`TARGMAX`).
    pub const TARGETS: usize = 16;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_name: ServerName::default(),
            network: "Parlour".into(),
            icon: None,
            motd: Vec::new(),
            channels_per_account: 250,
            line_bytes: 2048,
            sessions_per_account: 20,
            started: Millis(0),
            grace: Millis(0),
            replay: 100,
            certificate: None,
        }
    }
}

/// The longest start of a text that has at most `bytes` bytes and ends between characters.
pub fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admins_are_warned_in_the_last_month() {
        const DAY: u64 = 86_400_000;
        let until = Millis(1_800_000_000_000);
        let before = |days: u64| Millis(until.0 - days * DAY);
        let due = before(30);
        let by_hand = Certificate { until, due, renews: false };
        assert_eq!(by_hand.warning(before(31)), None);
        assert_eq!(
            by_hand.warning(before(29)).as_deref(),
            Some(
                "The server's certificate counts until 2027-01-15, 29 days from now. Renew it where the root's key is: \
                 parlour certs renew --offline-root DIR"
            )
        );
        assert!(by_hand.warning(Millis(until.0 + DAY)).is_some_and(|text| text.contains(" 0 days")));
        let by_itself = Certificate { until, due, renews: true };
        assert_eq!(by_itself.warning(before(29)), None, "it is about to");
        assert!(by_itself.warning(before(20)).is_some_and(|text| text.ends_with("its log says why")));
        assert!(
            by_itself.describe(before(100)).ends_with("100 days from now; the server renews it by itself")
        );
    }
}
