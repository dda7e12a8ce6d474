//! The configuration file `parlour.toml`. Every key has a default, and an unknown key is an error.

mod backup;
pub mod changes;
mod error;
mod http;
mod keys;
mod telemetry;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use backup::Backup;
pub use error::ConfigError;
use error::LocatedError;
pub use http::{Api, Files, Hooks, Web};
use keys::{key_offset, unknown_key};
pub use telemetry::{Log, LogFormat, LogLevel, LogPart, MESSAGES, Metrics};

use crate::core::record::RetentionLimits;
use crate::trust::Address;
use crate::trust::certs::SubjectAltName;
use crate::wire::{ChannelName, ServerName};

/// The whole configuration. [`Config::default`] is that of an empty file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Config {
    /// Addresses to listen on, `ADDRESS:PORT`; port 0 takes any free one. Default: port 6697 on every address, IPv4 and
    /// IPv6.
    #[serde(deserialize_with = "values::listen")]
    pub listen: Vec<SocketAddr>,
    /// Name of the network, one word of at most 32 bytes, which clients show as the server's name. Default: `Parlour`.
    #[serde(deserialize_with = "values::network_name")]
    pub name: String,
    /// Source of the server's replies, in the form of a host name with a dot; DNS need not know it. Default:
    /// `chat.parlour`.
    #[serde(deserialize_with = "values::server_name", serialize_with = "values::text")]
    pub server_name: ServerName,
    /// URL of a picture of the network, `https://…`, for clients that show one. Default: none.
    #[serde(deserialize_with = "values::icon")]
    pub icon: String,
    /// Addresses that invites carry before those of the machine, `HOST[:PORT]`, the likeliest first; see
    /// [`advertised_addresses`](super::lan::advertised_addresses). Default: none.
    #[serde(deserialize_with = "values::addresses", serialize_with = "values::texts")]
    pub advertise: Vec<Address>,
    /// Enables announcements on the local network by mDNS; see [`mdns`](super::lan::mdns). Default: false.
    pub announce: bool,
    /// Message of the day, any number of lines. Default: none.
    pub motd: String,
    /// `[tls]`
    pub tls: Tls,
    /// `[passwords]`
    pub passwords: Passwords,
    /// `[sessions]`
    pub sessions: Sessions,
    /// `[limits]`
    pub limits: Limits,
    /// `[history]`
    pub history: History,
    /// `[web]`
    pub web: Web,
    /// `[files]`
    pub files: Files,
    /// `[hooks]`
    pub hooks: Hooks,
    /// `[api]`
    pub api: Api,
    /// `[backup]`
    pub backup: Backup,
    /// `[log]`
    pub log: Log,
    /// `[metrics]`
    pub metrics: Metrics,
}

/// `[tls]`: content of certificates that the server makes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Tls {
    /// Host names and IP addresses beside those that the machine knows of itself. Default: none.
    #[serde(deserialize_with = "values::names", serialize_with = "values::texts")]
    pub names: Vec<SubjectAltName>,
}

/// `[passwords]`: cost of checking one password (argon2id). A stored password with other parameters is hashed anew at
/// its next login.
///
/// The defaults are the first choice of the [OWASP cheat
/// sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id) that suits small
/// machines: 19 MiB and two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Passwords {
    /// Memory in KiB, at least 8 for each lane ([RFC 9106, section
    /// 3.1](https://www.rfc-editor.org/rfc/rfc9106#section-3.1)), at most 4 GiB. Each core needs that much during a
    /// check. Default: 19456.
    #[serde(deserialize_with = "values::between::<8, 4_194_304, _, _>")]
    pub memory_kib: u32,
    /// Passes over the memory, 1 to 100. Default: 2.
    #[serde(deserialize_with = "values::between::<1, 100, _, _>")]
    pub iterations: u32,
    /// Lanes, 1 to 64. They are computed one after the other, so more lanes are of use only for hashes that other
    /// programs made with as many. Default: 1.
    #[serde(deserialize_with = "values::between::<1, 64, _, _>")]
    pub parallelism: u32,
}

/// `[sessions]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Sessions {
    /// Seconds for which an account whose last connection broke still counts as present, up to a day. A laptop on bad
    /// Wi-Fi returns within them, and nobody sees it quit and join. Default: 30.
    #[serde(deserialize_with = "values::between::<0, 86_400, _, _>")]
    pub grace_s: u32,
}

