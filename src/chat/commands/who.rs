//! WHO (<https://modern.ircdocs.horse/#who-message>), by channel or nick.

use super::targets::Target;
use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::people::Person;
use crate::chat::settings::{SERVER_NAME, USER_HOST};
use crate::wire::Reply;
use crate::wire::numeric::{RPL_ENDOFWHO, RPL_WHOREPLY};

/// WHO
pub const SPEC: Spec =
    Spec { name: "WHO", least: 1, parse: |m| Ok(Command::Who(Who(m.param(0).unwrap_or_default().into()))) };

/// Who is asked about.
#[derive(Debug)]
pub struct Who(Box<str>);

impl Who {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        let chat = &*cx.chat;
        let mut replies: Vec<Reply> = Vec::new();
        match Target::parse(&self.0) {
            Target::Channel(name) => {
                if let Some(channel) = chat.channels.named(&name) {
                    let members = channel.members.iter().filter_map(|&id| chat.people.get(id));
                    let online = members.filter(|person| person.is_online());
                    replies.extend(online.map(|person| line(channel.name.as_str(), person)));
                }
            }
            Target::Person(nick) => {
                let person = chat.people.named(&nick).filter(|person| person.is_online());
                replies.extend(person.map(|person| line("*", person)));
            }
            Target::Nobody(_) => {}
        }
        for reply in replies {
            cx.reply(reply);
        }
        cx.reply(Reply::numeric(RPL_ENDOFWHO).arg(&*self.0).text("End of WHO list"));
    }
}

fn line(channel: &str, person: &Person) -> Reply {
    let here = if person.away.is_some() { "G" } else { "H" };
    let admin = if person.is_admin() { "*" } else { "" };
    let prefix = if channel == "*" { "" } else { person.prefix() };
    Reply::numeric(RPL_WHOREPLY)
        .arg(channel)
        .arg(person.nick().as_str())
        .arg(USER_HOST)
        .arg(SERVER_NAME)
        .arg(person.nick().as_str())
        .arg(format!("{here}{admin}{prefix}"))
        .text(format!("0 {}", person.realname))
}
