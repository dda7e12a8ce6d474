//! Accounts and their state while the server runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::audience::Roster;
use super::metadata::Keys;
use crate::core::record::secret::PasswordHash;
use crate::core::record::seen::Seen;
use crate::core::record::{Account, AccountId, ChannelId, Former, Place, Preferences, Record, Role};
use crate::core::request::account::{Device, DeviceKey};
use crate::core::request::settings::USER_HOST;
use crate::wire::{ChannelName, Millis, Nick};

/// Id of the built-in account `echo`. The store has a row for it, which no password opens.
pub const ECHO_ID: AccountId = AccountId(0);
/// Name of the built-in account that sends messages back to their sender.
pub const ECHO_NAME: &str = "echo";

/// An account with its state while the server runs.
#[derive(Debug)]
pub struct Person {
    /// The stored account.
    pub account: Account,
    /// Source of its events, `nick!user@host`.
    pub source: Arc<str>,
    /// Real name from the USER command of the latest login.
    pub realname: Arc<str>,
    /// The channels it is a member of, the oldest first. The order is the same after a restart.
    pub channels: Vec<ChannelId>,
    /// The sessions of the account.
    pub seats: Roster,
    /// The away message, while it is away.
    pub away: Option<Arc<str>>,
    /// Time at which it came online: start of the first of its present sessions.
    pub online_since: Millis,
    /// Hash of its password; without one no password logs in.
    pub password: Option<PasswordHash>,
    /// The hash of the same password that was replaced by `password`, because its parameters were old.
    renewed: Option<PasswordHash>,
    /// The devices that log in to it, ordered by the time at which they were added and by fingerprint.
    pub devices: Vec<Device>,
    /// Time of its latest message.
    pub active: Millis,
    /// The preferences of the account.
    pub preferences: Preferences,
    /// Set after its last connection broke, while other accounts still see it online.
    pub lingers: Option<Linger>,
    /// Time of the QUIT that others saw last, since the server's start.
    pub left: Option<Millis>,
    /// Read markers by conversation.
    pub markers: HashMap<Place, Millis>,
    /// Read markers of channels that it is not in. Clients set them before they join.
    pub early_markers: HashMap<ChannelName, Millis>,
    /// Start of an hour, and the number of its TAGMSGs other than reactions that the history kept in that hour.
    pub signals: (Millis, u32),
    /// Metadata that all accounts see.
    pub metadata: Keys,
    /// Private metadata of conversations, which only this account sees.
    pub private: HashMap<Place, Keys>,
    /// The messages that its sessions received live.
    pub seen: Seen,
}

/// A grace period after a broken connection. A new session in it makes the absence invisible to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linger {
    /// End of the period, by the monotonic clock.
    pub until: Millis,
    /// Reason of the QUIT at its end.
    pub reason: Arc<str>,
}

impl Person {
    /// Limit of read markers of an account: far more than anybody uses, and a bound all the same.
    const MARKERS: usize = 4096;

    /// Limit of TAGMSGs other than reactions that the history keeps of an account in an hour. With up to 4 KiB of tags
    /// each they take less than half a megabyte.
    const SIGNALS: u32 = 100;

    fn new(account: Account) -> Self {
        let nick = &account.name;
        Self {
            source: format!("{nick}!{nick}@{USER_HOST}").into(),
            realname: account.name.as_str().into(),
            channels: Vec::new(),
            seats: Roster::default(),
            away: None,
            online_since: Millis(0),
            password: None,
            renewed: None,
            devices: Vec::new(),
            active: Millis(0),
            preferences: Preferences::default(),
            lingers: None,
            left: None,
            markers: HashMap::new(),
            early_markers: HashMap::new(),
            signals: (Millis(0), 0),
            metadata: Keys::default(),
            private: HashMap::new(),
            seen: Seen::default(),
            account,
        }
    }

    /// Returns the nick, which is the account's name.
    pub fn nick(&self) -> &Nick {
        &self.account.name
    }