/// `[limits]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Limits {
    /// Enables the rate limit of `messages_per_second` and `burst`. Default: true.
    pub flood: bool,
    /// Lines a second that an account may send in the long run, with all its sessions; faster ones are read later, none
    /// is lost. A command that reaches thousands of sessions or asks for much counts for more than one line. 1 to
    /// 100,000. Default: 10, faster than people type or read.
    #[serde(deserialize_with = "values::between::<1, 100_000, _, _>")]
    pub messages_per_second: u32,
    /// Lines that an account may send at once before the rate applies, 1 to 1,000,000. Default: 60, the commands of a
    /// client that enters twenty channels together (JOIN, MODE and WHO for each).
    #[serde(deserialize_with = "values::between::<1, 1_000_000, _, _>")]
    pub burst: u32,
    /// Connections before their login that one subject may have open, 0 for no limit. A subject is an IPv4 address, an
    /// IPv6 /64, or one IPv6 address on the machine's own links and in private networks. Default: 250, a classroom
    /// behind one router with laptops and phones that reconnect together.
    #[serde(deserialize_with = "values::between::<0, 1_000_000, _, _>")]
    pub connections_per_address: u32,
    /// Connections before their login that may be open in total, 16 to 1,000,000. One more evicts the oldest connection
    /// of the subject that has the most. Default: 4096, and not more than half of the files that the server may open.
    #[serde(deserialize_with = "values::between::<16, 1_000_000, _, _>")]
    pub connections_before_login: u32,
    /// Bytes of a line after its tags, CR LF included (`LINELEN`), 512 (on which every client may rely) to 65,536.
    /// Default: 2048, a long paragraph.
    #[serde(deserialize_with = "values::between::<512, 65_536, _, _>")]
    pub line_bytes: u32,
    /// Send queue limit of a client, in bytes; a slower client is disconnected and catches up from history. 65,536 to 1
    /// GiB. Default: 4 MiB, several times as much as people write in a minute. Long results are sent piece by piece and
    /// need no room in the queue.
    #[serde(deserialize_with = "values::between::<65_536, 1_073_741_824, _, _>")]
    pub send_queue_bytes: u32,
    /// Seconds from the TLS handshake to the end of the login, 1 to 3600. Default: 60, because logins queue for the
    /// password check when all clients reconnect at once.
    #[serde(deserialize_with = "values::between::<1, 3_600, _, _>")]
    pub login_timeout_s: u32,
    /// Seconds for the TLS handshake, 1 to 600. Default: 10, many round trips on the slowest links.
    #[serde(deserialize_with = "values::between::<1, 600, _, _>")]
    pub handshake_timeout_s: u32,
    /// Channels that an account may be in (`CHANLIMIT`), 1 to 100,000. Default: 250, more than a person reads.
    #[serde(deserialize_with = "values::between::<1, 100_000, _, _>")]
    pub channels_per_account: u32,
    /// Sessions that an account may have at one time, 0 for no limit. A login beyond them is refused, and existing
    /// sessions stay. Default: 20, far more than a person has devices.
    #[serde(deserialize_with = "values::between::<0, 1_000_000, _, _>")]
    pub sessions_per_account: u32,
    /// Messages that an account may send on a day, by UTC, 0 for no limit. Admins have none, and neither in what follows.
    /// Default: 0.
    #[serde(deserialize_with = "values::between::<0, 1_000_000_000, _, _>")]
    pub messages_per_day: u32,
    /// Size of these messages together, in MiB, 0 for no limit. Default: 0.
    #[serde(deserialize_with = "values::between::<0, 1_048_576, _, _>")]
    pub mib_per_day: u32,
    /// Free space in MiB under which only admins may send messages and upload files, at most a 64th of the disk; 0 for
    /// none. Default: 64, some hundred thousand messages in which somebody can make room.
    #[serde(deserialize_with = "values::between::<0, 1_048_576, _, _>")]
    pub disk_reserve_mib: u32,
}

