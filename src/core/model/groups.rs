//! Groups of accounts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::core::record::group::{GroupId, GroupName, StoredGroup, StoredGroups};
use crate::core::record::{AccountId, ChannelId};

/// A group with its members and the channels that these are in.
#[derive(Debug)]
pub struct Group {
    /// Id, name and time of creation.
    pub stored: StoredGroup,
    /// Accounts in the group.
    pub members: BTreeSet<AccountId>,
    /// The channels that accounts join when they become members.
    pub channels: BTreeSet<ChannelId>,
}

/// All groups, by id and by name.
#[derive(Debug, Default)]
pub struct Groups {
    by_id: BTreeMap<GroupId, Group>,
    by_name: HashMap<Arc<str>, GroupId>,
    /// The largest id ever used.
    last_id: i64,
}

impl Groups {
    /// Limit of groups.
    pub const MAX: usize = 1000;

    /// Limit of the members of a group.
    pub const MAX_MEMBERS: usize = 10_000;

    /// Limit of the channels of a group.
    pub const MAX_CHANNELS: usize = 50;

    /// Creates the set.
    pub fn new(stored: StoredGroups) -> Self {
        let mut groups = Self { last_id: stored.last_id, ..Self::default() };
        for group in stored.groups {
            groups.insert(group);
        }
        for (id, account) in stored.members {
            groups.set_member(id, account, true);
        }
        for (id, channel) in stored.channels {
            groups.set_channel(id, channel, true);
        }
        groups
    }

    /// Returns an id that was never used.
    pub fn next_id(&mut self) -> GroupId {
        self.last_id += 1;
        GroupId(self.last_id)
    }

    /// Adds a group without members, whose name no other has.
    pub fn insert(&mut self, stored: StoredGroup) {
        self.last_id = self.last_id.max(stored.id.0);
        self.by_name.insert(stored.name.folded().into(), stored.id);
        let group = Group { stored, members: BTreeSet::new(), channels: BTreeSet::new() };
        self.by_id.insert(group.stored.id, group);
    }

    /// Removes a group, and returns it.
    pub fn remove(&mut self, id: GroupId) -> Option<Group> {
        let group = self.by_id.remove(&id)?;
        self.by_name.remove(group.stored.name.folded());
        Some(group)
    }

    /// Makes an account a member or ends that. Returns true if it is a change.
    pub fn set_member(&mut self, id: GroupId, account: AccountId, is_member: bool) -> bool {
        let Some(group) = self.by_id.get_mut(&id) else { return false };
        if is_member { group.members.insert(account) } else { group.members.remove(&account) }
    }

    /// Adds or removes a channel. Returns true if it is a change.
    pub fn set_channel(&mut self, id: GroupId, channel: ChannelId, is_joined: bool) -> bool {
        let Some(group) = self.by_id.get_mut(&id) else { return false };
        if is_joined { group.channels.insert(channel) } else { group.channels.remove(&channel) }
    }

    /// Removes an account from all groups.
    pub fn remove_account(&mut self, account: AccountId) {
        for group in self.by_id.values_mut() {
            group.members.remove(&account);
        }
    }

    /// Removes a channel from all groups.
    pub fn remove_channel(&mut self, channel: ChannelId) {
        for group in self.by_id.values_mut() {
            group.channels.remove(&channel);
        }
    }

    /// Returns the group of a name.
    pub fn get(&self, name: &GroupName) -> Option<&Group> {
        self.by_name.get(name.folded()).and_then(|id| self.by_id.get(id))
    }

    /// Returns whether a channel is one of any group, which keeps it while it is empty.
    pub fn has_channel(&self, channel: ChannelId) -> bool {
        self.by_id.values().any(|group| group.channels.contains(&channel))
    }

    /// Returns whether an account is in another group than this one whose members are in the channel.
    pub fn keeps_in_channel(&self, account: AccountId, channel: ChannelId, except: GroupId) -> bool {
        let mut others = self.by_id.values().filter(|group| group.stored.id != except);
        others.any(|group| group.members.contains(&account) && group.channels.contains(&channel))
    }

    /// Iterates over the groups in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.by_id.values()
    }
}
