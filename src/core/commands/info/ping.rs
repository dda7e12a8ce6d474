//! PING and PONG (<https://modern.ircdocs.horse/#ping-message>): checks of the connection.

use crate::core::commands::{Command, Spec};
use crate::core::state::context::Context;
use crate::wire::{Message, Reply};

/// The PING command: replies with a PONG.
pub const PING: Spec = Spec { name: "PING", min_params: 1, parse: parse_ping };
/// The PONG command, which is accepted without effect.
pub const PONG: Spec = Spec { name: "PONG", min_params: 0, parse: |_| Ok(Command::Ping(Ping(None))) };

/// Returns a command without effect, which has no reply, or an ACK if it has a label: a PONG.
pub(in crate::core::commands) fn no_op() -> Command {
    Command::Ping(Ping(None))
}

/// A parsed PING with its token, or a PONG.
#[derive(Debug)]
pub struct Ping(Option<Box<str>>);

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse_ping(message: &Message<'_>) -> Result<Command, Reply> {
    Ok(Command::Ping(Ping(message.param(0).map(Into::into))))
}

impl Ping {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        if let Some(token) = self.0 {
            cx.reply(Reply::command("PONG").arg(cx.core.settings.server_name.as_str()).text(token));
        }
    }
}
