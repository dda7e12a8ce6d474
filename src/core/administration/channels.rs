//! Changes of channels by the command line.
//!
//! Members see them as changes of the server, such as `:chat.parlour TOPIC …`. The history has no events of them,
//! because each of its events belongs to an account; the audit log has an entry for each.

use std::sync::Arc;

use crate::core::effects::event::{Event, EventKind};
use crate::core::effects::{Effects, Output};
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::model::mask_lists::{MaskLists, MaskRule};
use crate::core::record::member_status::{MemberStatus, PrefixMode};
use crate::core::record::modes::{ListEntry, ListKind};
use crate::core::record::{
    Account, AccountId, ChannelId, Conversation, ForgottenHistory, KeptFrom, MessageKind, Record,
    RetentionLimits, Topic,
};
use crate::core::request::admin::{AccountError, RequestError};
use crate::core::request::channels::{ChannelChange, ChannelError};
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::NamesCache;
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::invariants::MustExist as _;
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// Name that stands for the command line where one of an account is shown. No account can have it.
const COMMAND_LINE_NICK: &str = "server";

/// Reason that is shown to those whom the command line removes from a channel.
const REMOVAL_REASON: &str = "Removed by an administrator";

/// Reason that is shown to the members of a channel that is deleted.
const DELETION_REASON: &str = "This channel was deleted by an administrator";

/// A channel that exists, as a change needs it.
struct Target {
    id: ChannelId,
    /// Its name in its creator's spelling.
    name: ChannelName,
}

impl Core {
    /// Makes or changes a channel for the command line.
    pub(super) fn change_channel(
        &mut self,
        name: &ChannelName,
        change: ChannelChange,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        if let ChannelChange::Create { founder } = change {
            return self.create_channel(name, founder.as_ref(), attribution, fx);
        }
        let channel = self.channels.get_by_name(name).ok_or_else(|| ChannelError::Unknown(name.clone()))?;
        let target = Target { id: channel.id, name: channel.name.clone() };
        match change {
            ChannelChange::Create { .. } => {}
            ChannelChange::Topic(text) => self.set_topic(&target, &text, attribution, fx),
            ChannelChange::Status { account, status } => {
                let account = self.find_account(&account)?;
                self.set_status(&target, &account, status, attribution, fx);
            }
            ChannelChange::Add(account) => {
                let account = self.find_enabled_account(&account)?;
                if self.is_in(&target, account.id) {
                    return Err(ChannelError::Member(account.name, target.name).into());
                }
                self.add_member(account.id, target.name.clone(), attribution.at, fx);
                Self::audit_channel(attribution, ("channel add", account.name.as_str()), &target, "", fx);
            }
            ChannelChange::Remove(name) => {
                let account = self.find_member(&name)?;
                if !self.is_in(&target, account.id) {
                    return Err(ChannelError::NotMember(account.name, target.name).into());
                }
                self.remove_member(&target, &account, REMOVAL_REASON, attribution.at, fx);
                Self::audit_channel(
                    attribution,
                    ("channel kick", account.name.as_str()),
                    &target,
                    REMOVAL_REASON,
                    fx,
                );
            }
            ChannelChange::ListAdd(list, mask) => self.add_mask(&target, list, &mask, attribution, fx)?,
            ChannelChange::ListRemove(list, mask) => {
                self.remove_mask(&target, list, &mask, attribution, fx)?;
            }
            ChannelChange::Retention(limits) => self.set_retention(&target, limits, attribution, fx)?,
            ChannelChange::Purge { before, is_first } => {
                let first = self.times.first_at(before);
                self.purge(&target, first, ChannelChange::MAX_PURGED, fx);
                if is_first {
                    let detail = format!("messages before {before}");
                    Self::audit_history(attribution, "channel purge", &target, &detail, fx);
                }
            }
            ChannelChange::Archive(is_archived) => self.archive(&target, is_archived, attribution, fx)?,
            ChannelChange::Delete => self.delete_channel(&target, attribution, fx),
        }
        Ok(())
    }

