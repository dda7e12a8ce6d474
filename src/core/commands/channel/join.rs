//! JOIN (<https://modern.ircdocs.horse/#join-message>). Joining a channel that does not exist creates it, with the
//! account as its founder.

use std::sync::Arc;

use crate::core::commands::targets::{self, no_such_channel};
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::event::{Event, EventKind};
use crate::core::model::channel::Channel;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::modes::ModeFlag;
use crate::core::record::{ChannelId, MessageKind};
use crate::core::request::target::Target;
use crate::core::state::context::Context;
use crate::core::state::silencing::SILENCED_AWAY_MESSAGE;
use crate::invariants::MustExist as _;
use crate::wire::numeric::{
    ERR_BADCHANNELKEY, ERR_BANNEDFROMCHAN, ERR_CHANNELISFULL, ERR_INVITEONLYCHAN, ERR_LINKCHANNEL,
    ERR_TOOMANYCHANNELS,
};
use crate::wire::{Cap, ChannelName, Message, Reply};

/// The JOIN command: joins channels or leaves all.
pub const SPEC: Spec = Spec { name: "JOIN", min_params: 1, parse };

/// A parsed JOIN.
#[derive(Debug)]
pub enum Join {
    /// Joins channels: `JOIN #a,#b key`.
    Channels(Vec<(Target, Option<Box<str>>)>),
    /// Leaves all channels: `JOIN 0`.
    PartAll,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let list = message.param(0).unwrap_or_default();
    if list == "0" {
        return Ok(Command::Join(Join::PartAll));
    }
    // Keys belong to channels by position in the list, before duplicates are removed from it.
    let names: Vec<&str> = list.split(',').collect();
    let keys: Vec<&str> = message.param(1).unwrap_or_default().split(',').collect();
    let key_of = |name: &str| {
        let index = names.iter().position(|other| *other == name)?;
        keys.get(index).filter(|key| !key.is_empty()).map(|key| (*key).into())
    };
    let targets = targets::split_targets(list)?.into_iter().map(|name| (Target::parse(name), key_of(name)));
    Ok(Command::Join(Join::Channels(targets.collect())))
}

impl Join {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        match self {
            Self::PartAll => {
                for id in cx.sender_account().map(|me| me.channels.clone()).unwrap_or_default() {
                    super::part::part_channel(cx, id, None);
                }
            }
            Self::Channels(targets) => {
                let mut joined = Vec::new();
                for (target, key) in targets {
                    match target {
                        Target::Channel(name) => joined.extend(join(cx, &name, key.as_deref())),
                        Target::Nick(nick) => cx.reply(no_such_channel(nick.as_str())),
                        Target::Invalid(text) => cx.reply(no_such_channel(&text)),
                    }
                }
                cx.replay_joined(&joined);
            }
        }
    }
}

/// Returns the error reply if the account may not join the channel.
fn join_refusal(cx: &Context<'_>, channel: &Channel, key: Option<&str>) -> Option<Reply> {
    let me = cx.sender_account()?;
    if cx.permission_level(channel) == PermissionLevel::Admin || channel.is_founder(me.account.id) {
        return None;
    }
    let refuse = |numeric, text: &str| {
        Some(Reply::numeric(numeric).arg(channel.name.as_str()).text(format!("Cannot join channel {text}")))
    };
    cx.core.count_scanned_rows(channel.lists.match_cost());
    if channel.lists.is_banned(me) {
        return refuse(ERR_BANNEDFROMCHAN, "(+b): you are banned");
    }
    if channel.invited.contains(&me.account.id) {
        return None;
    }
    if channel.modes.has(ModeFlag::InviteOnly) && !channel.lists.is_invite_exempt(me) {
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
        && let Some(channel) = cx.core.channels.get_by_old_name(&name, cx.at)
    {
        if !cx.can_see(channel) {
            // The name is not free, and the account may not see the channel that it leads to.
            cx.reply(no_such_channel(name.as_str()));
            return None;
        }
        let new = channel.name.clone();
        // See "Channel redirection" in the channel-rename specification.
        let text = "The channel has been renamed";
        if cx.sender.caps.has(Cap::ChannelRename) {
            let reply = Reply::fail("JOIN", "CHANNEL_RENAMED").arg(name.as_str()).arg(new.as_str());
            cx.reply(reply.text(text));
            return None;
        }
        cx.reply(Reply::numeric(ERR_LINKCHANNEL).arg(name.as_str()).arg(new.as_str()).text(text));
        name = new;
    }
    if let Some(channel) = cx.channel(&name) {
        if cx.is_member(channel) {
            return None;
        }
        if let Some(reply) = join_refusal(cx, channel, key) {
            cx.reply(reply);
            return None;
        }
    }
    let most = cx.core.settings.channels_per_account;
    if cx.sender_account().is_none_or(|me| me.channels.len() >= most) {
        let text = format!("You have joined too many channels: {most} is the maximum, leave one first");
        cx.reply(Reply::numeric(ERR_TOOMANYCHANNELS).arg(name.as_str()).text(text));
        return None;
    }
    if cx.channel(&name).is_none()
        && !cx.is_admin()
        && cx.core.channels.count_created_by(cx.sender.account) >= most
    {
        let text = format!(
            "You have created {most} channels that still exist, the maximum; new ones are possible once one is removed"
        );
        cx.reply(Reply::numeric(ERR_TOOMANYCHANNELS).arg(name.as_str()).text(text));
        return None;
    }
    let id = cx.core.join_channel(cx.sender.account, name, cx.at, cx.fx)?;
    let channel = cx.core.channels.get(id).must_exist("the account joined the channel")?;
    // From here on, the name is in its creator's spelling.
    let (name, status) = (channel.name.clone(), channel.member_status(cx.sender.account));
    let me = cx.sender_account()?;
    let (realname, is_online) = (cx.core.realname_shown_in(me, channel), me.is_online());
    let audience = channel.membership_audience(me);
    let event = cx.record_channel_event(
        id,
        (MessageKind::Join, Arc::default()),
        EventKind::Join(name.clone(), realname),
    )?;
    cx.fx.push(Output::Broadcast { audience, event, origin: Some(cx.origin()) });
    if !status.is_empty() && is_online {
        let change = status.mode_params_for(&cx.sender.nick);
        let event = Event::from_server(
            &cx.core.settings.server_name,
            cx.at,
            EventKind::Mode { target: name.shared(), changes: change },
        );
        send_to_other_accounts(cx, &name, event);
    }
    if let Some(away) = cx.sender_account().filter(|_| is_online).and_then(|me| me.away.clone()) {
        // Members with away-notify learn at the JOIN that the account is away.
        let channel = cx.core.channels.get(id).must_exist("the account joined the channel")?;
        let (is_silenced, audience) = (cx.is_silenced(channel), channel.audience.snapshot());
        let event =
            cx.event(EventKind::Away(Some(if is_silenced { SILENCED_AWAY_MESSAGE.into() } else { away })))?;
        cx.core.send_away_notify(cx.sender.account, &audience, event, cx.fx);
    }
    for session in cx.sender_sessions() {
        cx.send_join_replies(&name, session);
    }
    Some(id)
}

/// Sends an event to the channel unless only the account's own sessions are in it, which learn it from NAMES.
fn send_to_other_accounts(cx: &mut Context<'_>, name: &ChannelName, event: Event) {
    let Some(channel) = cx.channel(name).must_exist("the account joined the channel") else { return };
    if channel.audience.len() > cx.sender_account().map_or(0, |me| me.sessions.len()) {
        cx.send_to_channel(name, event);
    }
}
