//! Channels and their members.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::audience::Roster;
use super::lists::Lists;
use super::metadata::Keys;
use crate::core::record::modes::Modes;
use crate::core::record::ranks::{Rank, Ranks};
use crate::core::record::{AccountId, ChannelId, Record, StoredChannel, Topic};
use crate::wire::{ChannelName, Millis, Nick};

/// A channel with its members, modes, topic and lists.
#[derive(Debug)]
pub struct Channel {
    /// Its id in the store.
    pub id: ChannelId,
    /// Its name in its creator's spelling.
    pub name: ChannelName,
    /// Time of its creation.
    pub created: Millis,
    /// The account that created it, whatever its member status and membership are now.
    pub maker: Option<AccountId>,
    /// Its topic, if one is set.
    pub topic: Option<Topic>,
    /// The accounts in it, online or not.
    pub members: BTreeSet<AccountId>,
    /// The sessions of its members.
    pub audience: Roster,
    /// It has messages in the history, so it is kept when the last member leaves.
    pub spoken_in: bool,
    /// Its modes, except for lists and member status.
    pub modes: Modes,
    /// Member status of accounts. It is kept while an account is not in the channel.
    pub ranks: BTreeMap<AccountId, Ranks>,
    /// Its bans, ban exceptions and invite exceptions.
    pub lists: Lists,
    /// Accounts with an invitation, which may join once although the channel is invite-only.
    pub invited: BTreeSet<AccountId>,
    /// Accounts that sent a KNOCK lately, with the time by the monotonic clock.
    pub knocks: BTreeMap<AccountId, Millis>,
    /// Metadata of the channel.
    pub metadata: Keys,
}

impl Channel {
    /// Maximum number of pending invitations.
    pub const INVITED: usize = 500;

    fn new(id: ChannelId, name: ChannelName, created: Millis, maker: Option<AccountId>) -> Self {
        Self {
            id,
            name,
            created,
            maker,
            topic: None,
            members: BTreeSet::new(),
            audience: Roster::default(),
            spoken_in: false,
            modes: Modes::default(),
            ranks: BTreeMap::new(),
            lists: Lists::default(),
            invited: BTreeSet::new(),
            knocks: BTreeMap::new(),
            metadata: Keys::default(),
        }
    }

    /// Returns the member status of an account.
    pub fn ranks(&self, account: AccountId) -> Ranks {
        self.ranks.get(&account).copied().unwrap_or_default()
    }

    /// Returns whether the account is a founder, whom no ban or invite-only mode keeps out.
    pub fn is_founder(&self, account: AccountId) -> bool {
        self.ranks(account).has(Rank::Founder)
    }

    /// Returns whether the channel holds nothing worth keeping once it is empty: no messages, no topic, only default
    /// modes.
    pub fn is_plain(&self) -> bool {
        !self.spoken_in
            && self.topic.is_none()
            && self.modes == Modes::default()
            && self.lists.is_empty()
            && self.metadata.is_empty()
    }
}

/// All channels, by id and by name.
#[derive(Debug, Default)]
pub struct Channels {
    by_id: BTreeMap<ChannelId, Channel>,
    by_name: HashMap<ChannelName, ChannelId>,
    last: i64,
    /// Number of channels that each account created.
    made: HashMap<AccountId, usize>,
    /// Former names of channels, with the time of the change.
    renamed: HashMap<ChannelName, (ChannelId, Millis)>,
}

impl Channels {
    /// Time for which the former name of a channel leads to it, in milliseconds: a week, in which most members
    /// reconnect. After it the name is free.
    pub const REDIRECT: u64 = 7 * 24 * 60 * 60 * 1000;

    /// Maximum number of former names that lead to a channel.
    pub const OLD_NAMES: u32 = 8;

    /// Creates the set from the stored channels; `last` is the largest id ever used.
    pub fn new(stored: Vec<StoredChannel>, last: i64) -> Self {
        let mut channels = Self { last, ..Self::default() };
        for channel in stored {
            for (old, at) in channel.old_names {
                channels.renamed.insert(old, (channel.id, at));
            }
            channels.insert(Channel {
                topic: channel.topic,
                members: channel.members.into_iter().collect(),
                spoken_in: channel.spoken_in,
                modes: channel.modes,
                ranks: channel.ranks.into_iter().collect(),
                lists: channel.lists.into_iter().collect(),
                invited: channel.invited.into_iter().collect(),
                ..Channel::new(channel.id, channel.name, channel.created, channel.maker)
            });
        }
        channels
    }