/// `[history]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct History {
    /// Maximum count of missed messages that are replayed to a client which cannot ask for history, for each channel
    /// and for all direct conversations together. Up to 1000; 0 for none. Default: 100, as much as a returning person
    /// reads.
    #[serde(deserialize_with = "values::between::<0, 1000, _, _>")]
    pub replay: u32,
    /// Days for which messages are kept, up to 36,500; 0 for no limit. Default: 0.
    #[serde(deserialize_with = "values::between::<0, 36_500, _, _>")]
    pub keep_days: u32,
    /// Messages that are kept of each channel and each direct conversation, up to a thousand million; 0 for all.
    /// Default: 0.
    #[serde(deserialize_with = "values::between::<0, 1_000_000_000, _, _>")]
    pub keep_messages: u32,
    /// Days for which the audit log is kept: actions of admins and moderators, and devices that were added or removed.
    /// Up to 36,500; 0 for no limit. Default: 0, because an investigation of a break-in needs its beginning.
    #[serde(deserialize_with = "values::between::<0, 36_500, _, _>")]
    pub keep_audit_days: u32,
    /// `[history.channels."#name"]`: another `keep_days` or `keep_messages` for a channel. Default: none.
    #[serde(deserialize_with = "values::channels")]
    pub channels: BTreeMap<String, ChannelRetention>,
}

/// `[history.channels."#name"]`: a missing key is as in `[history]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ChannelRetention {
    /// Days for which messages are kept, as in `[history]`.
    #[serde(deserialize_with = "values::given_between::<0, 36_500, _, _>")]
    pub keep_days: Option<u32>,
    /// Count of messages that are kept, as in `[history]`.
    #[serde(deserialize_with = "values::given_between::<0, 1_000_000_000, _, _>")]
    pub keep_messages: Option<u32>,
}

/// Retention of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Age limit, in days; `None` for no limit.
    pub keep_days: Option<u32>,
    /// Limit of the count of messages; `None` for no limit.
    pub keep_messages: Option<u32>,
}

/// The example of a configuration file, which packages install: each key at its default, behind a `#`, with an explanation.
pub const EXAMPLE: &str = include_str!("../../../packaging/parlour.toml");

impl Config {
    /// Reads a configuration file.
    pub fn from_file(file: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(file).map_err(|reason| ConfigError::Read { file: file.to_owned(), reason })?;
        let mut config = Self::from_text(&text, file)?;
        // As the other files of a server, these are beside its configuration.
        let folder = file.parent().unwrap_or(Path::new(""));
        let Self { web, backup, .. } = &mut config;
        for path in [&mut web.certificate, &mut web.key, &mut backup.folder, &mut backup.passphrase_file] {
            if !path.as_os_str().is_empty() {
                *path = folder.join(&*path);
            }
        }
        Ok(config)
    }

    /// Parses the text of a configuration file; errors name `file`.
    pub fn from_text(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Self::parse(text).map_err(|mistake| ConfigError::Invalid {
            file: file.to_owned(),
            line: mistake.line(text),
            what: mistake.message,
        })
    }

