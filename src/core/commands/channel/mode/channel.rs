//! Channel modes (<https://modern.ircdocs.horse/#channel-modes>): permissions to change them, and the events of
//! changes.

use std::collections::BTreeSet;

use crate::core::commands::channel::part::not_on_channel;
use crate::core::commands::targets::{no_such_channel, no_such_nick};
use crate::core::effects::event::EventKind;
use crate::core::model::channel::Channel;
use crate::core::model::lists::{Lists, Rule};
use crate::core::model::power::Power;
use crate::core::record::modes::{Flag, ListEntry, ListKind, Modes};
use crate::core::record::ranks::{Rank, Ranks};
use crate::core::record::{ChannelId, MessageKind, Record};
use crate::core::request::settings::Settings;
use crate::core::state::context::{Context, not_allowed};
use crate::wire::numeric::{
    ERR_BANLISTFULL, ERR_CHANOPRIVSNEEDED, ERR_INVALIDMODEPARAM, ERR_NOTONCHANNEL, ERR_UNKNOWNMODE,
    ERR_USERNOTINCHANNEL, Numeric, RPL_BANLIST, RPL_CHANNELMODEIS, RPL_CREATIONTIME, RPL_ENDOFBANLIST,
    RPL_ENDOFEXCEPTLIST, RPL_ENDOFINVITELIST, RPL_EXCEPTLIST, RPL_INVITELIST,
};
use crate::wire::{ChannelName, Nick, Reply};

/// Replies with the modes of a channel.
pub(super) fn show(cx: &mut Context<'_>, name: &ChannelName) {
    let Some(channel) = cx.visible(name) else { return cx.reply(no_such_channel(name.as_str())) };
    let (name, created) = (channel.name.clone(), channel.created);
    let modes = channel.modes.show(cx.power(channel) > Power::Stranger);
    let reply = Reply::numeric(RPL_CHANNELMODEIS).arg(name.as_str());
    let reply = modes.split(' ').fold(reply, Reply::arg);
    cx.reply(reply);
    let reply = Reply::numeric(RPL_CREATIONTIME).arg(name.as_str());
    cx.reply(reply.arg(created.seconds().to_string()));
}

/// The net changes so far, in the order in which they were made. A change that is undone later in the same command is
/// not announced.
#[derive(Default)]
struct Told(Vec<Step>);

/// One announced change.
struct Step {
    on: bool,
    letter: char,
    value: Option<String>,
}

/// The changes of one MODE line: signs, letters, values.
#[derive(Default)]
struct ToldLine {
    letters: String,
    values: String,
    /// The values for the history and the audit log. They omit the channel key, because more accounts may read them.
    kept: String,
    on: Option<bool>,
}

impl Told {
    /// Limit of the letters and values of a line, in bytes. With it a line has at most 512 bytes for every sender and
    /// channel.
    const ROOM: usize = 340;

    /// Adds a change of a mode without a value, of a list or of a member's status. One that undoes an earlier change
    /// removes it instead.
    fn add(&mut self, on: bool, letter: char, value: Option<&str>) {
        match self.0.iter().position(|step| step.letter == letter && step.value.as_deref() == value) {
            Some(earlier) => drop(self.0.remove(earlier)),
            None => self.0.push(Step { on, letter, value: value.map(ToOwned::to_owned) }),
        }
    }

    /// Replaces the change of a mode with one value, such as the key.
    fn replace(&mut self, on: bool, letter: char, value: Option<&str>) {
        self.forget(letter);
        self.0.push(Step { on, letter, value: value.map(ToOwned::to_owned) });
    }

    fn forget(&mut self, letter: char) {
        self.0.retain(|step| step.letter != letter);
    }

    /// Returns the changes in as many lines as needed.
    fn lines(self) -> Vec<ToldLine> {
        let mut lines: Vec<ToldLine> = Vec::new();
        for Step { on, letter, value } in self.0 {
            // The letter, and perhaps a sign.
            let more = value.as_ref().map_or(0, |value| value.len() + 1) + 2;
            if lines.last().is_none_or(|line| line.letters.len() + line.values.len() + more > Self::ROOM) {
                lines.push(ToldLine::default());
            }
            let Some(line) = lines.last_mut() else { continue };
            if line.on != Some(on) {
                line.letters.push(if on { '+' } else { '-' });
                line.on = Some(on);
            }
            line.letters.push(letter);
            if let Some(value) = &value {
                for (values, value) in
                    [(&mut line.values, value.as_str()), (&mut line.kept, value_kept(letter, value))]
                {
                    values.push(' ');
                    values.push_str(value);
                }
            }
        }
        lines
    }
}

