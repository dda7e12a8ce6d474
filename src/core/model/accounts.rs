//! Accounts and their state while the server runs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::audience::Roster;
use super::metadata::MetadataMap;
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::received::ReceivedRanges;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{
    Account, AccountId, ChannelId, Conversation, Preferences, Record, ReservedName, Role,
};
use crate::core::settings::USER_HOST;
use crate::invariants::MustExist as _;
use crate::wire::{ChannelName, Nick, Timestamp};

/// Id of the built-in account `echo`. The store has a row for it, which no password opens.
pub const ECHO_ACCOUNT_ID: AccountId = AccountId(0);
/// Name of the built-in account that sends messages back to their sender.
pub const ECHO_ACCOUNT_NAME: &str = "echo";

/// An account with its state while the server runs.
#[derive(Debug)]
pub struct AccountState {
    /// The stored account.
    pub account: Account,
    /// Source of its events, `nick!user@host`.
    pub source: Arc<str>,
    /// Real name from the USER command of the latest login.
    pub realname: Arc<str>,
    /// The channels it is a member of, the oldest first. The order is the same after a restart.
    pub channels: Vec<ChannelId>,
    /// The sessions of the account, also those that others do not see.
    pub sessions: Roster,
    /// Number of the sessions that others see.
    pub visible_sessions: usize,
    /// The away message, while it is away.
    pub away: Option<Arc<str>>,
    /// Time at which it came online: start of the first of its present sessions that others see.
    pub online_since: Timestamp,
    /// Hash of its password; without one no password logs in.
    pub password: Option<PasswordHash>,
    /// The hash of the same password that was replaced by `password`, because its parameters were old.
    replaced_password: Option<PasswordHash>,
    /// The devices that log in to it, ordered by the time at which they were added and by fingerprint.
    pub devices: Vec<Device>,
    /// Time of its latest message from a session that others see.
    pub last_active: Timestamp,
    /// The preferences of the account.
    pub preferences: Preferences,
    /// Set after its last connection broke, while other accounts still see it online.
    pub grace_period: Option<GracePeriod>,
    /// Time of the QUIT that others saw last, since the server's start.
    pub last_quit: Option<Timestamp>,
    /// Read markers by conversation.
    pub markers: HashMap<Conversation, Timestamp>,
    /// Read markers of channels that it is not in. Clients set them before they join.
    pub early_markers: HashMap<ChannelName, Timestamp>,
    /// Start of an hour, and the number of its TAGMSGs other than reactions that the history kept in that hour.
    pub tagmsg_count: (Timestamp, u32),
    /// Metadata that all accounts see.
    pub metadata: MetadataMap,
    /// Private metadata of conversations, which only this account sees.
    pub private_metadata: HashMap<Conversation, MetadataMap>,
    /// The messages that its sessions received live.
    pub received: ReceivedRanges,
    /// It is a hook's, which has no sessions and counts as online.
    pub is_hook: bool,
    /// The name by which an import listed its person.
    pub listed_name: Option<Arc<str>>,
}

/// A grace period after a broken connection. A new session in it makes the absence invisible to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GracePeriod {
    /// End of the period, by the monotonic clock.
    pub until: Timestamp,
    /// Reason of the QUIT at its end.
    pub reason: Arc<str>,
}

impl AccountState {
    /// Limit of read markers of an account: far more than anybody uses, and a bound all the same.
    const MAX_MARKERS: usize = 4096;

    /// Limit of TAGMSGs other than reactions that the history keeps of an account in an hour. With up to 4 KiB of tags
    /// each they take less than half a megabyte.
    const MAX_TAGMSGS_PER_HOUR: u32 = 100;

    fn new(account: Account) -> Self {
        let nick = &account.name;
        Self {
            source: format!("{nick}!{nick}@{USER_HOST}").into(),
            realname: account.name.as_str().into(),
            channels: Vec::new(),
            sessions: Roster::default(),
            visible_sessions: 0,
            away: None,
            online_since: Timestamp(0),
            password: None,
            replaced_password: None,
            devices: Vec::new(),
            last_active: Timestamp(0),
            preferences: Preferences::default(),
            grace_period: None,
            last_quit: None,
            markers: HashMap::new(),
            early_markers: HashMap::new(),
            tagmsg_count: (Timestamp(0), 0),
            metadata: MetadataMap::default(),
            private_metadata: HashMap::new(),
            received: ReceivedRanges::default(),
            is_hook: false,
            listed_name: None,
            account,
        }
    }

    /// Returns the nick, which is the account's name.
    pub fn nick(&self) -> &Nick {
        &self.account.name
    }

    /// Returns whether others see it online: it has a session that others see, had one until moments ago, or is a
    /// hook's or the built-in account.
    pub fn is_online(&self) -> bool {
        self.visible_sessions > 0
            || self.grace_period.is_some()
            || self.is_hook
            || self.account.id == ECHO_ACCOUNT_ID
    }

