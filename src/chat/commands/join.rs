//! JOIN (<https://modern.ircdocs.horse/#join-message>). A channel that is not there is made.

use super::targets::{self, Target, no_such_channel};
use super::{Command, Spec};
use crate::chat::audience::Audience;
use crate::chat::context::Context;
use crate::chat::effects::Output;
use crate::chat::event::EventKind;
use crate::wire::ChannelName;
use crate::wire::numeric::ERR_TOOMANYCHANNELS;
use crate::wire::{Message, Reply};

/// JOIN
pub const SPEC: Spec = Spec { name: "JOIN", least: 1, parse };

/// The channels to join, or to leave them all.
#[derive(Debug)]
pub enum Join {
    /// `JOIN #a,#b`
    These(Vec<Target>),
    /// `JOIN 0`
    PartAll,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let list = message.param(0).unwrap_or_default();
    Ok(Command::Join(match list {
        "0" => Join::PartAll,
        _ => Join::These(targets::split(list)?.into_iter().map(Target::parse).collect()),
    }))
}

impl Join {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        match self {
            Self::PartAll => {
                for id in cx.me().map(|me| me.channels.clone()).unwrap_or_default() {
                    super::part::leave(cx, id, None);
                }
            }
            Self::These(targets) => {
                for target in targets {
                    match target {
                        Target::Channel(name) => join(cx, &name),
                        Target::Person(nick) => cx.reply(no_such_channel(nick.as_str())),
                        Target::Nobody(text) => cx.reply(no_such_channel(&text)),
                    }
                }
            }
        }
    }
}

fn join(cx: &mut Context<'_>, name: &ChannelName) {
    if cx.channel(name).is_some_and(|channel| cx.is_in(channel)) {
        return;
    }
    let most = cx.chat.settings.channels_per_account;
    if cx.me().is_none_or(|me| me.channels.len() >= most) {
        let text = format!("You are in {most} channels, which is the most; leave one first");
        return cx.reply(Reply::numeric(ERR_TOOMANYCHANNELS).arg(name.as_str()).text(text));
    }
    let entered = cx.chat.enter(cx.member.account, name.clone(), cx.at, cx.fx);
    // As its creator wrote it.
    let Some(channel) = entered.and_then(|id| cx.chat.channels.get(id)) else { return };
    let (name, audience) = (channel.name.clone(), channel.audience.clone());
    let Some(event) = cx.event(EventKind::Join(name.clone())) else { return };
    let origin = Some(cx.origin());
    cx.fx.outputs.push(Output::Fan { audience, event, origin });
    for seat in own_seats(cx).seats() {
        cx.introduce(&name, seat.session);
    }
}

fn own_seats(cx: &Context<'_>) -> Audience {
    cx.me().map(|me| me.seats.clone()).unwrap_or_default()
}
