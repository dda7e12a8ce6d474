//! Channel modes (<https://modern.ircdocs.horse/#channel-modes>): permissions to change them, and the events of
//! changes.

use std::collections::BTreeSet;

use crate::core::commands::channel::part::not_on_channel;
use crate::core::commands::targets::{no_such_channel, no_such_nick};
use crate::core::effects::event::EventKind;
use crate::core::model::channel::Channel;
use crate::core::model::mask_lists::{MaskLists, MaskRule};
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::member_status::{MemberStatus, PrefixMode};
use crate::core::record::modes::{ListEntry, ListKind, ModeFlag, Modes};
use crate::core::record::{ChannelId, MessageKind, Record};
use crate::core::settings::Settings;
use crate::core::state::context::{Context, chanop_privs_needed};
use crate::invariants::MustExist as _;
use crate::wire::numeric::{
    ERR_BANLISTFULL, ERR_CHANOPRIVSNEEDED, ERR_INVALIDMODEPARAM, ERR_NOTONCHANNEL, ERR_UNKNOWNMODE,
    ERR_USERNOTINCHANNEL, Numeric, RPL_BANLIST, RPL_CHANNELMODEIS, RPL_CREATIONTIME, RPL_ENDOFBANLIST,
    RPL_ENDOFEXCEPTLIST, RPL_ENDOFINVITELIST, RPL_EXCEPTLIST, RPL_INVITELIST,
};
use crate::wire::{ChannelName, Nick, Reply};

/// Replies with the modes of a channel.
pub(super) fn reply_with_modes(cx: &mut Context<'_>, name: &ChannelName) {
    let Some(channel) = cx.visible_channel(name) else { return cx.reply(no_such_channel(name.as_str())) };
    let (name, created) = (channel.name.clone(), channel.created);
    let modes = channel.modes.to_mode_string(cx.permission_level(channel) > PermissionLevel::NonMember);
    let reply = Reply::numeric(RPL_CHANNELMODEIS).arg(name.as_str());
    let reply = modes.split(' ').fold(reply, Reply::arg);
    cx.reply(reply);
    let reply = Reply::numeric(RPL_CREATIONTIME).arg(name.as_str());
    cx.reply(reply.arg(created.as_seconds().to_string()));
}

/// The net changes so far, in the order in which they were made. A change that is undone later in the same command is
/// not announced.
#[derive(Default)]
struct ModeChanges(Vec<ModeChange>);

/// One announced change.
struct ModeChange {
    on: bool,
    letter: char,
    value: Option<String>,
}

/// The changes of one MODE line: signs, letters, values.
#[derive(Default)]
struct ModeLine {
    letters: String,
    values: String,
    /// The values for the history and the audit log. They omit the channel key, because more accounts may read them.
    stored_values: String,
    adding: Option<bool>,
}

impl ModeChanges {
    /// Limit of the letters and values of a line, in bytes. With it a line has at most 512 bytes for every sender and
    /// channel.
    const MAX_CHANGE_BYTES: usize = 340;

    /// Adds a change of a mode without a value, of a list or of a member's status. One that undoes an earlier change
    /// removes it instead.
    fn add(&mut self, on: bool, letter: char, value: Option<&str>) {
        match self.0.iter().position(|step| step.letter == letter && step.value.as_deref() == value) {
            Some(earlier) => drop(self.0.remove(earlier)),
            None => self.0.push(ModeChange { on, letter, value: value.map(ToOwned::to_owned) }),
        }
    }

    /// Replaces the change of a mode with one value, such as the key.
    fn replace(&mut self, on: bool, letter: char, value: Option<&str>) {
        self.remove_letter(letter);
        self.0.push(ModeChange { on, letter, value: value.map(ToOwned::to_owned) });
    }

    fn remove_letter(&mut self, letter: char) {
        self.0.retain(|step| step.letter != letter);
    }

