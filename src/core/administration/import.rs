//! Imports: accounts, channels, messages and files from an export or from another program.
//!
//! An account, channel, message or file that exists is not changed, so an import can be repeated after it broke off. Old
//! messages keep their ids, and with them their times; nobody who is online is told of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::effects::Effects;
use crate::core::effects::event::EventKind;
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::model::audience::SessionId;
use crate::core::model::mask_lists::MaskRule;
use crate::core::model::metadata::{self, MetadataDialect, Visibility};
use crate::core::record::file::{Dimensions, FileShare, StoredFile};
use crate::core::record::member_status::MemberStatus;
use crate::core::record::modes::{ListEntry, ListKind, Modes};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{
    Account, AccountId, ChannelId, Conversation, MetadataOwner, Record, StoredMessage, Topic,
};
use crate::core::request::admin::{AccountError, RequestError, reserved_reason};
use crate::core::request::export::{
    ExportedAccount, ExportedChannel, ExportedFile, ExportedItem, ExportedMember, ExportedMessage, Import,
    ImportError,
};
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::Context;
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::invariants::MustExist as _;
use crate::wire::{ChannelName, Nick, Timestamp};

impl Core {
    /// Carries out a part of an import. Returns the items that were left out, by their index, with the reasons.
    pub(super) fn import(
        &mut self,
        import: Import,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Vec<(usize, RequestError)> {
        let Import { items, password, note } = import;
        let at = attribution.at;
        let mut refused = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let result = match item {
                ExportedItem::Account(account) => self.import_account(account, &password, at, fx),
                ExportedItem::Channel(channel) => self.import_channel(channel, at, fx).map_err(Into::into),
                ExportedItem::Message(message) => self.import_message(message, at, fx).map_err(Into::into),
                ExportedItem::File(file) => self.import_file(file, at, fx).map_err(Into::into),
            };
            if let Err(error) = result {
                refused.push((index, error));
            }
        }
        if let Some(note) = note {
            let action = AuditedAction { action: "import", target: "", detail: &note };
            Self::record_audit(attribution, action, fx);
        }
        refused
    }

    fn import_account(
        &mut self,
        imported: ExportedAccount,
        password: &PasswordHash,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let ExportedAccount { name, role, created, disabled, removed, metadata } = imported;
        if self.known_account(&name).is_some() {
            return Ok(());
        }
        if let Some(reason) = reserved_reason(&name) {
            return Err(AccountError::Reserved(name, reason).into());
        }
        let created = created.min(at);
        let account = Account { id: self.accounts.next_id(), name, role, disabled: false };
        let id = account.id;
        self.insert_account(account.clone(), password, None, created, fx);
        if removed {
            self.remove_account(id, at, fx);
            return Ok(());
        }
        if disabled {
            let account = Account { disabled: true, ..account };
            self.accounts.insert(account.clone());
            fx.records.push(Record::AccountSet { account, at });
        }
        self.import_metadata(MetadataOwner::Account(id), metadata, fx);
        Ok(())
    }