    /// Makes an account a member of a channel, which is made if it does not exist. The members see it join, and its
    /// sessions are sent what clients expect after JOIN.
    pub(super) fn add_member(
        &mut self,
        account: AccountId,
        name: ChannelName,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let Some(id) = self.join_channel(account, name, at, fx) else { return };
        let channel = self.channels.get(id).must_exist("the account joined the channel");
        let account_state = self.accounts.get(account).must_exist("the account joined the channel");
        let (Some(channel), Some(account_state)) = (channel, account_state) else { return };
        let sessions = account_state.sessions.snapshot();
        if !sessions.is_empty() {
            let name = channel.name.clone();
            let realname = self.realname_shown_in(account_state, channel);
            let event = account_state.event(at, EventKind::Join(name.clone(), realname));
            fx.push(Output::Broadcast { audience: sessions.clone(), event, origin: None });
            let mut names = NamesCache::default();
            for recipient in sessions.recipients() {
                self.send_join_replies(&name, recipient.session, account, &mut names, fx);
            }
        }
        if account_state.is_online() {
            self.announce_join(account, id, at, fx);
        }
    }

    /// Makes a channel that belongs to the server: nobody in it is its founder.
    pub(super) fn create_server_channel(
        &mut self,
        name: &ChannelName,
        at: Timestamp,
        fx: &mut Effects,
    ) -> ChannelId {
        let creator = ECHO_ACCOUNT_ID;
        let id = self.channels.create(name.clone(), creator, at).id;
        fx.records.push(Record::ChannelCreated { id, name: name.clone(), creator, at });
        id
    }

    fn create_channel(
        &mut self,
        name: &ChannelName,
        founder: Option<&Nick>,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        if let Some(known) = self.channels.get_by_name(name) {
            return Err(ChannelError::Exists(known.name.clone()).into());
        }
        if let Some(known) = self.channels.get_by_old_name(name, attribution.at) {
            return Err(ChannelError::FormerName(name.clone(), known.name.clone()).into());
        }
        let founder = founder.map(|founder| self.find_enabled_account(founder)).transpose()?;
        let at = attribution.at;
        let id = self.create_server_channel(name, at, fx);
        let mut detail = String::new();
        if let Some(founder) = founder {
            if let Some(channel) = self.channels.get_mut(id) {
                channel.member_statuses.insert(founder.id, MemberStatus::FOUNDER);
            }
            let member_status = MemberStatus::FOUNDER;
            fx.records.push(Record::MemberStatusSet { channel: id, account: founder.id, member_status });
            self.add_member(founder.id, name.clone(), at, fx);
            detail = format!("founder {}", founder.name);
        }
        let action = AuditedAction { action: "channel create", target: name.as_str(), detail: &detail };
        Self::record_audit(attribution, action, fx);
        Ok(())
    }

    fn set_topic(&mut self, target: &Target, text: &str, attribution: Attribution, fx: &mut Effects) {
        let Attribution { at, .. } = attribution;
        let text: Arc<str> = truncate_str(&one_line(text), Settings::MAX_TOPIC_BYTES).into();
        let Some(by) = command_line_nick() else { return };
        let topic = Some(Topic { text: text.clone(), by, at }).filter(|topic| !topic.text.is_empty());
        if let Some(channel) = self.channels.get_mut(target.id) {
            channel.topic.clone_from(&topic);
        }
        fx.records.push(Record::TopicSet(target.id, topic));
        self.send_to_members(target, EventKind::Topic(target.name.clone(), text.clone()), at, fx);
        let action = AuditedAction { action: "channel topic", target: target.name.as_str(), detail: &text };
        Self::record_audit(attribution, action, fx);
    }

    fn set_status(
        &mut self,
        target: &Target,
        account: &Account,
        status: Option<PrefixMode>,
        attribution: Attribution,
        fx: &mut Effects,
    ) {
        let new = status.map_or(MemberStatus::NONE, |mode| MemberStatus::NONE.set(mode, true));
        let Some(channel) = self.channels.get_mut(target.id) else { return };
        let old = channel.member_status(account.id);
        if old == new {
            return;
        }
        if new.is_empty() {
            channel.member_statuses.remove(&account.id);
        } else {
            channel.member_statuses.insert(account.id, new);
        }
        let is_member = channel.members.contains(&account.id);
        fx.records.push(Record::MemberStatusSet {
            channel: target.id,
            account: account.id,
            member_status: new,
        });
        if is_member && let Some(changes) = status_changes(old, new, &account.name) {
            let kind = EventKind::Mode { target: target.name.shared(), changes };
            self.send_to_members(target, kind, attribution.at, fx);
        }
        let detail = status.map_or_else(|| "none".to_owned(), |mode| mode.to_string());
        Self::audit_channel(attribution, ("channel role", account.name.as_str()), target, &detail, fx);
    }

