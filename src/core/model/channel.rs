//! Channels and their members.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::accounts::{AccountState, ECHO_ACCOUNT_ID};
use super::audience::{Audience, Roster};
use super::mask_lists::MaskLists;
use super::metadata::MetadataMap;
use crate::core::record::member_status::{MemberStatus, PrefixMode};
use crate::core::record::modes::Modes;
use crate::core::record::{AccountId, ChannelId, Record, RetentionLimits, StoredChannel, Topic};
use crate::invariants::MustExist as _;
use crate::wire::{ChannelName, Nick, Timestamp};

/// A channel with its members, modes, topic and lists.
#[derive(Debug)]
pub struct Channel {
    /// Its id in the store.
    pub id: ChannelId,
    /// Its name in its creator's spelling.
    pub name: ChannelName,
    /// Time of its creation.
    pub created: Timestamp,
    /// The account that created it, whatever its member status and membership are now: the built-in one for a channel
    /// that the command line made.
    pub creator: Option<AccountId>,
    /// Its topic, if one is set.
    pub topic: Option<Topic>,
    /// The accounts in it, online or not.
    pub members: BTreeSet<AccountId>,
    /// The sessions of its members.
    pub audience: Roster,
    /// It has messages in the history, so it is kept when the last member leaves.
    pub has_messages: bool,
    /// Its modes, except for lists and member status.
    pub modes: Modes,
    /// Limits of its history, in place of those of the configuration.
    pub retention: RetentionLimits,
    /// Time at which it was archived. Nobody writes in an archived channel.
    pub archived: Option<Timestamp>,
    /// Member status of accounts. It is kept while an account is not in the channel.
    pub member_statuses: BTreeMap<AccountId, MemberStatus>,
    /// Its bans, ban exceptions and invite exceptions.
    pub lists: MaskLists,
    /// Accounts with an invitation, which may join once although the channel is invite-only.
    pub invited: BTreeSet<AccountId>,
    /// Accounts that sent a KNOCK lately, with the time by the monotonic clock.
    pub knocks: BTreeMap<AccountId, Timestamp>,
    /// Metadata of the channel.
    pub metadata: MetadataMap,
}

impl Channel {
    /// Maximum number of pending invitations.
    pub const MAX_INVITED: usize = 500;

    fn new(id: ChannelId, name: ChannelName, created: Timestamp, creator: Option<AccountId>) -> Self {
        Self {
            id,
            name,
            created,
            creator,
            topic: None,
            members: BTreeSet::new(),
            audience: Roster::default(),
            has_messages: false,
            modes: Modes::default(),
            retention: RetentionLimits::default(),
            archived: None,
            member_statuses: BTreeMap::new(),
            lists: MaskLists::default(),
            invited: BTreeSet::new(),
            knocks: BTreeMap::new(),
            metadata: MetadataMap::default(),
        }
    }

    /// Returns the member status of an account.
    pub fn member_status(&self, account: AccountId) -> MemberStatus {
        self.member_statuses.get(&account).copied().unwrap_or_default()
    }

    /// Returns whether the account is a founder, whom no ban or invite-only mode keeps out.
    pub fn is_founder(&self, account: AccountId) -> bool {
        self.member_status(account).has(PrefixMode::Founder)
    }

    /// Returns the sessions that see an account join or leave the channel: all of the channel, or, while others do not
    /// see the account online, its own.
    pub fn membership_audience(&self, account_state: &AccountState) -> Audience {
        if account_state.is_online() { self.audience.snapshot() } else { account_state.sessions.snapshot() }
    }

    /// Returns whether the channel holds nothing worth keeping once it is empty: no messages, no topic, only default
    /// modes. One that the command line made stays until it is deleted there.
    pub fn is_disposable(&self) -> bool {
        self.creator != Some(ECHO_ACCOUNT_ID)
            && !self.has_messages
            && self.topic.is_none()
            && self.modes == Modes::default()
            && self.retention == RetentionLimits::default()
            && self.archived.is_none()
            && self.lists.is_empty()
            && self.metadata.is_empty()
    }
}

/// All channels, by id and by name.
#[derive(Debug, Default)]
pub struct Channels {
    /// Boxed, because the nodes of the map have room for several channels that do not exist.
    by_id: BTreeMap<ChannelId, Box<Channel>>,
    by_name: HashMap<ChannelName, ChannelId>,
    last_id: i64,
    /// Number of channels that each account created.
    created_counts: HashMap<AccountId, usize>,
    /// Former names of channels, with the time of the change.
    by_old_name: HashMap<ChannelName, (ChannelId, Timestamp)>,
}

impl Channels {
    /// Time for which the former name of a channel leads to it, in milliseconds: a week, in which most members
    /// reconnect. After it the name is free.
    pub const OLD_NAME_RETENTION: Duration = Duration::from_hours(7 * 24);

    /// Maximum number of former names that lead to a channel.
    pub const MAX_OLD_NAMES: u32 = 8;

