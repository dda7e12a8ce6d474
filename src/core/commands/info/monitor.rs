//! MONITOR ([monitor](https://ircv3.net/specs/extensions/monitor)): manages the session's list of monitored nicks.

use std::collections::HashSet;

use crate::core::commands::targets;
use crate::core::commands::{Command, Spec};
use crate::core::effects::monitors::online;
use crate::core::request::settings::Settings;
use crate::core::state::context::Context;
use crate::core::state::sync;
use crate::wire::numeric::{
    ERR_MONLISTFULL, Numeric, RPL_ENDOFMONLIST, RPL_MONLIST, RPL_MONOFFLINE, RPL_MONONLINE,
};
use crate::wire::{Message, Nick, Reply};

/// The MONITOR command: changes or queries the list of monitored nicks.
pub const SPEC: Spec = Spec { name: "MONITOR", least: 1, parse };

/// A parsed MONITOR.
#[derive(Debug)]
pub enum Monitor {
    /// `+`: adds nicks to the list.
    Add(Vec<Nick>),
    /// `-`: removes nicks from the list.
    Remove(Vec<Nick>),
    /// `C`: clears the list.
    Clear,
    /// `L`: replies with the list.
    List,
    /// `S`: replies with the online state of each nick.
    Status,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let nicks = || {
        let mut known = HashSet::new();
        let list = message.param(1).unwrap_or_default().split(',');
        // A text that is not a valid nick can't come online.
        list.filter_map(|text| Nick::parse(text).ok()).filter(|nick| known.insert(nick.clone())).collect()
    };
    Ok(Command::Monitor(match message.param(0).unwrap_or_default() {
        "+" => Monitor::Add(nicks()),
        "-" => Monitor::Remove(nicks()),
        "C" | "c" => Monitor::Clear,
        "L" | "l" => Monitor::List,
        "S" | "s" => Monitor::Status,
        other => return Err(targets::invalid("MONITOR", other)),
    }))
}

impl Monitor {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let session = cx.member.session;
        match self {
            Self::Add(nicks) => add(cx, &nicks),
            Self::Remove(nicks) => {
                for nick in nicks {
                    if let Some(known) = cx.chat.sessions.get_mut(&session) {
                        known.monitors.remove(&nick);
                    }
                    cx.chat.monitors.remove(&nick, session);
                }
            }
            Self::Clear => {
                let known = cx.chat.sessions.get_mut(&session);
                for nick in known.map(|known| std::mem::take(&mut known.monitors)).unwrap_or_default() {
                    cx.chat.monitors.remove(&nick, session);
                }
            }
            Self::List => {
                let nicks = watched(cx);
                say(cx, RPL_MONLIST, nicks.iter().map(Nick::to_string));
                cx.reply(Reply::numeric(RPL_ENDOFMONLIST).text("End of MONITOR list"));
            }
            Self::Status => {
                let nicks = watched(cx);
                tell(cx, &nicks);
            }
        }
    }
}

fn watched(cx: &Context<'_>) -> Vec<Nick> {
    let known = cx.chat.sessions.get(&cx.member.session);
    known.map(|known| known.monitors.iter().cloned().collect()).unwrap_or_default()
}

fn add(cx: &mut Context<'_>, nicks: &[Nick]) {
    let session = cx.member.session;
    let mut taken = nicks;
    let others = cx.my_sessions().into_iter().filter(|other| *other != session);
    let others = others.filter_map(|other| cx.chat.sessions.get(&other)).map(|known| known.monitors.len());
    let most = Settings::MONITORED.min(Settings::MONITORED_BY_ACCOUNT.saturating_sub(others.sum()));
    for (place, nick) in nicks.iter().enumerate() {
        let Some(known) = cx.chat.sessions.get_mut(&session) else { return };
        if known.monitors.len() >= most && !known.monitors.contains(nick) {
            for rest in targets::lines(nicks.iter().skip(place).map(Nick::to_string), ",") {
                let reply = Reply::numeric(ERR_MONLISTFULL).arg(most.to_string());
                cx.reply(reply.arg(rest).text("Monitor list is full"));
            }
            taken = nicks.get(..place).unwrap_or_default();
            break;
        }
        known.monitors.insert(nick.clone());
        cx.chat.monitors.add(nick.clone(), session);
    }
    tell(cx, taken);
    let known = taken.iter().filter_map(|nick| cx.chat.people.named(nick));
    let lines = known.flat_map(|person| sync::watched(cx.chat, session, person.account.id)).collect();
    cx.lines(lines);
}

/// Replies with the nicks that are online and those that are offline.
fn tell(cx: &mut Context<'_>, nicks: &[Nick]) {
    let there = |nick: &Nick| cx.chat.people.named(nick).filter(|person| person.is_online());
    let here: Vec<String> = nicks.iter().filter_map(there).map(|person| online(person).1).collect();
    let away: Vec<String> = nicks.iter().filter(|nick| there(nick).is_none()).map(Nick::to_string).collect();
    say(cx, RPL_MONONLINE, here.into_iter());
    say(cx, RPL_MONOFFLINE, away.into_iter());
}

/// Sends the names in as many lines as needed.
fn say(cx: &mut Context<'_>, numeric: Numeric, names: impl Iterator<Item = String>) {
    for line in targets::lines(names, ",") {
        cx.reply(Reply::numeric(numeric).text(line));
    }
}