    /// Reads a configuration file that may be missing: then all values are the defaults.
    pub fn from_optional_file(file: &Path) -> Result<Self, ConfigError> {
        match Self::from_file(file) {
            Err(ConfigError::Read { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            result => result,
        }
    }

    /// Returns the lines of the message of the day; none for no message.
    pub fn motd_lines(&self) -> Vec<String> {
        self.motd.lines().map(ToOwned::to_owned).collect()
    }

    fn parse(text: &str) -> Result<Self, LocatedError> {
        let table = toml::de::DeTable::parse(text)?;
        let known = toml::Table::try_from(Self::default())
            .map_err(|error| LocatedError { offset: 0, message: error.to_string() })?;
        if let Some(mistake) = unknown_key(table.get_ref(), &known) {
            return Err(mistake);
        }
        let config: Self =
            toml::from_str(text).map_err(|error| LocatedError::from_value_error(error, text))?;
        let Passwords { memory_kib, parallelism, .. } = config.passwords;
        if memory_kib < 8 * parallelism {
            let at = key_offset(table.get_ref(), "passwords", &["memory_kib", "parallelism"]);
            let what = format!(
                "`memory_kib` is {memory_kib} and must be at least 8 times `parallelism`, {}",
                8 * parallelism
            );
            return Err(LocatedError { offset: at, message: what });
        }
        if config.web.certificate.as_os_str().is_empty() != config.web.key.as_os_str().is_empty() {
            let at = key_offset(table.get_ref(), "web", &["certificate", "key"]);
            let what = "`certificate` and `key` belong together, and one of them is missing".to_owned();
            return Err(LocatedError { offset: at, message: what });
        }
        if !config.web.enabled && !config.web.listen.is_empty() {
            let at = key_offset(table.get_ref(), "web", &["listen"]);
            let what = "`listen` is for the page, which is off: add `enabled = true`".to_owned();
            return Err(LocatedError { offset: at, message: what });
        }
        config.backup.check(table.get_ref())?;
        Ok(config)
    }
}

impl Config {
    /// Returns whether anything is answered over HTTP.
    pub fn has_http(&self) -> bool {
        self.web.enabled || self.files.enabled || self.hooks.enabled || self.api.enabled
    }
}

impl History {
    /// Returns the retention of a channel, or of direct conversations for `None`.
    pub fn retention_for(&self, channel: Option<&ChannelName>) -> Retention {
        let is_this_channel = |name: &str| ChannelName::parse(name).ok().as_ref() == channel;
        let channel_retention =
            channel.and_then(|_| self.channels.iter().find(|(name, _)| is_this_channel(name)));
        let own = channel_retention.map(|(_, keep)| *keep).unwrap_or_default();
        let limit = |own: Option<u32>, all: u32| Some(own.unwrap_or(all)).filter(|&value| value > 0);
        Retention {
            keep_days: limit(own.keep_days, self.keep_days),
            keep_messages: limit(own.keep_messages, self.keep_messages),
        }
    }
}

impl Retention {
    /// Returns the retention with the limits that a channel has of its own.
    #[must_use]
    pub fn replaced_by(self, own: RetentionLimits) -> Self {
        let limit = |own: Option<u32>, all| own.map_or(all, |own| Some(own).filter(|&own| own > 0));
        Self {
            keep_days: limit(own.keep_days, self.keep_days),
            keep_messages: limit(own.keep_messages, self.keep_messages),
        }
    }

    /// Returns true if nothing is ever removed.
    pub fn keeps_everything(self) -> bool {
        self.keep_days.is_none() && self.keep_messages.is_none()
    }
}

impl Limits {
    /// Returns whether accounts may send only so much on a day.
    pub fn have_quotas(&self) -> bool {
        self.messages_per_day > 0 || self.mib_per_day > 0
    }

    /// Returns [`login_timeout_s`](Self::login_timeout_s) as a duration.
    pub fn login_timeout(&self) -> Duration {
        Duration::from_secs(self.login_timeout_s.into())
    }

    /// Returns [`handshake_timeout_s`](Self::handshake_timeout_s) as a duration.
    pub fn handshake_timeout(&self) -> Duration {
        Duration::from_secs(self.handshake_timeout_s.into())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![
                (Ipv4Addr::UNSPECIFIED, Address::DEFAULT_PORT).into(),
                (Ipv6Addr::UNSPECIFIED, Address::DEFAULT_PORT).into(),
            ],
            name: "Parlour".to_owned(),
            server_name: ServerName::default(),
            icon: String::new(),
            advertise: Vec::new(),
            announce: false,
            motd: String::new(),
            tls: Tls::default(),
            passwords: Passwords::default(),
            sessions: Sessions::default(),
            limits: Limits::default(),
            history: History::default(),
            web: Web::default(),
            files: Files::default(),
            hooks: Hooks::default(),
            api: Api::default(),
            backup: Backup::default(),
            log: Log::default(),
            metrics: Metrics::default(),
        }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self { grace_s: 30 }
    }
}

impl Default for History {
    fn default() -> Self {
        Self { replay: 100, keep_days: 0, keep_messages: 0, keep_audit_days: 0, channels: BTreeMap::new() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flood: true,
            messages_per_second: 10,
            burst: 60,
            connections_per_address: 250,
            connections_before_login: 4096,
            line_bytes: 2048,
            send_queue_bytes: 4 * 1024 * 1024,
            login_timeout_s: 60,
            handshake_timeout_s: 10,
            channels_per_account: 250,
            sessions_per_account: 20,
            messages_per_day: 0,
            mib_per_day: 0,
            disk_reserve_mib: 64,
        }
    }
}

#[cfg(test)]
mod tests;
