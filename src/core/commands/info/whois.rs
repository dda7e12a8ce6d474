//! WHOIS (<https://modern.ircdocs.horse/#whois-message>): details about an account that is online.

use super::who::idle_seconds;
use crate::core::commands::targets::no_such_nick;
use crate::core::commands::{Command, Spec};
use crate::core::model::accounts::AccountState;
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::model::metadata::Visibility;
use crate::core::record::AccountId;
use crate::core::record::hook::HookKind;
use crate::core::settings::USER_HOST;
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_NONICKNAMEGIVEN, RPL_AWAY, RPL_ENDOFWHOIS, RPL_WHOISACCOUNT, RPL_WHOISBOT, RPL_WHOISCHANNELS,
    RPL_WHOISIDLE, RPL_WHOISKEYVALUE, RPL_WHOISOPERATOR, RPL_WHOISSECURE, RPL_WHOISSERVER, RPL_WHOISUSER,
};
use crate::wire::{Cap, Message, Nick, Reply};

/// The WHOIS command: describes an account that is online.
pub const SPEC: Spec = Spec { name: "WHOIS", min_params: 0, parse };

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
        let known = Nick::parse(&self.0).ok().and_then(|nick| cx.core.accounts.get_enabled_by_name(&nick));
        let replies = match known.filter(|account_state| account_state.is_online()) {
            Some(account_state) => whois_replies(cx, account_state),
            None => vec![no_such_nick(&self.0)],
        };
        for reply in replies {
            cx.reply(reply);
        }
        cx.reply(Reply::numeric(RPL_ENDOFWHOIS).arg(&*self.0).text("End of /WHOIS list"));
    }
}

/// Describes a hook. Whoever writes in a channel learns from it that their messages leave the server.
fn hook_text(cx: &Context<'_>, account: AccountId) -> String {
    let hook = cx.core.hooks.get_active(account);
    let Some((HookKind::Outgoing(outgoing), id)) = hook.map(|hook| (&hook.kind, hook.channel)) else {
        return "is a hook: a program, which an admin of this server lets post".to_owned();
    };
    let channel = match cx.core.channels.get(id) {
        Some(channel) if !channel.members.contains(&account) => {
            return "is a hook: a program, which is sent no messages any more".to_owned();
        }
        Some(channel) if cx.can_see(channel) => channel.name.as_str(),
        _ => "a channel",
    };
    let which = match outgoing.pattern {
        Some(_) => format!("those messages of {channel} that have a certain text"),
        None => format!("all messages of {channel}"),
    };
    format!("is a hook: a program, which an admin of this server lets have {which}")
}

fn whois_replies(cx: &Context<'_>, account_state: &AccountState) -> Vec<Reply> {
    /// Bytes of channel names that fit a line of 512 bytes.
    const MAX_CHANNELS_BYTES: usize = 380;
    let nick = account_state.nick().as_str();
    let line = |numeric| Reply::numeric(numeric).arg(nick);
    let mut replies =
        vec![line(RPL_WHOISUSER).arg(nick).arg(USER_HOST).arg("*").text(&account_state.realname)];
    let mut channels = String::new();
    let all = cx.sender.caps.has(Cap::MultiPrefix);
    let known = account_state.channels.iter().filter_map(|&id| cx.core.channels.get(id));
    for channel in known.filter(|channel| cx.can_see(channel)) {
        if channels.len() + channel.name.as_str().len() + 5 > MAX_CHANNELS_BYTES {
            replies.push(line(RPL_WHOISCHANNELS).text(std::mem::take(&mut channels)));
        }
        if !channels.is_empty() {
            channels.push(' ');
        }
        channels.extend(channel.member_status(account_state.account.id).prefixes(all));
        channels.push_str(channel.name.as_str());
    }
    if !channels.is_empty() {
        replies.push(line(RPL_WHOISCHANNELS).text(channels));
    }
    replies.push(
        line(RPL_WHOISSERVER).arg(cx.core.settings.server_name.as_str()).text(&*cx.core.settings.network),
    );
    if let Some(away) = &account_state.away {
        replies.push(line(RPL_AWAY).text(away));
    }
    if account_state.is_admin() {
        replies.push(line(RPL_WHOISOPERATOR).text("is an admin of this server"));
    }
    if account_state.account.id == ECHO_ACCOUNT_ID {
        replies.push(line(RPL_WHOISBOT).text("is a bot: part of the server, it echoes messages"));
    } else if account_state.is_hook {
        replies.push(line(RPL_WHOISBOT).text(hook_text(cx, account_state.account.id)));
    } else {
        if account_state.is_bot() {
            let network = &cx.core.settings.network;
            replies.push(line(RPL_WHOISBOT).text(format!("is a bot on {network}")));
        }
        replies.push(line(RPL_WHOISSECURE).text("is using a secure connection"));
        let idle = idle_seconds(cx.at, account_state);
        let since = account_state.online_since.as_seconds().to_string();
        let text = "seconds idle, signon time";
        replies.push(line(RPL_WHOISIDLE).arg(idle.to_string()).arg(since).text(text));
    }
    if cx.sender.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
        let shown = account_state.metadata.iter().map(|(key, value)| {
            line(RPL_WHOISKEYVALUE).arg(&**key).arg(Visibility::Public.as_str()).text(value)
        });
        replies.extend(shown);
    }
    // Not metadata that anybody set, but facts about the account in the same form, which Parlour's own client knows too.
    if cx.sender.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft, Cap::SendId]) {
        let fact = |key: &str, value: String| {
            line(RPL_WHOISKEYVALUE).arg(key).arg(Visibility::Public.as_str()).text(value)
        };
        if account_state.account.id != ECHO_ACCOUNT_ID {
            let created = cx.core.accounts.created(account_state.account.id);
            replies.push(fact("parlour/created", created.to_string()));
            if cx.is_admin() || account_state.account.id == cx.sender.account {
                replies.push(fact("parlour/devices", account_state.devices.len().to_string()));
            }
        }
    }
    replies.push(line(RPL_WHOISACCOUNT).arg(nick).text("is logged in as"));
    replies
}
