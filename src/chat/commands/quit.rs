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
        // One QUIT goes to all who share a channel: who may not speak in one of these says nothing in leaving.
        let says_nothing = self.0.is_empty() || cx.me().is_some_and(|me| cx.chat.is_silenced(me));
        cx.close(&if says_nothing { "Quit".to_owned() } else { format!("Quit: {}", self.0) });
    }
}
