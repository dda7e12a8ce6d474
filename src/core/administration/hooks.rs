//! Creation and revocation of hooks, and the posts of programs.
//!
//! The account of a hook is a member of its channel with voice, and counts as online as long as the hook exists: operators
//! can take its voice or kick it like any member. Without voice it can post where members can; once kicked, it cannot post.

use std::collections::HashSet;
use std::sync::Arc;

use crate::core::effects::event::{Event, EventKind};
use crate::core::effects::{Effects, Output};
use crate::core::model::hooks::Hooks;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::hook::{HookKind, OutgoingHook, StoredHook};
use crate::core::record::member_status::MemberStatus;
use crate::core::record::{
    Account, AccountId, ChannelId, ContentHash, Conversation, MessageKind, Record, Role, StoredMessage,
    TokenHash,
};
use crate::core::request::admin::{AccountError, RequestError, RequestOutcome, reserved_reason};
use crate::core::request::hooks::{
    HookChange, HookError, HookPost, ListedHook, NewHook, NewHookKind, origin_of,
};
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::wire::ids::MessageTimes;
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

impl Core {
    /// Carries out what a program requests.
    pub(super) fn apply_hook_change(
        &mut self,
        change: HookChange,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<RequestOutcome, RequestError> {
        match change {
            HookChange::Post(post) => Ok(RequestOutcome::Posted(self.post(post, at, fx)?)),
            HookChange::NoteDelivered { hook, up_to } => {
                if self.hooks.set_delivered(hook, up_to) {
                    fx.records.push(Record::HookDelivered { hook, up_to });
                }
                Ok(RequestOutcome::Changed)
            }
            HookChange::NoteFailing { hook, failure } => {
                self.hooks.set_failure(hook, failure);
                Ok(RequestOutcome::Changed)
            }
        }
    }

    /// Makes a hook for an admin.
    pub(super) fn create_hook(
        &mut self,
        new: NewHook,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let NewHook { name, channel, kind } = new;
        let Some(known) = self.channels.get_by_name(&channel) else {
            return Err(HookError::UnknownChannel(channel).into());
        };
        let (id, channel) = (known.id, known.name.clone());
        if self.hooks.iter_active().count() >= Hooks::MAX {
            return Err(HookError::TooMany(Hooks::MAX).into());
        }
        let is_outgoing = matches!(kind, NewHookKind::Outgoing { .. });
        if is_outgoing && self.hooks.outgoing().len() >= Hooks::MAX_OUTGOING {
            return Err(HookError::TooMany(Hooks::MAX_OUTGOING).into());
        }
        if let NewHookKind::Incoming(token) = &kind
            && self.hooks.get_by_token(token).is_some()
        {
            return Err(HookError::TokenTaken.into());
        }
        let account = self.hook_account(&name)?;
        let at = attribution.at;
        let kind = match kind {
            NewHookKind::Incoming(token) => HookKind::Incoming(token),
            // What was written before is not for the program.
            NewHookKind::Outgoing { url, pattern, key } => {
                HookKind::Outgoing(OutgoingHook { url, pattern, key, delivered: self.last_message })
            }
        };
        let detail = match &kind {
            HookKind::Outgoing(outgoing) => format!("{channel} to {}", origin_of(&outgoing.url)),
            _ => channel.to_string(),
        };
        let hook = StoredHook { account, channel: id, created: at, kind };
        self.accounts.insert(Account {
            id: account,
            name: name.clone(),
            role: Role::Member,
            disabled: false,
        });
        self.accounts.set_created(account, at);
        self.accounts.set_hook(account, at);
        self.hooks.insert(hook.clone());
        fx.records.push(Record::HookCreated { hook, name: name.clone() });
        self.join_channel(account, channel, at, fx);
        if let Some(channel) = self.channels.get_mut(id) {
            channel.member_statuses.insert(account, MemberStatus::VOICE);
            let member_status = MemberStatus::VOICE;
            fx.records.push(Record::MemberStatusSet { channel: id, account, member_status });
        }
        self.announce_join(account, id, at, fx);
        let action = AuditedAction { action: "hook create", target: name.as_str(), detail: &detail };
        Self::record_audit(attribution, action, fx);
        Ok(())
    }

    /// Returns the id of the account of a new hook: that of a revoked hook of the same name, or a new one.
    fn hook_account(&mut self, name: &Nick) -> Result<AccountId, AccountError> {
        if let Some(reason) = reserved_reason(name) {
            return Err(AccountError::Reserved(name.clone(), reason));
        }
        if let Some(account_state) = self.accounts.get_by_name(name) {
            return Err(AccountError::Taken(account_state.nick().clone()));
        }
        match self.accounts.get_reserved_name(name) {
            None => Ok(self.accounts.next_id()),
            Some(reserved) if self.hooks.get(reserved.id).is_some() => Ok(reserved.id),
            Some(reserved) => Err(AccountError::Removed(reserved.name.clone())),
        }
    }

    /// Revokes a hook for an admin. Its messages stay.
    pub(super) fn revoke_hook(
        &mut self,
        name: &Nick,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), HookError> {
        let known = self.accounts.get_by_name(name);
        let hook = known.and_then(|account_state| self.hooks.get_active(account_state.account.id)).cloned();
        let Some(hook) = hook else { return Err(HookError::Unknown(name.clone())) };
        let account = hook.account;
        self.announce_quit(account, "This hook was revoked", attribution.at, fx);
        self.hooks.insert(StoredHook { kind: HookKind::Revoked, ..hook });
        fx.records.push(Record::HookRevoked(account));
        self.remove_account(account, attribution.at, fx);
        let action = AuditedAction { action: "hook revoke", target: name.as_str(), detail: "" };
        Self::record_audit(attribution, action, fx);
        Ok(())
    }

    /// Returns up to `most` hooks in the order of their names, beginning after the name `after`.
    pub fn list_hooks(&self, after: Option<&Nick>, most: usize) -> Vec<ListedHook> {
        let listed = |hook: &StoredHook| {
            let name = self.account_name(hook.account)?.clone();
            let channel = self.channels.get(hook.channel);
            let is_member = channel.is_some_and(|channel| channel.members.contains(&hook.account));
            let channel = channel.map(|channel| channel.name.clone());
            let failure = self.hooks.failure(hook.account).cloned();
            Some(ListedHook { hook: hook.clone(), name, channel, is_member, failure })
        };
        let mut page: Vec<ListedHook> = self
            .hooks
            .iter_active()
            .filter_map(listed)
            .filter(|hook| after.is_none_or(|after| hook.name > *after))
            .collect();
        page.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        page.truncate(most);
        page
    }

    /// Returns the account of the hook that has a token, and its name.
    pub fn hook_of_token(&self, token: &TokenHash) -> Option<(AccountId, Nick)> {
        let account = self.hooks.get_by_token(token)?.account;
        self.account_name(account).map(|name| (account, name.clone()))
    }

    /// Returns the accounts of the hooks that send messages to programs.
    pub fn outgoing_hooks(&self) -> Vec<AccountId> {
        self.hooks.outgoing().collect()
    }

    /// Returns a hook that sends messages, if it is in its channel, with its name and the channel.
    pub fn outgoing_hook(
        &self,
        account: AccountId,
    ) -> Option<(OutgoingHook, Nick, (ChannelId, ChannelName))> {
        let hook = self.hooks.get(account)?;
        let HookKind::Outgoing(outgoing) = &hook.kind else { return None };
        let channel = self.channels.get(hook.channel).filter(|it| it.members.contains(&account))?;
        let name = self.account_name(account)?.clone();
        Some((outgoing.clone(), name, (channel.id, channel.name.clone())))
    }

    /// Returns whether a hook fails to send.
    pub fn is_hook_failing(&self, account: AccountId) -> bool {
        self.hooks.failure(account).is_some()
    }

    /// Returns whether there are hooks that send messages to programs.
    pub fn has_outgoing_hooks(&self) -> bool {
        self.hooks.outgoing().len() > 0
    }

    /// Returns the accounts of all hooks, also of the revoked ones.
    pub fn hook_accounts(&self) -> HashSet<AccountId> {
        self.hooks.iter().map(|hook| hook.account).collect()
    }

    /// Returns the translation of message ids to times.
    pub fn message_times(&self) -> &MessageTimes {
        &self.times
    }

    /// Returns whether an account is, or was, a hook's.
    pub(in crate::core) fn is_hook(&self, account: AccountId) -> bool {
        self.hooks.get(account).is_some()
    }

    fn post(&mut self, post: HookPost, at: Timestamp, fx: &mut Effects) -> Result<MessageId, HookError> {
        let HookPost { token, text, send_id } = post;
        let hook = self.hooks.get_by_token(&token).ok_or(HookError::WrongToken)?;
        let (account, id) = (hook.account, hook.channel);
        let account_state = self.accounts.get(account).ok_or(HookError::WrongToken)?;
        let channel = self.channels.get(id).ok_or(HookError::ChannelGone)?;
        let (conversation, kind) = (Conversation::Channel(id), MessageKind::Privmsg);
        let content = ContentHash::of(Ok(conversation), kind, &text, "");
        // First of all, so that a repetition has the same answer whatever changed since.
        if let Some(known) = send_id.as_ref().and_then(|send_id| self.send_ids.find(account, send_id)) {
            return if known.matches_hash(content) { Ok(known.message) } else { Err(HookError::KeyReused) };
        }
        let level = PermissionLevel::for_account(account, false, channel);
        if level == PermissionLevel::NonMember {
            return Err(HookError::NotMember(account_state.nick().clone(), channel.name.clone()));
        }
        if let Some(reason) = level.silence_reason(account_state, channel) {
            return Err(HookError::Silenced(reason));
        }
        if let Some(reason) = self.quota_refusal(account, text.len(), at) {
            return Err(HookError::OverQuota(reason));
        }
        let (audience, target) = (channel.audience.snapshot(), channel.name.shared());
        let (source, nick) = (account_state.source.clone(), account_state.nick().clone());
        let message = self.next_message_id(at);
        self.count_sent(account, text.len(), at);
        if let Some(account_state) = self.accounts.get_mut(account) {
            account_state.last_active = at;
        }
        if let Some(send_id) = &send_id {
            self.send_ids.remember(account, send_id.clone(), message, Some(content));
        }
        if let Some(channel) = self.channels.get_mut(id) {
            channel.has_messages = true;
        }
        fx.records.push(Record::Message(StoredMessage {
            id: message,
            conversation,
            from: account,
            kind,
            text: text.clone(),
            tags: Arc::default(),
            send_id,
        }));
        let event = Event {
            source,
            account: Some(nick),
            bot: true,
            time: self.times.time_of(message),
            id: Some(message),
            tags: Arc::default(),
            kind: EventKind::Message { kind, target, text, own_copy: false },
        };
        fx.push(Output::Broadcast { audience, event, origin: None });
        Ok(message)
    }

    /// Forgets the send ids of posts that could not be stored, so that programs can repeat them.
    pub(in crate::core) fn forget_posts(&mut self, messages: &[StoredMessage]) {
        for message in messages {
            if let Some(send_id) = &message.send_id {
                self.send_ids.forget(message.from, send_id);
            }
            self.uncount_sent(message);
        }
    }
}
