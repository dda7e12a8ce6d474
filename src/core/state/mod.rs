//! State of the core as a whole, and the changes that its handlers share.

pub mod context;
mod membership;
pub(super) mod metadata_sync;
mod quotas;
pub(super) mod silencing;

use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::effects::monitors::Monitors;
use super::effects::{Effects, InputEffects, Output, ReplyTo};
use super::model::access_tokens::AccessTokens;
use super::model::accounts::Accounts;
use super::model::audience::SessionId;
use super::model::channel::Channels;
use super::model::daily_usage::DailyUsage;
use super::model::files::Files;
use super::model::groups::Groups;
use super::model::hooks::Hooks;
use super::model::invites::Invites;
use super::model::send_ids::SendIds;
use super::record::device::CertificateFingerprint;
use super::record::{
    AccountId, Actor, ChannelId, Conversation, MessageKind, MetadataOwner, Record, ShownRoot, Snapshot,
    StoredMessage, StoredMetadata, StoredSend,
};
use super::settings::Settings;
use crate::wire::ids::MessageTimes;
use crate::wire::{CapSet, MessageId, Nick, Reply, ServerName, Timestamp};

/// A session as the core knows it.
#[derive(Debug)]
pub(super) struct SessionState {
    pub account: AccountId,
    /// Time of the login.
    pub opened: Timestamp,
    pub caps: CapSet,
    /// Unset for a session that does not change what others see of the account (`parlour/invisible`).
    pub is_visible: bool,
    /// The away message that this session set.
    pub away: Option<Arc<str>>,
    /// The nicks that it monitors (MONITOR).
    pub monitors: BTreeSet<Nick>,
    /// Certificate fingerprint of the device that it logged in with.
    pub device: Option<CertificateFingerprint>,
    /// Certificate fingerprint that the connection presented.
    pub certificate: Option<CertificateFingerprint>,
    /// The admin account whose password gave the session the admin role (OPER).
    pub oper_account: Option<AccountId>,
    /// The metadata keys that it subscribes to.
    pub subscriptions: BTreeSet<Arc<str>>,
    /// The latest message at its start. It received the later ones live.
    pub last_at_start: MessageId,
    /// The latest message when the client last sent a command. The client has received that message.
    pub last_received: MessageId,
    /// The channels that it saw its account leave, each with the latest message of that moment.
    pub parted_channels: FxHashMap<ChannelId, MessageId>,
}

/// A session as the addressee of replies.
#[derive(Debug)]
pub(super) struct Addressee {
    pub session: SessionId,
    /// The nick of its account.
    pub nick: Arc<str>,
    pub caps: CapSet,
}

/// Counts of the objects in the state, for metrics and statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreCounts {
    /// Number of sessions.
    pub sessions: usize,
    /// Number of accounts, including built-in ones and disabled ones.
    pub accounts: usize,
    /// Number of accounts with at least one session that others see.
    pub online_accounts: usize,
    /// Number of channels.
    pub channels: usize,
    /// Number of files.
    pub files: usize,
    /// Sum of their sizes, in bytes.
    pub file_bytes: u64,
}

/// Time and author of a change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribution {
    pub at: Timestamp,
    pub actor: Actor,
}

/// An action for the audit log.
#[derive(Clone, Copy, Debug)]
pub(super) struct AuditedAction<'a> {
    /// Name of the action, such as `user add`.
    pub action: &'static str,
    /// The account, channel or other object that it changes.
    pub target: &'a str,
    /// Further facts; empty if there are none.
    pub detail: &'a str,
}

/// Names of the sender and the target of a message.
#[derive(Clone, Debug)]
pub struct MessageNames {
    /// Nick of the sender.
    pub from: Arc<str>,
    /// Channel, or nick of the recipient.
    pub to: Arc<str>,
}

/// The core's state: everything that the rules depend on.
#[derive(Debug)]
pub struct Core {
    pub(super) settings: Settings,
    pub(super) accounts: Accounts,
    pub(super) channels: Channels,
    pub(super) invites: Invites,
    pub(super) files: Files,
    pub(super) hooks: Hooks,
    pub(super) access_tokens: AccessTokens,
    pub(super) groups: Groups,
    /// Boxed, because a map has room for more than it holds.
    pub(super) sessions: FxHashMap<SessionId, Box<SessionState>>,
    pub(super) send_ids: SendIds,
    pub(super) last_message: MessageId,
    /// Offset of message ids from the clock.
    pub(super) times: MessageTimes,
    /// The monotonic clock at the current input. Deadlines count by it.
    pub(super) monotonic: Timestamp,
    pub(super) peak_sessions: usize,
    /// Number of sessions that others see, and its maximum.
    pub(super) visible_sessions: usize,
    pub(super) peak_visible_sessions: usize,
    /// Number of accounts that have a session that others see.
    pub(super) accounts_online: usize,
    pub(super) sessions_refused: u64,
    /// Rows scanned since the last [`Core::take_scanned_rows`].
    scanned_rows: Cell<usize>,
    pub(super) writable: bool,
    /// The disk has so little room left that only admins may write.
    pub(super) disk_is_low: bool,
    pub(super) daily_usage: DailyUsage,
    pub(super) monitors: Monitors,
    /// Accounts whose last connection broke, with the deadline at which others see them quit, by the monotonic clock;
    /// the earliest first.
    pub(super) quit_deadlines: BTreeSet<(Timestamp, AccountId)>,
    /// The latest redactions. A second REDACT of the same message, sent before the first is stored, gets the reply for
    /// a message that is gone.
    recent_redactions: VecDeque<MessageId>,
    /// The settled time that the server noted last.
    pub(super) noted_time: Option<Timestamp>,
    /// The roots that clients were shown, in this order.
    pub(super) roots: Vec<ShownRoot>,
}

