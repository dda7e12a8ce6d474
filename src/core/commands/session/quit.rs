//! QUIT (<https://modern.ircdocs.horse/#quit-message>): ends this session. The account's other sessions stay.

use crate::core::commands::{Command, Spec};
use crate::core::request::settings::{Settings, clip};
use crate::core::state::context::Context;
use crate::core::state::silenced::QUIT_WORDS;

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
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        cx.close(&if self.0.is_empty() { "Quit".to_owned() } else { format!("{QUIT_WORDS}{}", self.0) });
    }
}
