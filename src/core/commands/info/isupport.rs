//! ISUPPORT ([extended-isupport](https://ircv3.net/specs/extensions/extended-isupport)): repeats the server's features.

use crate::core::commands::{Command, Spec};
use crate::core::effects::isupport;
use crate::core::state::context::Context;

/// The ISUPPORT command: replies with the server's features.
pub const SPEC: Spec = Spec { name: "ISUPPORT", min_params: 0, parse: |_| Ok(Command::Isupport(Isupport)) };

/// A parsed ISUPPORT, which has no parameters.
#[derive(Debug)]
pub struct Isupport;

impl Isupport {
    #[expect(clippy::unused_self, reason = "the shape of every command")]
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        cx.replies(isupport::replies(&cx.core.settings, cx.sender.caps));
    }
}
