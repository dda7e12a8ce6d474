//! KICK (<https://modern.ircdocs.horse/#kick-message>). It ends the membership of an account; half-ops and higher may,
//! on those who are below them.

use std::sync::Arc;

use super::part::not_on_channel;
use super::targets::{self, no_such_channel, no_such_nick};
use super::{Command, Spec};
use crate::chat::context::{Context, not_allowed};
use crate::chat::event::EventKind;
use crate::chat::ranks::Rank;
use crate::chat::record::MessageKind;
use crate::chat::settings::{Settings, clip};
use crate::wire::numeric::ERR_USERNOTINCHANNEL;
use crate::wire::{ChannelName, Message, Nick, Reply};

/// KICK
pub const SPEC: Spec = Spec { name: "KICK", least: 2, parse };

/// Who is to go from where, and why.
#[derive(Debug)]
pub struct Kick {
    channel: ChannelName,
    nicks: Vec<Box<str>>,
    reason: Arc<str>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let name = message.param(0).unwrap_or_default();
    let channel = ChannelName::parse(name).map_err(|_| no_such_channel(name))?;
    let nicks = targets::split(message.param(1).unwrap_or_default())?;
    let reason = message.param(2).unwrap_or_default();
    Ok(Command::Kick(Kick {
        channel,
        nicks: nicks.into_iter().map(Into::into).collect(),
        reason: clip(reason, Settings::REASON_BYTES).into(),
    }))
}

impl Kick {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        for nick in &self.nicks {
            if let Err(reply) = self.kick(cx, nick) {
                cx.reply(reply);
            }
        }
    }

    fn kick(&self, cx: &mut Context<'_>, nick: &str) -> Result<(), Reply> {
        let name = self.channel.as_str();
        let channel = cx.visible(&self.channel).ok_or_else(|| no_such_channel(name))?;
        let power = cx.power(channel);
        if !cx.is_in(channel) && !power.at_least(Rank::HalfOp) {
            return Err(not_on_channel(name));
        }
        if !power.at_least(Rank::HalfOp) {
            return Err(not_allowed(name, "You're not a half-op or higher in that channel"));
        }
        let known = Nick::parse(nick).ok().and_then(|nick| cx.chat.people.named(&nick));
        let person = known.ok_or_else(|| no_such_nick(nick))?;
        let (victim, nick) = (person.account.id, person.nick().clone());
        if !channel.members.contains(&victim) {
            let reply = Reply::numeric(ERR_USERNOTINCHANNEL).arg(nick.as_str()).arg(name);
            return Err(reply.text("They aren't on that channel"));
        }
        if victim != cx.member.account && !power.may_act_on(cx.power_of(victim, channel)) {
            return Err(not_allowed(name, &format!("{nick} is out of your reach in that channel")));
        }
        let (id, name) = (channel.id, channel.name.clone());
        let reason = if self.reason.is_empty() { cx.member.nick.shared() } else { self.reason.clone() };
        let kept = (MessageKind::Kick, format!("{nick} {reason}").into());
        let kind = EventKind::Kick(name.clone(), nick.clone(), reason.clone());
        if let Some(event) = cx.channel_event(id, kept, kind) {
            cx.tell_channel(&name, event);
        }
        cx.chat.leave(victim, id, cx.fx);
        cx.audit("channel kick", nick.as_str(), &format!("{name}: {reason}"));
        Ok(())
    }
}