    /// Returns whether there is room for another read marker.
    pub fn has_marker_room(&self) -> bool {
        self.markers.len() + self.early_markers.len() < Self::MAX_MARKERS
    }

    /// Moves the read marker of a channel that the account is not in forward, if there is room for it. Returns the
    /// record, under the name by which the marker was first set: two spellings can be one name here and two in the
    /// store.
    pub fn set_early_marker(&mut self, channel: &ChannelName, read: Timestamp) -> Option<Record> {
        let account = self.account.id;
        let known = self.early_markers.get_key_value(channel).map(|(name, before)| (name.clone(), *before));
        let channel = match known {
            Some((_, before)) if before >= read => return None,
            Some((name, _)) => name,
            None if self.has_marker_room() => channel.clone(),
            None => return None,
        };
        self.early_markers.insert(channel.clone(), read);
        Some(Record::EarlyReadMarkerSet { account, channel, read: Some(read) })
    }

    /// Counts another TAGMSG that is not a reaction. Returns false if the history does not keep it, because programs
    /// send these in large numbers.
    pub fn count_tagmsg(&mut self, now: Timestamp) -> bool {
        const HOUR: u64 = 60 * 60 * 1000;
        let (since, count) = &mut self.tagmsg_count;
        if now.0.saturating_sub(since.0) >= HOUR {
            (*since, *count) = (now, 0);
        }
        let is_allowed = *count < Self::MAX_TAGMSGS_PER_HOUR;
        *count += u32::from(is_allowed);
        is_allowed
    }

    /// Returns whether the account is marked as a bot (user mode +B).
    pub fn is_bot(&self) -> bool {
        self.preferences.bot
    }

    /// Returns the maximum number of messages of a channel that are replayed to its sessions; `default` is the server's
    /// setting.
    pub fn replay_limit(&self, default: usize) -> usize {
        if self.is_bot() { 0 } else { self.preferences.replay.map_or(default, usize::from) }
    }

    /// Returns whether this is a hash of the account's password. A login that began before the hash was renewed has
    /// verified the earlier one.
    pub fn has_password(&self, proven: &PasswordHash) -> bool {
        [&self.password, &self.replaced_password].into_iter().flatten().any(|hash| hash == proven)
    }

    /// Returns whether the account has the admin role.
    pub fn is_admin(&self) -> bool {
        self.account.role == Role::Admin
    }
}

/// All accounts, by id and by name.
#[derive(Debug)]
pub struct Accounts {
    by_id: FxHashMap<AccountId, AccountState>,
    by_name: HashMap<Nick, AccountId>,
    by_device: HashMap<CertificateFingerprint, AccountId>,
    /// Accounts that are not in use and keep their names from others.
    reserved_names: HashMap<Nick, ReservedName>,
    /// Times at which the accounts were made, also those that are not in use.
    created: FxHashMap<AccountId, Timestamp>,
    /// The largest id ever used.
    last_id: i64,
}

impl Accounts {
    /// Creates the set of the built-in account and the given ones. `last_id` is the largest id ever used.
    #[expect(clippy::missing_panics_doc, reason = "a constant that is a valid nick")]
    pub fn new(stored: Vec<Account>, reserved_names: Vec<ReservedName>, last_id: i64) -> Self {
        let mut accounts = Self {
            by_id: FxHashMap::default(),
            by_name: HashMap::new(),
            by_device: HashMap::new(),
            reserved_names: reserved_names
                .into_iter()
                .map(|reserved| (reserved.name.clone(), reserved))
                .collect(),
            created: FxHashMap::default(),
            last_id,
        };
        let echo = Nick::parse(ECHO_ACCOUNT_NAME).expect("a valid nick");
        accounts.insert(Account { id: ECHO_ACCOUNT_ID, name: echo, role: Role::Member, disabled: false });
        if let Some(echo) = accounts.get_mut(ECHO_ACCOUNT_ID) {
            echo.preferences.bot = true;
        }
        for account in stored {
            accounts.insert(account);
        }
        accounts
    }

    /// Returns an id that was never used.
    pub fn next_id(&mut self) -> AccountId {
        self.last_id += 1;
        AccountId(self.last_id)
    }

    /// Returns the largest id ever used.
    pub fn last_id(&self) -> i64 {
        self.last_id
    }

    /// Adds an account, or replaces its stored part.
    pub fn insert(&mut self, account: Account) {
        self.last_id = self.last_id.max(account.id.0);
        self.reserved_names.remove(&account.name);
        if let Some(account_state) = self.by_id.get_mut(&account.id) {
            self.by_name.remove(&account_state.account.name);
            self.by_name.insert(account.name.clone(), account.id);
            account_state.account = account;
        } else {
            self.by_name.insert(account.name.clone(), account.id);
            self.by_id.insert(account.id, AccountState::new(account));
        }
    }

    /// Notes the time at which an account was made, unless it was made before and is restored.
    pub fn set_created(&mut self, id: AccountId, at: Timestamp) {
        self.created.entry(id).or_insert(at);
    }

