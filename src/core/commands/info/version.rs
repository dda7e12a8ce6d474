//! VERSION (<https://modern.ircdocs.horse/#version-message>): the server's version and features.

use crate::core::commands::{Command, Spec};
use crate::core::effects::isupport;
use crate::core::settings::VERSION;
use crate::core::state::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::RPL_VERSION;

/// The VERSION command: replies with the server's version.
pub const SPEC: Spec = Spec { name: "VERSION", min_params: 0, parse: |_| Ok(Command::Version(Version)) };

/// A parsed VERSION, whose parameters are ignored.
#[derive(Debug)]
pub struct Version;

impl Version {
    #[expect(clippy::unused_self, reason = "the shape of every command")]
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let text = "encrypted chat for the people on your network";
        cx.reply(
            Reply::numeric(RPL_VERSION).arg(VERSION).arg(cx.core.settings.server_name.as_str()).text(text),
        );
        cx.replies(isupport::replies(&cx.core.settings, cx.sender.caps));
    }
}
