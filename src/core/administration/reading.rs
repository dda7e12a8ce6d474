//! Lists and lookups for programs with an access token: all that the account of the token may see, except for direct
//! messages.

use crate::core::model::accounts::{AccountState, ECHO_ACCOUNT_ID};
use crate::core::model::channel::Channel;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::modes::ModeFlag;
use crate::core::record::{AccountId, ChannelId};
use crate::core::request::listing::{VisibleChannel, VisiblePerson};
use crate::core::state::Core;
use crate::wire::chars::fold_name;
use crate::wire::{ChannelName, MessageId, Nick};

impl Core {
    /// Returns up to `most` channels that an account may see, in the order of their names, beginning after the name
    /// `after`.
    pub fn list_visible_channels(&self, account: AccountId, after: &str, most: usize) -> Vec<VisibleChannel> {
        let after = fold_name(after);
        let mut channels: Vec<&Channel> = self
            .channels
            .iter()
            .filter(|channel| channel.name.folded() > &*after && self.is_visible_to(account, channel))
            .collect();
        channels.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        channels.truncate(most);
        channels.into_iter().map(|channel| visible_channel(account, channel)).collect()
    }

    /// Returns a channel, if an account may see it.
    pub fn find_visible_channel(&self, account: AccountId, name: &ChannelName) -> Option<VisibleChannel> {
        let channel = self.channels.get_by_name(name)?;
        self.is_visible_to(account, channel).then(|| visible_channel(account, channel))
    }

    /// Returns the channels whose history an account may read.
    pub fn readable_channels(&self, account: AccountId) -> Vec<(ChannelId, ChannelName)> {
        let ids = self.accounts.get(account).map(|state| state.channels.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|&id| Some((id, self.channels.get(id)?.name.clone()))).collect()
    }

    /// Returns up to `most` members of a channel that an account may see, in the order of their names, beginning after
    /// the name `after`.
    pub fn list_visible_members(
        &self,
        account: AccountId,
        channel: &ChannelName,
        after: &str,
        most: usize,
    ) -> Option<Vec<VisiblePerson>> {
        let channel = self.channels.get_by_name(channel)?;
        let members = || channel.members.iter().filter_map(|&id| self.accounts.get(id));
        self.is_visible_to(account, channel).then(|| visible_people(members(), after, most))
    }

    /// Returns up to `most` accounts in the order of their names, beginning after the name `after`.
    pub fn list_visible_people(&self, after: &str, most: usize) -> Vec<VisiblePerson> {
        visible_people(self.accounts.iter(), after, most)
    }

    /// Returns the account of a name.
    pub fn find_visible_person(&self, name: &Nick) -> Option<VisiblePerson> {
        self.accounts.get_by_name(name).filter(|state| is_listed(state)).map(visible_person)
    }

    /// Returns the id of an account that is in use.
    pub fn account_id(&self, name: &Nick) -> Option<AccountId> {
        self.accounts.get_enabled_by_name(name).map(|state| state.account.id)
    }

    /// Returns the id of the latest message.
    pub fn last_message(&self) -> MessageId {
        self.last_message
    }

    fn is_visible_to(&self, account: AccountId, channel: &Channel) -> bool {
        let is_admin = self.accounts.get(account).is_some_and(AccountState::is_admin);
        !channel.modes.has(ModeFlag::Secret)
            || PermissionLevel::for_account(account, is_admin, channel) > PermissionLevel::NonMember
    }
}

fn is_listed(account_state: &AccountState) -> bool {
    !account_state.account.disabled && account_state.account.id != ECHO_ACCOUNT_ID
}

fn visible_people<'a>(
    accounts: impl Iterator<Item = &'a AccountState>,
    after: &str,
    most: usize,
) -> Vec<VisiblePerson> {
    let after = fold_name(after);
    let mut people: Vec<_> = accounts
        .filter(|state| is_listed(state))
        .map(|state| (fold_name(state.nick().as_str()), state))
        .filter(|(name, _)| *name > after)
        .collect();
    people.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    people.truncate(most);
    people.into_iter().map(|(_, state)| visible_person(state)).collect()
}

fn visible_channel(account: AccountId, channel: &Channel) -> VisibleChannel {
    VisibleChannel {
        id: channel.id,
        name: channel.name.clone(),
        topic: channel.topic.clone(),
        created: channel.created,
        members: channel.members.len(),
        is_member: channel.members.contains(&account),
    }
}

fn visible_person(account_state: &AccountState) -> VisiblePerson {
    VisiblePerson {
        name: account_state.nick().clone(),
        display_name: account_state.metadata.get("display-name").cloned(),
        role: account_state.account.role,
        is_bot: account_state.is_bot(),
        is_online: account_state.is_online(),
        away: account_state.away.clone(),
    }
}
