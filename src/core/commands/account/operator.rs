//! KILL and WALLOPS, the commands of admins (<https://modern.ircdocs.horse/#operator-messages>).

use std::sync::Arc;

use crate::core::commands::targets::no_such_nick;
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::effects::event::EventKind;
use crate::core::model::accounts::{AccountState, ECHO_ACCOUNT_ID};
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::Context;
use crate::wire::numeric::{ERR_CANTKILLSERVER, ERR_NOPRIVILEGES};
use crate::wire::{Message, Nick, Reply};

/// The KILL command: ends an account's sessions.
pub const KILL: Spec = Spec { name: "KILL", min_params: 1, parse: parse_kill };
/// The WALLOPS command: sends a message to all sessions.
pub const WALLOPS: Spec = Spec { name: "WALLOPS", min_params: 1, parse: parse_wallops };

/// A parsed KILL or WALLOPS.
#[derive(Debug)]
pub enum OperatorCommand {
    /// Ends all sessions of an account, with or without a reason. The account may log in again.
    Kill(Nick, Option<Arc<str>>),
    /// Sends a message to all sessions.
    Wallops(Arc<str>),
}

fn parse_kill(message: &Message<'_>) -> Result<Command, Reply> {
    let nick = message.param(0).unwrap_or_default();
    let reason = message.param(1).filter(|text| !text.is_empty());
    let reason = reason.map(|text| truncate_str(text, Settings::MAX_REASON_BYTES).into());
    let nick = Nick::parse(nick).map_err(|_| no_such_nick(nick))?;
    Ok(Command::OperatorCommand(OperatorCommand::Kill(nick, reason)))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse_wallops(message: &Message<'_>) -> Result<Command, Reply> {
    let text = truncate_str(message.param(0).unwrap_or_default(), Settings::MAX_REASON_BYTES);
    Ok(Command::OperatorCommand(OperatorCommand::Wallops(text.into())))
}

impl OperatorCommand {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if !cx.is_admin() {
            let text = "Permission Denied - You're not an admin";
            return cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text(text));
        }
        match self {
            Self::Kill(nick, reason) => {
                // Also one whose sessions others do not see.
                let has_sessions = |account_state: &&AccountState| {
                    account_state.is_online() || !account_state.sessions.is_empty()
                };
                let Some(account_state) = cx.core.accounts.get_enabled_by_name(&nick).filter(has_sessions)
                else {
                    return cx.reply(no_such_nick(nick.as_str()));
                };
                let (id, name) = (account_state.account.id, account_state.nick().clone());
                if account_state.is_hook {
                    let text =
                        "This is a hook: KICK removes it from its channel, `parlour hook revoke` ends it";
                    return cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text(text));
                }
                if id == ECHO_ACCOUNT_ID {
                    let text = "You can't kill a server!";
                    return cx.reply(Reply::numeric(ERR_CANTKILLSERVER).text(text));
                }
                cx.audit("server kill", name.as_str(), reason.as_deref().unwrap_or_default());
                let by = &cx.sender.nick;
                let reason = reason
                    .map_or_else(|| format!("Killed by {by}"), |reason| format!("Killed by {by}: {reason}"));
                cx.core.end_sessions(id, &reason, cx.at, cx.fx);
            }
            Self::Wallops(text) => {
                let Some(event) = cx.event(EventKind::Wallops(text)) else { return };
                let mut present: Vec<_> = cx
                    .core
                    .accounts
                    .iter()
                    .filter(|account_state| !account_state.sessions.is_empty())
                    .collect();
                // The order of a hash map differs between processes, but the same inputs must give the same effects.
                present.sort_unstable_by_key(|account_state| account_state.account.id);
                let all = present
                    .into_iter()
                    .flat_map(|account_state| account_state.sessions.recipients())
                    .copied()
                    .collect();
                let origin = Some(cx.origin());
                cx.fx.push(Output::Broadcast { audience: all, event, origin });
            }
        }
    }
}