    /// Returns the changes in as many lines as needed.
    fn lines(self) -> Vec<ModeLine> {
        let mut lines: Vec<ModeLine> = Vec::new();
        for ModeChange { on, letter, value } in self.0 {
            // The letter, and perhaps a sign.
            let added_bytes = value.as_ref().map_or(0, |value| value.len() + 1) + 2;
            if lines.last().is_none_or(|line| {
                line.letters.len() + line.values.len() + added_bytes > Self::MAX_CHANGE_BYTES
            }) {
                lines.push(ModeLine::default());
            }
            let Some(line) = lines.last_mut() else { continue };
            if line.adding != Some(on) {
                line.letters.push(if on { '+' } else { '-' });
                line.adding = Some(on);
            }
            line.letters.push(letter);
            if let Some(value) = &value {
                for (values, value) in [
                    (&mut line.values, value.as_str()),
                    (&mut line.stored_values, stored_value(letter, value)),
                ] {
                    values.push(' ');
                    values.push_str(value);
                }
            }
        }
        lines
    }
}

fn stored_value(letter: char, value: &str) -> &str {
    if letter == 'k' { "*" } else { value }
}

/// A MODE in progress.
struct ModeCommand<'a, 'c> {
    cx: &'a mut Context<'c>,
    id: ChannelId,
    name: ChannelName,
    level: PermissionLevel,
    changes: ModeChanges,
    /// The modes before the command.
    before: Modes,
    /// Error replies so far. Equal ones, and those about missing permissions, are sent once for each command, so that
    /// a line of many letters has no reply of many lines.
    sent_errors: Vec<Reply>,
    /// The lists that were shown.
    listed: BTreeSet<ListKind>,
}

/// Changes modes and replies with the lists that are queried.
pub(super) fn change_modes(cx: &mut Context<'_>, name: &ChannelName, letters: &str, values: &[Box<str>]) {
    let Some(channel) = cx.visible_channel(name) else { return cx.reply(no_such_channel(name.as_str())) };
    let level = cx.permission_level(channel);
    let (id, name) = (channel.id, channel.name.clone());
    let (changes, before) = (ModeChanges::default(), channel.modes.clone());
    let mut command = ModeCommand {
        cx,
        id,
        name,
        level,
        changes,
        before,
        sent_errors: Vec::new(),
        listed: BTreeSet::new(),
    };
    let (mut on, mut values, mut with_value) = (true, values.iter(), 0);
    let mut unknown = BTreeSet::new();
    for letter in letters.chars() {
        if letter == '+' || letter == '-' {
            on = letter == '+';
            continue;
        }
        let takes_value = ListKind::from_letter(letter).is_some()
            || PrefixMode::from_letter(letter).is_some()
            || letter == 'k'
            || (letter == 'l' && on);
        let value = if takes_value { values.next().map(|value| &**value) } else { None };
        with_value += usize::from(value.is_some());
        // Without a value because the line had no room for more. `-k` needs none.
        if takes_value && value.is_none() && with_value == Settings::MAX_MODES && (on || letter != 'k') {
            let reply =
                Reply::numeric(ERR_INVALIDMODEPARAM).arg(command.name.as_str()).arg(letter.to_string());
            let text = format!("At most {} modes with a parameter go into one command", Settings::MAX_MODES);
            command.refuse(reply.arg("*").text(text));
            continue;
        }
        let is_known = takes_value || letter == 'l' || ModeFlag::from_letter(letter).is_some();
        // An unknown letter gets one error reply, however often it occurs, and a line of many of them a few.
        if !is_known && (unknown.len() == Settings::MAX_MODES || !unknown.insert(letter)) {
            continue;
        }
        if let Err(reply) = command.apply_letter(on, letter, value) {
            command.refuse(reply);
        }
    }
    command.announce_changes();
}

impl ModeCommand<'_, '_> {
    fn channel(&self) -> Option<&Channel> {
        self.cx.core.channels.get(self.id)
    }

