//! ISON, USERHOST and WHOWAS: presence queries from before MONITOR (<https://modern.ircdocs.horse/#ison-message>,
//! <https://modern.ircdocs.horse/#userhost-message>, <https://modern.ircdocs.horse/#whowas-message>).

use crate::core::commands::targets;
use crate::core::commands::{Command, Spec};
use crate::core::model::accounts::AccountState;
use crate::core::settings::USER_HOST;
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_WASNOSUCHNICK, RPL_ENDOFWHOWAS, RPL_ISON, RPL_USERHOST, RPL_WHOISACCOUNT, RPL_WHOISSERVER,
    RPL_WHOWASUSER,
};
use crate::wire::{Message, Nick, Reply};

/// The ISON command: replies with the nicks that are online.
pub const ISON: Spec =
    Spec { name: "ISON", min_params: 1, parse: |m| Ok(Command::Presence(Presence::IsOn(parse_nicks(m)))) };
/// The USERHOST command: replies with the host and away state of nicks.
pub const USERHOST: Spec = Spec {
    name: "USERHOST",
    min_params: 1,
    parse: |m| Ok(Command::Presence(Presence::UserHost(parse_nicks(m)))),
};
/// The WHOWAS command: describes an account that went offline.
pub const WHOWAS: Spec = Spec {
    name: "WHOWAS",
    min_params: 1,
    parse: |m| Ok(Command::Presence(Presence::WhoWas(m.param(0).unwrap_or_default().into()))),
};

/// Maximum number of nicks of one USERHOST (RFC 2812, section 4.8).
const MAX_USERHOST_NICKS: usize = 5;

/// A parsed ISON, USERHOST or WHOWAS.
#[derive(Debug)]
pub enum Presence {
    /// Replies with those of the nicks that are online.
    IsOn(Vec<Box<str>>),
    /// Replies with the host and away state of the nicks.
    UserHost(Vec<Box<str>>),
    /// Replies with the last QUIT of a nick.
    WhoWas(Box<str>),
}

fn parse_nicks(message: &Message<'_>) -> Vec<Box<str>> {
    message
        .params()
        .iter()
        .flat_map(|param| param.split(' '))
        .filter(|w| !w.is_empty())
        .map(Into::into)
        .collect()
}

impl Presence {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let online = |text: &str| {
            let account_state = cx.core.accounts.get_enabled_by_name(&Nick::parse(text).ok()?)?;
            Some(account_state).filter(|account_state| account_state.is_online())
        };
        match self {
            Self::IsOn(nicks) => {
                let online_nicks = nicks.iter().filter_map(|nick| online(nick)).map(|p| p.nick().to_string());
                let mut lines: Vec<String> = targets::join_into_lines(online_nicks, " ").collect();
                // An empty result still needs one line.
                lines.resize(lines.len().max(1), String::new());
                for line in lines {
                    cx.reply(Reply::numeric(RPL_ISON).text(line));
                }
            }
            Self::UserHost(nicks) => {
                let line: Vec<String> = nicks
                    .iter()
                    .take(MAX_USERHOST_NICKS)
                    .filter_map(|nick| online(nick))
                    .map(format_userhost)
                    .collect();
                cx.reply(Reply::numeric(RPL_USERHOST).text(line.join(" ")));
            }
            Self::WhoWas(nick) => {
                let known =
                    Nick::parse(&nick).ok().and_then(|nick| cx.core.accounts.get_enabled_by_name(&nick));
                let last_quit =
                    known.and_then(|account_state| Some((account_state, account_state.last_quit?)));
                let replies = match last_quit {
                    Some((account_state, left)) => {
                        let name = account_state.nick().as_str();
                        let line = |numeric| Reply::numeric(numeric).arg(name);
                        vec![
                            line(RPL_WHOWASUSER)
                                .arg(name)
                                .arg(USER_HOST)
                                .arg("*")
                                .text(&account_state.realname),
                            line(RPL_WHOISACCOUNT).arg(name).text("was logged in as"),
                            line(RPL_WHOISSERVER)
                                .arg(cx.core.settings.server_name.as_str())
                                .text(left.to_string()),
                        ]
                    }
                    None => {
                        vec![Reply::numeric(ERR_WASNOSUCHNICK).arg(&*nick).text("There was no such nickname")]
                    }
                };
                for reply in replies {
                    cx.reply(reply);
                }
                cx.reply(Reply::numeric(RPL_ENDOFWHOWAS).arg(&*nick).text("End of WHOWAS"));
            }
        }
    }
}

fn format_userhost(account_state: &AccountState) -> String {
    let nick = account_state.nick();
    let admin = if account_state.is_admin() { "*" } else { "" };
    let away_flag = if account_state.away.is_some() { '-' } else { '+' };
    format!("{nick}{admin}={away_flag}{nick}@{USER_HOST}")
}
