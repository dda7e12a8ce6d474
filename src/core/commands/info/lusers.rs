//! LUSERS (<https://modern.ircdocs.horse/#lusers-message>): numbers of users and channels.

use crate::core::commands::{Command, Spec};
use crate::core::state::context::Context;
use crate::wire::Reply;
use crate::wire::numeric::{
    RPL_GLOBALUSERS, RPL_LOCALUSERS, RPL_LUSERCHANNELS, RPL_LUSERCLIENT, RPL_LUSERME,
};

/// The LUSERS command: replies with the numbers of users and channels.
pub const SPEC: Spec = Spec { name: "LUSERS", min_params: 0, parse: |_| Ok(Command::Lusers(Lusers)) };

/// A parsed LUSERS, whose parameters are ignored.
#[derive(Debug)]
pub struct Lusers;

impl Lusers {
    #[expect(clippy::unused_self, reason = "the shape of every command")]
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        send_lusers(cx);
    }
}

/// Sends the numbers of users and channels.
pub(in crate::core) fn send_lusers(cx: &mut Context<'_>) {
    let (now, peak) = (cx.core.visible_sessions, cx.core.peak_visible_sessions);
    // Counting secret channels would reveal that they exist.
    let channels = cx.core.channels.iter().filter(|channel| cx.can_see(channel)).count();
    let client = format!("There are {now} users and 0 invisible on 1 servers");
    cx.reply(Reply::numeric(RPL_LUSERCLIENT).text(client));
    cx.reply(Reply::numeric(RPL_LUSERCHANNELS).arg(channels.to_string()).text("channels formed"));
    cx.reply(Reply::numeric(RPL_LUSERME).text(format!("I have {now} clients and 0 servers")));
    for (numeric, kind) in [(RPL_LOCALUSERS, "local"), (RPL_GLOBALUSERS, "global")] {
        let reply = Reply::numeric(numeric).arg(now.to_string()).arg(peak.to_string());
        cx.reply(reply.text(format!("Current {kind} users {now}, max {peak}")));
    }
}
