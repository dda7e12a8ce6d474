//! `parlour.toml`: every key has a default, and a key that does not exist is refused.

mod error;
mod keys;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use error::ConfigError;
use error::Mistake;
use keys::{place_of, unknown_key};

use crate::trust::Address;
use crate::trust::certs::Name;
use crate::wire::{ChannelName, ServerName};

/// All that can be configured. [`Config::default`] is what an empty file means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Config {
    /// The addresses to listen on, `ADDRESS:PORT`; port 0 takes any that is free. Default: port 6697 on
    /// every address, IPv4 and IPv6.
    #[serde(deserialize_with = "values::listen")]
    pub listen: Vec<SocketAddr>,
    /// The name of the network, one word of at most 32 bytes: clients show it as the server's name.
    /// Default: `Parlour`.
    #[serde(deserialize_with = "values::network_name")]
    pub name: String,
    /// The name that the server speaks under, in the form of a host name with a dot; it need not be one that the DNS
    /// knows. Default: `chat.parlour`.
    #[serde(deserialize_with = "values::server_name", serialize_with = "values::text")]
    pub server_name: ServerName,
    /// The address of a picture of the network, `https://…`, for clients that show one. Default: none.
    #[serde(deserialize_with = "values::icon")]
    pub icon: String,
    /// The addresses that invites carry, `HOST[:PORT]`, the likeliest first. Default: those that the server
    /// listens on; see [`advertise`](super::advertise).
    #[serde(deserialize_with = "values::addresses", serialize_with = "values::texts")]
    pub advertise: Vec<Address>,
    /// Whether the server makes itself known on the local network by mDNS; see [`announce`](super::announce).
    /// Default: false.
    pub announce: bool,
    /// The message of the day, any number of lines. Default: none.
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
}

/// `[tls]`: what goes into certificates that the server makes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Tls {
    /// Host names and IP addresses beside those that the machine knows of itself. Default: none.
    #[serde(deserialize_with = "values::names", serialize_with = "values::texts")]
    pub names: Vec<Name>,
}

/// `[passwords]`: what checking one password costs (argon2id). A stored password with other values is
/// hashed anew at its next login.
///
/// The defaults are the first choice of the
/// [OWASP cheat sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id)
/// that is kind to small machines: 19 MiB and two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Passwords {
    /// Memory in KiB, at least 8 for each lane
    /// ([RFC 9106, section 3.1](https://www.rfc-editor.org/rfc/rfc9106#section-3.1)), at most 4 GiB; each core
    /// needs that much while it checks. Default: 19456.
    #[serde(deserialize_with = "values::between::<8, 4_194_304, _, _>")]
    pub memory_kib: u32,
    /// Passes over the memory, 1 to 100. Default: 2.
    #[serde(deserialize_with = "values::between::<1, 100, _, _>")]
    pub iterations: u32,
    /// Lanes, 1 to 64. They are computed one after the other: more of them only make a hash that other
    /// programs made with as many. Default: 1.
    #[serde(deserialize_with = "values::between::<1, 64, _, _>")]
    pub parallelism: u32,
}

/// `[sessions]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Sessions {
    /// Seconds for which an account whose last connection broke still counts as there, up to a day. A
    /// laptop on bad Wi-Fi is back within them and nobody sees it come and go. Default: 30.
    #[serde(deserialize_with = "values::between::<0, 86_400, _, _>")]
    pub grace_s: u32,
}

