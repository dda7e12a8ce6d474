//! Settings: the part of the configuration that the core depends on, and its fixed limits.

use std::sync::Arc;

use crate::wire::message::MAX_PARAMS;
use crate::wire::{Millis, ServerName};

/// The host in every `nick!user@host`, so that no address is shown to others.
pub const USER_HOST: &str = "parlour";

/// Version for VERSION and `RPL_MYINFO`.
pub const VERSION: &str = concat!("parlour-", env!("CARGO_PKG_VERSION"));

/// Settings of the core. They are replaced as a whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the server, the source of its replies.
    pub server_name: ServerName,
    /// Name of the network, one word (`NETWORK`).
    pub network: Arc<str>,
    /// URL of a picture of the network (`draft/ICON`).
    pub icon: Option<Arc<str>>,
    /// Lines of the message of the day; empty if there is none.
    pub motd: Vec<String>,
    /// Maximum number of channels that an account is a member of (`CHANLIMIT`).
    pub channels_per_account: usize,
    /// Maximum length of a line without its tags, in bytes, CR LF included (`LINELEN`).
    pub line_bytes: usize,
    /// Maximum number of simultaneous sessions of an account; 0 for no limit.
    pub sessions_per_account: usize,
    /// Time of the server's start.
    pub started: Millis,
    /// Grace period after a broken connection, in milliseconds, in which the account still counts as online.
    pub grace: Millis,
    /// Maximum number of messages replayed to a client without `chathistory`: of each channel, and of all direct
    /// conversations together.
    pub replay: usize,
    /// The server's certificate, if it has one.
    pub certificate: Option<Certificate>,
}

/// Validity of the server's certificate, for admins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// End of its validity.
    pub until: Millis,
    /// Time from which it is due for renewal.
    pub due: Millis,
    /// The server renews it automatically.
    pub renews: bool,
}

impl Certificate {
    /// Describes its validity in one line.
    pub fn describe(self, now: Millis) -> String {
        let until = self.until.to_string();
        let day = until.get(..10).unwrap_or(&until);
        let left = self.days_left(now);
        let days = if left == 1 { "day" } else { "days" };
        let how =
            if self.renews { "the server renews it automatically" } else { "it must be renewed manually" };
        format!("The server's certificate is valid until {day} ({left} {days} left); {how}")
    }

    /// Returns the warning that admins get when they log in, if one is due.
    pub fn warning(self, now: Millis) -> Option<String> {
        // A server that renews automatically checks once a day. If renewal is overdue by more than this, it fails for
        // some reason.
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
    /// Maximum length of a topic, in bytes (`TOPICLEN`).
    pub const TOPIC_BYTES: usize = 390;
    /// Maximum length of an away message, in bytes (`AWAYLEN`).
    pub const AWAY_BYTES: usize = 390;
    /// Maximum length of the reason of a QUIT, PART or KICK, in bytes (`KICKLEN`).
    pub const REASON_BYTES: usize = 390;
    /// Maximum length of a real name, in bytes (`NAMELEN`).
    pub const REALNAME_BYTES: usize = 128;
    /// Maximum length of a channel key, in bytes (`KEYLEN`).
    pub const KEY_BYTES: usize = 32;
    /// Maximum number of messages in the reply to one CHATHISTORY (`CHATHISTORY`).
    pub const HISTORY: usize = 1000;
    /// Maximum number of nicks that a session monitors (`MONITOR`).
    pub const MONITORED: usize = 200;
    /// Maximum number of nicks that all sessions of an account monitor together: five full lists.
    pub const MONITORED_BY_ACCOUNT: usize = 1000;
    /// Maximum number of changes with a value in one MODE (`MODES`): the parameters of a message less the channel and
    /// the letters.
    pub const MODES: usize = MAX_PARAMS - 2;
    /// Maximum number of targets of one command (`TARGMAX`).
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

/// Returns the longest prefix of a text that has at most `bytes` bytes and ends between characters.
pub fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admins_are_warned_of_certificate_expiry() {
        const DAY: u64 = 86_400_000;
        let until = Millis(1_800_000_000_000);
        let before = |days: u64| Millis(until.0 - days * DAY);
        let due = before(30);
        let by_hand = Certificate { until, due, renews: false };
        assert_eq!(by_hand.warning(before(31)), None);
        assert_eq!(
            by_hand.warning(before(29)).as_deref(),
            Some(
                "The server's certificate is valid until 2027-01-15 (29 days left). Renew it where the root's key is: \
                 parlour certs renew --offline-root DIR"
            )
        );
        assert!(by_hand.warning(Millis(until.0 + DAY)).is_some_and(|text| text.contains("(0 days left)")));
        let by_itself = Certificate { until, due, renews: true };
        assert_eq!(by_itself.warning(before(29)), None, "it is about to");
        assert!(by_itself.warning(before(20)).is_some_and(|text| text.ends_with("its log says why")));
        assert!(
            by_itself.describe(before(100)).ends_with("(100 days left); the server renews it automatically")
        );
    }
}
