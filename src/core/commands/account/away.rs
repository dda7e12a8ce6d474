//! AWAY (<https://modern.ircdocs.horse/#away-message>): sets the away state of the session. The account is away if all
//! of its sessions are.

use std::sync::Arc;

use crate::core::commands::{Command, Spec};
use crate::core::request::settings::{Settings, clip};
use crate::core::state::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::{RPL_NOWAWAY, RPL_UNAWAY};

/// The AWAY command: marks the session as away or as back.
pub const SPEC: Spec =
    Spec { name: "AWAY", least: 0, parse: |m| Ok(Command::Away(Away(message(m.param(0))))) };

/// A parsed AWAY: the message, or `None` for a return.
#[derive(Debug)]
pub struct Away(Option<Arc<str>>);

/// Returns the away message for a parameter of AWAY; `None` for a return.
pub fn message(param: Option<&str>) -> Option<Arc<str>> {
    param.filter(|text| !text.is_empty()).map(|text| clip(text, Settings::AWAY_BYTES).into())
}

/// Creates the reply to AWAY.
pub fn answer(away: Option<&str>) -> Reply {
    match away {
        Some(_) => Reply::numeric(RPL_NOWAWAY).text("You have been marked as being away"),
        None => Reply::numeric(RPL_UNAWAY).text("You are no longer marked as being away"),
    }
}

impl Away {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        cx.reply(answer(self.0.as_deref()));
        if let Some(session) = cx.chat.sessions.get_mut(&cx.member.session) {
            session.away = self.0;
        }
        cx.chat.weigh_away(cx.member.account, cx.at, cx.fx);
    }
}
