//! Lists of accounts, invites, devices and channels, a page at a time.

use super::invites::FIRST_INVITE_CREATOR;
use crate::core::model::accounts::{AccountState, ECHO_ACCOUNT_ID};
use crate::core::model::channel::Channel;
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::member_status::{MemberStatus, PrefixMode};
use crate::core::record::modes::ListKind;
use crate::core::record::{AccountId, Invite, InviteId, InviteState};
use crate::core::request::channels::{ListedChannel, ListedMask, ListedMember};
use crate::core::request::listing::{LeftBehindByRotation, ListedAccount, ListedInvite};
use crate::core::state::Core;
use crate::wire::{ChannelName, Nick, Timestamp};

/// Limit of the names of groups in a page of accounts, which with them stays below half a megabyte.
const MAX_GROUPS_LISTED: usize = 4000;

impl Core {
    /// Returns up to `most` accounts in the order of their names, beginning after the name `after`.
    pub fn list_accounts(&self, after: Option<&Nick>, most: usize) -> Vec<ListedAccount> {
        let accounts = self
            .accounts
            .iter()
            .filter(|account_state| account_state.account.id != ECHO_ACCOUNT_ID && !account_state.is_hook);
        let mut page: Vec<_> =
            accounts.filter(|account_state| after.is_none_or(|after| account_state.nick() > after)).collect();
        cut(&mut page, most, |account_state| account_state.nick());
        let listed = |account_state: &AccountState| ListedAccount {
            account: account_state.account.clone(),
            created: self.accounts.created(account_state.account.id),
            preferences: account_state.preferences,
            display_name: account_state.metadata.get("display-name").cloned(),
            listed_name: account_state.listed_name.clone(),
            groups: self.groups_of(account_state.account.id),
            files: self.files.count_of(account_state.account.id),
            file_bytes: self.files.bytes_of(account_state.account.id),
        };
        // At least one, and as many as have some groups in all.
        let mut groups = 0;
        let fits = |listed: &ListedAccount| {
            let is_first = groups == 0;
            groups += listed.groups.len() + 1;
            is_first || groups <= MAX_GROUPS_LISTED
        };
        page.into_iter().map(listed).take_while(fits).collect()
    }

    /// Returns up to `most` names that removed accounts keep from others, in order, beginning after the name `after`.
    pub fn list_removed_names(&self, after: Option<&Nick>, most: usize) -> Vec<Nick> {
        let names = self.accounts.iter_reserved_names().map(|reserved| &reserved.name);
        let mut page: Vec<&Nick> = names.filter(|name| after.is_none_or(|after| *name > after)).collect();
        cut(&mut page, most, |name| *name);
        page.into_iter().cloned().collect()
    }

    /// Returns up to `most` invites in the order of their ids, beginning after the id `after`.
    pub fn list_invites(&self, after: InviteId, most: usize) -> Vec<ListedInvite> {
        let name = |id| self.account_name(id).cloned();
        let listed = |invite: &Invite| ListedInvite {
            invite: invite.clone(),
            created_by: invite.created_by.filter(|id| *id != FIRST_INVITE_CREATOR).and_then(name),
            resets: invite.resets.and_then(name),
        };
        self.invites.iter().filter(|invite| invite.id > after).take(most).map(listed).collect()
    }

    /// Returns up to `most` devices that were last used or added before the root with this pin was shown, in the order
    /// of their fingerprints from the one after `after` on; and the number of open invites from before.
    pub fn list_left_behind(
        &self,
        pin: &str,
        after: Option<CertificateFingerprint>,
        most: usize,
        now: Timestamp,
    ) -> LeftBehindByRotation {
        let shown = self.roots.iter().filter(|root| &*root.pin == pin).map(|root| root.at).min();
        // If the root was never shown, no client can have seen it.
        let since = shown.unwrap_or(now);
        let accounts = self.accounts.iter().filter(|account_state| !account_state.account.disabled);
        let devices = accounts.flat_map(|account_state| {
            account_state.devices.iter().map(move |device| (account_state.nick(), device))
        });
        let is_left_behind = |(_, device): &(_, &Device)| {
            after.is_none_or(|after| device.fingerprint > after)
                && device.added_at < since
                && device.last_login.is_none_or(|used| used < since)
        };
        let mut page: Vec<_> = devices.filter(is_left_behind).collect();
        cut(&mut page, most, |(_, device)| &device.fingerprint);
        let open = |invite: &&Invite| invite.created < since && invite.state(now) == InviteState::Open;
        LeftBehindByRotation {
            devices: page.into_iter().map(|(name, device)| (name.clone(), *device)).collect(),
            invites: self.invites.iter().filter(open).count(),
        }
    }