    /// Creates the set from the stored channels; `last_id` is the largest id ever used.
    pub fn new(stored: Vec<StoredChannel>, last_id: i64) -> Self {
        let mut channels = Self { last_id, ..Self::default() };
        for channel in stored {
            for (old, at) in channel.old_names {
                channels.by_old_name.insert(old, (channel.id, at));
            }
            channels.insert(Channel {
                topic: channel.topic,
                members: channel.members.into_iter().collect(),
                has_messages: channel.has_messages,
                modes: channel.modes,
                retention: channel.retention,
                archived: channel.archived,
                member_statuses: channel.member_statuses.into_iter().collect(),
                lists: channel.lists.into_iter().collect(),
                invited: channel.invited.into_iter().collect(),
                ..Channel::new(channel.id, channel.name, channel.created, channel.creator)
            });
        }
        channels
    }

    /// Creates a channel with the next id.
    pub fn create(&mut self, name: ChannelName, creator: AccountId, at: Timestamp) -> &mut Channel {
        let id = ChannelId(self.last_id + 1);
        self.by_old_name.remove(&name);
        self.insert(Channel::new(id, name, at, Some(creator)))
    }

    /// Renames a channel and remembers its former name.
    pub fn rename(&mut self, id: ChannelId, new: &ChannelName, at: Timestamp) {
        let Some(channel) = self.by_id.get_mut(&id).must_exist("the caller found the channel") else {
            return;
        };
        let old = std::mem::replace(&mut channel.name, new.clone());
        self.by_name.remove(&old);
        self.by_old_name.remove(new);
        self.by_name.insert(new.clone(), id);
        if old != *new {
            self.by_old_name.insert(old, (id, at));
            // Same order as in the store, so that both keep the same names.
            self.by_old_name.retain(|_, (_, since)| at.since(*since) < Self::OLD_NAME_RETENTION);
            let own = self.by_old_name.iter().filter(|(_, (of, _))| *of == id);
            let mut own: Vec<_> = own.map(|(name, (_, since))| (*since, name.clone())).collect();
            own.sort_unstable_by(|(a, name), (b, other)| b.cmp(a).then_with(|| name.cmp(other)));
            for (_, name) in own.into_iter().skip(Self::MAX_OLD_NAMES as usize) {
                self.by_old_name.remove(&name);
            }
        }
    }

    /// Removes an account that is deleted from the member status, invitations, knocks and exceptions of all channels.
    /// Returns the records of the exceptions.
    pub fn remove_account(&mut self, account: AccountId, name: &Nick) -> Vec<Record> {
        let mut records = Vec::new();
        for channel in self.by_id.values_mut() {
            channel.member_statuses.remove(&account);
            channel.invited.remove(&account);
            channel.knocks.remove(&account);
            let exceptions = channel.lists.remove_exceptions_for(name).into_iter();
            records.extend(exceptions.map(|(list, entry)| Record::ListRemoved(channel.id, list, entry.mask)));
        }
        records
    }

    /// Returns the largest id ever used.
    #[cfg(test)]
    pub fn last_id(&self) -> i64 {
        self.last_id
    }

    /// Iterates over former names, each with its channel and the time of the change.
    #[cfg(test)]
    pub fn old_names(&self) -> impl Iterator<Item = (&ChannelName, ChannelId, Timestamp)> {
        self.by_old_name.iter().map(|(name, &(id, since))| (name, id, since))
    }

    /// Returns the number of channels that an account created and that still exist. Member status plays no part: a
    /// quota that counted founders could be evaded by giving the status away.
    pub fn count_created_by(&self, account: AccountId) -> usize {
        self.created_counts.get(&account).copied().unwrap_or_default()
    }

    /// Returns the channel that had this name until lately.
    pub fn get_by_old_name(&self, old: &ChannelName, now: Timestamp) -> Option<&Channel> {
        let &(id, at) = self.by_old_name.get(old)?;
        self.get(id).filter(|_| now.since(at) < Self::OLD_NAME_RETENTION)
    }

    fn insert(&mut self, channel: Channel) -> &mut Channel {
        let id = channel.id;
        self.last_id = self.last_id.max(id.0);
        if let Some(creator) = channel.creator {
            *self.created_counts.entry(creator).or_default() += 1;
        }
        self.by_name.insert(channel.name.clone(), id);
        self.by_id.entry(id).insert_entry(Box::new(channel)).into_mut()
    }

    /// Removes a channel.
    pub fn remove(&mut self, id: ChannelId) {
        if let Some(channel) = self.by_id.remove(&id) {
            if let Some(creator) = channel.creator
                && let Some(count) = self.created_counts.get_mut(&creator)
            {
                *count -= 1;
                if *count == 0 {
                    self.created_counts.remove(&creator);
                }
            }
            self.by_name.remove(&channel.name);
            self.by_old_name.retain(|_, (of, _)| *of != id);
        }
    }

    /// Returns the channel of an id.
    pub fn get(&self, id: ChannelId) -> Option<&Channel> {
        self.by_id.get(&id).map(|channel| &**channel)
    }

    /// Returns the channel of an id, for a change.
    pub fn get_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        self.by_id.get_mut(&id).map(|channel| &mut **channel)
    }

    /// Returns the channel of a name.
    pub fn get_by_name(&self, name: &ChannelName) -> Option<&Channel> {
        self.by_name.get(name).and_then(|&id| self.get(id))
    }

    /// Iterates over all channels, the oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Channel> {
        self.by_id.values().map(|channel| &**channel)
    }
}
