//! JOIN (<https://modern.ircdocs.horse/#join-message>). Joining a channel that does not exist creates it, with the
//! account as its founder.

use std::sync::Arc;

use crate::core::commands::targets::{self, no_such_channel};
use crate::core::commands::{Command, Spec};
use crate::core::effects::event::{Event, EventKind};
use crate::core::model::channel::Channel;
use crate::core::model::power::Power;
use crate::core::record::modes::Flag;
use crate::core::record::{ChannelId, MessageKind};
use crate::core::state::context::Context;
use crate::core::state::silenced::AWAY;
use crate::core::target::Target;
use crate::wire::numeric::{
    ERR_BADCHANNELKEY, ERR_BANNEDFROMCHAN, ERR_CHANNELISFULL, ERR_INVITEONLYCHAN, ERR_LINKCHANNEL,
    ERR_TOOMANYCHANNELS,
};
use crate::wire::{Cap, ChannelName, Message, Reply};

/// The JOIN command: joins channels or leaves all.
pub const SPEC: Spec = Spec { name: "JOIN", least: 1, parse };

/// A parsed JOIN.
#[derive(Debug)]
pub enum Join {
    /// Joins channels: `JOIN #a,#b key`.
    These(Vec<(Target, Option<Box<str>>)>),
    /// Leaves all channels: `JOIN 0`.
    PartAll,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let list = message.param(0).unwrap_or_default();
    if list == "0" {
        return Ok(Command::Join(Join::PartAll));
    }
    // Keys belong to channels by position in the list, before duplicates are removed from it.
    let places: Vec<&str> = list.split(',').collect();
    let keys: Vec<&str> = message.param(1).unwrap_or_default().split(',').collect();
    let key_of = |name: &str| {
        let place = places.iter().position(|place| *place == name)?;
        keys.get(place).filter(|key| !key.is_empty()).map(|key| (*key).into())
    };
    let targets = targets::split(list)?.into_iter().map(|name| (Target::parse(name), key_of(name)));
    Ok(Command::Join(Join::These(targets.collect())))
}

impl Join {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        match self {
            Self::PartAll => {
                for id in cx.me().map(|me| me.channels.clone()).unwrap_or_default() {
                    super::part::leave(cx, id, None);
                }
            }
            Self::These(targets) => {
                let mut joined = Vec::new();
                for (target, key) in targets {
                    match target {
                        Target::Channel(name) => joined.extend(join(cx, &name, key.as_deref())),
                        Target::Person(nick) => cx.reply(no_such_channel(nick.as_str())),
                        Target::Nobody(text) => cx.reply(no_such_channel(&text)),
                    }
                }
                cx.replay_joined(&joined);
            }
        }
    }
}

/// Returns the error reply if the account may not join the channel.
fn refusal(cx: &Context<'_>, channel: &Channel, key: Option<&str>) -> Option<Reply> {
    let me = cx.me()?;
    if cx.power(channel) == Power::Admin || channel.is_founder(me.account.id) {
        return None;
    }
    let refuse = |numeric, text: &str| {
        Some(Reply::numeric(numeric).arg(channel.name.as_str()).text(format!("Cannot join channel {text}")))
    };
    cx.chat.look_at(channel.lists.weight());
    if channel.lists.bans(me) {
        return refuse(ERR_BANNEDFROMCHAN, "(+b): you are banned");
    }
    if channel.invited.contains(&me.account.id) {
        return None;
    }
    if channel.modes.has(Flag::InviteOnly) && !channel.lists.invites(me) {
        return refuse(ERR_INVITEONLYCHAN, "(+i): you are not invited");
    }
    if channel.modes.key.as_deref().is_some_and(|wanted| key != Some(wanted)) {
        return refuse(ERR_BADCHANNELKEY, "(+k): bad key");
    }
    if channel.modes.limit.is_some_and(|most| channel.members.len() >= most as usize) {
        return refuse(ERR_CHANNELISFULL, "(+l): it is full");
    }
    None
}

fn join(cx: &mut Context<'_>, name: &ChannelName, key: Option<&str>) -> Option<ChannelId> {
    let mut name = name.clone();
    if cx.channel(&name).is_none()
        && let Some(channel) = cx.chat.channels.renamed(&name, cx.at)
    {
        if !cx.can_see(channel) {
            // The name is not free, and the account may not see the channel that it leads to.
            cx.reply(no_such_channel(name.as_str()));
            return None;
        }
        let new = channel.name.clone();
        // See "Channel redirection" in the channel-rename specification.
        let text = "The channel has been renamed";
        if cx.member.caps.has(Cap::ChannelRename) {
            let reply = Reply::fail("JOIN", "CHANNEL_RENAMED").arg(name.as_str()).arg(new.as_str());
            cx.reply(reply.text(text));
            return None;
        }
        cx.reply(Reply::numeric(ERR_LINKCHANNEL).arg(name.as_str()).arg(new.as_str()).text(text));
        name = new;
    }
    if let Some(channel) = cx.channel(&name) {
        if cx.is_in(channel) {
            return None;
        }
        if let Some(reply) = refusal(cx, channel, key) {
            cx.reply(reply);
            return None;
        }
    }
    let most = cx.chat.settings.channels_per_account;
    if cx.me().is_none_or(|me| me.channels.len() >= most) {
        let text = format!("You have joined too many channels: {most} is the maximum, leave one first");
        cx.reply(Reply::numeric(ERR_TOOMANYCHANNELS).arg(name.as_str()).text(text));
        return None;
    }
    if cx.channel(&name).is_none() && !cx.is_admin() && cx.chat.channels.made_by(cx.member.account) >= most {
        let text = format!(
            "You have created {most} channels that still exist, the maximum; new ones are possible once one is removed"
        );
        cx.reply(Reply::numeric(ERR_TOOMANYCHANNELS).arg(name.as_str()).text(text));
        return None;
    }
    let id = cx.chat.enter(cx.member.account, name, cx.at, cx.fx)?;
    let channel = cx.chat.channels.get(id)?;
    // From here on, the name is in its creator's spelling.
    let (name, ranks) = (channel.name.clone(), channel.ranks(cx.member.account));
    let realname = cx.me().map(|me| cx.chat.realname_in(me, channel)).unwrap_or_default();
    let event =
        cx.channel_event(id, (MessageKind::Join, Arc::default()), EventKind::Join(name.clone(), realname))?;
    cx.tell_channel(&name, event);
    if !ranks.is_empty() {
        let change = ranks.granted_to(&cx.member.nick);
        let event =
            Event::of_server(&cx.chat.settings.server_name, cx.at, EventKind::Mode(name.shared(), change));
        tell_others(cx, &name, event);
    }
    if let Some(away) = cx.me().and_then(|me| me.away.clone()) {
        // Members with away-notify learn at the JOIN that the account is away.
        let channel = cx.chat.channels.get(id)?;
        let (is_silenced, audience) = (cx.is_silenced(channel), channel.audience.snapshot());
        let event = cx.event(EventKind::Away(Some(if is_silenced { AWAY.into() } else { away })))?;
        cx.chat.tell_absence(cx.member.account, &audience, event, cx.fx);
    }
    for session in cx.my_sessions() {
        cx.introduce(&name, session);
    }
    Some(id)
}

/// Sends an event to the channel unless only the account's own sessions are in it, which learn it from NAMES.
fn tell_others(cx: &mut Context<'_>, name: &ChannelName, event: Event) {
    let Some(channel) = cx.channel(name) else { return };
    if channel.audience.len() > cx.me().map_or(0, |me| me.seats.len()) {
        cx.tell_channel(name, event);
    }
}
