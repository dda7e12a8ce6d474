//! MODE (<https://modern.ircdocs.horse/#mode-message>), as far as clients ask when they join.

use super::targets::{Target, no_such_channel, no_such_nick};
use super::{Command, Spec};
use crate::chat::context::Context;
use crate::wire::numeric::{
    ERR_CHANOPRIVSNEEDED, ERR_UMODEUNKNOWNFLAG, ERR_UNKNOWNMODE, ERR_USERSDONTMATCH, RPL_CHANNELMODEIS,
    RPL_CREATIONTIME, RPL_ENDOFBANLIST, RPL_UMODEIS,
};
use crate::wire::{ChannelName, Message, Nick, Reply};

/// MODE
pub const SPEC: Spec = Spec { name: "MODE", least: 1, parse };

/// The modes of every channel: messages come from members only.
const CHANNEL_MODES: &str = "+n";

/// Modes that are asked for, or would be changed.
#[derive(Debug)]
pub struct Mode {
    target: Target,
    change: Option<Box<str>>,
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    Ok(Command::Mode(Mode {
        target: Target::parse(message.param(0).unwrap_or_default()),
        change: message.param(1).filter(|change| !change.is_empty()).map(Into::into),
    }))
}

impl Mode {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        let change = self.change.as_deref();
        match self.target {
            Target::Channel(name) => of_channel(cx, &name, change),
            Target::Person(nick) => of_person(cx, &nick, change),
            Target::Nobody(text) if text.starts_with('#') => cx.reply(no_such_channel(&text)),
            Target::Nobody(text) => cx.reply(no_such_nick(&text)),
        }
    }
}

fn of_channel(cx: &mut Context<'_>, name: &ChannelName, change: Option<&str>) {
    let Some(channel) = cx.channel(name) else { return cx.reply(no_such_channel(name.as_str())) };
    let (name, created) = (channel.name.clone(), channel.created);
    let name = name.as_str();
    match change.map(|change| change.trim_start_matches(['+', '-'])) {
        None => {
            cx.reply(Reply::numeric(RPL_CHANNELMODEIS).arg(name).arg(CHANNEL_MODES));
            cx.reply(Reply::numeric(RPL_CREATIONTIME).arg(name).arg(created.seconds().to_string()));
        }
        Some("b") => {
            cx.reply(Reply::numeric(RPL_ENDOFBANLIST).arg(name).text("End of channel ban list"));
        }
        Some(modes) => {
            if let Some(unknown) = modes.chars().find(|&mode| !"bno".contains(mode)) {
                let reply = Reply::numeric(ERR_UNKNOWNMODE).arg(unknown.to_string());
                cx.reply(reply.text("is unknown mode char to me"));
            } else {
                let reply = Reply::numeric(ERR_CHANOPRIVSNEEDED).arg(name);
                cx.reply(reply.text("The modes of channels cannot be changed"));
            }
        }
    }
}

fn of_person(cx: &mut Context<'_>, nick: &Nick, change: Option<&str>) {
    if *nick != cx.member.nick {
        let reply = match cx.chat.people.named(nick) {
            Some(_) => Reply::numeric(ERR_USERSDONTMATCH).text("Cannot see or change modes of other users"),
            None => no_such_nick(nick.as_str()),
        };
        return cx.reply(reply);
    }
    // Many clients ask to be invisible when they log in. Nobody is listed to strangers here, so there is nothing to do.
    if change.is_some_and(|change| change.trim_start_matches(['+', '-']) == "i") {
        return;
    }
    if change.is_some() {
        return cx.reply(Reply::numeric(ERR_UMODEUNKNOWNFLAG).text("Unknown MODE flag"));
    }
    let modes = if cx.me().is_some_and(crate::chat::people::Person::is_admin) { "+o" } else { "+" };
    cx.reply(Reply::numeric(RPL_UMODEIS).arg(modes));
}