/// Number of redactions that are remembered: far more than can come between a query and its result.
const MAX_RECENT_REDACTIONS: usize = 1024;

impl Core {
    /// Creates the state from a snapshot of the store.
    pub fn new(settings: Settings, snapshot: Snapshot) -> Self {
        let mut core = Self {
            settings,
            accounts: Accounts::new(snapshot.accounts, snapshot.reserved_names, snapshot.last_account),
            invites: Invites::new(snapshot.invites, snapshot.last_invite),
            files: Files::new(snapshot.files, snapshot.file_shares),
            hooks: Hooks::new(snapshot.hooks),
            access_tokens: AccessTokens::new(snapshot.access_tokens),
            groups: Groups::new(snapshot.groups),
            channels: Channels::default(),
            sessions: FxHashMap::default(),
            send_ids: SendIds::default(),
            last_message: snapshot.last_message,
            times: snapshot.times,
            monotonic: Timestamp(0),
            peak_sessions: 0,
            visible_sessions: 0,
            peak_visible_sessions: 0,
            accounts_online: 0,
            sessions_refused: 0,
            scanned_rows: Cell::new(0),
            writable: true,
            disk_is_low: false,
            daily_usage: DailyUsage::default(),
            monitors: Monitors::default(),
            quit_deadlines: BTreeSet::new(),
            recent_redactions: VecDeque::new(),
            noted_time: snapshot.noted_time,
            roots: snapshot.roots,
        };
        for channel in &snapshot.channels {
            for &member in &channel.members {
                if let Some(account_state) = core.accounts.get_mut(member) {
                    account_state.channels.push(channel.id);
                }
            }
        }
        core.channels = Channels::new(snapshot.channels, snapshot.last_channel);
        for StoredSend { account, id, message, content } in snapshot.send_ids {
            core.send_ids.remember(account, id, message, content);
        }
        for (account, conversation, read) in snapshot.markers {
            if let Some(account_state) = core.accounts.get_mut(account) {
                account_state.markers.insert(conversation, read);
            }
        }
        for (account, channel, read) in snapshot.early_markers {
            if let Some(account_state) = core.accounts.get_mut(account) {
                account_state.early_markers.insert(channel, read);
            }
        }
        for (account, seen) in snapshot.received {
            if let Some(account_state) = core.accounts.get_mut(account) {
                account_state.received = seen;
            }
        }
        for (account, preferences) in snapshot.preferences {
            if let Some(account_state) = core.accounts.get_mut(account) {
                account_state.preferences = preferences;
            }
        }
        for (account, name) in snapshot.listed_names {
            if let Some(account_state) = core.accounts.get_mut(account) {
                account_state.listed_name = Some(name);
            }
        }
        for (account, created) in snapshot.created {
            core.accounts.set_created(account, created);
        }
        let hooks: Vec<(AccountId, Timestamp)> =
            core.hooks.iter_active().map(|hook| (hook.account, hook.created)).collect();
        for (account, created) in hooks {
            core.accounts.set_hook(account, created);
        }
        for (account, password) in snapshot.passwords {
            core.accounts.set_password(account, password);
        }
        for (account, device) in snapshot.devices {
            core.accounts.add_device(account, device);
        }
        for StoredMetadata { owner, key, value } in snapshot.metadata {
            if let Some(keys) = core.metadata_mut(owner) {
                keys.set(key, Some(value));
            }
        }
        core
    }

    /// Returns the metadata of an account, channel or conversation, for a change; `None` if it does not exist.
    pub(super) fn metadata_mut(
        &mut self,
        owner: MetadataOwner,
    ) -> Option<&mut super::model::metadata::MetadataMap> {
        match owner {
            MetadataOwner::Account(id) => {
                self.accounts.get_mut(id).map(|account_state| &mut account_state.metadata)
            }
            MetadataOwner::Channel(id) => self.channels.get_mut(id).map(|channel| &mut channel.metadata),
            MetadataOwner::Private(id, conversation) => self
                .accounts
                .get_mut(id)
                .map(|account_state| account_state.private_metadata.entry(conversation).or_default()),
        }
    }

