//! AWAY (<https://modern.ircdocs.horse/#away-message>): sets the away state of the session. The account is away if all
//! of its sessions are.

use std::sync::Arc;

use crate::core::commands::{Command, Spec};
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::{RPL_NOWAWAY, RPL_UNAWAY};

/// The AWAY command: marks the session as away or as back.
pub const SPEC: Spec =
    Spec { name: "AWAY", min_params: 0, parse: |m| Ok(Command::Away(Away(parse_away_message(m.param(0))))) };

/// A parsed AWAY: the message, or `None` for a return.
#[derive(Debug)]
pub struct Away(Option<Arc<str>>);

/// Returns the away message for a parameter of AWAY; `None` for a return.
pub fn parse_away_message(param: Option<&str>) -> Option<Arc<str>> {
    param.filter(|text| !text.is_empty()).map(|text| truncate_str(text, Settings::MAX_AWAY_BYTES).into())
}

/// Creates the reply to AWAY.
pub fn away_reply(away: Option<&str>) -> Reply {
    match away {
        Some(_) => Reply::numeric(RPL_NOWAWAY).text("You have been marked as being away"),
        None => Reply::numeric(RPL_UNAWAY).text("You are no longer marked as being away"),
    }
}

impl Away {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        cx.reply(away_reply(self.0.as_deref()));
        if let Some(session) = cx.core.sessions.get_mut(&cx.sender.session) {
            session.away = self.0;
        }
        cx.core.update_away(cx.sender.account, cx.at, cx.fx);
    }
}
