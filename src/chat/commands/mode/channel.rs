//! Channel modes (<https://modern.ircdocs.horse/#channel-modes>): permissions to change them, and the events of
//! changes.

use std::collections::BTreeSet;

use crate::chat::channel::Channel;
use crate::chat::commands::part::not_on_channel;
use crate::chat::commands::targets::{no_such_channel, no_such_nick};
use crate::chat::context::{Context, not_allowed};
use crate::chat::event::EventKind;
use crate::chat::lists::{Lists, Rule};
use crate::chat::modes::{Flag, ListEntry, ListKind};
use crate::chat::power::Power;
use crate::chat::ranks::{Rank, Ranks};
use crate::chat::record::{ChannelId, MessageKind, Record};
use crate::chat::settings::Settings;
use crate::wire::numeric::{
    ERR_BANLISTFULL, ERR_INVALIDMODEPARAM, ERR_UNKNOWNMODE, ERR_USERNOTINCHANNEL, Numeric, RPL_BANLIST,
    RPL_CHANNELMODEIS, RPL_CREATIONTIME, RPL_ENDOFBANLIST, RPL_ENDOFEXCEPTLIST, RPL_ENDOFINVITELIST,
    RPL_EXCEPTLIST, RPL_INVITELIST,
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

/// The changes made so far, in as many lines as needed.
#[derive(Default)]
struct Told(Vec<ToldLine>);

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

    fn add(&mut self, on: bool, letter: char, value: Option<&str>) {
        let more = value.map_or(0, |value| value.len() + 1);
        // The letter, and perhaps a sign.
        let more = more + 2;
        if self.0.last().is_none_or(|line| line.letters.len() + line.values.len() + more > Self::ROOM) {
            self.0.push(ToldLine::default());
        }
        let Some(line) = self.0.last_mut() else { return };
        if line.on != Some(on) {
            line.letters.push(if on { '+' } else { '-' });
            line.on = Some(on);
        }
        line.letters.push(letter);
        if let Some(value) = value {
            for (values, value) in [(&mut line.values, value), (&mut line.kept, value_kept(letter, value))] {
                values.push(' ');
                values.push_str(value);
            }
        }
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
    /// The modes changed and have to be recorded.
    modes_changed: bool,
    /// The lists that were shown.
    shown: BTreeSet<ListKind>,
}

/// Changes modes and replies with the lists that are queried.
pub(super) fn change(cx: &mut Context<'_>, name: &ChannelName, letters: &str, values: &[Box<str>]) {
    let Some(channel) = cx.visible(name) else { return cx.reply(no_such_channel(name.as_str())) };
    let power = cx.power(channel);
    let (id, name) = (channel.id, channel.name.clone());
    let told = Told::default();
    let mut change = Change { cx, id, name, power, told, modes_changed: false, shown: BTreeSet::new() };
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
        if with_value > Settings::MODES {
            break;
        }
        let is_known = takes_value || letter == 'l' || Flag::of_letter(letter).is_some();
        // An unknown letter gets one error reply, however often it occurs.
        if !is_known && !unknown.insert(letter) {
            continue;
        }
        if let Err(reply) = change.one(on, letter, value) {
            change.cx.reply(reply);
        }
    }
    change.finish();
}

impl Change<'_, '_> {
    fn channel(&self) -> Option<&Channel> {
        self.cx.chat.channels.get(self.id)
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
            self.modes_changed = true;
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
            self.modes_changed = true;
            self.told.add(true, 'k', Some(key));
        } else if channel.modes.key.take().is_some() {
            self.modes_changed = true;
            self.told.add(false, 'k', Some("*"));
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
                self.modes_changed = true;
                self.told.add(true, 'l', Some(&limit.to_string()));
            }
        } else if channel.modes.limit.take().is_some() {
            self.modes_changed = true;
            self.told.add(false, 'l', None);
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
        let oneself = account == self.cx.member.account && !on;
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

    fn set_ranks(&mut self, account: crate::chat::record::AccountId, ranks: Ranks) {
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
        let Self { cx, id, name, told, modes_changed, .. } = self;
        if modes_changed && let Some(channel) = cx.chat.channels.get(id) {
            cx.fx.records.push(Record::ModesSet(id, channel.modes.clone()));
        }
        for ToldLine { letters, values, kept, .. } in told.0 {
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