    /// Returns the metadata of an account, channel or conversation; `None` if it does not exist.
    pub(super) fn metadata(&self, owner: MetadataOwner) -> Option<&super::model::metadata::MetadataMap> {
        match owner {
            MetadataOwner::Account(id) => self.accounts.get(id).map(|account_state| &account_state.metadata),
            MetadataOwner::Channel(id) => self.channels.get(id).map(|channel| &channel.metadata),
            MetadataOwner::Private(id, conversation) => {
                self.accounts.get(id)?.private_metadata.get(&conversation)
            }
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
    pub fn take_scanned_rows(&self) -> usize {
        self.scanned_rows.take()
    }

    /// Returns the name of an account, also of a removed one.
    pub fn account_name(&self, account: AccountId) -> Option<&Nick> {
        let known = self.accounts.get(account).map(super::model::accounts::AccountState::nick);
        known.or_else(|| self.accounts.get_reserved_name_by_id(account).map(|reserved| &reserved.name))
    }

    /// Returns a session as the addressee of replies. One that has ended is addressed as `*`.
    pub(super) fn addressee(&self, session: SessionId) -> Addressee {
        let known = self.sessions.get(&session);
        let account_state = known.and_then(|known| self.accounts.get(known.account));
        Addressee {
            session,
            nick: account_state.map_or_else(|| "*".into(), |account_state| account_state.nick().shared()),
            caps: known.map_or(CapSet::EMPTY, |known| known.caps),
        }
    }

    /// Sends a reply to a session, in lines of the length that it takes.
    pub(super) fn send(&self, to: &Addressee, reply: Reply, fx: &mut Effects) {
        let server = self.settings.server_name.as_str();
        let mut push = |reply| {
            let reply = ReplyTo { to: to.session, nick: to.nick.clone(), reply };
            fx.push(Output::Reply(reply));
        };
        if to.caps.allows_long_lines() || reply.fits(server, &to.nick) {
            push(reply);
        } else {
            reply.fit(server, &to.nick).into_iter().for_each(push);
        }
    }

    /// Counts `rows` as scanned.
    pub(super) fn count_scanned_rows(&self, rows: usize) {
        self.scanned_rows.set(self.scanned_rows.get().saturating_add(rows));
    }

    /// Returns whether a session has not ended.
    pub fn has_session(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Returns the current counts.
    pub fn counts(&self) -> CoreCounts {
        CoreCounts {
            sessions: self.sessions.len(),
            accounts: self.accounts.iter().len(),
            online_accounts: self.accounts_online,
            channels: self.channels.iter().len(),
            files: self.files.iter().len(),
            file_bytes: self.files.bytes(),
        }
    }

    /// Returns the names of a message's sender and target, for the log.
    pub fn message_names(&self, message: &StoredMessage) -> MessageNames {
        let nick = |id| {
            self.accounts.get(id).map_or_else(|| "?".into(), |account_state| account_state.nick().shared())
        };
        let to = match message.conversation {
            Conversation::Channel(id) => {
                self.channels.get(id).map_or_else(|| "?".into(), |c| c.name.shared())
            }
            Conversation::Direct(a, b) => nick(if a == message.from { b } else { a }),
        };
        MessageNames { from: nick(message.from), to }
    }

    /// Records a new offset of ids from the clock where they are too far ahead of it or the clock has caught up.
    pub(super) fn update_id_offset(&mut self, at: Timestamp, fx: &mut Effects) {
        if let Some(offset) = self.times.needed_offset(self.last_message, at) {
            self.times = self.times.with_offset(offset);
            let records = fx.records.len();
            fx.records.push(Record::IdsAhead(offset));
            let (records, outputs) = (records..records + 1, fx.outputs.len()..fx.outputs.len());
            fx.by_input.push(InputEffects { records, outputs, session: None, from: None });
        }
    }

    /// Makes the id of a message that is sent now, which is also its position in the order.
    pub(super) fn next_message_id(&mut self, at: Timestamp) -> MessageId {
        self.last_message = self.times.next_id(self.last_message, at);
        self.last_message
    }

    /// Marks a message as redacted. Returns false if it is remembered as redacted already.
    pub(super) fn mark_redacted(&mut self, message: MessageId) -> bool {
        if self.recent_redactions.contains(&message) {
            return false;
        }
        if self.recent_redactions.len() == MAX_RECENT_REDACTIONS {
            self.recent_redactions.pop_front();
        }
        self.recent_redactions.push_back(message);
        true
    }

    /// Records an event of a channel for the history and returns its id.
    pub(super) fn record_event(
        &mut self,
        (from, channel): (AccountId, ChannelId),
        kind: MessageKind,
        text: Arc<str>,
        at: Timestamp,
        fx: &mut Effects,
    ) -> MessageId {
        let id = self.next_message_id(at);
        let conversation = Conversation::Channel(channel);
        let tags = Arc::default();
        fx.records.push(Record::Message(StoredMessage {
            id,
            conversation,
            from,
            kind,
            text,
            tags,
            send_id: None,
        }));
        id
    }
}