    /// Returns whether others see it online: it has a session, had one until moments ago, or is the built-in account.
    pub fn is_online(&self) -> bool {
        !self.seats.is_empty() || self.lingers.is_some() || self.account.id == ECHO_ID
    }

    /// Returns whether there is room for another read marker.
    pub fn may_mark(&self) -> bool {
        self.markers.len() + self.early_markers.len() < Self::MARKERS
    }

    /// Moves the read marker of a channel that the account is not in forward, if there is room for it. Returns the
    /// record, under the name by which the marker was first set: two spellings can be one name here and two in the
    /// store.
    pub fn mark_early(&mut self, channel: &ChannelName, read: Millis) -> Option<Record> {
        let account = self.account.id;
        let known = self.early_markers.get_key_value(channel).map(|(name, before)| (name.clone(), *before));
        let channel = match known {
            Some((_, before)) if before >= read => return None,
            Some((name, _)) => name,
            None if self.may_mark() => channel.clone(),
            None => return None,
        };
        self.early_markers.insert(channel.clone(), read);
        Some(Record::MarkedEarly { account, channel, read: Some(read) })
    }

    /// Counts another TAGMSG that is not a reaction. Returns false if the history does not keep it, because programs
    /// send these in large numbers.
    pub fn may_signal(&mut self, now: Millis) -> bool {
        const HOUR: u64 = 60 * 60 * 1000;
        let (since, count) = &mut self.signals;
        if now.0.saturating_sub(since.0) >= HOUR {
            (*since, *count) = (now, 0);
        }
        let may = *count < Self::SIGNALS;
        *count += u32::from(may);
        may
    }

    /// Returns whether the account is marked as a bot (user mode +B).
    pub fn is_bot(&self) -> bool {
        self.preferences.bot
    }

    /// Returns the maximum number of messages of a channel that are replayed to its sessions; `default` is the server's
    /// setting.
    pub fn replayed(&self, default: usize) -> usize {
        if self.is_bot() { 0 } else { self.preferences.replay.map_or(default, usize::from) }
    }

    /// Returns whether this is a hash of the account's password. A login that began before the hash was renewed has
    /// verified the earlier one.
    pub fn has_password(&self, proven: &PasswordHash) -> bool {
        [&self.password, &self.renewed].into_iter().flatten().any(|hash| hash == proven)
    }

    /// Returns whether the account has the admin role.
    pub fn is_admin(&self) -> bool {
        self.account.role == Role::Admin
    }
}

/// All accounts, by id and by name.
#[derive(Debug)]
pub struct People {
    accounts: HashMap<AccountId, Person>,
    names: HashMap<Nick, AccountId>,
    devices: HashMap<DeviceKey, AccountId>,
    /// Accounts that are not in use and keep their names from others.
    former: HashMap<Nick, Former>,
    /// The largest id ever used.
    last: i64,
}

impl People {
    /// Creates the set of the built-in account and the given ones. `last` is the largest id ever used.
    #[expect(clippy::missing_panics_doc, reason = "a constant that is a valid nick")]
    pub fn new(kept: Vec<Account>, former: Vec<Former>, last: i64) -> Self {
        let mut people = Self {
            accounts: HashMap::new(),
            names: HashMap::new(),
            devices: HashMap::new(),
            former: former.into_iter().map(|former| (former.name.clone(), former)).collect(),
            last,
        };
        let echo = Nick::parse(ECHO_NAME).expect("a valid nick");
        people.put(Account { id: ECHO_ID, name: echo, role: Role::Member, disabled: false });
        if let Some(echo) = people.get_mut(ECHO_ID) {
            echo.preferences.bot = true;
        }
        for account in kept {
            people.put(account);
        }
        people
    }

    /// Returns an id that was never used.
    pub fn next_id(&mut self) -> AccountId {
        self.last += 1;
        AccountId(self.last)
    }

    /// Returns the largest id ever used.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Adds an account, or replaces its stored part.
    pub fn put(&mut self, account: Account) {
        self.last = self.last.max(account.id.0);
        self.former.remove(&account.name);
        if let Some(person) = self.accounts.get_mut(&account.id) {
            self.names.remove(&person.account.name);
            self.names.insert(account.name.clone(), account.id);
            person.account = account;
        } else {
            self.names.insert(account.name.clone(), account.id);
            self.accounts.insert(account.id, Person::new(account));
        }
    }