    fn import_channel(
        &mut self,
        imported: ExportedChannel,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<(), ImportError> {
        if self.channels.get_by_name(&imported.name).is_some() {
            return Ok(());
        }
        let modes = imported.parse_modes()?;
        let ExportedChannel { name, created, creator, topic, members, lists, archived, metadata, .. } =
            imported;
        let members = members.into_iter().map(|member| self.parse_member(member));
        let members = members.collect::<Result<Vec<_>, _>>()?;
        // Who made it may be gone; what is of no account counts against no quota.
        let creator = creator.and_then(|creator| self.known_account(&creator)).unwrap_or(ECHO_ACCOUNT_ID);
        let created = created.min(at);
        let id = self.channels.create(name.clone(), creator, created).id;
        fx.records.push(Record::ChannelCreated { id, name: name.clone(), creator, at: created });
        if let Some(topic) = topic.filter(|topic| !topic.text.is_empty()) {
            let text = topic.text.replace(['\r', '\n', '\0'], " ");
            let text = truncate_str(&text, Settings::MAX_TOPIC_BYTES).into();
            let topic = Topic { text, by: topic.by, at: topic.at.min(at) };
            if let Some(channel) = self.channels.get_mut(id) {
                channel.topic = Some(topic.clone());
            }
            fx.records.push(Record::TopicSet(id, Some(topic)));
        }
        if modes != Modes::default() {
            if let Some(channel) = self.channels.get_mut(id) {
                channel.modes = modes.clone();
            }
            fx.records.push(Record::ModesSet(id, modes));
        }
        for entry in lists {
            let Some(list) = ListKind::from_letter(entry.list) else { continue };
            self.import_list_entry(id, list, &entry.mask, (entry.by, entry.at.min(at)), fx);
        }
        for (account, status, left) in members {
            self.import_member((id, &name), (account, status, left), at, fx);
        }
        if let Some(archived) = archived.map(|archived| archived.min(at)) {
            if let Some(channel) = self.channels.get_mut(id) {
                channel.archived = Some(archived);
            }
            fx.records.push(Record::ChannelArchived(id, Some(archived)));
        }
        self.import_metadata(MetadataOwner::Channel(id), metadata, fx);
        Ok(())
    }

    fn import_list_entry(
        &mut self,
        id: ChannelId,
        list: ListKind,
        mask: &str,
        (by, at): (Nick, Timestamp),
        fx: &mut Effects,
    ) {
        let Some(rule) = MaskRule::parse(mask) else { return };
        let Some(channel) = self.channels.get_mut(id).filter(|channel| !channel.lists.is_full()) else {
            return;
        };
        let entry = ListEntry { mask: rule.canonical_text(), by, at };
        if channel.lists.add(list, entry.clone(), rule) {
            fx.records.push(Record::ListAdded(id, list, entry));
        }
    }

    fn import_member(
        &mut self,
        (id, name): (ChannelId, &ChannelName),
        (account, status, left): (AccountId, MemberStatus, bool),
        at: Timestamp,
        fx: &mut Effects,
    ) {
        // Removed accounts are in no channel.
        if self.accounts.get(account).is_none() {
            return;
        }
        if !status.is_empty()
            && let Some(channel) = self.channels.get_mut(id)
        {
            channel.member_statuses.insert(account, status);
            fx.records.push(Record::MemberStatusSet { channel: id, account, member_status: status });
        }
        if !left {
            self.join_channel(account, name.clone(), at, fx);
            self.show_join(account, id, at, fx);
        }
    }

    /// Shows a JOIN to the sessions of the account and, if it is online, to those of others.
    fn show_join(&mut self, account: AccountId, id: ChannelId, at: Timestamp, fx: &mut Effects) {
        let (Some(account_state), Some(channel)) = (self.accounts.get(account), self.channels.get(id)) else {
            return;
        };
        let name = channel.name.clone();
        let event = account_state
            .event(at, EventKind::Join(name.clone(), self.realname_shown_in(account_state, channel)));
        let own = account_state.sessions.recipients().map(|recipient| recipient.session);
        let own: Vec<SessionId> = own.collect();
        if account_state.is_online() {
            self.announce_join(account, id, at, fx);
        }
        for session in own {
            if let Some(mut cx) = Context::for_session(self, session, at, fx) {
                cx.send_event(session, event.clone());
                cx.send_join_replies(&name, session);
            }
        }
    }

    fn import_message(
        &mut self,
        imported: ExportedMessage,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<(), ImportError> {
        imported.check(at)?;
        let ExportedMessage { msgid: id, channel, between, from, kind, text, tags, redacted, .. } = imported;
        let sender = self.known_account(&from).ok_or(ImportError::NoAccount(from))?;
        let conversation = self.find_conversation(channel, between)?;
        if kind.is_text_message()
            && let Conversation::Channel(id) = conversation
            && let Some(channel) = self.channels.get_mut(id)
        {
            channel.has_messages = true;
        }
        self.last_message = self.last_message.max(id);
        let (text, tags) = if redacted { Default::default() } else { (text.into(), tags.into()) };
        let message = StoredMessage { id, conversation, from: sender, kind, text, tags, send_id: None };
        fx.records.push(Record::MessageImported { message, redacted });
        Ok(())
    }

    fn import_file(
        &mut self,
        imported: ExportedFile,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<(), ImportError> {
        let hash = imported.check()?;
        let ExportedFile { id, owner, name, media_type, size, dimensions, added, shares, .. } = imported;
        let owner = self.known_account(&owner).ok_or(ImportError::NoAccount(owner))?;
        let shares = shares.into_iter().map(|share| {
            let conversation = self.find_conversation(share.channel, share.between)?;
            Ok(FileShare { message: share.msgid, file: id, conversation })
        });
        let shares = shares.collect::<Result<Vec<_>, ImportError>>()?;
        if self.files.get(id).is_none() {
            let dimensions = dimensions
                .filter(|(width, height)| *width > 0 && *height > 0)
                .map(|(width, height)| Dimensions { width, height });
            let (name, media_type) = (name.into(), media_type.into());
            let added = added.min(at);
            let file = StoredFile { id, owner, name, media_type, size, hash, dimensions, added, link: None };
            self.files.insert(file.clone());
            fx.records.push(Record::FileAdded(file));
        }
        for share in shares {
            if share.message <= self.last_message && self.files.share(share) {
                fx.records.push(Record::FileShared(share));
            }
        }
        Ok(())
    }

    fn import_metadata(
        &mut self,
        owner: MetadataOwner,
        keys_and_values: BTreeMap<String, String>,
        fx: &mut Effects,
    ) {
        // What cannot be metadata here is no reason to leave the rest out.
        let is_valid = |(key, value): &(String, String)| {
            metadata::visibility_of_key(key) == Visibility::Public
                && metadata::check_change(key, Some(value), MetadataDialect::Revised).is_ok()
        };
        for (key, value) in keys_and_values.into_iter().filter(is_valid).take(metadata::MAX_KEYS) {
            let (key, value): (Arc<str>, Option<Arc<str>>) = (key.into(), Some(value.into()));
            let Some(keys) = self.metadata_mut(owner).must_exist("the owner was just made") else { return };
            keys.set(Arc::clone(&key), value.clone());
            fx.records.push(Record::MetadataSet { owner, key, value });
        }
    }

    fn parse_member(&self, member: ExportedMember) -> Result<(AccountId, MemberStatus, bool), ImportError> {
        let status = member.parse_status();
        let ExportedMember { account, left, .. } = member;
        let id = self.known_account(&account).ok_or(ImportError::NoAccount(account))?;
        Ok((id, status?, left))
    }

    /// Returns the account of a name, whether it is in use or not.
    fn known_account(&self, name: &Nick) -> Option<AccountId> {
        let in_use = self.accounts.get_by_name(name).map(|account_state| account_state.account.id);
        in_use.or_else(|| self.accounts.get_reserved_name(name).map(|reserved| reserved.id))
    }

    fn find_conversation(
        &self,
        channel: Option<ChannelName>,
        between: Vec<Nick>,
    ) -> Result<Conversation, ImportError> {
        let account = |name: Nick| self.known_account(&name).ok_or(ImportError::NoAccount(name));
        match (channel, <[Nick; 2]>::try_from(between)) {
            (Some(name), _) => match self.channels.get_by_name(&name) {
                Some(channel) => Ok(Conversation::Channel(channel.id)),
                None => Err(ImportError::NoChannel(name)),
            },
            (None, Ok([a, b])) => Ok(Conversation::direct(account(a)?, account(b)?)),
            (None, Err(_)) => Err(ImportError::NoConversation),
        }
    }
}
