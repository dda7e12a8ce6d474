//! NICK after the login (<https://modern.ircdocs.horse/#nick-message>). The nick is always the account's name, so every
//! change is refused.

use crate::core::commands::{Command, Spec};
use crate::core::state::context::Context;
use crate::wire::numeric::{ERR_ERRONEUSNICKNAME, ERR_NONICKNAMEGIVEN};
use crate::wire::{Message, Reply};

/// The NICK command: refuses a change of the nick.
pub const SPEC: Spec = Spec { name: "NICK", min_params: 0, parse };

/// A parsed NICK: the requested nick.
#[derive(Debug)]
pub struct ChangeNick(Box<str>);

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    match message.param(0).filter(|nick| !nick.is_empty()) {
        Some(nick) => Ok(Command::ChangeNick(ChangeNick(nick.into()))),
        None => Err(Reply::numeric(ERR_NONICKNAMEGIVEN).text("No nickname given")),
    }
}

impl ChangeNick {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let nick = cx.sender.nick.clone();
        if *self.0 != *nick.as_str() {
            let reply = Reply::numeric(ERR_ERRONEUSNICKNAME).arg(self.0);
            cx.reply(
                reply
                    .text(format!("Nick changes are not possible: your nick is your account's name, {nick}")),
            );
        }
    }
}
