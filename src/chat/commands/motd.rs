//! MOTD (<https://modern.ircdocs.horse/#motd-message>).

use super::{Command, Spec};
use crate::chat::context::Context;
use crate::chat::settings::SERVER_NAME;
use crate::wire::Reply;
use crate::wire::numeric::{ERR_NOMOTD, RPL_ENDOFMOTD, RPL_MOTD, RPL_MOTDSTART};

/// MOTD
pub const SPEC: Spec = Spec { name: "MOTD", least: 0, parse: |_| Ok(Command::Motd(Motd)) };

/// The message of the day is asked for.
#[derive(Debug)]
pub struct Motd;

impl Motd {
    #[expect(clippy::unused_self, reason = "the shape of every command")]
    pub(super) fn run(self, cx: &mut Context<'_>) {
        run(cx);
    }
}

/// Sends the message of the day, or says that there is none.
pub(in crate::chat) fn run(cx: &mut Context<'_>) {
    let lines = cx.chat.settings.motd.clone();
    if lines.is_empty() {
        return cx.reply(Reply::numeric(ERR_NOMOTD).text("There is no message of the day"));
    }
    let start = format!("- {SERVER_NAME} Message of the day -");
    cx.reply(Reply::numeric(RPL_MOTDSTART).text(start));
    for line in lines {
        cx.reply(Reply::numeric(RPL_MOTD).text(format!("- {line}")));
    }
    cx.reply(Reply::numeric(RPL_ENDOFMOTD).text("End of /MOTD command"));
}