/// `[limits]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Limits {
    /// Whether accounts are held to `messages_per_second` and `burst`. Default: true.
    pub flood: bool,
    /// Lines a second that an account may send in the long run, with all its sessions; faster ones are read later, none
    /// is lost. What reaches thousands or asks for much counts for more than one line.
    /// 1 to 100,000. Default: 10, faster than anybody types or reads.
    #[serde(deserialize_with = "values::between::<1, 100_000, _, _>")]
    pub messages_per_second: u32,
    /// Lines that an account may send at once before that counts, 1 to 1,000,000. Default: 60, what a client
    /// asks when it enters twenty channels together (JOIN, MODE and WHO for each).
    #[serde(deserialize_with = "values::between::<1, 1_000_000, _, _>")]
    pub burst: u32,
    /// Connections that one address may have open and not logged in, 0 for no limit; an address is an IPv4 address, a
    /// /64 of IPv6, and on links of this machine and in private networks an IPv6 address. Default: 250, a classroom
    /// behind one router with laptops and phones that come back together.
    #[serde(deserialize_with = "values::between::<0, 1_000_000, _, _>")]
    pub connections_per_address: u32,
    /// Connections of all addresses that may be open and not logged in, 16 to 1,000,000. One more takes the place
    /// of the oldest of the address that has the most. Default: 4096, and not more than half
    /// of the files that the server may open.
    #[serde(deserialize_with = "values::between::<16, 1_000_000, _, _>")]
    pub connections_before_login: u32,
    /// Bytes of a line after its tags, CR LF counted (`LINELEN`), 512 (what every client may rely on) to
    /// 65,536. Default: 2048, a long paragraph.
    #[serde(deserialize_with = "values::between::<512, 65_536, _, _>")]
    pub line_bytes: u32,
    /// Bytes that may wait for a client that reads slowly; past them it is disconnected and catches up from
    /// history. 65,536 to 1 GiB. Default: 4 MiB, several times what people write in a minute; long answers are sent
    /// piece by piece and need no room here.
    #[serde(deserialize_with = "values::between::<65_536, 1_073_741_824, _, _>")]
    pub send_queue_bytes: u32,
    /// Seconds from the TLS handshake to the end of the login, 1 to 3600. Default: 60: logins queue for the
    /// password check when everybody comes back at once.
    #[serde(deserialize_with = "values::between::<1, 3_600, _, _>")]
    pub login_timeout_s: u32,
    /// Seconds for the TLS handshake, 1 to 600. Default: 10, many round trips on the worst of links.
    #[serde(deserialize_with = "values::between::<1, 600, _, _>")]
    pub handshake_timeout_s: u32,
    /// Channels that an account may be in (`CHANLIMIT`), 1 to 100,000. Default: 250, more than a person reads.
    #[serde(deserialize_with = "values::between::<1, 100_000, _, _>")]
    pub channels_per_account: u32,
    /// Sessions that an account may have at one time, 0 for no limit; a login beyond them is refused, and those that are
    /// there stay. Default: 20, far more than anybody has devices.
    #[serde(deserialize_with = "values::between::<0, 1_000_000, _, _>")]
    pub sessions_per_account: u32,
}

/// `[history]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct History {
    /// Messages of each channel, and of all talks together, that a client which cannot ask for history is sent of
    /// what it missed, up to 1000; 0 for none. Default: 100, what somebody reads who comes back.
    #[serde(deserialize_with = "values::between::<0, 1000, _, _>")]
    pub replay: u32,
    /// Days for which messages are kept, up to 36,500; 0 for ever. Default: 0.
    #[serde(deserialize_with = "values::between::<0, 36_500, _, _>")]
    pub keep_days: u32,
    /// Messages that are kept of each channel and each talk, up to a thousand million; 0 for all. Default: 0.
    #[serde(deserialize_with = "values::between::<0, 1_000_000_000, _, _>")]
    pub keep_messages: u32,
    /// Days for which it is kept what admins and moderators did, and who added and removed devices, up to 36,500; 0 for
    /// ever. Default: 0, for who looks into a break-in wants to know how it began.
    #[serde(deserialize_with = "values::between::<0, 36_500, _, _>")]
    pub keep_audit_days: u32,
    /// `[history.channels."#name"]`: another `keep_days` or `keep_messages` for a channel. Default: none.
    #[serde(deserialize_with = "values::channels")]
    pub channels: BTreeMap<String, KeepIn>,
}

