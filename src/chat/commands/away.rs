//! AWAY (<https://modern.ircdocs.horse/#away-message>): whether this session is attended. The account is away when none
//! of its sessions is.

use std::sync::Arc;

use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::settings::{Settings, clip};
use crate::wire::Reply;
use crate::wire::numeric::{RPL_NOWAWAY, RPL_UNAWAY};

/// AWAY
pub const SPEC: Spec = Spec {
    name: "AWAY",
    least: 0,
    parse: |m| {
        let text = m.param(0).filter(|text| !text.is_empty());
        Ok(Command::Away(Away(text.map(|text| clip(text, Settings::AWAY_BYTES).into()))))
    },
};

/// The message of an absence, or a return.
#[derive(Debug)]
pub struct Away(Option<Arc<str>>);

impl Away {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        cx.reply(match &self.0 {
            Some(_) => Reply::numeric(RPL_NOWAWAY).text("You have been marked as being away"),
            None => Reply::numeric(RPL_UNAWAY).text("You are no longer marked as being away"),
        });
        if let Some(session) = cx.chat.sessions.get_mut(&cx.member.session) {
            session.away = self.0;
        }
        cx.chat.weigh_away(cx.member.account, cx.at, cx.fx);
    }
}