fn value_kept(letter: char, value: &str) -> &str {
    if letter == 'k' { "*" } else { value }
}

/// A MODE in progress.
struct Change<'a, 'c> {
    cx: &'a mut Context<'c>,
    id: ChannelId,
    name: ChannelName,
    power: Power,
    told: Told,
    /// The modes before the command.
    before: Modes,
    /// Error replies so far. Equal ones, and those about missing permissions, are sent once for each command, so that
    /// a line of many letters has no reply of many lines.
    refused: Vec<Reply>,
    /// The lists that were shown.
    shown: BTreeSet<ListKind>,
}

/// Changes modes and replies with the lists that are queried.
pub(super) fn change(cx: &mut Context<'_>, name: &ChannelName, letters: &str, values: &[Box<str>]) {
    let Some(channel) = cx.visible(name) else { return cx.reply(no_such_channel(name.as_str())) };
    let power = cx.power(channel);
    let (id, name) = (channel.id, channel.name.clone());
    let (told, before) = (Told::default(), channel.modes.clone());
    let mut change =
        Change { cx, id, name, power, told, before, refused: Vec::new(), shown: BTreeSet::new() };
    let (mut on, mut values, mut with_value) = (true, values.iter(), 0);
    let mut unknown = BTreeSet::new();
    for letter in letters.chars() {
        if letter == '+' || letter == '-' {
            on = letter == '+';
            continue;
        }
        let takes_value = ListKind::of_letter(letter).is_some()
            || Rank::of_letter(letter).is_some()
            || letter == 'k'
            || (letter == 'l' && on);
        let value = if takes_value { values.next().map(|value| &**value) } else { None };
        with_value += usize::from(value.is_some());
        // Without a value because the line had no room for more. `-k` needs none.
        if takes_value && value.is_none() && with_value == Settings::MODES && (on || letter != 'k') {
            let reply =
                Reply::numeric(ERR_INVALIDMODEPARAM).arg(change.name.as_str()).arg(letter.to_string());
            let text = format!("At most {} modes with a parameter go into one command", Settings::MODES);
            change.refuse(reply.arg("*").text(text));
            continue;
        }
        let is_known = takes_value || letter == 'l' || Flag::of_letter(letter).is_some();
        // An unknown letter gets one error reply, however often it occurs, and a line of many of them a few.
        if !is_known && (unknown.len() == Settings::MODES || !unknown.insert(letter)) {
            continue;
        }
        if let Err(reply) = change.one(on, letter, value) {
            change.refuse(reply);
        }
    }
    change.finish();
}

impl Change<'_, '_> {
    fn channel(&self) -> Option<&Channel> {
        self.cx.chat.channels.get(self.id)
    }

    /// Sends an error reply, unless the command had it already.
    fn refuse(&mut self, reply: Reply) {
        let is_permission = |reply: &Reply| {
            [ERR_CHANOPRIVSNEEDED, ERR_NOTONCHANNEL].into_iter().any(|numeric| reply.is(numeric))
        };
        let permission = is_permission(&reply);
        if self.refused.iter().any(|sent| *sent == reply || permission && is_permission(sent)) {
            return;
        }
        self.refused.push(reply.clone());
        self.cx.reply(reply);
    }

    fn one(&mut self, on: bool, letter: char, value: Option<&str>) -> Result<(), Reply> {
        if let Some(list) = ListKind::of_letter(letter) {
            return match value {
                None => self.show_list(list),
                Some(mask) => self.list(on, list, mask),
            };
        }
        if let Some(rank) = Rank::of_letter(letter) {
            return value.map_or(Ok(()), |nick| self.rank(on, rank, nick));
        }
        match (letter, Flag::of_letter(letter)) {
            (_, Some(flag)) => self.flag(on, flag),
            ('k', _) => self.key(on, value),
            ('l', _) => self.limit(on, value),
            _ => {
                let reply = Reply::numeric(ERR_UNKNOWNMODE).arg(letter.to_string());
                Err(reply.text("is unknown mode char to me"))
            }
        }
    }