    /// Sends an error reply, unless the command had it already.
    fn refuse(&mut self, reply: Reply) {
        let is_permission = |reply: &Reply| {
            [ERR_CHANOPRIVSNEEDED, ERR_NOTONCHANNEL].into_iter().any(|numeric| reply.is_numeric(numeric))
        };
        let permission = is_permission(&reply);
        if self.sent_errors.iter().any(|sent| *sent == reply || permission && is_permission(sent)) {
            return;
        }
        self.sent_errors.push(reply.clone());
        self.cx.reply(reply);
    }

    fn apply_letter(&mut self, on: bool, letter: char, value: Option<&str>) -> Result<(), Reply> {
        if let Some(list) = ListKind::from_letter(letter) {
            return match value {
                None => self.show_list(list),
                Some(mask) => self.change_list(on, list, mask),
            };
        }
        if let Some(mode) = PrefixMode::from_letter(letter) {
            return self.change_member_status(on, mode, value);
        }
        match (letter, ModeFlag::from_letter(letter)) {
            (_, Some(flag)) => self.change_flag(on, flag),
            ('k', _) => self.change_key(on, value),
            ('l', _) => self.change_limit(on, value),
            _ => {
                let reply = Reply::numeric(ERR_UNKNOWNMODE).arg(letter.to_string());
                Err(reply.text("is unknown mode char to me"))
            }
        }
    }

    /// Returns an error reply unless the account has this member status or a higher one.
    fn require(&self, mode: PrefixMode) -> Result<(), Reply> {
        if self.level.at_least(mode) {
            return Ok(());
        }
        if self.level == PermissionLevel::NonMember {
            return Err(not_on_channel(self.name.as_str()));
        }
        let required = match mode {
            PrefixMode::Founder => "its founder",
            PrefixMode::Op => "ops and higher",
            PrefixMode::HalfOp | PrefixMode::Voice => "half-ops and higher",
        };
        Err(chanop_privs_needed(
            self.name.as_str(),
            &format!("You're not channel operator ({required} required)"),
        ))
    }

    fn change_flag(&mut self, on: bool, flag: ModeFlag) -> Result<(), Reply> {
        self.require(PrefixMode::HalfOp)?;
        if let Some(channel) = self.cx.core.channels.get_mut(self.id)
            && channel.modes.has(flag) != on
        {
            channel.modes.set(flag, on);
            self.changes.add(on, flag.letter(), None);
        }
        Ok(())
    }

    fn change_key(&mut self, on: bool, value: Option<&str>) -> Result<(), Reply> {
        self.require(PrefixMode::HalfOp)?;
        let Some(channel) = self.cx.core.channels.get_mut(self.id) else { return Ok(()) };
        if on {
            let key = value.ok_or_else(|| no_value(&self.name, 'k'))?;
            if key.is_empty()
                || key.len() > Settings::MAX_KEY_BYTES
                || key.contains([' ', ','])
                || key.starts_with(':')
            {
                let reply = Reply::numeric(ERR_INVALIDMODEPARAM).arg(self.name.as_str()).arg("k").arg("*");
                let text = format!(
                    "Invalid channel key: 1 to {} bytes, no spaces or commas",
                    Settings::MAX_KEY_BYTES
                );
                return Err(reply.text(text));
            }
            channel.modes.key = Some(key.into());
            self.changes.replace(true, 'k', Some(key));
        } else if channel.modes.key.take().is_some() {
            self.changes.replace(false, 'k', Some("*"));
        }
        if channel.modes.key == self.before.key {
            self.changes.remove_letter('k');
        }
        Ok(())
    }