    /// Returns the number of accounts, also disabled ones; without the built-in one and those of hooks.
    pub fn count_accounts(&self) -> usize {
        let is_listed = |account_state: &&AccountState| {
            account_state.account.id != ECHO_ACCOUNT_ID && !account_state.is_hook
        };
        self.accounts.iter().filter(is_listed).count()
    }

    /// Returns up to `most` channels in the order of their names, beginning after the name `after`.
    pub fn list_channels(&self, after: Option<&ChannelName>, most: usize) -> Vec<ListedChannel> {
        let mut channels: Vec<&Channel> =
            self.channels.iter().filter(|channel| after.is_none_or(|after| channel.name > *after)).collect();
        channels.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        channels.truncate(most);
        channels.into_iter().map(|channel| self.listed_channel(channel)).collect()
    }

    /// Returns the channel of a name, as in the list of channels.
    pub fn describe_channel(&self, name: &ChannelName) -> Option<ListedChannel> {
        self.channels.get_by_name(name).map(|channel| self.listed_channel(channel))
    }

    /// Returns up to `most` members of a channel in the order of their names, beginning after the name `after`.
    pub fn list_members(
        &self,
        name: &ChannelName,
        after: Option<&Nick>,
        most: usize,
    ) -> Option<Vec<ListedMember>> {
        let channel = self.channels.get_by_name(name)?;
        let mut members: Vec<&AccountState> = channel
            .members
            .iter()
            .filter_map(|&id| self.accounts.get(id))
            .filter(|account_state| after.is_none_or(|after| account_state.nick() > after))
            .collect();
        members.sort_unstable_by(|a, b| a.nick().cmp(b.nick()));
        members.truncate(most);
        let listed = |account_state: &AccountState| ListedMember {
            name: account_state.nick().clone(),
            status: channel.member_status(account_state.account.id),
            is_online: account_state.is_online(),
        };
        Some(members.into_iter().map(listed).collect())
    }

    /// Returns the entries of the mask lists of a channel, list by list, the oldest first. They are few.
    pub fn list_masks(&self, name: &ChannelName) -> Option<Vec<ListedMask>> {
        let channel = self.channels.get_by_name(name)?;
        let listed = |list| {
            channel.lists.entries(list).map(move |entry| ListedMask {
                channel: channel.name.clone(),
                list,
                entry: entry.clone(),
            })
        };
        Some(ListKind::ALL.into_iter().flat_map(listed).collect())
    }

    fn listed_channel(&self, channel: &Channel) -> ListedChannel {
        let is_founder = |(_, status): &(&AccountId, &MemberStatus)| status.has(PrefixMode::Founder);
        let founders = channel.member_statuses.iter().filter(is_founder);
        let mut founders: Vec<Nick> =
            founders.filter_map(|(&id, _)| self.account_name(id).cloned()).collect();
        founders.sort_unstable();
        let members = channel.members.iter().filter_map(|&id| self.accounts.get(id));
        ListedChannel {
            id: channel.id,
            name: channel.name.clone(),
            created: channel.created,
            creator: channel
                .creator
                .filter(|&creator| creator != ECHO_ACCOUNT_ID)
                .and_then(|creator| self.account_name(creator).cloned()),
            topic: channel.topic.clone(),
            modes: channel.modes.clone(),
            members: channel.members.len(),
            online: members.filter(|account_state| account_state.is_online()).count(),
            list_entries: channel.lists.len(),
            founders,
            retention: channel.retention,
            archived: channel.archived,
        }
    }
}

/// Sorts a list by a key and cuts it to its first `most` entries.
fn cut<T: Copy, K: Ord + ?Sized>(list: &mut Vec<T>, most: usize, key: impl Fn(&T) -> &K) {
    if list.len() > most {
        list.select_nth_unstable_by(most, |a, b| key(a).cmp(key(b)));
        list.truncate(most);
    }
    list.sort_unstable_by(|a, b| key(a).cmp(key(b)));
}