    /// Returns an error reply unless the account has this member status or a higher one.
    fn need(&self, rank: Rank) -> Result<(), Reply> {
        if self.power.at_least(rank) {
            return Ok(());
        }
        if self.power == Power::Stranger {
            return Err(not_on_channel(self.name.as_str()));
        }
        let who = match rank {
            Rank::Founder => "its founder",
            Rank::Op => "ops and higher",
            Rank::HalfOp | Rank::Voice => "half-ops and higher",
        };
        Err(not_allowed(self.name.as_str(), &format!("You're not channel operator ({who} required)")))
    }

    fn flag(&mut self, on: bool, flag: Flag) -> Result<(), Reply> {
        self.need(Rank::HalfOp)?;
        if let Some(channel) = self.cx.chat.channels.get_mut(self.id)
            && channel.modes.has(flag) != on
        {
            channel.modes.set(flag, on);
            self.told.add(on, flag.letter(), None);
        }
        Ok(())
    }

    fn key(&mut self, on: bool, value: Option<&str>) -> Result<(), Reply> {
        self.need(Rank::HalfOp)?;
        let Some(channel) = self.cx.chat.channels.get_mut(self.id) else { return Ok(()) };
        if on {
            let Some(key) = value else { return Ok(()) };
            if key.is_empty()
                || key.len() > Settings::KEY_BYTES
                || key.contains([' ', ','])
                || key.starts_with(':')
            {
                let reply = Reply::numeric(ERR_INVALIDMODEPARAM).arg(self.name.as_str()).arg("k").arg("*");
                let text =
                    format!("Invalid channel key: 1 to {} bytes, no spaces or commas", Settings::KEY_BYTES);
                return Err(reply.text(text));
            }
            channel.modes.key = Some(key.into());
            self.told.replace(true, 'k', Some(key));
        } else if channel.modes.key.take().is_some() {
            self.told.replace(false, 'k', Some("*"));
        }
        if channel.modes.key == self.before.key {
            self.told.forget('k');
        }
        Ok(())
    }

    fn limit(&mut self, on: bool, value: Option<&str>) -> Result<(), Reply> {
        self.need(Rank::HalfOp)?;
        let Some(channel) = self.cx.chat.channels.get_mut(self.id) else { return Ok(()) };
        if on {
            let Some(value) = value else { return Ok(()) };
            let Some(limit) = value.parse().ok().filter(|limit| *limit > 0) else {
                let reply = Reply::numeric(ERR_INVALIDMODEPARAM).arg(self.name.as_str()).arg("l").arg(value);
                return Err(reply.text("Invalid limit: a number of at least 1"));
            };
            if channel.modes.limit.replace(limit) != Some(limit) {
                self.told.replace(true, 'l', Some(&limit.to_string()));
            }
        } else if channel.modes.limit.take().is_some() {
            self.told.replace(false, 'l', None);
        }
        if channel.modes.limit == self.before.limit {
            self.told.forget('l');
        }
        Ok(())
    }

    fn show_list(&mut self, list: ListKind) -> Result<(), Reply> {
        if !self.shown.insert(list) {
            return Ok(());
        }
        if self.power == Power::Stranger {
            return Err(not_on_channel(self.name.as_str()));
        }
        let (entry, end, what) = numerics(list);
        let Some(channel) = self.channel() else { return Ok(()) };
        let name = self.name.as_str();
        let line = |listed: &ListEntry| {
            let reply = Reply::numeric(entry).arg(name).arg(&*listed.mask).arg(listed.by.as_str());
            reply.arg(listed.at.seconds().to_string())
        };
        let replies: Vec<Reply> = channel.lists.of(list).map(line).collect();
        for reply in replies {
            self.cx.reply(reply);
        }
        self.cx.reply(Reply::numeric(end).arg(name).text(format!("End of channel {what} list")));
        Ok(())
    }

