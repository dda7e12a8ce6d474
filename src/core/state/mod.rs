//! State of the core as a whole, and the changes that its handlers share.

pub mod context;
pub(super) mod silenced;
pub(super) mod sync;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::effects::monitors::Monitors;
use super::effects::{Effects, Step};
use super::model::audience::SessionId;
use super::model::channel::Channels;
use super::model::people::People;
use super::model::sends::Sends;
use super::record::ranks::Ranks;
use super::record::{AccountId, ChannelId, MessageKind, Place, Record, Snapshot, StoredMessage, Subject};
use super::request::account::DeviceKey;
use super::request::invites::Invites;
use super::request::settings::Settings;
use crate::wire::ids::Times;
use crate::wire::{CapSet, ChannelName, MessageId, Millis, Nick, ServerName};

/// A session as the core knows it.
#[derive(Debug)]
pub(super) struct Session {
    pub account: AccountId,
    pub caps: CapSet,
    /// The away message that this session set.
    pub away: Option<Arc<str>>,
    /// The nicks that it monitors (MONITOR).
    pub monitors: BTreeSet<Nick>,
    /// Certificate fingerprint of the device that it logged in with.
    pub device: Option<DeviceKey>,
    /// Certificate fingerprint that the connection presented.
    pub certificate: Option<DeviceKey>,
    /// The admin account whose password gave the session the admin role (OPER).
    pub admin_by: Option<AccountId>,
    /// The metadata keys that it subscribes to.
    pub subscriptions: BTreeSet<Arc<str>>,
    /// The latest message at its start. It received the later ones live.
    pub began: MessageId,
    /// The latest message when the client last sent a command. The client has received that message.
    pub heard: MessageId,
    /// The channels that it saw its account leave, each with the latest message of that moment.
    pub left: HashMap<ChannelId, MessageId>,
}

/// Counts of the objects in the state, for metrics and statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Number of sessions.
    pub sessions: usize,
    /// Number of accounts, including built-in ones and disabled ones.
    pub accounts: usize,
    /// Number of accounts with at least one session.
    pub online: usize,
    /// Number of channels.
    pub channels: usize,
}

/// The core's state: everything that the rules depend on.
#[derive(Debug)]
pub struct Chat {
    pub(super) settings: Settings,
    pub(super) people: People,
    pub(super) channels: Channels,
    pub(super) invites: Invites,
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) sends: Sends,
    pub(super) last_message: MessageId,
    /// Offset of message ids from the clock.
    pub(super) times: Times,
    /// The monotonic clock at the current input. Deadlines count by it.
    pub(super) steady: Millis,
    pub(super) most_sessions: usize,
    /// Number of accounts that have a session.
    pub(super) online: usize,
    pub(super) sessions_refused: u64,
    /// Rows scanned since the last [`Chat::take_rows`].
    rows: Cell<usize>,
    pub(super) writable: bool,
    pub(super) monitors: Monitors,
    /// Accounts whose last connection broke, with the deadline at which others see them quit, by the monotonic clock;
    /// the earliest first.
    pub(super) lingering: BTreeSet<(Millis, AccountId)>,
    /// The latest redactions. A second REDACT of the same message, sent before the first is stored, gets the reply for
    /// a message that is gone.
    redacted: VecDeque<MessageId>,
}

/// Number of redactions that are remembered: far more than can come between a query and its result.
const REDACTED: usize = 1024;

