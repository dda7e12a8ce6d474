//! The known servers: their addresses, their pins and the account on each.
//!
//! They are in a TOML file of the user's, `servers.toml`. It holds no secret: passwords are never stored. It decides
//! which server is trusted, so it is refused if others can write to it.

mod accounts;
mod error;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::ServersError;

use super::devices::DeviceFile;
use super::private_file;
use crate::client::text::clean::is_terminal_control;
use crate::platform::files;
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
    pub former_pins: Vec<Pin>,
    /// The account to log in to.
    pub account: Nick,
}

/// The contents of `servers.toml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Servers {
    known: Vec<KnownServer>,
    /// Entries that cannot be parsed. They stay in the file unchanged.
    damaged: Vec<DamagedEntry>,
    /// Name of the server that was used last.
    last_used: Option<String>,
}

/// An entry of the file that cannot be parsed and is ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct DamagedEntry {
    /// Number of the entry in the file, from 1.
    pub position: usize,
    /// Description of the problem.
    pub problem: String,
    entry: toml::Value,
}

impl std::fmt::Display for DamagedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.entry.get("name").and_then(toml::Value::as_str);
        let name =
            name.filter(|name| is_valid_name(name)).map(|name| format!(" ({name})")).unwrap_or_default();
        write!(f, "server {}{name}: {}", self.position, self.problem)
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
        let access = match files::others_access(path) {
            Ok(access) => access,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        if access.write {
            return Err(ServersError::WritableByOthers(path.to_owned()));
        }
        Self::from_text(&fs::read_to_string(path).map_err(failed)?, path)
    }

    /// Parses the text of the file. Errors name `path`.
    pub fn from_text(text: &str, path: &Path) -> Result<Self, ServersError> {
        let damaged = |problem: String| ServersError::Damaged { path: path.to_owned(), what: problem };
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
        let mut servers = Self { last_used: form.last, ..Self::default() };
        for (position, entry) in (1..).zip(form.servers) {
            match KnownServer::parse(entry.clone()) {
                Ok(server) => servers.known.push(server),
                Err(problem) => servers.damaged.push(DamagedEntry { position, problem, entry }),
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
        self.known.iter()
    }

    /// Returns the server with this name, `ACCOUNT@NAME` or address, or the one that was used last for `None`.
    pub fn find(&self, wanted: Option<&str>) -> Result<&KnownServer, ServersError> {
        let Some(wanted) = wanted else {
            let last = self.known.iter().find(|server| Some(&server.name) == self.last_used.as_ref());
            return last.or(self.known.last()).ok_or(ServersError::NoServers);
        };
        if let Some(server) = self.known.iter().find(|server| server.name == wanted) {
            return Ok(server);
        }
        Self::refuse_link(wanted)?;
        if self.known.is_empty() {
            return Err(ServersError::NoServers);
        }
        let found = self.matching(wanted);
        match found[..] {
            [server] => Ok(server),
            [] => Err(ServersError::Unknown(list_names(&mut self.known.iter()))),
            _ => Err(ServersError::Ambiguous(list_names(&mut found.into_iter()))),
        }
    }

    /// Returns the servers that `ACCOUNT@NAME`, a name or an address may mean.
    fn matching(&self, wanted: &str) -> Vec<&KnownServer> {
        let (account, name_or_address) = match wanted.split_once('@') {
            Some((account, server)) => (Some(account), server),
            None => (None, wanted),
        };
        self.known
            .iter()
            .filter(|server| {
                account.is_none_or(|account| server.account.as_str().eq_ignore_ascii_case(account))
            })
            .filter(|server| {
                let has_address = |address: &Address| {
                    address.host() == name_or_address || address.to_string() == name_or_address
                };
                server.name == name_or_address || server.addresses.iter().any(has_address)
            })
            .collect()
    }

    /// Refuses an invite link given in place of a server's name or address.
    pub fn refuse_link(wanted: &str) -> Result<(), ServersError> {
        let is_link = wanted.contains("://") || wanted.contains("token") && wanted.contains("pin");
        // A token alone is just as secret.
        if is_link || wanted.parse::<Token>().is_ok() { Err(ServersError::InviteLink) } else { Ok(()) }
    }

    /// Stores a server after a login, as the one that was used last. A server that is known by pin and account keeps
    /// its name and gains the addresses. Returns its name.
    pub fn store_server(
        path: &Path,
        addresses: &[Address],
        pins: impl Into<Pins>,
        account: &Nick,
    ) -> Result<String, ServersError> {
        let pins = pins.into();
        // The file need not be writable if nothing changes.
        let mut servers = Self::load(path)?;
        let previous = servers.clone();
        let name = servers.insert_or_update(addresses, pins, account);
        if servers == previous {
            return Ok(name);
        }
        Self::modify(path, |servers| servers.insert_or_update(addresses, pins, account))
    }

    /// Stores the new pins of a known server, and renames the key of the account there to match.
    pub fn store_pins(path: &Path, account: &Nick, known: Pins, learned: Pins) -> Result<(), ServersError> {
        let moved = if known.current == learned.current {
            None
        } else {
            Some(DeviceFile::rename_for_pin(path, account, known.current, learned.current)?)
        };
        Self::modify(path, |servers| {
            if let Some(server) = servers.find_by_pins(known, account) {
                server.update_pins(learned);
            }
        })?;
        if let Some(moved) = moved {
            moved.remove_old();
        }
        Ok(())
    }

    /// Renames a server. Returns its old name.
    pub fn rename(path: &Path, wanted: &str, name: &str) -> Result<String, ServersError> {
        Self::modify(path, |servers| {
            let old = servers.find(Some(wanted))?.name.clone();
            if servers.known.iter().any(|server| server.name == name && server.name != old) {
                return Err(ServersError::NameTaken(name.to_owned()));
            }
            if servers.last_used.as_ref() == Some(&old) {
                servers.last_used = Some(name.to_owned());
            }
            for server in servers.known.iter_mut().filter(|server| server.name == old) {
                name.clone_into(&mut server.name);
            }
            Ok(old)
        })?
    }

    /// Removes a server, and the device's key for it. Returns the removed entry.
    pub fn remove(path: &Path, wanted: &str) -> Result<KnownServer, ServersError> {
        let known = Self::modify(path, |servers| {
            let name = servers.find(Some(wanted))?.name.clone();
            let at = servers.known.iter().position(|server| server.name == name);
            if servers.last_used.as_ref() == Some(&name) {
                servers.last_used = None;
            }
            at.map(|at| servers.known.remove(at)).ok_or(ServersError::NoServers)
        })??;
        for pin in known.pins.newest_first() {
            DeviceFile::for_account(path, pin, &known.account).remove()?;
        }
        Ok(known)
    }

    /// Changes the file under a lock, so that concurrent changes by two programs run one after the other.
    fn modify<T>(path: &Path, change: impl FnOnce(&mut Self) -> T) -> Result<T, ServersError> {
        let lock = Self::open_lock_file(path)?;
        let failed = |source| ServersError::Write { path: path.to_owned(), source };
        lock.lock().map_err(failed)?;
        let mut servers = Self::load(path)?;
        let previous = servers.clone();
        let done = change(&mut servers);
        if servers != previous {
            let text = servers.to_toml().map_err(failed)?;
            let again = Self::from_text(&text, path).ok();
            // The numbers of damaged entries may change.
            if again
                .is_none_or(|again| (&again.known, &again.last_used) != (&servers.known, &servers.last_used))
            {
                let name = servers.last_used.unwrap_or_else(|| "this".to_owned());
                return Err(ServersError::NotRepresentable(name, path.to_owned()));
            }
            private_file::write(&resolve_links(path.to_owned()).map_err(failed)?, &text).map_err(failed)?;
        }
        Ok(done)
    }

    /// Checks that a server can be stored, before an irreversible step such as the use of an invite.
    pub fn check(path: &Path) -> Result<(), ServersError> {
        Self::load(path)?;
        Self::open_lock_file(path).map(drop)
    }

    /// Creates the folder and opens the lock file.
    fn open_lock_file(path: &Path) -> Result<File, ServersError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let failed = |source| ServersError::Write { path: folder.to_owned(), source };
        files::create_private_folder(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        files::open_private(options.write(true).create(true), &folder.join("servers.lock")).map_err(failed)
    }

    /// Returns the server with one of these pins and this account, or else one that previously had a pin of them.
    fn find_by_pins(&mut self, pins: Pins, account: &Nick) -> Option<&mut KnownServer> {
        let has = |server: &KnownServer| pins.newest_first().any(|pin| server.pins.contains(pin));
        let had = |server: &KnownServer| pins.newest_first().any(|pin| server.former_pins.contains(&pin));
        let position_where = |is: &dyn Fn(&KnownServer) -> bool| {
            self.known.iter().position(|server| server.account == *account && is(server))
        };
        let index = position_where(&has).or_else(|| position_where(&had))?;
        self.known.get_mut(index)
    }

    /// Returns the current pins of the server that had the pins `known`. Returns `known` if nothing newer is stored, or
    /// the file cannot be read.
    pub fn current_pins(path: &Path, account: &Nick, known: Pins) -> Pins {
        let servers = Self::load(path).ok();
        servers
            .and_then(|mut servers| servers.find_by_pins(known, account).map(|it| it.pins))
            .unwrap_or(known)
    }

    fn insert_or_update(&mut self, addresses: &[Address], pins: Pins, account: &Nick) -> String {
        // A previous pin that was given again and worked belongs to another server: an old root restored from a backup,
        // or an attacker with the key for which it was retired. The entry with the successor's pin stays as it is.
        let again = |server: &KnownServer| {
            server.former_pins.contains(&pins.current)
                && pins.next.is_none_or(|next| !server.has_or_had_pin(next))
        };
        let name = if let Some(server) = self.find_by_pins(pins, account).filter(|server| !again(server)) {
            server.update_pins(pins);
            let old = std::mem::replace(&mut server.addresses, addresses.to_vec());
            for address in old {
                if !server.addresses.contains(&address) && server.addresses.len() < InviteLink::MAX_ADDRESSES
                {
                    server.addresses.push(address);
                }
            }
            server.name.clone()
        } else {
            let name = self.unused_name(addresses, pins, account);
            let addresses = addresses.to_vec();
            self.known.push(KnownServer {
                name: name.clone(),
                addresses,
                pins,
                former_pins: Vec::new(),
                account: account.clone(),
            });
            name
        };
        self.last_used = Some(name.clone());
        name
    }

    /// Returns the text of the file. Entries that cannot be parsed come last.
    fn to_toml(&self) -> io::Result<String> {
        let entries = self.known.iter().map(|server| {
            toml::Value::try_from(ServerForm {
                name: server.name.clone(),
                addresses: server.addresses.iter().map(ToString::to_string).collect(),
                pin: server.pins.current.to_string(),
                next_pin: server.pins.next.map(|pin| pin.to_string()),
                former_pins: server.former_pins.iter().map(ToString::to_string).collect(),
                account: server.account.to_string(),
            })
        });
        let damaged = self.damaged.iter().map(|damaged| Ok(damaged.entry.clone()));
        let servers = entries.chain(damaged).collect::<Result<_, _>>().map_err(io::Error::other)?;
        let form = FileForm { version: Self::VERSION, last: self.last_used.clone(), servers };
        let text = toml::to_string(&form).map_err(io::Error::other)?;
        Ok(format!("# The servers that parlour knows. No passwords are kept here, or anywhere.\n{text}"))
    }
}

impl KnownServer {
    /// Parses an entry of the file. The error describes the problem.
    fn parse(entry: toml::Value) -> Result<Self, String> {
        let plain = |error: toml::de::Error| error.message().lines().next().unwrap_or_default().to_owned();
        let form: ServerForm = entry.try_into().map_err(plain)?;
        if !is_valid_name(&form.name) {
            return Err("its name cannot be shown".to_owned());
        }
        let addresses = form.addresses.iter().map(|address| address.parse::<Address>());
        let addresses: Vec<_> = addresses.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        if addresses.is_empty() {
            return Err("it has no address".to_owned());
        }
        let pin = |text: &str| text.parse::<Pin>().map_err(|error| error.to_string());
        let next = form.next_pin.as_deref().map(pin).transpose()?;
        let pins = Pins { current: pin(&form.pin)?, next };
        let former = form.former_pins.iter().map(|text| pin(text)).collect::<Result<_, _>>()?;
        let account = Nick::parse(&form.account).map_err(|error| format!("account: {error}"))?;
        Ok(Self { name: form.name, addresses, pins, former_pins: former, account })
    }

    /// Limit of previous pins that are stored. A root lasts for years.
    const MAX_FORMER_PINS: usize = 4;

    /// Returns whether this is one of the server's pins, current or previous.
    fn has_or_had_pin(&self, pin: Pin) -> bool {
        self.pins.contains(pin) || self.former_pins.contains(&pin)
    }

    /// Takes over new pins. Another program may have stored newer ones, which win.
    fn update_pins(&mut self, learned: Pins) {
        if self.former_pins.contains(&learned.current) {
            return;
        }
        if learned.current == self.pins.current {
            self.pins.next = learned.next.or(self.pins.next);
        } else if learned.next != Some(self.pins.current) {
            self.former_pins.insert(0, self.pins.current);
            self.former_pins.truncate(Self::MAX_FORMER_PINS);
            self.pins = learned;
        }
    }
}

/// Returns whether the text is a valid server name: one that can be shown. The user may edit the file, so this allows
/// more than the names made here.
fn is_valid_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(is_terminal_control)
}

/// Limit of a server's name, in bytes: an account, the longest host name and a port.
const MAX_NAME_BYTES: usize = 512;

fn list_names(servers: &mut dyn Iterator<Item = &KnownServer>) -> String {
    servers.map(|server| server.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Resolves symbolic links. The file need not exist.
fn resolve_links(mut path: PathBuf) -> io::Result<PathBuf> {
    /// The same limit as Linux has.
    const MAX_LINKS: usize = 40;
    for _ in 0..MAX_LINKS {
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