    fn list(&mut self, on: bool, list: ListKind, mask: &str) -> Result<(), Reply> {
        self.need(Rank::HalfOp)?;
        let letter = list.letter().to_string();
        let Some(rule) = Rule::parse(mask) else {
            let reply = Reply::numeric(ERR_INVALIDMODEPARAM).arg(self.name.as_str()).arg(letter).arg(mask);
            return Err(
                reply.text("Invalid mask: use nick!user@host or a:account, with m: in front for a mute")
            );
        };
        let mask = rule.text();
        let (by, at) = (self.cx.member.nick.clone(), self.cx.at);
        let Some(channel) = self.cx.chat.channels.get_mut(self.id) else { return Ok(()) };
        if !on {
            if let Some(gone) = channel.lists.remove(list, &mask) {
                self.told.add(false, list.letter(), Some(&gone.mask));
                self.cx.fx.records.push(Record::ListRemoved(self.id, list, gone.mask));
            }
            return Ok(());
        }
        if channel.lists.is_full() {
            let reply = Reply::numeric(ERR_BANLISTFULL).arg(self.name.as_str()).arg(letter);
            return Err(reply.text(format!("Channel list is full ({} entries)", Lists::MOST)));
        }
        let entry = ListEntry { mask: mask.clone(), by, at };
        if channel.lists.add(list, entry.clone(), rule) {
            self.cx.fx.records.push(Record::ListAdded(self.id, list, entry));
            self.told.add(true, list.letter(), Some(&mask));
        }
        Ok(())
    }

    fn rank(&mut self, on: bool, rank: Rank, nick: &str) -> Result<(), Reply> {
        let known = Nick::parse(nick).ok().and_then(|nick| self.cx.chat.people.named(&nick));
        let person = known.ok_or_else(|| no_such_nick(nick))?;
        let (account, nick) = (person.account.id, person.nick().clone());
        let Some(channel) = self.channel() else { return Ok(()) };
        let ranks = channel.ranks(account);
        let oneself = account == self.cx.member.account && !on && self.power != Power::Stranger;
        if !oneself {
            // Granting a status needs at least that status, and at least op; voice needs half-op.
            self.need(if rank <= Rank::Voice { Rank::HalfOp } else { rank.max(Rank::Op) })?;
            let theirs = Power::of(account, false, channel);
            if !on && !self.power.may_act_on(theirs) {
                return Err(not_allowed(
                    self.name.as_str(),
                    &format!("You can't change the status of {nick}: it is not below yours"),
                ));
            }
        }
        if on && !channel.members.contains(&account) {
            let reply = Reply::numeric(ERR_USERNOTINCHANNEL).arg(nick.as_str()).arg(self.name.as_str());
            return Err(reply.text("They aren't on that channel"));
        }
        if !on && rank == Rank::Op && ranks.has(Rank::Founder) {
            let text =
                format!("{nick} is a founder and so always an op; take the founder's status first (-q)");
            return Err(not_allowed(self.name.as_str(), &text));
        }
        let changed = ranks.set(rank, on);
        if changed != ranks {
            self.set_ranks(account, changed);
            // The event shows the change in the visible status.
            let (before, after) = (ranks.shown(), changed.shown());
            let (from, to) = if on { (before, after) } else { (after, before) };
            for rank in to.iter().filter(|&rank| !from.has(rank)) {
                self.told.add(on, rank.letter(), Some(nick.as_str()));
            }
        }
        Ok(())
    }

    fn set_ranks(&mut self, account: crate::core::record::AccountId, ranks: Ranks) {
        let Some(channel) = self.cx.chat.channels.get_mut(self.id) else { return };
        if ranks.is_empty() {
            channel.ranks.remove(&account);
        } else {
            channel.ranks.insert(account, ranks);
        }
        self.cx.fx.records.push(Record::RanksSet { channel: self.id, account, ranks });
    }

    /// Records the changes and sends their events.
    fn finish(self) {
        let Self { cx, id, name, told, before, .. } = self;
        if let Some(channel) = cx.chat.channels.get(id).filter(|channel| channel.modes != before) {
            cx.fx.records.push(Record::ModesSet(id, channel.modes.clone()));
        }
        for ToldLine { letters, values, kept, .. } in told.lines() {
            let (change, kept) = (format!("{letters}{values}"), format!("{letters}{kept}"));
            let kind = EventKind::Mode(name.shared(), change.into());
            if let Some(event) = cx.channel_event(id, (MessageKind::Mode, kept.as_str().into()), kind) {
                cx.tell_channel(&name, event);
            }
            cx.audit("channel mode", name.as_str(), &kept);
        }
    }
}

fn numerics(list: ListKind) -> (Numeric, Numeric, &'static str) {
    match list {
        ListKind::Ban => (RPL_BANLIST, RPL_ENDOFBANLIST, "ban"),
        ListKind::Except => (RPL_EXCEPTLIST, RPL_ENDOFEXCEPTLIST, "exception"),
        ListKind::Invex => (RPL_INVITELIST, RPL_ENDOFINVITELIST, "invite exception"),
    }
}