impl Chat {
    /// Creates the state from a snapshot of the store.
    pub fn new(settings: Settings, kept: Snapshot) -> Self {
        let mut chat = Self {
            settings,
            people: People::new(kept.accounts, kept.former, kept.last_account),
            invites: Invites::new(kept.invites, kept.last_invite),
            channels: Channels::default(),
            sessions: HashMap::new(),
            sends: Sends::default(),
            last_message: kept.last_message,
            times: kept.times,
            steady: Millis(0),
            most_sessions: 0,
            online: 0,
            sessions_refused: 0,
            rows: Cell::new(0),
            writable: true,
            monitors: Monitors::default(),
            lingering: BTreeSet::new(),
            redacted: VecDeque::new(),
        };
        for channel in &kept.channels {
            for &member in &channel.members {
                if let Some(person) = chat.people.get_mut(member) {
                    person.channels.push(channel.id);
                }
            }
        }
        chat.channels = Channels::new(kept.channels, kept.last_channel);
        for (account, send, message) in kept.sends {
            chat.sends.remember(account, send, message, None);
        }
        for (account, place, read) in kept.markers {
            if let Some(person) = chat.people.get_mut(account) {
                person.markers.insert(place, read);
            }
        }
        for (account, channel, read) in kept.early_markers {
            if let Some(person) = chat.people.get_mut(account) {
                person.early_markers.insert(channel, read);
            }
        }
        for (account, seen) in kept.seen {
            if let Some(person) = chat.people.get_mut(account) {
                person.seen = seen;
            }
        }
        for (account, preferences) in kept.preferences {
            if let Some(person) = chat.people.get_mut(account) {
                person.preferences = preferences;
            }
        }
        for (account, password) in kept.passwords {
            chat.people.set_password(account, password);
        }
        for (account, device) in kept.devices {
            chat.people.add_device(account, device);
        }
        for (of, key, value) in kept.metadata {
            if let Some(keys) = chat.keys_mut(of) {
                keys.set(key, Some(value));
            }
        }
        chat
    }

    /// Returns the metadata of an account, channel or conversation, for a change; `None` if it does not exist.
    pub(super) fn keys_mut(&mut self, of: Subject) -> Option<&mut super::model::metadata::Keys> {
        match of {
            Subject::Account(id) => self.people.get_mut(id).map(|person| &mut person.metadata),
            Subject::Channel(id) => self.channels.get_mut(id).map(|channel| &mut channel.metadata),
            Subject::Private(id, place) => {
                self.people.get_mut(id).map(|person| person.private.entry(place).or_default())
            }
        }
    }

    /// Returns the metadata of an account, channel or conversation; `None` if it does not exist.
    pub(super) fn keys(&self, of: Subject) -> Option<&super::model::metadata::Keys> {
        match of {
            Subject::Account(id) => self.people.get(id).map(|person| &person.metadata),
            Subject::Channel(id) => self.channels.get(id).map(|channel| &channel.metadata),
            Subject::Private(id, place) => self.people.get(id)?.private.get(&place),
        }
    }

    /// Returns the name that the server sends as its source. It stays the same while the server runs.
    pub fn server_name(&self) -> &ServerName {
        &self.settings.server_name
    }

    /// Returns the number of logins since the start that were refused because the account had reached its limit of
    /// sessions.
    pub fn sessions_refused(&self) -> u64 {
        self.sessions_refused
    }

    /// Returns the number of members, accounts, channels and masks scanned since the last call: work that shows neither
    /// in the length of a command nor in its output. An estimate, for budgets.
    pub fn take_rows(&self) -> usize {
        self.rows.take()
    }

    /// Returns the name of an account, also of a removed one.
    pub(super) fn name_of(&self, account: AccountId) -> Option<&Nick> {
        let known = self.people.get(account).map(super::model::people::Person::nick);
        known.or_else(|| self.people.former_of(account).map(|former| &former.name))
    }

    /// Counts `rows` as scanned.
    pub(super) fn look_at(&self, rows: usize) {
        self.rows.set(self.rows.get().saturating_add(rows));
    }