    /// Notes that an account is a hook's, and since when.
    pub fn set_hook(&mut self, id: AccountId, since: Timestamp) {
        if let Some(account_state) = self.by_id.get_mut(&id) {
            account_state.is_hook = true;
            account_state.preferences.bot = true;
            account_state.realname = "Webhook".into();
            (account_state.online_since, account_state.last_active) = (since, since);
        }
    }

    /// Returns the time at which an account was made.
    pub fn created(&self, id: AccountId) -> Timestamp {
        self.created.get(&id).copied().unwrap_or_default()
    }

    /// Removes an account, which keeps its name from others.
    pub fn remove(&mut self, id: AccountId) {
        let account_state = self.by_id.remove(&id).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return };
        self.by_name.remove(&account_state.account.name);
        for device in &account_state.devices {
            self.by_device.remove(&device.fingerprint);
        }
        let name = account_state.account.name;
        self.reserved_names.insert(name.clone(), ReservedName { id, name, removed: true });
    }

    /// Gives a removed account another name, so that its own is free.
    pub fn rename_removed(&mut self, name: &Nick, new: Nick) {
        if let Some(reserved) = self.reserved_names.remove(name) {
            self.reserved_names.insert(new.clone(), ReservedName { name: new, ..reserved });
        }
    }

    /// Returns the account that is not in use and keeps this name from others.
    pub fn get_reserved_name(&self, name: &Nick) -> Option<&ReservedName> {
        self.reserved_names.get(name)
    }

    /// Returns the account of an id that is not in use.
    pub fn get_reserved_name_by_id(&self, id: AccountId) -> Option<&ReservedName> {
        self.reserved_names.values().find(|reserved| reserved.id == id)
    }

    /// Iterates over the accounts that are not in use, in no particular order.
    pub fn iter_reserved_names(&self) -> impl Iterator<Item = &ReservedName> {
        self.reserved_names.values()
    }

    /// Sets the password of an account.
    pub fn set_password(&mut self, id: AccountId, password: PasswordHash) {
        if let Some(account_state) = self.by_id.get_mut(&id) {
            (account_state.password, account_state.replaced_password) = (Some(password), None);
        }
    }

    /// Replaces a hash by another one of the same password. Returns false if the account has another hash.
    pub fn renew_password(&mut self, id: AccountId, old: &PasswordHash, new: PasswordHash) -> bool {
        let Some(account_state) =
            self.by_id.get_mut(&id).filter(|account_state| account_state.password.as_ref() == Some(old))
        else {
            return false;
        };
        account_state.replaced_password = account_state.password.replace(new);
        true
    }

    /// Adds a device to an account.
    pub fn add_device(&mut self, account: AccountId, device: Device) {
        if let Some(account_state) = self.by_id.get_mut(&account) {
            self.by_device.insert(device.fingerprint, account);
            account_state.devices.push(device);
            // By time and not by the order of inputs, which differ after the clock was set back.
            account_state.devices.sort_unstable_by_key(|device| (device.added_at, device.fingerprint));
        }
    }

    /// Removes a device of an account. Returns whether there was such a device.
    pub fn remove_device(&mut self, account: AccountId, key: CertificateFingerprint) -> bool {
        let Some(account_state) = self.by_id.get_mut(&account) else { return false };
        let before = account_state.devices.len();
        account_state.devices.retain(|device| device.fingerprint != key);
        let removed = account_state.devices.len() < before;
        if removed {
            self.by_device.remove(&key);
        }
        removed
    }

    /// Returns the account that a device belongs to.
    pub fn device_owner(&self, key: CertificateFingerprint) -> Option<&AccountState> {
        self.by_device.get(&key).and_then(|id| self.by_id.get(id))
    }

    /// Removes the read markers and private metadata of a removed channel. Returns the markers, ordered by account.
    pub fn remove_conversation(&mut self, conversation: Conversation) -> BTreeMap<AccountId, Timestamp> {
        let mut markers = BTreeMap::new();
        for account_state in self.by_id.values_mut() {
            markers.extend(
                account_state.markers.remove(&conversation).map(|read| (account_state.account.id, read)),
            );
            account_state.private_metadata.remove(&conversation);
        }
        markers
    }

    /// Returns the account of an id.
    pub fn get(&self, id: AccountId) -> Option<&AccountState> {
        self.by_id.get(&id)
    }

    /// Returns the account of an id, for a change.
    pub fn get_mut(&mut self, id: AccountId) -> Option<&mut AccountState> {
        self.by_id.get_mut(&id)
    }

    /// Iterates over all accounts, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &AccountState> {
        self.by_id.values()
    }

    /// Returns the account of a name, also a disabled one, because its messages remain readable.
    pub fn get_by_name(&self, name: &Nick) -> Option<&AccountState> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id))
    }

    /// Returns the account of a name, unless it is disabled.
    pub fn get_enabled_by_name(&self, name: &Nick) -> Option<&AccountState> {
        self.by_name
            .get(name)
            .and_then(|id| self.by_id.get(id))
            .filter(|account_state| !account_state.account.disabled)
    }
}
