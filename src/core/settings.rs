//! Settings: the part of the configuration that the core depends on, and its fixed limits.

use std::sync::Arc;
use std::time::Duration;

use crate::wire::message::MAX_PARAMS;
use crate::wire::{ServerName, Timestamp};

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
    pub started: Timestamp,
    /// Grace period after a broken connection, in which the account still counts as online.
    pub grace: Duration,
    /// Maximum number of messages replayed to a client without `chathistory`: of each channel, and of all direct
    /// conversations together.
    pub replay: usize,
    /// URL to which files are sent (`draft/FILEHOST`), if the server takes any.
    pub upload_url: Option<Arc<str>>,
    /// Maximum size of a file, in bytes.
    pub max_file_bytes: u64,
    /// Maximum size of all files of an account, in bytes.
    pub file_quota_bytes: u64,
    /// Maximum number of files of an account.
    pub max_files: usize,
    /// Maximum number of messages that an account sends on a day; 0 for no limit.
    pub messages_per_day: u64,
    /// Maximum number of bytes of these messages; 0 for no limit.
    pub bytes_per_day: u64,
    /// The server's certificate, if it has one.
    pub certificate: Option<CertificateValidity>,
}

/// Validity of the server's certificate, for admins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateValidity {
    /// End of its validity.
    pub not_after: Timestamp,
    /// Time from which it is due for renewal.
    pub renewal_due: Timestamp,
    /// The server renews it automatically.
    pub renews_automatically: bool,
}

impl CertificateValidity {
    /// Describes its validity in one line.
    pub fn describe(self, now: Timestamp) -> String {
        let until = self.not_after.to_string();
        let day = until.get(..10).unwrap_or(&until);
        let days_left = self.days_left(now);
        let days = if days_left == 1 { "day" } else { "days" };
        let renewal = if self.renews_automatically {
            "the server renews it automatically"
        } else {
            "it must be renewed manually"
        };
        format!("The server's certificate is valid until {day} ({days_left} {days} left); {renewal}")
    }

    /// Returns the warning that admins get when they log in, if one is due.
    pub fn warning(self, now: Timestamp) -> Option<String> {
        // A server that renews automatically checks once a day. If renewal is overdue by more than this, it fails for
        // some reason.
        let tolerance = if self.renews_automatically {
            self.not_after.0.saturating_sub(self.renewal_due.0) / 10
        } else {
            0
        };
        (now.0 > self.renewal_due.0.saturating_add(tolerance)).then(|| {
            let remedy = if self.renews_automatically {
                "The server cannot renew it; its log says why"
            } else {
                "Renew it where the root's key is: parlour certs renew --offline-root DIR"
            };
            format!("{}. {remedy}", self.describe(now).split(';').next().unwrap_or_default())
        })
    }

    fn days_left(self, now: Timestamp) -> u64 {
        self.not_after.0.saturating_sub(now.0) / 86_400_000
    }
}

impl Settings {
    /// Maximum length of a topic, in bytes (`TOPICLEN`).
    pub const MAX_TOPIC_BYTES: usize = 390;
    /// Maximum length of an away message, in bytes (`AWAYLEN`).
    pub const MAX_AWAY_BYTES: usize = 390;
    /// Maximum length of the reason of a QUIT, PART or KICK, in bytes (`KICKLEN`).
    pub const MAX_REASON_BYTES: usize = 390;
    /// Maximum length of a real name, in bytes (`NAMELEN`).
    pub const MAX_REALNAME_BYTES: usize = 128;
    /// Maximum length of a channel key, in bytes (`KEYLEN`).
    pub const MAX_KEY_BYTES: usize = 32;
    /// Maximum number of messages in the reply to one CHATHISTORY (`CHATHISTORY`).
    pub const MAX_HISTORY_MESSAGES: usize = 1000;
    /// Maximum number of nicks that a session monitors (`MONITOR`).
    pub const MAX_MONITORED: usize = 200;
    /// Maximum number of nicks that all sessions of an account monitor together: five full lists.
    pub const MAX_MONITORED_BY_ACCOUNT: usize = 1000;
    /// Maximum number of changes with a value in one MODE (`MODES`): the parameters of a message less the channel and
    /// the letters.
    pub const MAX_MODES: usize = MAX_PARAMS - 2;
    /// Maximum number of targets of one command (`TARGMAX`).
    pub const MAX_TARGETS: usize = 16;
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
            started: Timestamp(0),
            grace: Duration::ZERO,
            replay: 100,
            upload_url: None,
            max_file_bytes: 50 << 20,
            file_quota_bytes: 1 << 30,
            max_files: 10_000,
            messages_per_day: 0,
            bytes_per_day: 0,
            certificate: None,
        }
    }
}

/// Returns the longest prefix of a text that has at most `bytes` bytes and ends between characters.
pub fn truncate_str(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admins_are_warned_of_certificate_expiry() {
        const DAY: u64 = 86_400_000;
        let until = Timestamp(1_800_000_000_000);
        let before = |days: u64| Timestamp(until.0 - days * DAY);
        let due = before(30);
        let manual = CertificateValidity { not_after: until, renewal_due: due, renews_automatically: false };
        assert_eq!(manual.warning(before(31)), None);
        assert_eq!(
            manual.warning(before(29)).as_deref(),
            Some(
                "The server's certificate is valid until 2027-01-15 (29 days left). Renew it where the root's key is: \
                 parlour certs renew --offline-root DIR"
            )
        );
        assert!(manual.warning(Timestamp(until.0 + DAY)).is_some_and(|text| text.contains("(0 days left)")));
        let automatic =
            CertificateValidity { not_after: until, renewal_due: due, renews_automatically: true };
        assert_eq!(automatic.warning(before(29)), None, "it is about to");
        assert!(automatic.warning(before(20)).is_some_and(|text| text.ends_with("its log says why")));
        assert!(
            automatic.describe(before(100)).ends_with("(100 days left); the server renews it automatically")
        );
    }
}