    fn change_limit(&mut self, on: bool, value: Option<&str>) -> Result<(), Reply> {
        self.require(PrefixMode::HalfOp)?;
        let Some(channel) = self.cx.core.channels.get_mut(self.id) else { return Ok(()) };
        if on {
            let value = value.ok_or_else(|| no_value(&self.name, 'l'))?;
            let Some(limit) = value.parse().ok().filter(|limit| *limit > 0) else {
                let reply = Reply::numeric(ERR_INVALIDMODEPARAM).arg(self.name.as_str()).arg("l").arg(value);
                return Err(reply.text("Invalid limit: a number of at least 1"));
            };
            if channel.modes.limit.replace(limit) != Some(limit) {
                self.changes.replace(true, 'l', Some(&limit.to_string()));
            }
        } else if channel.modes.limit.take().is_some() {
            self.changes.replace(false, 'l', None);
        }
        if channel.modes.limit == self.before.limit {
            self.changes.remove_letter('l');
        }
        Ok(())
    }

    fn show_list(&mut self, list: ListKind) -> Result<(), Reply> {
        if !self.listed.insert(list) {
            return Ok(());
        }
        if self.level == PermissionLevel::NonMember {
            return Err(not_on_channel(self.name.as_str()));
        }
        let ListReplies { entry, end, name: list_name } = ListReplies::of(list);
        let Some(channel) = self.channel() else { return Ok(()) };
        let name = self.name.as_str();
        let line = |listed: &ListEntry| {
            let reply = Reply::numeric(entry).arg(name).arg(&*listed.mask).arg(listed.by.as_str());
            reply.arg(listed.at.as_seconds().to_string())
        };
        let replies: Vec<Reply> = channel.lists.entries(list).map(line).collect();
        for reply in replies {
            self.cx.reply(reply);
        }
        self.cx.reply(Reply::numeric(end).arg(name).text(format!("End of channel {list_name} list")));
        Ok(())
    }

    fn change_list(&mut self, on: bool, list: ListKind, mask: &str) -> Result<(), Reply> {
        self.require(PrefixMode::HalfOp)?;
        let letter = list.letter().to_string();
        let Some(rule) = MaskRule::parse(mask) else {
            let reply = Reply::numeric(ERR_INVALIDMODEPARAM).arg(self.name.as_str()).arg(letter).arg(mask);
            return Err(
                reply.text("Invalid mask: use nick!user@host or a:account, with m: in front for a mute")
            );
        };
        let mask = rule.canonical_text();
        let (by, at) = (self.cx.sender.nick.clone(), self.cx.at);
        let Some(channel) = self.cx.core.channels.get_mut(self.id) else { return Ok(()) };
        if !on {
            if let Some(removed) = channel.lists.remove(list, &mask) {
                self.changes.add(false, list.letter(), Some(&removed.mask));
                self.cx.fx.records.push(Record::ListRemoved(self.id, list, removed.mask));
            }
            return Ok(());
        }
        if channel.lists.is_full() {
            let reply = Reply::numeric(ERR_BANLISTFULL).arg(self.name.as_str()).arg(letter);
            return Err(reply.text(format!("Channel list is full ({} entries)", MaskLists::MAX_ENTRIES)));
        }
        let entry = ListEntry { mask: mask.clone(), by, at };
        if channel.lists.add(list, entry.clone(), rule) {
            self.cx.fx.records.push(Record::ListAdded(self.id, list, entry));
            self.changes.add(true, list.letter(), Some(&mask));
        }
        Ok(())
    }

