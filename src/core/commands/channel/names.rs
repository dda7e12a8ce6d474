//! NAMES (<https://modern.ircdocs.horse/#names-message>): the members of a channel that are online.

use crate::core::commands::targets;
use crate::core::commands::{Command, Spec};
use crate::core::state::context::{Context, names_replies};
use crate::wire::numeric::RPL_ENDOFNAMES;
use crate::wire::{ChannelName, Message, Reply};

/// The NAMES command: lists members of channels.
pub const SPEC: Spec = Spec { name: "NAMES", min_params: 0, parse };

/// A parsed NAMES: the channels as the client wrote them.
#[derive(Debug)]
pub struct Names(Vec<Box<str>>);

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let list = message.param(0).unwrap_or_default();
    Ok(Command::Names(Names(targets::split_targets(list)?.into_iter().map(Into::into).collect())))
}

impl Names {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if self.0.is_empty() {
            return cx.reply(end_of_names("*"));
        }
        for text in self.0 {
            let caps = cx.sender.caps;
            let channel = ChannelName::parse(&text).ok().and_then(|name| cx.visible_channel(&name));
            match channel {
                Some(channel) => {
                    for reply in names_replies(cx.core, channel, caps) {
                        cx.reply(reply);
                    }
                }
                None => cx.reply(end_of_names(&text)),
            }
        }
    }
}

fn end_of_names(name: &str) -> Reply {
    Reply::numeric(RPL_ENDOFNAMES).arg(name).text("End of /NAMES list")
}
