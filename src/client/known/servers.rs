//! The known servers: their addresses, their pins and the account on each.
//!
//! They are in a TOML file of the user's, `servers.toml`. It holds no secret: passwords are never stored. It decides
//! which server is trusted, so it is refused if others can write to it.

mod error;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::ServersError;

use super::devices::DeviceFile;
use super::private_file;
use crate::client::clean::acts;
use crate::trust::{Address, InviteLink, Pin, Pins, Token};
use crate::wire::Nick;

/// A known server and the account on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownServer {
    /// Name on the command line; unique in the file.
    pub name: String,
    /// At least one address, the likeliest first.
    pub addresses: Vec<Address>,
    /// The pins by which the client verifies the server.
    pub pins: Pins,
    /// Previous pins, newest first. They no longer prove anything. A program that has been running since then finds
    /// their successor by them.
    pub former: Vec<Pin>,
    /// The account to log in to.
    pub account: Nick,
}

/// The contents of `servers.toml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Servers {
    list: Vec<KnownServer>,
    /// Entries that cannot be parsed. They stay in the file unchanged.
    damaged: Vec<DamagedEntry>,
    /// Name of the server that was used last.
    last: Option<String>,
}

/// An entry of the file that cannot be parsed and is ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct DamagedEntry {
    /// Number of the entry in the file, from 1.
    pub place: usize,
    /// Description of the problem.
    pub what: String,
    entry: toml::Value,
}

impl std::fmt::Display for DamagedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.entry.get("name").and_then(toml::Value::as_str);
        let name = name.filter(|name| is_name(name)).map(|name| format!(" ({name})")).unwrap_or_default();
        write!(f, "server {}{name}: {}", self.place, self.what)
    }
}

/// The file's format.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(default, rename = "server")]
    servers: Vec<toml::Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerForm {
    name: String,
    addresses: Vec<String>,
    pin: String,
    /// The announced successor of the pin; since version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_pin: Option<String>,
    /// The predecessors of the pin; since version 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_pins: Vec<String>,
    account: String,
}

/// The part of the format that every version has.
#[derive(Deserialize)]
struct VersionForm {
    version: u32,
}

impl Servers {
    /// The version of the file's format.
    pub const VERSION: u32 = error::VERSION;

    /// Returns the path of the file: `parlour/servers.toml` in the user's configuration folder.
    pub fn default_path() -> Result<PathBuf, ServersError> {
        let dirs = directories::ProjectDirs::from("", "", "parlour").ok_or(ServersError::NoHome)?;
        Ok(dirs.config_dir().join("servers.toml"))
    }

