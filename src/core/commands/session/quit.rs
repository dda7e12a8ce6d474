//! QUIT (<https://modern.ircdocs.horse/#quit-message>): ends this session. The account's other sessions stay.

use crate::core::commands::{Command, Spec};
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::Context;
use crate::core::state::silencing::QUIT_REASON_PREFIX;

/// The QUIT command: ends the session.
pub const SPEC: Spec = Spec {
    name: "QUIT",
    min_params: 0,
    parse: |m| {
        Ok(Command::Quit(Quit(
            truncate_str(m.param(0).unwrap_or_default(), Settings::MAX_REASON_BYTES).into(),
        )))
    },
};

/// A parsed QUIT: the reason.
#[derive(Debug)]
pub struct Quit(Box<str>);

impl Quit {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        cx.close_session(&if self.0.is_empty() {
            "Quit".to_owned()
        } else {
            format!("{QUIT_REASON_PREFIX}{}", self.0)
        });
    }
}