    fn add_mask(
        &mut self,
        target: &Target,
        list: ListKind,
        mask: &Arc<str>,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), ChannelError> {
        let rule = MaskRule::parse(mask).ok_or_else(|| ChannelError::InvalidMask(mask.clone()))?;
        let mask = rule.canonical_text();
        let Some(by) = command_line_nick() else { return Ok(()) };
        let channel = self.channels.get_mut(target.id);
        let Some(channel) = channel.must_exist("the caller found the channel") else { return Ok(()) };
        if channel.lists.is_full() {
            return Err(ChannelError::ListFull(target.name.clone(), MaskLists::MAX_ENTRIES));
        }
        let entry = ListEntry { mask: mask.clone(), by, at: attribution.at };
        if !channel.lists.add(list, entry.clone(), rule) {
            return Err(ChannelError::KnownMask(target.name.clone(), mask));
        }
        fx.records.push(Record::ListAdded(target.id, list, entry));
        self.announce_list_change(target, ('+', list, &mask), attribution, fx);
        Ok(())
    }

    fn remove_mask(
        &mut self,
        target: &Target,
        list: ListKind,
        mask: &Arc<str>,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), ChannelError> {
        // An entry that no longer parses can still be named as it is listed.
        let mask = MaskRule::parse(mask).map_or_else(|| mask.clone(), |rule| rule.canonical_text());
        let channel = self.channels.get_mut(target.id);
        let Some(channel) = channel.must_exist("the caller found the channel") else { return Ok(()) };
        let Some(removed) = channel.lists.remove(list, &mask) else {
            return Err(ChannelError::UnknownMask(target.name.clone(), mask));
        };
        fx.records.push(Record::ListRemoved(target.id, list, removed.mask.clone()));
        self.announce_list_change(target, ('-', list, &removed.mask), attribution, fx);
        Ok(())
    }

    fn set_retention(
        &mut self,
        target: &Target,
        limits: RetentionLimits,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), ChannelError> {
        if limits.keep_days > Some(RetentionLimits::MAX_DAYS)
            || limits.keep_messages > Some(RetentionLimits::MAX_MESSAGES)
        {
            return Err(ChannelError::LimitTooLarge);
        }
        let Some(channel) = self.channels.get_mut(target.id) else { return Ok(()) };
        if channel.retention == limits {
            return Ok(());
        }
        channel.retention = limits;
        fx.records.push(Record::ChannelRetentionSet(target.id, limits));
        let limit =
            |limit: Option<u32>| limit.map_or_else(|| "default".to_owned(), |limit| limit.to_string());
        let detail = format!("days {}, messages {}", limit(limits.keep_days), limit(limits.keep_messages));
        Self::audit_history(attribution, "channel retention", target, &detail, fx);
        Ok(())
    }

    /// Removes the oldest messages and events before a message id, and ends the shares of their files.
    fn purge(&mut self, target: &Target, first: MessageId, most: u32, fx: &mut Effects) {
        let conversation = Conversation::Channel(target.id);
        let kept = KeptFrom { messages: first, events: first, redactions: first, redacted: first };
        self.unshare_old_files(conversation, first, fx);
        fx.records.push(Record::HistoryForgotten(ForgottenHistory { conversation, kept, most }));
    }

    fn archive(
        &mut self,
        target: &Target,
        is_archived: bool,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), ChannelError> {
        let Some(channel) = self.channels.get_mut(target.id) else { return Ok(()) };
        if channel.archived.is_some() == is_archived {
            let state = if is_archived { "archived already" } else { "not archived" };
            return Err(ChannelError::ArchivedOrNot(target.name.clone(), state));
        }
        channel.archived = is_archived.then_some(attribution.at);
        fx.records.push(Record::ChannelArchived(target.id, channel.archived));
        let (action, text) = if is_archived {
            (
                "channel archive",
                "This channel was archived: it can be read, and nobody can write here any more",
            )
        } else {
            ("channel reopen", "This channel is open again")
        };
        let kind = EventKind::Message {
            kind: MessageKind::Notice,
            target: target.name.shared(),
            text: text.into(),
            own_copy: false,
        };
        self.send_to_members(target, kind, attribution.at, fx);
        Self::audit_history(attribution, action, target, "", fx);
        Ok(())
    }

