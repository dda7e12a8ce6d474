//! QUIT (<https://modern.ircdocs.horse/#quit-message>). It ends this session; the account's others go on.

use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::settings::{Settings, clip};

/// QUIT
pub const SPEC: Spec = Spec {
    name: "QUIT",
    least: 0,
    parse: |m| Ok(Command::Quit(Quit(clip(m.param(0).unwrap_or_default(), Settings::REASON_BYTES).into()))),
};

/// The parting words.
#[derive(Debug)]
pub struct Quit(Box<str>);

impl Quit {
    pub(super) fn run(self, cx: &mut Context<'_>) {
        cx.close(&if self.0.is_empty() { "Quit".to_owned() } else { format!("Quit: {}", self.0) });
    }
}
