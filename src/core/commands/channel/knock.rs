//! KNOCK: a request for an invitation to an invite-only channel, as in InspIRCd, Ergo and solanum. The modern protocol
//! does not specify it.

use crate::core::commands::targets::no_such_channel;
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::record::modes::Flag;
use crate::core::record::ranks::Rank;
use crate::core::request::settings::{Settings, clip};
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_BANNEDFROMCHAN, ERR_CHANOPEN, ERR_KNOCKONCHAN, ERR_TOOMANYKNOCK, RPL_KNOCK, RPL_KNOCKDLVR,
};
use crate::wire::{ChannelName, Message, Millis, Reply};

/// The KNOCK command: asks for an invitation.
pub const SPEC: Spec = Spec { name: "KNOCK", least: 1, parse };

/// Minimum time between two KNOCKs of an account at a channel, unless it joined in between.
const PAUSE: Millis = Millis(5 * 60 * 1000);

/// Text of a KNOCK that has none, or whose account may not speak in the channel.
const USUAL: &str = "has asked for an invite";

/// A parsed KNOCK.
#[derive(Debug)]
pub struct Knock {
    channel: ChannelName,
    text: Box<str>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let name = message.param(0).unwrap_or_default();
    let text = message.param(1).filter(|text| !text.is_empty()).unwrap_or(USUAL);
    Ok(Command::Knock(Knock {
        channel: ChannelName::parse(name).map_err(|_| no_such_channel(name))?,
        text: clip(text, Settings::REASON_BYTES).into(),
    }))
}

impl Knock {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if let Err(reply) = self.knock(cx) {
            cx.reply(reply);
        }
    }

    fn knock(&self, cx: &mut Context<'_>) -> Result<(), Reply> {
        let name = self.channel.as_str();
        let refuse = |numeric, text: &str| Err(Reply::numeric(numeric).arg(name).text(text));
        let channel = cx.visible(&self.channel).ok_or_else(|| no_such_channel(name))?;
        let Some(me) = cx.me() else { return Ok(()) };
        if cx.is_in(channel) {
            return refuse(ERR_KNOCKONCHAN, "You're already on that channel");
        }
        if !channel.modes.has(Flag::InviteOnly) {
            return refuse(ERR_CHANOPEN, "Channel is open, just join it");
        }
        if channel.lists.bans(me) {
            return refuse(ERR_BANNEDFROMCHAN, "You are banned from that channel");
        }
        let knocked = channel.knocks.get(&me.account.id);
        if knocked.is_some_and(|at| cx.chat.steady.0.saturating_sub(at.0) < PAUSE.0) {
            return refuse(ERR_TOOMANYKNOCK, "Too many KNOCKs at this channel; wait five minutes");
        }
        let source = me.source.clone();
        let text = if cx.is_silenced(channel) { USUAL } else { &*self.text };
        // The members that may invite: half-ops and higher.
        let keepers = channel.members.iter().filter(|&&id| channel.ranks(id).at_least(Rank::HalfOp));
        let mut lines = Vec::new();
        for person in keepers.filter_map(|&id| cx.chat.people.get(id)) {
            let reply = Reply::numeric(RPL_KNOCK).arg(channel.name.as_str()).arg(&*source).text(text);
            let line = reply.render(cx.chat.settings.server_name.as_str(), person.nick().as_str());
            lines.extend(person.seats.seats().map(|seat| Output::Line(seat.session, line.clone())));
        }
        let (id, now, me) = (channel.id, cx.chat.steady, cx.member.account);
        cx.fx.outputs.extend(lines);
        if let Some(channel) = cx.chat.channels.get_mut(id) {
            channel.knocks.retain(|_, at| now.0.saturating_sub(at.0) < PAUSE.0);
            channel.knocks.insert(me, now);
        }
        cx.reply(Reply::numeric(RPL_KNOCKDLVR).arg(name).text("Your KNOCK has been delivered"));
        Ok(())
    }
}
