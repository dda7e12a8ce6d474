//! MOTD (<https://modern.ircdocs.horse/#motd-message>): the message of the day.

use crate::core::commands::{Command, Spec};
use crate::core::state::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::{RPL_ENDOFMOTD, RPL_MOTD, RPL_MOTDSTART};

/// The MOTD command: replies with the message of the day.
pub const SPEC: Spec = Spec { name: "MOTD", min_params: 0, parse: |_| Ok(Command::Motd(Motd)) };

/// A parsed MOTD, whose parameters are ignored.
#[derive(Debug)]
pub struct Motd;

impl Motd {
    #[expect(clippy::unused_self, reason = "the shape of every command")]
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        send_motd(cx);
    }
}

/// Sends the message of the day, or one line that says that there is none: some clients join their channels at
/// `RPL_ENDOFMOTD` and never at `ERR_NOMOTD`.
pub(in crate::core) fn send_motd(cx: &mut Context<'_>) {
    let mut lines = cx.core.settings.motd.clone();
    if lines.is_empty() {
        lines.push("There is no message of the day".to_owned());
    }
    let start = format!("- {} Message of the day -", cx.core.settings.server_name);
    cx.reply(Reply::numeric(RPL_MOTDSTART).text(start));
    for line in lines {
        cx.reply(Reply::numeric(RPL_MOTD).text(format!("- {line}")));
    }
    cx.reply(Reply::numeric(RPL_ENDOFMOTD).text("End of /MOTD command"));
}