    /// Creates a channel with the next id.
    pub fn create(&mut self, name: ChannelName, maker: AccountId, at: Millis) -> &mut Channel {
        let id = ChannelId(self.last + 1);
        self.renamed.remove(&name);
        self.insert(Channel::new(id, name, at, Some(maker)))
    }

    /// Renames a channel and remembers its former name.
    pub fn rename(&mut self, id: ChannelId, new: &ChannelName, at: Millis) {
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        let old = std::mem::replace(&mut channel.name, new.clone());
        self.by_name.remove(&old);
        self.renamed.remove(new);
        self.by_name.insert(new.clone(), id);
        if old != *new {
            self.renamed.insert(old, (id, at));
            // Same order as in the store, so that both keep the same names.
            self.renamed.retain(|_, (_, since)| at.0.saturating_sub(since.0) < Self::REDIRECT);
            let own = self.renamed.iter().filter(|(_, (of, _))| *of == id);
            let mut own: Vec<_> = own.map(|(name, (_, since))| (*since, name.clone())).collect();
            own.sort_unstable_by(|(a, name), (b, other)| b.cmp(a).then_with(|| name.cmp(other)));
            for (_, name) in own.into_iter().skip(Self::OLD_NAMES as usize) {
                self.renamed.remove(&name);
            }
        }
    }

    /// Removes an account that is deleted from the member status, invitations, knocks and exceptions of all channels.
    /// Returns the records of the exceptions.
    pub fn forget_account(&mut self, account: AccountId, name: &Nick) -> Vec<Record> {
        let mut records = Vec::new();
        for channel in self.by_id.values_mut() {
            channel.ranks.remove(&account);
            channel.invited.remove(&account);
            channel.knocks.remove(&account);
            let gone = channel.lists.forget_account(name).into_iter();
            records.extend(gone.map(|(list, entry)| Record::ListRemoved(channel.id, list, entry.mask)));
        }
        records
    }

    /// Returns the largest id ever used.
    #[cfg(test)]
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Iterates over former names, each with its channel and the time of the change.
    #[cfg(test)]
    pub fn old_names(&self) -> impl Iterator<Item = (&ChannelName, ChannelId, Millis)> {
        self.renamed.iter().map(|(name, &(id, since))| (name, id, since))
    }

    /// Returns the number of channels that an account created and that still exist. Member status plays no part: a
    /// quota that counted founders could be evaded by giving the status away.
    pub fn made_by(&self, account: AccountId) -> usize {
        self.made.get(&account).copied().unwrap_or_default()
    }

    /// Returns the channel that had this name until lately.
    pub fn renamed(&self, old: &ChannelName, now: Millis) -> Option<&Channel> {
        let &(id, at) = self.renamed.get(old)?;
        self.get(id).filter(|_| now.0.saturating_sub(at.0) < Self::REDIRECT)
    }

    fn insert(&mut self, channel: Channel) -> &mut Channel {
        let id = channel.id;
        self.last = self.last.max(id.0);
        if let Some(maker) = channel.maker {
            *self.made.entry(maker).or_default() += 1;
        }
        self.by_name.insert(channel.name.clone(), id);
        self.by_id.entry(id).insert_entry(channel).into_mut()
    }

    /// Removes a channel.
    pub fn remove(&mut self, id: ChannelId) {
        if let Some(channel) = self.by_id.remove(&id) {
            if let Some(maker) = channel.maker
                && let Some(made) = self.made.get_mut(&maker)
            {
                *made -= 1;
                if *made == 0 {
                    self.made.remove(&maker);
                }
            }
            self.by_name.remove(&channel.name);
            self.renamed.retain(|_, (of, _)| *of != id);
        }
    }

    /// Returns the channel of an id.
    pub fn get(&self, id: ChannelId) -> Option<&Channel> {
        self.by_id.get(&id)
    }

    /// Returns the channel of an id, for a change.
    pub fn get_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        self.by_id.get_mut(&id)
    }

    /// Returns the channel of a name.
    pub fn named(&self, name: &ChannelName) -> Option<&Channel> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id))
    }

    /// Iterates over all channels, the oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Channel> {
        self.by_id.values()
    }
}
