//! KILL and WALLOPS, the commands of admins (<https://modern.ircdocs.horse/#operator-messages>).

use std::sync::Arc;

use crate::core::commands::targets::no_such_nick;
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::event::EventKind;
use crate::core::model::people::ECHO_ID;
use crate::core::request::settings::{Settings, clip};
use crate::core::state::context::Context;
use crate::wire::numeric::{ERR_CANTKILLSERVER, ERR_NOPRIVILEGES};
use crate::wire::{Message, Nick, Reply};

/// The KILL command: ends an account's sessions.
pub const KILL: Spec = Spec { name: "KILL", least: 1, parse: kill };
/// The WALLOPS command: sends a message to all sessions.
pub const WALLOPS: Spec = Spec { name: "WALLOPS", least: 1, parse: wallops };

/// A parsed KILL or WALLOPS.
#[derive(Debug)]
pub enum Admins {
    /// Ends all sessions of an account, with or without a reason. The account may log in again.
    Kill(Nick, Option<Arc<str>>),
    /// Sends a message to all sessions.
    Wallops(Arc<str>),
}

fn kill(message: &Message<'_>) -> Result<Command, Reply> {
    let nick = message.param(0).unwrap_or_default();
    let reason = message.param(1).filter(|text| !text.is_empty());
    let reason = reason.map(|text| clip(text, Settings::REASON_BYTES).into());
    let nick = Nick::parse(nick).map_err(|_| no_such_nick(nick))?;
    Ok(Command::Admins(Admins::Kill(nick, reason)))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn wallops(message: &Message<'_>) -> Result<Command, Reply> {
    let text = clip(message.param(0).unwrap_or_default(), Settings::REASON_BYTES);
    Ok(Command::Admins(Admins::Wallops(text.into())))
}

impl Admins {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if !cx.is_admin() {
            let text = "Permission Denied - You're not an admin";
            return cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text(text));
        }
        match self {
            Self::Kill(nick, reason) => {
                let Some(person) = cx.chat.people.named(&nick).filter(|person| person.is_online()) else {
                    return cx.reply(no_such_nick(nick.as_str()));
                };
                let (id, name) = (person.account.id, person.nick().clone());
                if id == ECHO_ID {
                    let text = "You can't kill a server!";
                    return cx.reply(Reply::numeric(ERR_CANTKILLSERVER).text(text));
                }
                cx.audit("server kill", name.as_str(), reason.as_deref().unwrap_or_default());
                let by = &cx.member.nick;
                let reason = reason
                    .map_or_else(|| format!("Killed by {by}"), |reason| format!("Killed by {by}: {reason}"));
                cx.chat.end_sessions(id, &reason, cx.at, cx.fx);
            }
            Self::Wallops(text) => {
                let Some(event) = cx.event(EventKind::Wallops(text)) else { return };
                let mut present: Vec<_> =
                    cx.chat.people.iter().filter(|person| !person.seats.is_empty()).collect();
                // The order of a hash map differs between processes, but the same inputs must give the same effects.
                present.sort_unstable_by_key(|person| person.account.id);
                let all = present.into_iter().flat_map(|person| person.seats.seats()).copied().collect();
                let origin = Some(cx.origin());
                cx.fx.outputs.push(Output::Fan { audience: all, event, origin });
            }
        }
    }
}
