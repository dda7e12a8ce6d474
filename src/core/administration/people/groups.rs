//! Groups of accounts: making them, their members, and the channels that these are in.
//!
//! A membership of a channel that comes from a group is one like any other: the member may leave, and an operator may
//! remove it. The group acts when it changes: who is added joins, who is removed leaves.

use crate::core::effects::event::EventKind;
use crate::core::effects::{Effects, Output};
use crate::core::model::groups::{Group, Groups};
use crate::core::record::group::{GroupId, GroupName, StoredGroup};
use crate::core::record::{AccountId, ChannelId, Record};
use crate::core::request::admin::{AccountError, RequestError};
use crate::core::request::people::groups::{GroupAction, GroupChange, GroupError, ListedGroup};
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::wire::{ChannelName, Nick, Timestamp};

impl Core {
    /// Makes or changes a group for an admin.
    pub(in crate::core::administration) fn change_group(
        &mut self,
        change: &GroupChange,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let GroupChange { group, action } = change;
        if matches!(action, GroupAction::Create) {
            return Ok(self.create_group(group, attribution, fx).map(drop)?);
        }
        let Some(known) = self.groups.get(group) else {
            return Err(GroupError::Unknown(group.clone()).into());
        };
        let StoredGroup { id, name, .. } = known.stored.clone();
        let at = attribution.at;
        let (action, detail) = match action {
            GroupAction::Create => return Ok(()),
            GroupAction::Delete => {
                let channels = self.groups.remove(id).map(|group| group.channels).unwrap_or_default();
                fx.records.push(Record::GroupDeleted(id));
                for channel in channels {
                    self.remove_channel_if_disposable(channel, fx);
                }
                ("group delete", String::new())
            }
            GroupAction::Add(names) => {
                // Checked before any is added.
                let accounts = self.find_accounts(names)?;
                if self.group_members(id).len() + accounts.len() > Groups::MAX_MEMBERS {
                    return Err(GroupError::TooManyMembers(Groups::MAX_MEMBERS).into());
                }
                for account in accounts {
                    self.add_to_group(id, account, at, fx);
                }
                ("group add", list_names(names))
            }
            GroupAction::Remove(names) => {
                for account in self.find_accounts(names)? {
                    self.remove_from_group(id, account, at, fx);
                }
                ("group remove", list_names(names))
            }
            GroupAction::Join(channel) => {
                let channel = self.join_group(id, channel, at, fx)?;
                ("group join", channel.to_string())
            }
            GroupAction::Part(channel) => {
                let known = self.channels.get_by_name(channel).map(|known| known.id);
                let known = known.filter(|channel| self.groups.set_channel(id, *channel, false));
                let Some(known) = known else {
                    return Err(GroupError::NotInChannel(name, channel.clone()).into());
                };
                fx.records.push(Record::GroupChannelSet { group: id, channel: known, is_joined: false });
                for account in self.group_members(id) {
                    self.leave_as_group(account, (id, known), at, fx);
                }
                self.remove_channel_if_disposable(known, fx);
                ("group part", channel.to_string())
            }
        };
        Self::record_audit(attribution, AuditedAction { action, target: name.as_str(), detail: &detail }, fx);
        Ok(())
    }

