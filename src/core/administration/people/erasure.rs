//! Erasure of what is kept of a person: the account with all that goes with it, its files, its name in the audit and in
//! channels, and its messages. What has to stay carries a pseudonym.

use std::sync::Arc;

use crate::core::effects::Effects;
use crate::core::record::file::FileId;
use crate::core::record::modes::{ListEntry, ListKind};
use crate::core::record::{AccountId, ChannelId, Conversation, Record, Topic};
use crate::core::request::admin::{AccountChange, AccountError, UserChange};
use crate::core::request::people::ErasedAccount;
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::wire::{MessageId, Nick};

impl Core {
    /// Erases an account, also one that was removed before, and gives what remains of it a pseudonym. Its messages are
    /// erased by [`erase_messages`](Self::erase_messages), because only the store knows them.
    pub(in crate::core::administration) fn erase_account(
        &mut self,
        name: &Nick,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<ErasedAccount, AccountError> {
        let (id, name) = self.find_erasable(name)?;
        let at = attribution.at;
        let pseudonym = self.make_pseudonym(id)?;
        if self.accounts.get(id).is_some() {
            self.check_admin_remains(&[AccountChange { name: name.clone(), change: UserChange::Remove }])?;
            self.revoke_invites(id, true, at, fx);
        }
        self.remove_files_of(id, fx);
        if self.accounts.get(id).is_some() {
            self.remove_account(id, at, fx);
        }
        // It has it already if an erasure was interrupted, and goes on.
        if name != pseudonym {
            self.rename_in_channels(&name, &pseudonym, fx);
            self.accounts.rename_removed(&name, pseudonym.clone());
            fx.records.push(Record::AccountErased { id, name, pseudonym: pseudonym.clone() });
        }
        let action = AuditedAction { action: "user erase", target: pseudonym.as_str(), detail: "" };
        Self::record_audit(attribution, action, fx);
        Ok(ErasedAccount { id, pseudonym })
    }

    /// Erases messages, whose rows stay without their text.
    pub(in crate::core::administration) fn erase_messages(
        &mut self,
        messages: &[(Conversation, MessageId)],
        fx: &mut Effects,
    ) {
        for &(conversation, message) in messages {
            fx.records.push(Record::Redacted { conversation, message });
            self.unshare_files(message, fx);
        }
    }

    /// Finds an account that is in use, or was removed.
    fn find_erasable(&self, name: &Nick) -> Result<(AccountId, Nick), AccountError> {
        if let Some(removed) = self.accounts.get_reserved_name(name) {
            return if self.is_hook(removed.id) {
                Err(AccountError::Hook(removed.name.clone()))
            } else {
                Ok((removed.id, removed.name.clone()))
            };
        }
        self.find_account(name).map(|account| (account.id, account.name))
    }

    /// Removes the files of an account, also those that messages share.
    fn remove_files_of(&mut self, owner: AccountId, fx: &mut Effects) {
        let of_owner = self.files.iter().filter(|state| state.file.owner == owner);
        let mut files: Vec<FileId> = of_owner.map(|state| state.file.id).collect();
        // The same effects for the same inputs, whatever the order of the map.
        files.sort_unstable();
        for file in files {
            self.remove_shared_file(file, fx);
        }
    }

    /// Returns a name by which nobody else is known.
    fn make_pseudonym(&self, id: AccountId) -> Result<Nick, AccountError> {
        let names = (1u32..1000).map(|number| match number {
            1 => format!("erased-{}", id.0),
            number => format!("erased-{}-{number}", id.0),
        });
        let mut names = names.filter_map(|name| Nick::parse(&name).ok());
        let is_free = |name: &Nick| {
            self.accounts.get_by_name(name).is_none()
                && self.accounts.get_reserved_name(name).is_none_or(|reserved| reserved.id == id)
        };
        names.find(is_free).ok_or(AccountError::NoPseudonym)
    }

    /// Replaces a name where channels have it: as the author of topics and of entries in lists. Entries that are for this
    /// account alone are removed.
    fn rename_in_channels(&mut self, name: &Nick, pseudonym: &Nick, fx: &mut Effects) {
        let ids: Vec<ChannelId> = self.channels.iter().map(|channel| channel.id).collect();
        for id in ids {
            let Some(channel) = self.channels.get_mut(id) else { continue };
            if let Some(topic) = channel.topic.as_mut().filter(|topic| topic.by == *name) {
                topic.by = pseudonym.clone();
                let topic: Topic = topic.clone();
                fx.records.push(Record::TopicSet(id, Some(topic)));
            }
            for (list, entry) in channel.lists.remove_entries_for(name) {
                fx.records.push(Record::ListRemoved(id, list, entry.mask));
            }
            let renamed: Vec<(ListKind, ListEntry)> = channel.lists.rename_author(name, pseudonym);
            for (list, entry) in renamed {
                fx.records.push(Record::ListRemoved(id, list, Arc::clone(&entry.mask)));
                fx.records.push(Record::ListAdded(id, list, entry));
            }
        }
    }
}