    /// Removes an account, which keeps its name from others.
    pub fn retire(&mut self, id: AccountId) {
        let Some(person) = self.accounts.remove(&id) else { return };
        self.names.remove(&person.account.name);
        for device in &person.devices {
            self.devices.remove(&device.key);
        }
        let name = person.account.name;
        self.former.insert(name.clone(), Former { id, name, removed: true });
    }

    /// Returns the account that is not in use and keeps this name from others.
    pub fn former(&self, name: &Nick) -> Option<&Former> {
        self.former.get(name)
    }

    /// Returns the account of an id that is not in use.
    pub fn former_of(&self, id: AccountId) -> Option<&Former> {
        self.former.values().find(|former| former.id == id)
    }

    /// Iterates over the accounts that are not in use, in no particular order.
    pub fn iter_former(&self) -> impl Iterator<Item = &Former> {
        self.former.values()
    }

    /// Sets the password of an account.
    pub fn set_password(&mut self, id: AccountId, password: PasswordHash) {
        if let Some(person) = self.accounts.get_mut(&id) {
            (person.password, person.renewed) = (Some(password), None);
        }
    }

    /// Replaces a hash by another one of the same password. Returns false if the account has another hash.
    pub fn renew_password(&mut self, id: AccountId, old: &PasswordHash, new: PasswordHash) -> bool {
        let Some(person) = self.accounts.get_mut(&id).filter(|person| person.password.as_ref() == Some(old))
        else {
            return false;
        };
        person.renewed = person.password.replace(new);
        true
    }

    /// Adds a device to an account.
    pub fn add_device(&mut self, account: AccountId, device: Device) {
        if let Some(person) = self.accounts.get_mut(&account) {
            self.devices.insert(device.key, account);
            person.devices.push(device);
            // By time and not by the order of inputs, which differ after the clock was set back.
            person.devices.sort_unstable_by_key(|device| (device.added, device.key));
        }
    }

    /// Removes a device of an account. Returns whether there was such a device.
    pub fn remove_device(&mut self, account: AccountId, key: DeviceKey) -> bool {
        let Some(person) = self.accounts.get_mut(&account) else { return false };
        let before = person.devices.len();
        person.devices.retain(|device| device.key != key);
        let removed = person.devices.len() < before;
        if removed {
            self.devices.remove(&key);
        }
        removed
    }

    /// Returns the account that a device belongs to.
    pub fn owner(&self, key: DeviceKey) -> Option<&Person> {
        self.devices.get(&key).and_then(|id| self.accounts.get(id))
    }

    /// Removes the read markers and private metadata of a removed channel. Returns the markers, ordered by account.
    pub fn forget_place(&mut self, place: Place) -> BTreeMap<AccountId, Millis> {
        let mut markers = BTreeMap::new();
        for person in self.accounts.values_mut() {
            markers.extend(person.markers.remove(&place).map(|read| (person.account.id, read)));
            person.private.remove(&place);
        }
        markers
    }

    /// Returns the account of an id.
    pub fn get(&self, id: AccountId) -> Option<&Person> {
        self.accounts.get(&id)
    }

    /// Returns the account of an id, for a change.
    pub fn get_mut(&mut self, id: AccountId) -> Option<&mut Person> {
        self.accounts.get_mut(&id)
    }

    /// Iterates over all accounts, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Person> {
        self.accounts.values()
    }

    /// Returns the account of a name, also a disabled one, because its messages remain readable.
    pub fn known(&self, name: &Nick) -> Option<&Person> {
        self.names.get(name).and_then(|id| self.accounts.get(id))
    }

    /// Returns the account of a name, unless it is disabled.
    pub fn named(&self, name: &Nick) -> Option<&Person> {
        self.names.get(name).and_then(|id| self.accounts.get(id)).filter(|person| !person.account.disabled)
    }
}