    /// Returns the group of a name, which is made if there is none.
    pub(in crate::core::administration) fn find_or_create_group(
        &mut self,
        name: &GroupName,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<GroupId, GroupError> {
        match self.groups.get(name) {
            Some(group) => Ok(group.stored.id),
            None => self.create_group(name, attribution, fx),
        }
    }

    fn create_group(
        &mut self,
        name: &GroupName,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<GroupId, GroupError> {
        if let Some(known) = self.groups.get(name) {
            return Err(GroupError::Taken(known.stored.name.clone()));
        }
        if self.groups.iter().len() >= Groups::MAX {
            return Err(GroupError::TooMany(Groups::MAX));
        }
        let group = StoredGroup { id: self.groups.next_id(), name: name.clone(), created: attribution.at };
        self.groups.insert(group.clone());
        let id = group.id;
        fx.records.push(Record::GroupCreated(group));
        let action = AuditedAction { action: "group create", target: name.as_str(), detail: "" };
        Self::record_audit(attribution, action, fx);
        Ok(id)
    }

    /// Makes an account a member of a group, and of its channels.
    pub(in crate::core::administration) fn add_to_group(
        &mut self,
        id: GroupId,
        account: AccountId,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        if !self.groups.set_member(id, account, true) {
            return;
        }
        fx.records.push(Record::GroupMemberSet { group: id, account, is_member: true });
        for channel in self.group_channels(id) {
            self.join_for_account(account, channel, at, fx);
        }
    }

    fn remove_from_group(&mut self, id: GroupId, account: AccountId, at: Timestamp, fx: &mut Effects) {
        if !self.groups.set_member(id, account, false) {
            return;
        }
        fx.records.push(Record::GroupMemberSet { group: id, account, is_member: false });
        for channel in self.group_channels(id) {
            self.leave_as_group(account, (id, channel), at, fx);
        }
    }

    /// Makes the members of a group members of a channel, which is made if it does not exist.
    fn join_group(
        &mut self,
        id: GroupId,
        channel: &ChannelName,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<ChannelName, GroupError> {
        if self.group_channels(id).len() >= Groups::MAX_CHANNELS {
            return Err(GroupError::TooManyChannels(Groups::MAX_CHANNELS));
        }
        let name = channel.clone();
        let channel = self.find_or_create_channel(channel, at, fx);
        if self.groups.set_channel(id, channel, true) {
            fx.records.push(Record::GroupChannelSet { group: id, channel, is_joined: true });
            for account in self.group_members(id) {
                self.join_for_account(account, channel, at, fx);
            }
        }
        Ok(self.channels.get(channel).map_or(name, |channel| channel.name.clone()))
    }

    /// Returns the channel of a name. It is made if there is none, and then belongs to the server: a member who happened
    /// to be the first in it would be its founder otherwise.
    pub(in crate::core::administration) fn find_or_create_channel(
        &mut self,
        name: &ChannelName,
        at: Timestamp,
        fx: &mut Effects,
    ) -> ChannelId {
        let known = self.channels.get_by_name(name).or_else(|| self.channels.get_by_old_name(name, at));
        if let Some(known) = known {
            return known.id;
        }
        self.create_server_channel(name, at, fx)
    }

    /// Makes an account a member of a channel as an admin does, whatever the modes and bans of the channel say.
    pub(in crate::core::administration) fn join_for_account(
        &mut self,
        account: AccountId,
        id: ChannelId,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let channel = self.channels.get(id).filter(|channel| !channel.members.contains(&account));
        if let Some(name) = channel.map(|channel| channel.name.clone()) {
            self.add_member(account, name, at, fx);
        }
    }

    /// Ends the membership of an account in a channel of its group, unless another group keeps it there.
    fn leave_as_group(
        &mut self,
        account: AccountId,
        (group, id): (GroupId, ChannelId),
        at: Timestamp,
        fx: &mut Effects,
    ) {
        if self.groups.keeps_in_channel(account, id, group) {
            return;
        }
        let channel = self.channels.get(id).filter(|channel| channel.members.contains(&account));
        let (Some(channel), Some(account_state)) = (channel, self.accounts.get(account)) else { return };
        let audience = channel.membership_audience(account_state);
        let reason = Some("No longer in the group of this channel".into());
        let event = account_state.event(at, EventKind::Part(channel.name.clone(), reason));
        if !audience.is_empty() {
            fx.push(Output::Broadcast { audience, event, origin: None });
        }
        self.leave_channel(account, id, fx);
    }

    /// Returns up to `most` groups in the order of their names, beginning after the name `after`.
    pub fn list_groups(&self, after: Option<&GroupName>, most: usize) -> Vec<ListedGroup> {
        let mut page: Vec<&Group> =
            self.groups.iter().filter(|group| after.is_none_or(|after| group.stored.name > *after)).collect();
        page.sort_unstable_by(|a, b| a.stored.name.cmp(&b.stored.name));
        page.truncate(most);
        // At least one, and as many as have some members in all.
        let mut members = 0;
        let fits = |group: &&Group| {
            let is_first = members == 0;
            members += group.members.len() + 1;
            is_first || members <= Groups::MAX_MEMBERS
        };
        page.into_iter().take_while(fits).map(|group| self.listed_group(group)).collect()
    }

    /// Returns the group of a name.
    pub fn find_group(&self, name: &GroupName) -> Option<ListedGroup> {
        self.groups.get(name).map(|group| self.listed_group(group))
    }

    /// Returns the names of an account's groups.
    pub(in crate::core::administration) fn groups_of(&self, account: AccountId) -> Vec<GroupName> {
        let of_account = self.groups.iter().filter(|group| group.members.contains(&account));
        of_account.map(|group| group.stored.name.clone()).collect()
    }

    fn listed_group(&self, group: &Group) -> ListedGroup {
        let mut members: Vec<Nick> =
            group.members.iter().filter_map(|&id| self.account_name(id).cloned()).collect();
        members.sort_unstable();
        let channels = group.channels.iter().filter_map(|&id| self.channels.get(id));
        ListedGroup {
            name: group.stored.name.clone(),
            members,
            channels: channels.map(|channel| channel.name.clone()).collect(),
        }
    }

    fn find_accounts(&self, names: &[Nick]) -> Result<Vec<AccountId>, AccountError> {
        names.iter().map(|name| self.find_account(name).map(|account| account.id)).collect()
    }

    fn group_channels(&self, id: GroupId) -> Vec<ChannelId> {
        let group = self.groups.iter().find(|group| group.stored.id == id);
        group.map(|group| group.channels.iter().copied().collect()).unwrap_or_default()
    }

    fn group_members(&self, id: GroupId) -> Vec<AccountId> {
        let group = self.groups.iter().find(|group| group.stored.id == id);
        group.map(|group| group.members.iter().copied().collect()).unwrap_or_default()
    }
}

/// Lists names for the audit, or counts them if they are many.
fn list_names(names: &[Nick]) -> String {
    /// Names that a detail of the audit has.
    const SHOWN: usize = 20;
    match names.len() {
        count if count > SHOWN => format!("{count} accounts"),
        _ => names.iter().map(Nick::as_str).collect::<Vec<_>>().join(", "),
    }
}
