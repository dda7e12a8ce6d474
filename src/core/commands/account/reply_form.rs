//! Requests that the core cannot carry out alone, and replies in the form of the request: as a command or as
//! `NickServ`.

use crate::core::effects::ask::Ask;
use crate::core::effects::event::{Event, EventKind};
use crate::core::record::MessageKind;
use crate::core::request::account::{Request, Voice};
use crate::core::request::settings::USER_HOST;
use crate::core::state::context::Context;
use crate::wire::Reply;

/// Name of the service. No account can have it.
pub const SERVICE: &str = "NickServ";

/// Reply to a request that changes something while the store fails.
pub(in crate::core::commands) const UNAVAILABLE: &str =
    "The server cannot store anything right now; nothing was changed, try again later";

/// Starts a request for the account.
pub(in crate::core::commands) fn ask(cx: &mut Context<'_>, request: Request, voice: Voice) {
    let account = cx.member.account;
    cx.ask(Ask::Manage { account, request, voice });
}

/// Sends a NOTICE of the service to the session that wrote to it.
pub(in crate::core::commands) fn notice(cx: &mut Context<'_>, text: &str) {
    let to = cx.member.session;
    let event = Event {
        source: format!("{SERVICE}!{SERVICE}@{USER_HOST}").into(),
        ..Event::of_server(
            &cx.chat.settings.server_name,
            cx.at,
            EventKind::Message {
                kind: MessageKind::Notice,
                target: cx.member.nick.shared(),
                text: text.into(),
                own: false,
            },
        )
    };
    cx.show(to, event);
}

/// Replies in the form of the request. `about` stands between the code and the text, for programs.
pub(in crate::core::commands) fn say(
    cx: &mut Context<'_>,
    voice: Voice,
    (kind, code): (&'static str, &str),
    about: &[&str],
    text: &str,
) {
    match voice {
        Voice::Command(name) => {
            let reply = Reply::command(kind).arg(name).arg(code);
            cx.reply(about.iter().fold(reply, |reply, about| reply.arg(*about)).text(text));
        }
        Voice::Service => notice(cx, text),
    }
}
