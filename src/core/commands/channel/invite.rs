//! INVITE to a channel (<https://modern.ircdocs.horse/#invite-message>,
//! [invite-notify](https://ircv3.net/specs/extensions/invite-notify)).

use super::part::not_on_channel;
use crate::core::commands::targets::{no_such_channel, no_such_nick};
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::event::EventKind;
use crate::core::model::channel::Channel;
use crate::core::record::Record;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ModeFlag;
use crate::core::state::context::{Context, chanop_privs_needed};
use crate::wire::numeric::{ERR_USERONCHANNEL, RPL_AWAY, RPL_INVITING};
use crate::wire::{ChannelName, Message, Nick, Reply};

/// The INVITE command: invites an account to a channel.
pub const SPEC: Spec = Spec { name: "INVITE", min_params: 2, parse };

/// A parsed INVITE.
#[derive(Debug)]
pub struct Invite {
    nick: Nick,
    channel: ChannelName,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let (nick, channel) = (message.param(0).unwrap_or_default(), message.param(1).unwrap_or_default());
    Ok(Command::Invite(Invite {
        nick: Nick::parse(nick).map_err(|_| no_such_nick(nick))?,
        channel: ChannelName::parse(channel).map_err(|_| no_such_channel(channel))?,
    }))
}

impl Invite {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if let Err(reply) = self.invite(cx) {
            cx.reply(reply);
        }
    }

    fn invite(&self, cx: &mut Context<'_>) -> Result<(), Reply> {
        let name = self.channel.as_str();
        let channel = cx.visible_channel(&self.channel).ok_or_else(|| no_such_channel(name))?;
        let level = cx.permission_level(channel);
        if !cx.is_member(channel) && !level.at_least(PrefixMode::HalfOp) {
            return Err(not_on_channel(name));
        }
        if channel.modes.has(ModeFlag::InviteOnly) && !level.at_least(PrefixMode::HalfOp) {
            return Err(chanop_privs_needed(
                name,
                "You're not channel operator (half-op or higher required)",
            ));
        }
        let account_state = cx
            .core
            .accounts
            .get_enabled_by_name(&self.nick)
            .ok_or_else(|| no_such_nick(self.nick.as_str()))?;
        let (id, nick) = (account_state.account.id, account_state.nick().clone());
        if channel.members.contains(&id) {
            let reply = Reply::numeric(ERR_USERONCHANNEL).arg(nick.as_str()).arg(name);
            return Err(reply.text("is already on channel"));
        }
        let is_full = channel.invited.len() >= Channel::MAX_INVITED && !channel.invited.contains(&id);
        if level.at_least(PrefixMode::HalfOp) && is_full {
            let text = format!("{} invitations are pending, the maximum", Channel::MAX_INVITED);
            return Err(chanop_privs_needed(name, &text));
        }
        let (recipients, away) = (account_state.sessions.snapshot(), account_state.away.clone());
        let (channel_id, name, audience) = (channel.id, channel.name.clone(), channel.audience.snapshot());
        // An INVITE from half-op on lets the account join once, even if it is offline now. Other members only send the
        // notice.
        if level.at_least(PrefixMode::HalfOp)
            && let Some(channel) = cx.core.channels.get_mut(channel_id)
            && channel.invited.insert(id)
        {
            cx.fx.records.push(Record::InvitationSet { channel: channel_id, account: id, pending: true });
        }
        cx.reply(Reply::numeric(RPL_INVITING).arg(nick.as_str()).arg(name.as_str()));
        if let Some(away) = away {
            cx.reply(Reply::numeric(RPL_AWAY).arg(nick.as_str()).text(away));
        }
        // The session that invites gets RPL_INVITING instead.
        let me = cx.sender.session;
        let others = audience.recipients().filter(|recipient| recipient.session != me).copied().collect();
        for (audience, notify) in [(recipients, false), (others, true)] {
            let kind = EventKind::Invite { nick: nick.clone(), channel: name.clone(), notify_copy: notify };
            if let Some(event) = cx.event(kind).filter(|_| !audience.is_empty()) {
                cx.fx.push(Output::Broadcast { audience, event, origin: None });
            }
        }
        Ok(())
    }
}