/// `[history.channels."#name"]`: what is not given is as in `[history]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct KeepIn {
    /// As in `[history]`.
    pub keep_days: Option<u32>,
    /// As in `[history]`.
    pub keep_messages: Option<u32>,
}

/// What is kept of a place; `None` for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// For so many days.
    pub keep_days: Option<u32>,
    /// So many messages.
    pub keep_messages: Option<u32>,
}

impl Config {
    /// Reads a file.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(file).map_err(|reason| ConfigError::Read { file: file.to_owned(), reason })?;
        Self::from_text(&text, file)
    }

    /// Reads the text of a file; the path is named in errors.
    pub fn from_text(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Self::parse(text).map_err(|mistake| ConfigError::Mistake {
            file: file.to_owned(),
            line: mistake.line(text),
            what: mistake.what,
        })
    }

    /// Reads a file that need not exist: then everything is as by default.
    pub fn read_if_any(file: &Path) -> Result<Self, ConfigError> {
        match Self::read(file) {
            Err(ConfigError::Read { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            result => result,
        }
    }

    /// The lines of the message of the day; none for no message.
    pub fn motd_lines(&self) -> Vec<String> {
        self.motd.lines().map(ToOwned::to_owned).collect()
    }

    fn parse(text: &str) -> Result<Self, Mistake> {
        let table = toml::de::DeTable::parse(text)?;
        let known = toml::Table::try_from(Self::default())
            .map_err(|error| Mistake { at: 0, what: error.to_string() })?;
        if let Some(mistake) = unknown_key(table.get_ref(), &known) {
            return Err(mistake);
        }
        let config: Self = toml::from_str(text).map_err(|error| Mistake::in_value(error, text))?;
        let Passwords { memory_kib, parallelism, .. } = config.passwords;
        if memory_kib < 8 * parallelism {
            let at = place_of(table.get_ref(), "passwords", &["memory_kib", "parallelism"]);
            let what = format!(
                "`memory_kib` is {memory_kib} and must be at least 8 times `parallelism`, {}",
                8 * parallelism
            );
            return Err(Mistake { at, what });
        }
        Ok(config)
    }
}

impl History {
    /// Is nothing ever removed?
    pub fn keeps_everything(&self) -> bool {
        let unbounded = |value: Option<u32>| value.unwrap_or(0) == 0;
        let channel = |of: &KeepIn| unbounded(of.keep_days) && unbounded(of.keep_messages);
        self.keep_days == 0 && self.keep_messages == 0 && self.channels.values().all(channel)
    }

    /// What is kept of a channel, or of a talk.
    pub fn of(&self, channel: Option<&ChannelName>) -> Keep {
        let is_meant = |name: &str| ChannelName::parse(name).ok().as_ref() == channel;
        let own = channel.and_then(|_| self.channels.iter().find(|(name, _)| is_meant(name)));
        let own = own.map(|(_, keep)| *keep).unwrap_or_default();
        let bound = |own: Option<u32>, all: u32| Some(own.unwrap_or(all)).filter(|&value| value > 0);
        Keep {
            keep_days: bound(own.keep_days, self.keep_days),
            keep_messages: bound(own.keep_messages, self.keep_messages),
        }
    }
}

impl Limits {
    /// [`login_timeout_s`](Self::login_timeout_s) as a duration.
    pub fn login_timeout(&self) -> Duration {
        Duration::from_secs(self.login_timeout_s.into())
    }

    /// [`handshake_timeout_s`](Self::handshake_timeout_s) as a duration.
    pub fn handshake_timeout(&self) -> Duration {
        Duration::from_secs(self.handshake_timeout_s.into())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![
                (Ipv4Addr::UNSPECIFIED, Address::PORT).into(),
                (Ipv6Addr::UNSPECIFIED, Address::PORT).into(),
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
        }
    }
}

#[cfg(test)]
mod tests;
