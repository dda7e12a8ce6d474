//! PART (<https://modern.ircdocs.horse/#part-message>): ends the account's membership.

use std::sync::Arc;

use crate::core::commands::targets::{self, no_such_channel};
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::event::EventKind;
use crate::core::record::{ChannelId, MessageKind};
use crate::core::request::target::Target;
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::Context;
use crate::invariants::MustExist as _;
use crate::wire::numeric::ERR_NOTONCHANNEL;
use crate::wire::{Message, Reply};

/// The PART command: leaves channels.
pub const SPEC: Spec = Spec { name: "PART", min_params: 1, parse };

/// A parsed PART: the channels and the reason.
#[derive(Debug)]
pub struct Part {
    targets: Vec<Target>,
    reason: Option<Arc<str>>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let list = message.param(0).unwrap_or_default();
    let reason = message.param(1).filter(|text| !text.is_empty());
    Ok(Command::Part(Part {
        targets: targets::split_targets(list)?.into_iter().map(Target::parse).collect(),
        reason: reason.map(|text| truncate_str(text, Settings::MAX_REASON_BYTES).into()),
    }))
}

impl Part {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        for target in self.targets {
            let name = match target {
                Target::Channel(name) => name,
                Target::Nick(nick) => {
                    cx.reply(no_such_channel(nick.as_str()));
                    continue;
                }
                Target::Invalid(text) => {
                    cx.reply(no_such_channel(&text));
                    continue;
                }
            };
            match cx.visible_channel(&name).map(|channel| (channel.id, cx.is_member(channel))) {
                None => cx.reply(no_such_channel(name.as_str())),
                Some((_, false)) => cx.reply(not_on_channel(name.as_str())),
                Some((id, true)) => part_channel(cx, id, self.reason.clone()),
            }
        }
    }
}

/// Creates `ERR_NOTONCHANNEL`.
pub(in crate::core::commands) fn not_on_channel(name: &str) -> Reply {
    Reply::numeric(ERR_NOTONCHANNEL).arg(name).text("You're not on that channel")
}

/// Ends the account's membership of a channel and sends the PART to all of its sessions.
pub(in crate::core::commands) fn part_channel(cx: &mut Context<'_>, id: ChannelId, reason: Option<Arc<str>>) {
    let channel = cx.core.channels.get(id).must_exist("the account is in the channel");
    let Some(channel) = channel else { return };
    let Some(me) = cx.sender_account() else { return };
    let (name, audience) = (channel.name.clone(), channel.membership_audience(me));
    // An account that may not speak in the channel can't use the reason for it.
    let reason = reason.filter(|_| !cx.is_silenced(channel));
    let stored = (MessageKind::Part, reason.clone().unwrap_or_default());
    let Some(event) = cx.record_channel_event(id, stored, EventKind::Part(name, reason)) else { return };
    cx.core.leave_channel(cx.sender.account, id, cx.fx);
    let origin = Some(cx.origin());
    cx.fx.push(Output::Broadcast { audience, event, origin });
}