    fn change_member_status(&mut self, on: bool, mode: PrefixMode, nick: Option<&str>) -> Result<(), Reply> {
        // Granting a status needs at least that status, and at least op; voice needs half-op.
        let needed = if mode <= PrefixMode::Voice { PrefixMode::HalfOp } else { mode.max(PrefixMode::Op) };
        let Some(nick) = nick else {
            self.require(needed)?;
            return Err(no_value(&self.name, mode.letter()));
        };
        let known = Nick::parse(nick).ok().and_then(|nick| self.cx.core.accounts.get_enabled_by_name(&nick));
        let account_state = known.ok_or_else(|| no_such_nick(nick))?;
        let (account, nick) = (account_state.account.id, account_state.nick().clone());
        let Some(channel) = self.channel() else { return Ok(()) };
        let status = channel.member_status(account);
        let is_self_removal =
            account == self.cx.sender.account && !on && self.level != PermissionLevel::NonMember;
        if !is_self_removal {
            self.require(needed)?;
            let target_level = PermissionLevel::for_account(account, false, channel);
            if !on && !self.level.may_act_on(target_level) {
                return Err(chanop_privs_needed(
                    self.name.as_str(),
                    &format!("You can't change the status of {nick}: it is not below yours"),
                ));
            }
        }
        if on && !channel.members.contains(&account) {
            let reply = Reply::numeric(ERR_USERNOTINCHANNEL).arg(nick.as_str()).arg(self.name.as_str());
            return Err(reply.text("They aren't on that channel"));
        }
        if !on && mode == PrefixMode::Op && status.has(PrefixMode::Founder) {
            let text =
                format!("{nick} is a founder and so always an op; take the founder's status first (-q)");
            return Err(chanop_privs_needed(self.name.as_str(), &text));
        }
        let new_status = status.set(mode, on);
        if new_status != status {
            self.set_member_status(account, new_status);
            // The event shows the change in the visible status.
            let (before, after) = (status.as_shown(), new_status.as_shown());
            let (from, to) = if on { (before, after) } else { (after, before) };
            for shown in to.iter().filter(|&mode| !from.has(mode)) {
                self.changes.add(on, shown.letter(), Some(nick.as_str()));
            }
        }
        Ok(())
    }

    fn set_member_status(&mut self, account: crate::core::record::AccountId, status: MemberStatus) {
        let channel = self.cx.core.channels.get_mut(self.id).must_exist("the command found the channel");
        let Some(channel) = channel else { return };
        if status.is_empty() {
            channel.member_statuses.remove(&account);
        } else {
            channel.member_statuses.insert(account, status);
        }
        self.cx.fx.records.push(Record::MemberStatusSet { channel: self.id, account, member_status: status });
    }

    /// Records the changes and sends their events.
    fn announce_changes(self) {
        let Self { cx, id, name, changes, before, .. } = self;
        if let Some(channel) = cx.core.channels.get(id).filter(|channel| channel.modes != before) {
            cx.fx.records.push(Record::ModesSet(id, channel.modes.clone()));
        }
        for ModeLine { letters, values, stored_values, .. } in changes.lines() {
            let (change, stored) = (format!("{letters}{values}"), format!("{letters}{stored_values}"));
            let kind = EventKind::Mode { target: name.shared(), changes: change.into() };
            if let Some(event) =
                cx.record_channel_event(id, (MessageKind::Mode, stored.as_str().into()), kind)
            {
                cx.send_to_channel(&name, event);
            }
            cx.audit("channel mode", name.as_str(), &stored);
        }
    }
}

/// Creates the error reply to a change of a mode without the value that it needs. The mode itself is ignored
/// (<https://modern.ircdocs.horse/#mode-message>).
fn no_value(name: &ChannelName, letter: char) -> Reply {
    let reply = Reply::numeric(ERR_INVALIDMODEPARAM).arg(name.as_str()).arg(letter.to_string()).arg("*");
    reply.text("You must specify a parameter for this mode")
}

/// The replies that show a list.
struct ListReplies {
    /// Numeric of an entry.
    entry: Numeric,
    /// Numeric of the line after the last entry.
    end: Numeric,
    /// Name of the list, for that line.
    name: &'static str,
}

impl ListReplies {
    fn of(list: ListKind) -> Self {
        let (entry, end, name) = match list {
            ListKind::Ban => (RPL_BANLIST, RPL_ENDOFBANLIST, "ban"),
            ListKind::Except => (RPL_EXCEPTLIST, RPL_ENDOFEXCEPTLIST, "exception"),
            ListKind::Invex => (RPL_INVITELIST, RPL_ENDOFINVITELIST, "invite exception"),
        };
        Self { entry, end, name }
    }
}