    /// Returns the current counts.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            sessions: self.sessions.len(),
            accounts: self.people.iter().len(),
            online: self.online,
            channels: self.channels.iter().len(),
        }
    }

    /// Returns the sender of a message and its nick or channel, for the log.
    pub fn parties(&self, message: &StoredMessage) -> (Arc<str>, Arc<str>) {
        let nick = |id| self.people.get(id).map_or_else(|| "?".into(), |person| person.nick().shared());
        let to = match message.place {
            Place::Channel(id) => self.channels.get(id).map_or_else(|| "?".into(), |c| c.name.shared()),
            Place::Direct(a, b) => nick(if a == message.from { b } else { a }),
        };
        (nick(message.from), to)
    }

    /// Records a new offset of ids from the clock where they are too far ahead of it or the clock has caught up.
    pub(super) fn follow_time(&mut self, at: Millis, fx: &mut Effects) {
        if let Some(stretch) = self.times.begins(self.last_message, at) {
            self.times = self.times.with(stretch);
            let records = fx.records.len();
            fx.records.push(Record::IdsAhead(stretch));
            let (records, outputs) = (records..records + 1, fx.outputs.len()..fx.outputs.len());
            fx.steps.push(Step { records, outputs, session: None, from: None });
        }
    }

    /// Makes the id of a message that is sent now, which is also its position in the order.
    pub(super) fn next_message(&mut self, at: Millis) -> MessageId {
        self.last_message = self.times.next(self.last_message, at);
        self.last_message
    }

    /// Marks a message as redacted. Returns false if it is remembered as redacted already.
    pub(super) fn redact(&mut self, message: MessageId) -> bool {
        if self.redacted.contains(&message) {
            return false;
        }
        if self.redacted.len() == REDACTED {
            self.redacted.pop_front();
        }
        self.redacted.push_back(message);
        true
    }

    /// Records an event of a channel for the history and returns its id.
    pub(super) fn keep_event(
        &mut self,
        (from, channel): (AccountId, ChannelId),
        kind: MessageKind,
        text: Arc<str>,
        at: Millis,
        fx: &mut Effects,
    ) -> MessageId {
        let id = self.next_message(at);
        let place = Place::Channel(channel);
        let tags = Arc::default();
        fx.records.push(Record::Message(StoredMessage { id, place, from, kind, text, tags, send_id: None }));
        id
    }

    /// Makes the account a member of the channel. Creates the channel if it does not exist, with the account as its
    /// founder. Sends no event.
    pub(super) fn enter(
        &mut self,
        account: AccountId,
        name: ChannelName,
        at: Millis,
        fx: &mut Effects,
    ) -> Option<ChannelId> {
        let person = self.people.get_mut(account)?;
        let known = self.channels.named(&name).map(|channel| channel.id);
        let channel = if let Some(id) = known {
            self.channels.get_mut(id)?
        } else {
            let channel = self.channels.create(name.clone(), account, at);
            fx.records.push(Record::ChannelCreated { id: channel.id, name, maker: account, at });
            channel.ranks.insert(account, Ranks::FOUNDER);
            fx.records.push(Record::RanksSet { channel: channel.id, account, ranks: Ranks::FOUNDER });
            channel
        };
        if channel.members.insert(account) {
            let place = person.channels.partition_point(|&other| other < channel.id);
            person.channels.insert(place, channel.id);
            for &seat in person.seats.seats() {
                channel.audience.add(seat);
            }
            fx.records.push(Record::Joined { channel: channel.id, account, at });
            if let Some((name, read)) = person.early_markers.remove_entry(&channel.name) {
                let place = Place::Channel(channel.id);
                if person.markers.get(&place).is_none_or(|known| *known < read) {
                    person.markers.insert(place, read);
                    fx.records.push(Record::Marked { account, place, read });
                }
                fx.records.push(Record::MarkedEarly { account, channel: name, read: None });
            }
            channel.knocks.remove(&account);
            if channel.invited.remove(&account) {
                fx.records.push(Record::Invited { channel: channel.id, account, pending: false });
            }
        }
        Some(channel.id)
    }

    /// Ends the account's membership. Removes a channel that is left empty and has nothing worth keeping. Sends no
    /// event.
    pub(super) fn leave(&mut self, account: AccountId, id: ChannelId, fx: &mut Effects) {
        let (Some(channel), Some(person)) = (self.channels.get_mut(id), self.people.get_mut(account)) else {
            return;
        };
        if !channel.members.remove(&account) {
            return;
        }
        person.channels.retain(|&other| other != id);
        for seat in person.seats.seats() {
            channel.audience.remove(seat.session);
        }
        fx.records.push(Record::Parted { channel: id, account });
        if channel.members.is_empty() && channel.is_plain() {
            let name = channel.name.clone();
            self.channels.remove(id);
            self.look_at(self.people.iter().len());
            fx.records.push(Record::ChannelRemoved(id));
            // Members who create the channel again continue to read at their markers.
            for (account, read) in self.people.forget_place(Place::Channel(id)) {
                let Some(person) = self.people.get_mut(account) else { continue };
                fx.records.extend(person.mark_early(&name, read));
            }
            return;
        }
        for seat in person.seats.seats() {
            if let Some(known) = self.sessions.get_mut(&seat.session)
                && known.left.len() < self.settings.channels_per_account
            {
                known.left.insert(id, self.last_message);
            }
        }
    }
}
