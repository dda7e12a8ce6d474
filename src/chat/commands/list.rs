//! LIST (<https://modern.ircdocs.horse/#list-message>).

use super::targets;
use super::{Command, Spec};
use crate::chat::channel::Channel;
use crate::chat::context::Context;
use crate::chat::state::Chat;
use crate::wire::numeric::{RPL_LIST, RPL_LISTEND, RPL_LISTSTART};
use crate::wire::{ChannelName, Message, Reply};

/// LIST
pub const SPEC: Spec = Spec { name: "LIST", least: 0, parse };

/// The channels that are asked about; none for all.
#[derive(Debug)]
pub struct List(Vec<Box<str>>);

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let list = message.param(0).unwrap_or_default();
    Ok(Command::List(List(targets::split(list)?.into_iter().map(Into::into).collect())))
}

impl List {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        let chat = &*cx.chat;
        let lines: Vec<Reply> = if self.0.is_empty() {
            chat.channels.iter().map(|channel| line(chat, channel)).collect()
        } else {
            let named = |text: &str| chat.channels.named(&ChannelName::parse(text).ok()?);
            self.0.iter().filter_map(|text| named(text)).map(|channel| line(chat, channel)).collect()
        };
        cx.reply(Reply::numeric(RPL_LISTSTART).arg("Channel").text("Users  Name"));
        for reply in lines {
            cx.reply(reply);
        }
        cx.reply(Reply::numeric(RPL_LISTEND).text("End of /LIST"));
    }
}

fn line(chat: &Chat, channel: &Channel) -> Reply {
    let online = channel.members.iter().filter_map(|&id| chat.people.get(id)).filter(|p| p.is_online());
    Reply::numeric(RPL_LIST)
        .arg(channel.name.as_str())
        .arg(online.count().to_string())
        .text(channel.topic.as_ref().map_or("", |topic| &topic.text))
}