    /// Reads the file. Without a file, no server is known.
    pub fn load(path: &Path) -> Result<Self, ServersError> {
        let failed = |source| ServersError::Read { path: path.to_owned(), source };
        let mode = match fs::metadata(path) {
            Ok(metadata) => metadata.permissions().mode(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        if mode & 0o022 != 0 {
            return Err(ServersError::Writable(path.to_owned()));
        }
        Self::from_text(&fs::read_to_string(path).map_err(failed)?, path)
    }

    /// Parses the text of the file. Errors name `path`.
    pub fn from_text(text: &str, path: &Path) -> Result<Self, ServersError> {
        let damaged = |what: String| ServersError::Damaged { path: path.to_owned(), what };
        // Messages of the toml crate have several lines; the first one describes the problem.
        let broken = |error: toml::de::Error| {
            let line =
                error.span().map_or(1, |span| 1 + text.get(..span.start).unwrap_or("").matches('\n').count());
            damaged(format!("line {line}: {}", error.message().lines().next().unwrap_or_default()))
        };
        let VersionForm { version } = toml::from_str(text).map_err(broken)?;
        if version > Self::VERSION {
            return Err(ServersError::Newer { path: path.to_owned(), version });
        }
        let form: FileForm = toml::from_str(text).map_err(broken)?;
        let mut servers = Self { last: form.last, ..Self::default() };
        for (place, entry) in (1..).zip(form.servers) {
            match KnownServer::parse(entry.clone()) {
                Ok(server) => servers.list.push(server),
                Err(what) => servers.damaged.push(DamagedEntry { place, what, entry }),
            }
        }
        Ok(servers)
    }

    /// Returns the entries that cannot be parsed and are ignored.
    pub fn damaged(&self) -> &[DamagedEntry] {
        &self.damaged
    }

    /// Returns the servers in the order in which they were joined.
    pub fn iter(&self) -> impl Iterator<Item = &KnownServer> {
        self.list.iter()
    }

    /// Returns the server with this name, `ACCOUNT@NAME` or address, or the one that was used last for `None`.
    pub fn pick(&self, wanted: Option<&str>) -> Result<&KnownServer, ServersError> {
        let Some(wanted) = wanted else {
            let last = self.list.iter().find(|server| Some(&server.name) == self.last.as_ref());
            return last.or(self.list.last()).ok_or(ServersError::None);
        };
        if let Some(server) = self.list.iter().find(|server| server.name == wanted) {
            return Ok(server);
        }
        Self::refuse_link(wanted)?;
        if self.list.is_empty() {
            return Err(ServersError::None);
        }
        let (account, place) = match wanted.split_once('@') {
            Some((account, place)) => (Some(account), place),
            None => (None, wanted),
        };
        let found: Vec<&KnownServer> = self
            .list
            .iter()
            .filter(|server| {
                account.is_none_or(|account| server.account.as_str().eq_ignore_ascii_case(account))
            })
            .filter(|server| {
                let at = |address: &Address| address.host() == place || address.to_string() == place;
                server.name == place || server.addresses.iter().any(at)
            })
            .collect();
        match found[..] {
            [server] => Ok(server),
            [] => Err(ServersError::Unknown(names(&mut self.list.iter()))),
            _ => Err(ServersError::Ambiguous(names(&mut found.into_iter()))),
        }
    }

    /// Refuses an invite link given in place of a server's name or address.
    pub fn refuse_link(wanted: &str) -> Result<(), ServersError> {
        let is_link = wanted.contains("://") || wanted.contains("token") && wanted.contains("pin");
        // A token alone is just as secret.
        if is_link || wanted.parse::<Token>().is_ok() { Err(ServersError::Link) } else { Ok(()) }
    }

    /// Stores a server after a login, as the one that was used last. A server that is known by pin and account keeps
    /// its name and gains the addresses. Returns its name.
    pub fn remember(
        path: &Path,
        addresses: &[Address],
        pins: impl Into<Pins>,
        account: &Nick,
    ) -> Result<String, ServersError> {
        let pins = pins.into();
        // The file need not be writable if nothing changes.
        let mut servers = Self::load(path)?;
        let before = servers.clone();
        let name = servers.learn(addresses, pins, account);
        if servers == before {
            return Ok(name);
        }
        Self::change(path, |servers| servers.learn(addresses, pins, account))
    }

    /// Stores the new pins of a known server, and renames the key of the account there to match.
    pub fn learn_pins(path: &Path, account: &Nick, before: Pins, after: Pins) -> Result<(), ServersError> {
        let moved = if before.pin == after.pin {
            None
        } else {
            Some(DeviceFile::follow(path, account, before.pin, after.pin)?)
        };
        Self::change(path, |servers| {
            if let Some(server) = servers.of(before, account) {
                server.follow(after);
            }
        })?;
        if let Some(moved) = moved {
            moved.finish();
        }
        Ok(())
    }

    /// Renames a server. Returns its old name.
    pub fn rename(path: &Path, wanted: &str, name: &str) -> Result<String, ServersError> {
        Self::change(path, |servers| {
            let old = servers.pick(Some(wanted))?.name.clone();
            if servers.list.iter().any(|server| server.name == name && server.name != old) {
                return Err(ServersError::Taken(name.to_owned()));
            }
            if servers.last.as_ref() == Some(&old) {
                servers.last = Some(name.to_owned());
            }
            for server in servers.list.iter_mut().filter(|server| server.name == old) {
                name.clone_into(&mut server.name);
            }
            Ok(old)
        })?
    }

    /// Removes a server, and the device's key for it. Returns the removed entry.
    pub fn forget(path: &Path, wanted: &str) -> Result<KnownServer, ServersError> {
        let known = Self::change(path, |servers| {
            let name = servers.pick(Some(wanted))?.name.clone();
            let at = servers.list.iter().position(|server| server.name == name);
            if servers.last.as_ref() == Some(&name) {
                servers.last = None;
            }
            at.map(|at| servers.list.remove(at)).ok_or(ServersError::None)
        })??;
        for pin in known.pins.newest_first() {
            DeviceFile::of(path, pin, &known.account).remove()?;
        }
        Ok(known)
    }

    /// Changes the file under a lock, so that concurrent changes by two programs run one after the other.
    fn change<T>(path: &Path, change: impl FnOnce(&mut Self) -> T) -> Result<T, ServersError> {
        let lock = Self::prepare(path)?;
        let failed = |source| ServersError::Write { path: path.to_owned(), source };
        lock.lock().map_err(failed)?;
        let mut servers = Self::load(path)?;
        let before = servers.clone();
        let done = change(&mut servers);
        if servers != before {
            let text = servers.text().map_err(failed)?;
            let again = Self::from_text(&text, path).ok();
            // The numbers of damaged entries may change.
            if again.is_none_or(|again| (&again.list, &again.last) != (&servers.list, &servers.last)) {
                let what = servers.last.unwrap_or_else(|| "this".to_owned());
                return Err(ServersError::Unreadable(what, path.to_owned()));
            }
            private_file::write(&behind_links(path.to_owned()).map_err(failed)?, &text).map_err(failed)?;
        }
        Ok(done)
    }

    /// Checks that a server can be stored, before an irreversible step such as the use of an invite.
    pub fn check(path: &Path) -> Result<(), ServersError> {
        Self::load(path)?;
        Self::prepare(path).map(drop)
    }

    /// Creates the folder and opens the lock file.
    fn prepare(path: &Path) -> Result<File, ServersError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let failed = |source| ServersError::Write { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(0o600).open(folder.join("servers.lock")).map_err(failed)
    }

    /// Returns the server with one of these pins and this account, or else one that previously had a pin of them.
    fn of(&mut self, pins: Pins, account: &Nick) -> Option<&mut KnownServer> {
        let has = |server: &KnownServer| pins.newest_first().any(|pin| server.pins.contains(pin));
        let had = |server: &KnownServer| pins.newest_first().any(|pin| server.former.contains(&pin));
        let place = |is: &dyn Fn(&KnownServer) -> bool| {
            self.list.iter().position(|server| server.account == *account && is(server))
        };
        let place = place(&has).or_else(|| place(&had))?;
        self.list.get_mut(place)
    }

    /// Returns the current pins of the server that had the pins `known`. Returns `known` if nothing newer is stored, or
    /// the file cannot be read.
    pub fn pins_now(path: &Path, account: &Nick, known: Pins) -> Pins {
        let servers = Self::load(path).ok();
        servers.and_then(|mut servers| servers.of(known, account).map(|it| it.pins)).unwrap_or(known)
    }

    fn learn(&mut self, addresses: &[Address], pins: Pins, account: &Nick) -> String {
        // A previous pin that was given again and worked belongs to another server: an old root restored from a backup,
        // or an attacker with the key for which it was retired. The entry with the successor's pin stays as it is.
        let again = |server: &KnownServer| {
            server.former.contains(&pins.pin) && pins.next.is_none_or(|next| !server.had(next))
        };
        let name = if let Some(server) = self.of(pins, account).filter(|server| !again(server)) {
            server.follow(pins);
            let old = std::mem::replace(&mut server.addresses, addresses.to_vec());
            for address in old {
                if !server.addresses.contains(&address) && server.addresses.len() < InviteLink::MAX_ADDRESSES
                {
                    server.addresses.push(address);
                }
            }
            server.name.clone()
        } else {
            let name = self.free_name(addresses, account);
            let addresses = addresses.to_vec();
            self.list.push(KnownServer {
                name: name.clone(),
                addresses,
                pins,
                former: Vec::new(),
                account: account.clone(),
            });
            name
        };
        self.last = Some(name.clone());
        name
    }

    /// Returns an unused name: the host, or the whole address for another server on the same host, or account and host
    /// for another account.
    fn free_name(&self, addresses: &[Address], account: &Nick) -> String {
        let host = addresses.first().map_or("server", Address::host);
        let address = addresses.first().filter(|at| self.list.iter().all(|it| !it.addresses.contains(at)));
        let by_account = format!("{account}@{host}");
        let numbered = (2..).map(|n| format!("{by_account}-{n}"));
        std::iter::once(host.to_owned())
            .chain(address.map(ToString::to_string))
            .chain(std::iter::once(by_account.clone()))
            .chain(numbered)
            .find(|name| self.list.iter().all(|server| server.name != *name))
            .unwrap_or(by_account)
    }

    /// Returns the text of the file. Entries that cannot be parsed come last.
    fn text(&self) -> io::Result<String> {
        let entries = self.list.iter().map(|server| {
            toml::Value::try_from(ServerForm {
                name: server.name.clone(),
                addresses: server.addresses.iter().map(ToString::to_string).collect(),
                pin: server.pins.pin.to_string(),
                next_pin: server.pins.next.map(|pin| pin.to_string()),
                former_pins: server.former.iter().map(ToString::to_string).collect(),
                account: server.account.to_string(),
            })
        });
        let damaged = self.damaged.iter().map(|damaged| Ok(damaged.entry.clone()));
        let servers = entries.chain(damaged).collect::<Result<_, _>>().map_err(io::Error::other)?;
        let form = FileForm { version: Self::VERSION, last: self.last.clone(), servers };
        let text = toml::to_string(&form).map_err(io::Error::other)?;
        Ok(format!("# The servers that parlour knows. No passwords are kept here, or anywhere.\n{text}"))
    }
}

impl KnownServer {
    /// Parses an entry of the file. The error describes the problem.
    fn parse(entry: toml::Value) -> Result<Self, String> {
        let plain = |error: toml::de::Error| error.message().lines().next().unwrap_or_default().to_owned();
        let form: ServerForm = entry.try_into().map_err(plain)?;
        if !is_name(&form.name) {
            return Err("its name cannot be shown".to_owned());
        }
        let addresses = form.addresses.iter().map(|address| address.parse::<Address>());
        let addresses: Vec<_> = addresses.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        if addresses.is_empty() {
            return Err("it has no address".to_owned());
        }
        let pin = |text: &str| text.parse::<Pin>().map_err(|error| error.to_string());
        let next = form.next_pin.as_deref().map(pin).transpose()?;
        let pins = Pins { pin: pin(&form.pin)?, next };
        let former = form.former_pins.iter().map(|text| pin(text)).collect::<Result<_, _>>()?;
        let account = Nick::parse(&form.account).map_err(|error| format!("account: {error}"))?;
        Ok(Self { name: form.name, addresses, pins, former, account })
    }

    /// Limit of previous pins that are stored. A root lasts for years.
    const FORMER: usize = 4;

    /// Returns whether this is one of the server's pins, current or previous.
    fn had(&self, pin: Pin) -> bool {
        self.pins.contains(pin) || self.former.contains(&pin)
    }

    /// Takes over new pins. Another program may have stored newer ones, which win.
    fn follow(&mut self, learned: Pins) {
        if self.former.contains(&learned.pin) {
            return;
        }
        if learned.pin == self.pins.pin {
            self.pins.next = learned.next.or(self.pins.next);
        } else if learned.next != Some(self.pins.pin) {
            self.former.insert(0, self.pins.pin);
            self.former.truncate(Self::FORMER);
            self.pins = learned;
        }
    }
}

/// Returns whether the text is a valid server name: one that can be shown. The user may edit the file, so this allows
/// more than the names made here.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_NAME && !text.chars().any(acts)
}

/// Limit of a server's name, in bytes: an account, the longest host name and a port.
const MOST_NAME: usize = 512;

fn names(servers: &mut dyn Iterator<Item = &KnownServer>) -> String {
    servers.map(|server| server.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Resolves symbolic links. The file need not exist.
fn behind_links(mut path: PathBuf) -> io::Result<PathBuf> {
    /// The same limit as Linux has.
    const MOST: usize = 40;
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            // The path is not a link, or does not exist.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

#[cfg(test)]
mod tests;
