//! MONITOR ([monitor](https://ircv3.net/specs/extensions/monitor)): manages the session's list of monitored nicks.

use std::collections::HashSet;

use crate::core::commands::targets;
use crate::core::commands::{Command, Spec};
use crate::core::effects::monitors::mononline;
use crate::core::settings::Settings;
use crate::core::state::context::Context;
use crate::core::state::metadata_sync;
use crate::wire::numeric::{
    ERR_MONLISTFULL, Numeric, RPL_ENDOFMONLIST, RPL_MONLIST, RPL_MONOFFLINE, RPL_MONONLINE,
};
use crate::wire::{Message, Nick, Reply};

/// The MONITOR command: changes or queries the list of monitored nicks.
pub const SPEC: Spec = Spec { name: "MONITOR", min_params: 1, parse };

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
        other => return Err(targets::unknown_subcommand("MONITOR", other)),
    }))
}

impl Monitor {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let session = cx.sender.session;
        match self {
            Self::Add(nicks) => add_nicks(cx, &nicks),
            Self::Remove(nicks) => {
                for nick in nicks {
                    if let Some(known) = cx.sender_session_mut() {
                        known.monitors.remove(&nick);
                    }
                    cx.core.monitors.remove(&nick, session);
                }
            }
            Self::Clear => {
                let known = cx.sender_session_mut();
                for nick in known.map(|known| std::mem::take(&mut known.monitors)).unwrap_or_default() {
                    cx.core.monitors.remove(&nick, session);
                }
            }
            Self::List => {
                let nicks = monitored_nicks(cx);
                reply_with_names(cx, RPL_MONLIST, nicks.iter().map(Nick::to_string));
                cx.reply(Reply::numeric(RPL_ENDOFMONLIST).text("End of MONITOR list"));
            }
            Self::Status => {
                let nicks = monitored_nicks(cx);
                reply_with_status(cx, &nicks);
            }
        }
    }
}

fn monitored_nicks(cx: &Context<'_>) -> Vec<Nick> {
    let known = cx.core.sessions.get(&cx.sender.session);
    known.map(|known| known.monitors.iter().cloned().collect()).unwrap_or_default()
}

fn add_nicks(cx: &mut Context<'_>, nicks: &[Nick]) {
    let session = cx.sender.session;
    let mut added = nicks;
    let others = cx.sender_sessions().into_iter().filter(|other| *other != session);
    let others = others.filter_map(|other| cx.core.sessions.get(&other)).map(|known| known.monitors.len());
    let most = Settings::MAX_MONITORED.min(Settings::MAX_MONITORED_BY_ACCOUNT.saturating_sub(others.sum()));
    for (index, nick) in nicks.iter().enumerate() {
        let Some(known) = cx.sender_session_mut() else { return };
        if known.monitors.len() >= most && !known.monitors.contains(nick) {
            for rest in targets::join_into_lines(nicks.iter().skip(index).map(Nick::to_string), ",") {
                let reply = Reply::numeric(ERR_MONLISTFULL).arg(most.to_string());
                cx.reply(reply.arg(rest).text("Monitor list is full"));
            }
            added = nicks.get(..index).unwrap_or_default();
            break;
        }
        known.monitors.insert(nick.clone());
        cx.core.monitors.add(nick.clone(), session);
    }
    reply_with_status(cx, added);
    let known = added.iter().filter_map(|nick| cx.core.accounts.get_enabled_by_name(nick));
    let replies: Vec<Reply> = known
        .flat_map(|account_state| {
            metadata_sync::monitored_metadata_lines(cx.core, session, account_state.account.id)
        })
        .collect();
    cx.replies(replies);
}

/// Replies with the nicks that are online and those that are offline.
fn reply_with_status(cx: &mut Context<'_>, nicks: &[Nick]) {
    let online_account = |nick: &Nick| {
        cx.core.accounts.get_enabled_by_name(nick).filter(|account_state| account_state.is_online())
    };
    let online_nicks: Vec<String> =
        nicks.iter().filter_map(online_account).map(|account_state| mononline(account_state).1).collect();
    let offline_nicks: Vec<String> =
        nicks.iter().filter(|nick| online_account(nick).is_none()).map(Nick::to_string).collect();
    reply_with_names(cx, RPL_MONONLINE, online_nicks.into_iter());
    reply_with_names(cx, RPL_MONOFFLINE, offline_nicks.into_iter());
}

/// Sends the names in as many lines as needed.
fn reply_with_names(cx: &mut Context<'_>, numeric: Numeric, names: impl Iterator<Item = String>) {
    for line in targets::join_into_lines(names, ",") {
        cx.reply(Reply::numeric(numeric).text(line));
    }
}
