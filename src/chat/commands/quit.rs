//! QUIT (<https://modern.ircdocs.horse/#quit-message>): ends this session. The account's other sessions stay.

use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::settings::{Settings, clip};

/// The QUIT command: ends the session.
pub const SPEC: Spec = Spec {
    name: "QUIT",
    least: 0,
    parse: |m| Ok(Command::Quit(Quit(clip(m.param(0).unwrap_or_default(), Settings::REASON_BYTES).into()))),
};

/// A parsed QUIT: the reason.
#[derive(Debug)]
pub struct Quit(Box<str>);

impl Quit {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        // A QUIT goes to all shared channels at once. An account that may not speak in one of them can't use the reason
        // for it.
        let says_nothing = self.0.is_empty() || cx.me().is_some_and(|me| cx.chat.is_silenced(me));
        cx.close(&if says_nothing { "Quit".to_owned() } else { format!("Quit: {}", self.0) });
    }
}
