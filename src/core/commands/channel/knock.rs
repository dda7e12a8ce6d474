//! KNOCK: a request for an invitation to an invite-only channel, as in InspIRCd, Ergo and solanum. The modern protocol
//! does not specify it.

use std::time::Duration;

use crate::core::commands::targets::no_such_channel;
use crate::core::commands::{Command, Spec};
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ModeFlag;
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_BANNEDFROMCHAN, ERR_CHANOPEN, ERR_KNOCKONCHAN, ERR_TOOMANYKNOCK, RPL_KNOCK, RPL_KNOCKDLVR,
};
use crate::wire::{ChannelName, Message, Reply};

/// The KNOCK command: requests an invitation.
pub const SPEC: Spec = Spec { name: "KNOCK", min_params: 1, parse };

/// Minimum time between two KNOCKs of an account at a channel, unless it joined in between.
const MIN_INTERVAL: Duration = Duration::from_mins(5);

/// Text of a KNOCK that has none, or whose account may not speak in the channel.
const DEFAULT_TEXT: &str = "has asked for an invite";

/// A parsed KNOCK.
#[derive(Debug)]
pub struct Knock {
    channel: ChannelName,
    text: Box<str>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let name = message.param(0).unwrap_or_default();
    let text = message.param(1).filter(|text| !text.is_empty()).unwrap_or(DEFAULT_TEXT);
    Ok(Command::Knock(Knock {
        channel: ChannelName::parse(name).map_err(|_| no_such_channel(name))?,
        text: truncate_str(text, Settings::MAX_REASON_BYTES).into(),
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
        let channel = cx.visible_channel(&self.channel).ok_or_else(|| no_such_channel(name))?;
        let Some(me) = cx.sender_account() else { return Ok(()) };
        if cx.is_member(channel) {
            return refuse(ERR_KNOCKONCHAN, "You're already on that channel");
        }
        // Before the openness of the channel, which is no advice for a banned account.
        if channel.lists.is_banned(me) {
            return refuse(ERR_BANNEDFROMCHAN, "You are banned from that channel");
        }
        if !channel.modes.has(ModeFlag::InviteOnly) {
            return refuse(ERR_CHANOPEN, "Channel is open, just join it");
        }
        let knocked = channel.knocks.get(&me.account.id);
        if knocked.is_some_and(|at| cx.core.monotonic.since(*at) < MIN_INTERVAL) {
            return refuse(ERR_TOOMANYKNOCK, "Too many KNOCKs at this channel; wait five minutes");
        }
        let source = me.source.clone();
        let text = if cx.is_silenced(channel) { DEFAULT_TEXT } else { &*self.text };
        // The members that may invite: half-ops and higher.
        let moderators =
            channel.members.iter().filter(|&&id| channel.member_status(id).at_least(PrefixMode::HalfOp));
        let reply = Reply::numeric(RPL_KNOCK).arg(channel.name.as_str()).arg(&*source).text(text);
        let recipients = moderators
            .filter_map(|&id| cx.core.accounts.get(id))
            .flat_map(|account_state| account_state.sessions.recipients());
        let addressees: Vec<_> = recipients.map(|recipient| cx.core.addressee(recipient.session)).collect();
        let (id, now, me) = (channel.id, cx.core.monotonic, cx.sender.account);
        for to in addressees {
            cx.core.send(&to, reply.clone(), cx.fx);
        }
        if let Some(channel) = cx.core.channels.get_mut(id) {
            channel.knocks.retain(|_, at| now.since(*at) < MIN_INTERVAL);
            channel.knocks.insert(me, now);
        }
        cx.reply(Reply::numeric(RPL_KNOCKDLVR).arg(name).text("Your KNOCK has been delivered"));
        Ok(())
    }
}