    /// Removes a channel with its history and members, who see themselves kicked.
    fn delete_channel(&mut self, target: &Target, attribution: Attribution, fx: &mut Effects) {
        self.purge(target, MessageId::LAST, u32::MAX, fx);
        let Some(channel) = self.channels.get_mut(target.id) else { return };
        // Otherwise the last member would take the channel with it.
        channel.has_messages = true;
        let members: Vec<Account> = channel
            .members
            .iter()
            .filter_map(|&id| self.accounts.get(id))
            .map(|account_state| account_state.account.clone())
            .collect();
        for account in &members {
            self.remove_member(target, account, DELETION_REASON, attribution.at, fx);
        }
        self.channels.remove(target.id);
        self.groups.remove_channel(target.id);
        // A channel of this name that is made later has nothing in common with this one.
        self.accounts.remove_conversation(Conversation::Channel(target.id));
        fx.records.push(Record::ChannelRemoved(target.id));
        Self::audit_history(attribution, "channel delete", target, "", fx);
    }

    fn audit_history(
        attribution: Attribution,
        action: &'static str,
        target: &Target,
        detail: &str,
        fx: &mut Effects,
    ) {
        Self::record_audit(attribution, AuditedAction { action, target: target.name.as_str(), detail }, fx);
    }

    /// Announces and audits an entry that was added to a list (`+`) or removed (`-`).
    fn announce_list_change(
        &self,
        target: &Target,
        (sign, list, mask): (char, ListKind, &str),
        attribution: Attribution,
        fx: &mut Effects,
    ) {
        let changes = format!("{sign}{} {mask}", list.letter());
        let kind = EventKind::Mode { target: target.name.shared(), changes: changes.as_str().into() };
        self.send_to_members(target, kind, attribution.at, fx);
        let action = AuditedAction { action: "channel mode", target: target.name.as_str(), detail: &changes };
        Self::record_audit(attribution, action, fx);
    }

    /// Removes a member, whom all members see kicked by the server.
    fn remove_member(
        &mut self,
        target: &Target,
        account: &Account,
        reason: &str,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let kind = EventKind::Kick(target.name.clone(), account.name.clone(), reason.into());
        self.send_to_members(target, kind, at, fx);
        self.leave_channel(account.id, target.id, fx);
    }

    /// Finds an account that may be a member: also one that is disabled, or a hook's.
    fn find_member(&self, name: &Nick) -> Result<Account, AccountError> {
        let account_state = self.accounts.get_by_name(name);
        account_state.map(|it| it.account.clone()).ok_or_else(|| AccountError::Unknown(name.clone()))
    }

    fn is_in(&self, target: &Target, account: AccountId) -> bool {
        self.channels.get(target.id).is_some_and(|channel| channel.members.contains(&account))
    }

    /// Sends an event of the server to the sessions in a channel.
    fn send_to_members(&self, target: &Target, kind: EventKind, at: Timestamp, fx: &mut Effects) {
        let Some(channel) = self.channels.get(target.id) else { return };
        let audience = channel.audience.snapshot();
        if !audience.is_empty() {
            let event = Event::from_server(&self.settings.server_name, at, kind);
            fx.push(Output::Broadcast { audience, event, origin: None });
        }
    }

    /// Records an action on an account in a channel.
    fn audit_channel(
        attribution: Attribution,
        (action, account): (&'static str, &str),
        target: &Target,
        detail: &str,
        fx: &mut Effects,
    ) {
        let detail = match detail {
            "" => target.name.to_string(),
            _ => format!("{}: {detail}", target.name),
        };
        Self::record_audit(attribution, AuditedAction { action, target: account, detail: &detail }, fx);
    }
}

/// Returns the name that stands for the command line in topics and lists.
fn command_line_nick() -> Option<Nick> {
    Nick::parse(COMMAND_LINE_NICK).ok().must_exist("the constant is a nick")
}

/// Returns a text of the command line with spaces for what would end a line of the protocol.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\r', '\n', '\0'], " ")
}

/// Returns the MODE parameters that lead from one status to another, as clients see them, such as `-o+v al al`.
fn status_changes(old: MemberStatus, new: MemberStatus, nick: &Nick) -> Option<Arc<str>> {
    let (old, new) = (old.as_shown(), new.as_shown());
    let letters = |sign: char, of: MemberStatus, not_in: MemberStatus| {
        let letters: String = of.iter().filter(|&mode| !not_in.has(mode)).map(PrefixMode::letter).collect();
        if letters.is_empty() { letters } else { format!("{sign}{letters}") }
    };
    let letters = letters('-', old, new) + &letters('+', new, old);
    let count = letters.chars().filter(char::is_ascii_alphabetic).count();
    (count > 0).then(|| format!("{letters}{}", [" ", nick.as_str()].concat().repeat(count)).into())
}
