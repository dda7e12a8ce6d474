//! Memberships of channels: how they begin and end, and the end of a channel.

use super::Core;
use crate::core::effects::Effects;
use crate::core::record::member_status::MemberStatus;
use crate::core::record::{AccountId, ChannelId, Conversation, Record};
use crate::invariants::MustExist as _;
use crate::wire::{ChannelName, Timestamp};

impl Core {
    /// Makes the account a member of the channel. Creates the channel if it does not exist, with the account as its
    /// founder. Sends no event.
    pub(in crate::core) fn join_channel(
        &mut self,
        account: AccountId,
        name: ChannelName,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Option<ChannelId> {
        let account_state = self.accounts.get_mut(account).must_exist("the caller found the account")?;
        let known = self.channels.get_by_name(&name).map(|channel| channel.id);
        let channel = if let Some(id) = known {
            self.channels.get_mut(id).must_exist("the channel has this name")?
        } else {
            let channel = self.channels.create(name.clone(), account, at);
            fx.records.push(Record::ChannelCreated { id: channel.id, name, creator: account, at });
            channel.member_statuses.insert(account, MemberStatus::FOUNDER);
            fx.records.push(Record::MemberStatusSet {
                channel: channel.id,
                account,
                member_status: MemberStatus::FOUNDER,
            });
            channel
        };
        if channel.members.insert(account) {
            let index = account_state.channels.partition_point(|&other| other < channel.id);
            account_state.channels.insert(index, channel.id);
            for &recipient in account_state.sessions.recipients() {
                channel.audience.add(recipient);
            }
            fx.records.push(Record::Joined { channel: channel.id, account, at });
            if let Some((name, read)) = account_state.early_markers.remove_entry(&channel.name) {
                let conversation = Conversation::Channel(channel.id);
                if account_state.markers.get(&conversation).is_none_or(|known| *known < read) {
                    account_state.markers.insert(conversation, read);
                    fx.records.push(Record::ReadMarkerSet { account, conversation, read });
                }
                fx.records.push(Record::EarlyReadMarkerSet { account, channel: name, read: None });
            }
            channel.knocks.remove(&account);
            if channel.invited.remove(&account) {
                fx.records.push(Record::InvitationSet { channel: channel.id, account, pending: false });
            }
        }
        Some(channel.id)
    }

    /// Ends the account's membership. Removes a channel that is left empty and has nothing worth keeping. Sends no
    /// event.
    pub(in crate::core) fn leave_channel(&mut self, account: AccountId, id: ChannelId, fx: &mut Effects) {
        let channel = self.channels.get_mut(id).must_exist("the caller found the channel");
        let account_state = self.accounts.get_mut(account).must_exist("the caller found the account");
        let (Some(channel), Some(account_state)) = (channel, account_state) else { return };
        if !channel.members.remove(&account) {
            return;
        }
        account_state.channels.retain(|&other| other != id);
        for recipient in account_state.sessions.recipients() {
            channel.audience.remove(recipient.session);
        }
        fx.records.push(Record::Parted { channel: id, account });
        if self.remove_channel_if_disposable(id, fx) {
            return;
        }
        let Some(account_state) = self.accounts.get(account) else { return };
        for recipient in account_state.sessions.recipients() {
            if let Some(known) = self.sessions.get_mut(&recipient.session)
                && known.parted_channels.len() < self.settings.channels_per_account
            {
                known.parted_channels.insert(id, self.last_message);
            }
        }
    }

    /// Removes a channel without members that has nothing worth keeping and is none of a group. Returns true if it was
    /// removed.
    pub(in crate::core) fn remove_channel_if_disposable(&mut self, id: ChannelId, fx: &mut Effects) -> bool {
        let Some(channel) = self.channels.get(id) else { return false };
        if !channel.members.is_empty() || !channel.is_disposable() || self.groups.has_channel(id) {
            return false;
        }
        let name = channel.name.clone();
        self.channels.remove(id);
        self.count_scanned_rows(self.accounts.iter().len());
        fx.records.push(Record::ChannelRemoved(id));
        // Members who create the channel again continue to read at their markers.
        for (account, read) in self.accounts.remove_conversation(Conversation::Channel(id)) {
            let account_state = self.accounts.get_mut(account).must_exist("its marker was found");
            let Some(account_state) = account_state else { continue };
            fx.records.extend(account_state.set_early_marker(&name, read));
        }
        true
    }
}
