//! WHOIS (<https://modern.ircdocs.horse/#whois-message>): details about an account that is online.

use super::who::idle;
use crate::core::commands::targets::no_such_nick;
use crate::core::commands::{Command, Spec};
use crate::core::model::metadata::Visibility;
use crate::core::model::people::ECHO_ID;
use crate::core::model::people::Person;
use crate::core::request::settings::USER_HOST;
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_NONICKNAMEGIVEN, RPL_AWAY, RPL_ENDOFWHOIS, RPL_WHOISACCOUNT, RPL_WHOISBOT, RPL_WHOISCHANNELS,
    RPL_WHOISIDLE, RPL_WHOISKEYVALUE, RPL_WHOISOPERATOR, RPL_WHOISSECURE, RPL_WHOISSERVER, RPL_WHOISUSER,
};
use crate::wire::{Cap, Message, Nick, Reply};

/// The WHOIS command: describes an account that is online.
pub const SPEC: Spec = Spec { name: "WHOIS", least: 0, parse };

/// A parsed WHOIS: the nick as the client wrote it.
#[derive(Debug)]
pub struct Whois(Box<str>);

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    // With two parameters the first one names a server, and there is only this one.
    match message.params().iter().take(2).next_back() {
        Some(nick) if !nick.is_empty() => Ok(Command::Whois(Whois((*nick).into()))),
        _ => Err(Reply::numeric(ERR_NONICKNAMEGIVEN).text("No nickname given")),
    }
}

impl Whois {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let known = Nick::parse(&self.0).ok().and_then(|nick| cx.chat.people.named(&nick));
        let replies = match known.filter(|person| person.is_online()) {
            Some(person) => lines(cx, person),
            None => vec![no_such_nick(&self.0)],
        };
        for reply in replies {
            cx.reply(reply);
        }
        cx.reply(Reply::numeric(RPL_ENDOFWHOIS).arg(&*self.0).text("End of /WHOIS list"));
    }
}

fn lines(cx: &Context<'_>, person: &Person) -> Vec<Reply> {
    /// Bytes of channel names that fit a line of 512 bytes.
    const ROOM: usize = 380;
    let nick = person.nick().as_str();
    let line = |numeric| Reply::numeric(numeric).arg(nick);
    let mut replies = vec![line(RPL_WHOISUSER).arg(nick).arg(USER_HOST).arg("*").text(&person.realname)];
    let mut channels = String::new();
    let all = cx.member.caps.has(Cap::MultiPrefix);
    let known = person.channels.iter().filter_map(|&id| cx.chat.channels.get(id));
    for channel in known.filter(|channel| cx.can_see(channel)) {
        if channels.len() + channel.name.as_str().len() + 5 > ROOM {
            replies.push(line(RPL_WHOISCHANNELS).text(std::mem::take(&mut channels)));
        }
        if !channels.is_empty() {
            channels.push(' ');
        }
        channels.extend(channel.ranks(person.account.id).prefixes(all));
        channels.push_str(channel.name.as_str());
    }
    if !channels.is_empty() {
        replies.push(line(RPL_WHOISCHANNELS).text(channels));
    }
    replies.push(
        line(RPL_WHOISSERVER).arg(cx.chat.settings.server_name.as_str()).text(&*cx.chat.settings.network),
    );
    if let Some(away) = &person.away {
        replies.push(line(RPL_AWAY).text(away));
    }
    if person.is_admin() {
        replies.push(line(RPL_WHOISOPERATOR).text("is an admin of this server"));
    }
    if person.account.id == ECHO_ID {
        replies.push(line(RPL_WHOISBOT).text("is a bot: part of the server, it echoes messages"));
    } else {
        if person.is_bot() {
            let network = &cx.chat.settings.network;
            replies.push(line(RPL_WHOISBOT).text(format!("is a bot on {network}")));
        }
        replies.push(line(RPL_WHOISSECURE).text("is using a secure connection"));
        let idle = idle(cx.at, person);
        let since = person.online_since.seconds().to_string();
        let text = "seconds idle, signon time";
        replies.push(line(RPL_WHOISIDLE).arg(idle.to_string()).arg(since).text(text));
    }
    if cx.member.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
        let shown = person.metadata.iter().map(|(key, value)| {
            line(RPL_WHOISKEYVALUE).arg(&**key).arg(Visibility::Everybody.word()).text(value)
        });
        replies.extend(shown);
    }
    replies.push(line(RPL_WHOISACCOUNT).arg(nick).text("is logged in as"));
    replies
}
