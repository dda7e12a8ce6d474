//! The accounts and their sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::audience::Roster;
use super::metadata::Keys;
use super::record::{Account, AccountId, ChannelId, Place, Preferences, Record, Role};
use super::seen::Seen;
use super::settings::USER_HOST;
use crate::wire::{ChannelName, Millis, Nick};

/// The number of the built-in account `echo`. The store keeps it a row, which no password opens.
pub const ECHO_ID: AccountId = AccountId(0);
/// The name of the built-in account that repeats what it is told.
pub const ECHO_NAME: &str = "echo";

/// An account with what is known of it while the server runs.
#[derive(Debug)]
pub struct Person {
    /// As it is kept.
    pub account: Account,
    /// `nick!user@host`.
    pub source: Arc<str>,
    /// The name given with USER at the latest login.
    pub realname: Arc<str>,
    /// The channels it is a member of, the oldest first: an order that outlives a restart.
    pub channels: Vec<ChannelId>,
    /// Its sessions.
    pub seats: Roster,
    /// The away message, while it is away.
    pub away: Option<Arc<str>>,
    /// When its first session of now began.
    pub online_since: Millis,
    /// Which change of a password, counted over all accounts, was the last of its own; 0 for none since the start.
    pub password_change: u64,
    /// The same of the last removal of a device of its own, which counts like a change of a password.
    pub device_removal: u64,
    /// When it last said something.
    pub active: Millis,
    /// What it set for itself.
    pub preferences: Preferences,
    /// Its last connection broke, and others do not know yet that it is gone.
    pub lingers: Option<Linger>,
    /// When others saw it leave, since the start of the server.
    pub left: Option<Millis>,
    /// Up to when it has read what was said at places.
    pub markers: HashMap<Place, Millis>,
    /// Up to when it has read channels that it is not in: clients set these before they join.
    pub early_markers: HashMap<ChannelName, Millis>,
    /// The start of an hour, and the number of TAGMSGs other than reactions that the history kept of it in that hour.
    pub signals: (Millis, u32),
    /// Its metadata, for all to see.
    pub metadata: Keys,
    /// What it noted about places for itself.
    pub private: HashMap<Place, Keys>,
    /// The messages that its sessions were there for.
    pub seen: Seen,
}

/// An absence that may still turn out not to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linger {
    /// Then others hear of it, by the steady clock.
    pub until: Millis,
    /// What they hear.
    pub reason: Arc<str>,
}

impl Person {
    /// Most markers of an account: far more than anybody talks at places, and a bound all the same.
    const MARKERS: usize = 4096;

    /// Most TAGMSGs other than reactions that the history takes of an account in an hour. With the 4 KiB of tags that each
    /// may have they are less than half a megabyte.
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
            password_change: 0,
            device_removal: 0,
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

    /// Its nick.
    pub fn nick(&self) -> &Nick {
        &self.account.name
    }

    /// Is it there for others: has it a session, or had one until a moment ago, or is it always there?
    pub fn is_online(&self) -> bool {
        !self.seats.is_empty() || self.lingers.is_some() || self.account.id == ECHO_ID
    }

    /// Returns whether there is room for one more marker.
    pub fn may_mark(&self) -> bool {
        self.markers.len() + self.early_markers.len() < Self::MARKERS
    }

    /// Sets the marker of a channel that it is not in, where that is a step forward and there is room for it. Returns the
    /// record that keeps it, under the name that it was first set by: two spellings may be one name here and not in the store.
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

    /// Counts one more TAGMSG that is no reaction, and returns whether the history keeps it. The bound is there because
    /// programs send these.
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

    /// Does it say of itself that it is a program?
    pub fn is_bot(&self) -> bool {
        self.preferences.bot
    }

    /// Most messages of a channel that are replayed to its sessions, where the server replays so many by default.
    pub fn replayed(&self, default: usize) -> usize {
        if self.is_bot() { 0 } else { self.preferences.replay.map_or(default, usize::from) }
    }

    /// Does it run the server?
    pub fn is_admin(&self) -> bool {
        self.account.role == Role::Admin
    }
}

/// All accounts, by number and by name.
#[derive(Debug)]
pub struct People {
    by_id: HashMap<AccountId, Person>,
    by_name: HashMap<Nick, AccountId>,
}

impl People {
    /// With the built-in accounts and the given ones.
    #[expect(clippy::missing_panics_doc, reason = "a constant that is a valid nick")]
    pub fn new(accounts: Vec<Account>) -> Self {
        let mut people = Self { by_id: HashMap::new(), by_name: HashMap::new() };
        let echo = Nick::parse(ECHO_NAME).expect("a valid nick");
        people.put(Account { id: ECHO_ID, name: echo, role: Role::Member, disabled: false });
        if let Some(echo) = people.get_mut(ECHO_ID) {
            echo.preferences.bot = true;
        }
        for account in accounts {
            people.put(account);
        }
        people
    }

    /// Adds an account or changes what is kept of it.
    pub fn put(&mut self, account: Account) {
        if let Some(person) = self.by_id.get_mut(&account.id) {
            self.by_name.remove(&person.account.name);
            self.by_name.insert(account.name.clone(), account.id);
            person.account = account;
        } else {
            self.by_name.insert(account.name.clone(), account.id);
            self.by_id.insert(account.id, Person::new(account));
        }
    }

    /// Forgets an account.
    pub fn remove(&mut self, id: AccountId) -> Option<Person> {
        let person = self.by_id.remove(&id)?;
        self.by_name.remove(&person.account.name);
        Some(person)
    }

    /// Drops the markers and private metadata of a removed channel, and returns the markers, ordered by account.
    pub fn forget_place(&mut self, place: Place) -> BTreeMap<AccountId, Millis> {
        let mut markers = BTreeMap::new();
        for person in self.by_id.values_mut() {
            markers.extend(person.markers.remove(&place).map(|read| (person.account.id, read)));
            person.private.remove(&place);
        }
        markers
    }

    /// The account of a number.
    pub fn get(&self, id: AccountId) -> Option<&Person> {
        self.by_id.get(&id)
    }

    /// The account of a number, to change.
    pub fn get_mut(&mut self, id: AccountId) -> Option<&mut Person> {
        self.by_id.get_mut(&id)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Person> {
        self.by_id.values()
    }

    /// The account of a name, also a disabled one: what was said with it can be read.
    pub fn known(&self, name: &Nick) -> Option<&Person> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id))
    }

    /// The account of a name; disabled ones cannot be found by it.
    pub fn named(&self, name: &Nick) -> Option<&Person> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id)).filter(|person| !person.account.disabled)
    }
}
